"""Objects, one resourceVersion for all of them, and the history that watches are served from."""

import asyncio
import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from dnsserver.testing.kube_api.resources import BUILT_IN, CRD_GROUP, Resource, of_definition

#: Namespace, "" for objects that have none, and name.
Key = tuple[str, str]

#: What fieldSelector may ask for.
FIELDS = ("metadata.namespace", "metadata.name", "status.phase", "spec.nodeName")


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
    """The objects of one resource."""

    resource: Resource
    objects: dict[Key, Stored] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    compacted: int = 0

    def since(self, version: int) -> list[Change]:
        return self.changes[bisect_right(self.changes, version, key=lambda change: change.version) :]


class Store:
    """What etcd is to the API server."""

    def __init__(self) -> None:
        self.version = 1
        self.tables = {(each.group, each.plural): Table(each) for each in BUILT_IN}
        self._plurals = {(each.group, each.kind): each.plural for each in BUILT_IN}
        self.changed = asyncio.Event()

    def wake(self) -> None:
        """Let all watches look again."""
        self.changed.set()
        self.changed = asyncio.Event()

    def table_of(self, obj: Mapping[str, Any]) -> Table:
        """The table that *obj* belongs in. LookupError when there is no such kind."""
        group = obj["apiVersion"].rpartition("/")[0]
        plural = self._plurals.get((group, obj["kind"]))
        if plural is None:
            text = f"no kind {obj['kind']!r} in {obj['apiVersion']}: add its CustomResourceDefinition first"
            raise LookupError(text)
        return self.tables[group, plural]

    def put(self, obj: Mapping[str, Any], *, must_exist: bool) -> Stored:
        """LookupError when it exists and must not, or the other way about, or there is no such kind."""
        table = self.table_of(obj)
        key = key_of(obj)
        before = table.objects.get(key)
        if (before is not None) != must_exist:
            raise LookupError(f"{obj['kind']} {key} {'is not there' if must_exist else 'is there already'}")
        after = stored(key, obj, self.version + 1)
        if table.resource.group == CRD_GROUP:
            self._define(of_definition(obj))
        self.version += 1
        table.objects[key] = after
        table.changes.append(Change(self.version, before, after, after.octets))
        self.wake()
        return after

    def delete(self, table: Table, key: Key) -> bytes:
        """Returns the object as watches show it for the last time. LookupError when it is not there."""
        before = table.objects.pop(key)
        if table.resource.group == CRD_GROUP:
            self._forget(of_definition(msgspec.json.decode(before.octets)))
        self.version += 1
        last = versioned(before.octets, self.version)
        table.changes.append(Change(self.version, before, None, last))
        self.wake()
        return last

    def saved(self) -> dict[str, Any]:
        """All objects, for `restore`; the history is not among them."""
        tables = self.tables.values()
        objects = [msgspec.json.decode(item.octets) for table in tables for item in table.objects.values()]
        return {"version": self.version, "objects": objects}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Begin as another store ended, with its versions; watches can start from there, not from before."""
        for obj in saved["objects"]:
            key, version = key_of(obj), int(obj["metadata"]["resourceVersion"])
            self.table_of(obj).objects[key] = stored(key, obj, version)
        self.version = saved["version"]
        for table in self.tables.values():
            table.compacted = self.version

    def compact(self) -> None:
        """No watch can start from before now; those that are open have what they need."""
        self.version += 1
        for table in self.tables.values():
            table.compacted = self.version
        self.wake()

    def _define(self, resource: Resource) -> None:
        table = self.tables.setdefault((resource.group, resource.plural), Table(resource))
        table.resource = resource
        self._plurals[resource.group, resource.kind] = resource.plural

    def _forget(self, resource: Resource) -> None:
        self.tables.pop((resource.group, resource.plural), None)
        self._plurals.pop((resource.group, resource.kind), None)


def key_of(obj: Mapping[str, Any]) -> Key:
    return (obj["metadata"].get("namespace") or "", obj["metadata"]["name"])


def stored(key: Key, obj: Mapping[str, Any], version: int) -> Stored:
    metadata = {**obj["metadata"], "resourceVersion": str(version)}
    fields = dict(
        zip(FIELDS, (*key, _text(obj, "status", "phase"), _text(obj, "spec", "nodeName")), strict=True)
    )
    octets = msgspec.json.encode({**obj, "metadata": metadata})
    return Stored(key, version, octets, dict(obj["metadata"].get("labels") or {}), fields)


def _text(obj: Mapping[str, Any], part: str, field: str) -> str:
    """Also of objects that no API server would take."""
    found = obj.get(part)
    value = found.get(field) if isinstance(found, Mapping) else None
    return value if isinstance(value, str) else ""


def versioned(octets: bytes, version: int) -> bytes:
    obj = msgspec.json.decode(octets)
    obj["metadata"]["resourceVersion"] = str(version)
    return msgspec.json.encode(obj)


@dataclass(frozen=True, slots=True)
class Filter:
    """labelSelector, fieldSelector and namespace of a request."""

    labels: str = ""
    fields: str = ""
    namespace: str = ""

    def chooses(self, item: Stored | None) -> bool:
        return (
            item is not None
            and self.namespace in ("", item.key[0])
            and selects(self.labels, item.labels)
            and selects(self.fields, item.fields)
        )

    def unknown_field(self) -> str:
        """A field that objects cannot be chosen by; "" when there is none."""
        parts = (re.split(r"!=|==|=", part)[0].strip() for part in self.fields.split(",") if part.strip())
        return next((part for part in parts if part not in FIELDS), "")

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
