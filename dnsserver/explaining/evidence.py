"""Whole objects with the places where they stand: what causes are looked for in."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from dnsserver.explaining import fields

#: Ties an EndpointSlice to its Service (discovery.k8s.io/v1, LabelServiceName).
SERVICE_NAME_LABEL = "kubernetes.io/service-name"


class Selects(Protocol):
    """A label selector."""

    @property
    def text(self) -> str: ...

    def matches(self, labels: Mapping[str, str]) -> bool: ...


@dataclass(frozen=True, slots=True)
class Place:
    """Which object, and where it stands. `uid` and `resource_version` are the API's, `file` and `line` (from 1) those
    of a manifest; "" and 0 for what is not known. `made_by`: the object that a controller makes this one of, where it
    is stated nowhere itself."""

    kind: str
    namespace: str
    name: str
    uid: str = ""
    resource_version: str = ""
    file: str = ""
    line: int = 0
    made_by: "Place | None" = None

    def __str__(self) -> str:
        """As people call it: `Service default/web`."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def origin(self) -> "tuple[Place, ...]":
        """What a controller makes it of, where it is stated nowhere itself."""
        return () if self.made_by is None else (self.made_by,)

    @property
    def where(self) -> str:
        """`file:line`, or what the API knows it by; "" when neither is known."""
        if self.file:
            return f"{self.file}:{self.line}"
        known = (("uid", self.uid), ("resourceVersion", self.resource_version))
        return ", ".join(f"{name} {value}" for name, value in known if value)


@dataclass(frozen=True, slots=True)
class Whole:
    """One object, all of it, as the API or the manifest has it."""

    place: Place
    value: Mapping[str, Any] = field(repr=False)

    @property
    def namespace(self) -> str:
        return self.place.namespace

    @property
    def name(self) -> str:
        return self.place.name

    @property
    def labels(self) -> dict[str, str]:
        return fields.labels(self.value, "metadata", "labels")

    @property
    def terminating(self) -> bool:
        return fields.has(self.value, "metadata", "deletionTimestamp")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What evidence is to be about: the objects in *namespace*, those called *name* anywhere, and those that have
    *address*; "" for none."""

    namespace: str = ""
    name: str = ""
    address: str = ""


@dataclass(frozen=True)
class Evidence:
    """Whole objects. `unseen`: the kinds that could not be looked at, with the reason, such as "not allowed to list
    pods". What is not in `objects`, and of a kind that is not in `unseen`, does not exist where it was looked for."""

    objects: tuple[Whole, ...] = ()
    unseen: Mapping[str, str] = field(default_factory=dict)

    def of(self, kind: str, namespace: str | None = None) -> tuple[Whole, ...]:
        """All of *kind*, by namespace and name; those of one namespace, where it is given."""
        if namespace is None:
            return tuple(self._by_kind.get(kind, {}).values())
        return tuple(self._by_namespace.get((kind, namespace), ()))

    def get(self, kind: str, namespace: str, name: str) -> Whole | None:
        return self._by_kind.get(kind, {}).get((namespace, name))

    def namespaces(self) -> Iterator[str]:
        """Names of the namespaces, in order."""
        return (each.name for each in self.of("Namespace"))

    def named(self, kind: str, name: str) -> tuple[Whole, ...]:
        """All of *kind* with this name, in any namespace."""
        return tuple(each for each in self.of(kind) if each.name == name)

    def slices_of(self, service: Whole) -> tuple[Whole, ...]:
        """The EndpointSlices of a Service, whatever their labels say besides."""
        return tuple(
            each
            for each in self.of("EndpointSlice", service.namespace)
            if each.labels.get(SERVICE_NAME_LABEL) == service.name
        )

    def joined(self, other: "Evidence") -> "Evidence":
        """Both; of two objects with the same kind, namespace and name the first counts."""
        return Evidence((*self.objects, *other.objects), {**self.unseen, **other.unseen})

    def completed(self, other: "Evidence") -> "Evidence":
        """The same with what *other* has of kinds that could not be looked at."""
        kinds = {each.place.kind for each in other.objects} & self.unseen.keys()
        more = tuple(each for each in other.objects if each.place.kind in kinds)
        unseen = {kind: reason for kind, reason in self.unseen.items() if kind not in kinds}
        return Evidence((*self.objects, *more), unseen)

    @cached_property
    def _by_kind(self) -> dict[str, dict[tuple[str, str], Whole]]:
        found: dict[str, dict[tuple[str, str], Whole]] = defaultdict(dict)
        for each in sorted(self.objects, key=lambda each: (each.namespace, each.name)):
            found[each.place.kind].setdefault((each.namespace, each.name), each)
        return found

    @cached_property
    def _by_namespace(self) -> dict[tuple[str, str], list[Whole]]:
        found: dict[tuple[str, str], list[Whole]] = defaultdict(list)
        for kind, objects in self._by_kind.items():
            for each in objects.values():
                found[kind, each.namespace].append(each)
        return found


def place_of(value: Mapping[str, Any], *, kind: str = "", file: str = "", line: int = 0) -> Place:
    """The place of an object, by what it says of itself."""
    metadata = fields.mapping(value, "metadata")
    return Place(
        kind or fields.text(value, "kind"),
        fields.text(metadata, "namespace"),
        fields.text(metadata, "name"),
        fields.text(metadata, "uid"),
        fields.text(metadata, "resourceVersion"),
        file,
        line,
    )
