"""Objects, one resourceVersion for all of them, and the history that watches are served from."""

import asyncio
import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

#: Plural name, API group and version of the kinds that are served.
KINDS = {
    "Service": ("services", "", "v1"),
    "EndpointSlice": ("endpointslices", "discovery.k8s.io", "v1"),
    "Namespace": ("namespaces", "", "v1"),
    "Pod": ("pods", "", "v1"),
    "ServiceImport": ("serviceimports", "multicluster.x-k8s.io", "v1alpha1"),
}

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as it was at one version; `octets` is its JSON."""

    key: Key
    version: int
    octets: bytes
    labels: Mapping[str, str]
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """`before` is None for an added object, `after` for a deleted one; `last` is what a DELETED event shows."""

    version: int
    before: Stored | None
    after: Stored | None
    last: bytes


@dataclass(slots=True)
class Table:
    """One resource."""

    kind: str
    group: str
    version: str = "v1"
    objects: dict[Key, Stored] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    compacted: int = 0

    def since(self, version: int) -> list[Change]:
        return self.changes[bisect_right(self.changes, version, key=lambda change: change.version) :]


class Store:
    """What etcd is to the API server."""

    def __init__(self) -> None:
        self.version = 1
        self.tables = {
            plural: Table(kind, group, version) for kind, (plural, group, version) in KINDS.items()
        }
        self.changed = asyncio.Event()

    def wake(self) -> None:
        """Let all watches look again."""
        self.changed.set()
        self.changed = asyncio.Event()

    def put(self, obj: Mapping[str, Any], *, must_exist: bool) -> None:
        table = self.tables[KINDS[obj["kind"]][0]]
        key = key_of(obj)
        before = table.objects.get(key)
        if (before is not None) != must_exist:
            raise LookupError(f"{obj['kind']} {key} {'is not there' if must_exist else 'is there already'}")
        self.version += 1
        after = stored(key, obj, self.version)
        table.objects[key] = after
        table.changes.append(Change(self.version, before, after, after.octets))
        self.wake()

    def delete(self, kind: str, key: Key) -> None:
        table = self.tables[KINDS[kind][0]]
        before = table.objects.pop(key)
        self.version += 1
        last = versioned(before.octets, self.version)
        table.changes.append(Change(self.version, before, None, last))
        self.wake()

    def compact(self) -> None:
        """No watch can start from before now; those that are open have what they need."""
        self.version += 1
        for table in self.tables.values():
            table.compacted = self.version


def key_of(obj: Mapping[str, Any]) -> Key:
    return (obj["metadata"].get("namespace") or "", obj["metadata"]["name"])


def stored(key: Key, obj: Mapping[str, Any], version: int) -> Stored:
    metadata = {**obj["metadata"], "resourceVersion": str(version)}
    phase = (obj.get("status") or {}).get("phase", "")
    fields = {"metadata.namespace": key[0], "metadata.name": key[1], "status.phase": phase}
    octets = msgspec.json.encode({**obj, "metadata": metadata})
    return Stored(key, version, octets, dict(obj["metadata"].get("labels") or {}), fields)


def versioned(octets: bytes, version: int) -> bytes:
    obj = msgspec.json.decode(octets)
    obj["metadata"]["resourceVersion"] = str(version)
    return msgspec.json.encode(obj)


@dataclass(frozen=True, slots=True)
class Filter:
    """labelSelector and fieldSelector of a request."""

    labels: str = ""
    fields: str = ""

    def chooses(self, item: Stored | None) -> bool:
        return item is not None and selects(self.labels, item.labels) and selects(self.fields, item.fields)

    def event(self, change: Change) -> tuple[str, bytes] | None:
        """What a watch with this filter sends: leaving the selection is DELETED, entering it ADDED."""
        was, is_ = self.chooses(change.before), self.chooses(change.after)
        if is_ and change.after is not None:
            return ("MODIFIED" if was else "ADDED"), change.after.octets
        if was and change.before is not None:
            return "DELETED", versioned(change.before.octets, change.version) if change.after else change.last
        return None


def selects(selector: str, values: Mapping[str, str]) -> bool:
    """The API's selectors, in a reading of our own so that the server's is not judged by itself."""
    return all(_holds(part.strip(), values) for part in re.split(r",(?![^(]*\))", selector) if part.strip())


def _holds(part: str, values: Mapping[str, str]) -> bool:
    if found := re.fullmatch(r"(\S+)\s+(in|notin)\s*\(([^)]*)\)", part):
        listed = [value.strip() for value in found[3].split(",")]
        return (values.get(found[1], None) in listed) == (found[2] == "in")
    if found := re.fullmatch(r"([^!=\s]+)\s*(!=|==|=)\s*(\S*)", part):
        return (values.get(found[1], None) == found[3]) == (found[2] != "!=")
    return (part.removeprefix("!") in values) != part.startswith("!")
