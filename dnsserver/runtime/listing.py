"""Every name that a server would answer, without serving it."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from dnsserver.config import ConfigError
from dnsserver.plugins.plugin import Listing, Plugin
from dnsserver.plugins.zone_names import longest
from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.runtime.sites import BuiltListener, BuiltSite
from dnsserver.sources.zonefile.printing import rdata_text
from dnsserver.wire import names
from dnsserver.wire.codes import type_name, type_number
from dnsserver.wire.question import Question
from dnsserver.zone.canonical import sort_key
from dnsserver.zone.listing import Listed
from dnsserver.zone.objects import Identity, ObjectKey
from dnsserver.zone.reverse import is_reverse

#: As `Listing.answers`.
Answers = Callable[[Question], bool]


@dataclass(frozen=True, slots=True)
class ServedName:
    """The records of one name and type: names in presentation format with the final dot, `values` the RDATA, sorted,
    `ttl` in seconds.

    `server` are the keys of the server block that answers, as `.:53`, and `plugin` is that of its plugins that does;
    `objects` are what the records are made of, the first is what the name is named after; `place` is `FILE:LINE` of one
    of them or, without any, `FILE:LINE` or `FILE` of the records; "" if none is known.
    """

    name: str
    type: str
    ttl: int
    values: tuple[str, ...]
    zone: str
    server: str
    plugin: str
    objects: tuple[Identity, ...]
    place: str

    @classmethod
    def of(
        cls, listed: Listed, zone: bytes, server: str, plugin: str, places: Mapping[Identity, str]
    ) -> Self:
        return cls(
            names.to_text(listed.owner),
            type_name(listed.rtype),
            listed.ttl,
            tuple(sorted(rdata_text(record.rtype, record.rdata) for record in listed.records)),
            names.to_text(zone),
            server,
            plugin,
            listed.made_of,
            listed.place or next((places[each] for each in listed.made_of if each in places), ""),
        )

    @property
    def sort_key(self) -> tuple[bool, bytes, int, str]:
        """Forward zones first; the canonical order of names (RFC 4034 section 6.1), then of types."""
        owner = names.from_text(self.name.lower())
        return (
            is_reverse(owner),
            sort_key(owner),
            type_number(self.type) or 0,
            self.server,
        )

    def as_json(self) -> dict[str, object]:
        """The form in which programs are told (docs/names-lint-diff.md)."""
        return {
            "name": self.name,
            "type": self.type,
            "ttl": self.ttl,
            "values": list(self.values),
            "zone": self.zone,
            "server": self.server,
            "plugin": self.plugin,
            "objects": [
                {"kind": each.kind, "namespace": each.key.namespace, "name": each.key.name}
                for each in self.objects
            ],
            "place": self.place,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """What `as_json` gave. Raises KeyError, TypeError."""
        objects = tuple(
            Identity(each["kind"], ObjectKey(each["namespace"], each["name"])) for each in value["objects"]
        )
        return cls(**{**value, "values": tuple(value["values"]), "objects": objects})


class ServedNames:
    """The names of a server, and what else it answers (`beyond`, in sentences). Rules of plugins in front of those
    that have names, such as `rewrite`, are not applied."""

    def __init__(self, server: ClusterDnsServer, *, local: bool = False) -> None:
        """*local*: only of blocks all of whose names are made of files."""
        self._server = server
        self._sites = [site for site in server.sites if not local or _is_local(site)]

    @property
    def beyond(self) -> tuple[str, ...]:
        listings = (plugin.listing for site in self._sites for plugin in site.plugins)
        return tuple(dict.fromkeys(text for each in listings if each for text in each.beyond()))

    def __iter__(self) -> Iterator[ServedName]:
        """Block by block, plugin by plugin, as they are when they come."""
        return (each for each in self.step_by_step() if each is not None)

    def step_by_step(self) -> Iterator[ServedName | None]:
        """The same; None for a step that finds nothing, or what another plugin or block answers: no step takes long."""
        for site in self._sites:
            answered = _dispatched(self._server.built, site)
            shown = " ".join(key.shown for key in site.block.keys)
            apexes = {zone for _, listing, _ in _in_turn(site) for zone in listing.zones()}
            for plugin, listing, before in _in_turn(site):
                places, owns = listing.places(), bool(tuple(listing.zones()))
                for listed in listing.names():
                    if listed is None or not answered(listed.owner.lower()) or _taken(listed, before):
                        yield None
                        continue
                    zone = listed.origin if owns else longest(listed.owner.lower(), apexes) or listed.origin
                    yield ServedName.of(listed, zone, shown, plugin.name, places)

    def in_order(self) -> list[ServedName]:
        """All of them, by their `sort_key`."""
        return sorted(self, key=lambda each: each.sort_key)


@contextlib.asynccontextmanager
async def listed_names(server: ClusterDnsServer, *, local: bool = False) -> AsyncIterator[ServedNames]:
    """The names of *server*, which is not to run meanwhile: its sources do. *local*: as ServedNames has it. Raises
    ConfigError, also when a cluster has not been known in time."""
    async with contextlib.AsyncExitStack() as exits:
        sites = [site for site in server.sites if not local or _is_local(site)]
        for plugin in (plugin for site in sites for plugin in site.plugins):
            if plugin.listing is None:
                continue
            if plugin.listing.read is not None:
                await exits.enter_async_context(plugin.listing.read())
            waits = "" if plugin.waiting_for is None else plugin.waiting_for()
            if waits:
                raise ConfigError(
                    f"plugin/{plugin.name}: {waits}: is the API server there, and may it be read?"
                )
        yield ServedNames(server, local=local)


def _is_local(site: BuiltSite) -> bool:
    return all(plugin.listing is None or plugin.listing.local for plugin in site.plugins)


def _in_turn(site: BuiltSite) -> Iterator[tuple[Plugin, Listing, tuple[Answers, ...]]]:
    """The plugins with names, each with those in front of it."""
    before: tuple[Answers, ...] = ()
    for plugin in site.plugins:
        if plugin.listing is not None:
            yield plugin, plugin.listing, before
            if plugin.listing.answers is not None:
                before = (*before, plugin.listing.answers)


def _taken(listed: Listed, before: tuple[Answers, ...]) -> bool:
    """Whether a plugin in front answers in place of these records."""
    return bool(before) and any(answers(Question(listed.owner.lower(), listed.rtype)) for answers in before)


def _dispatched(built: tuple[BuiltListener, ...], site: BuiltSite) -> Callable[[bytes], bool]:
    """Whether questions for a name (lower case) get to *site*; to which of several, where they have views, hangs on
    more than the name."""
    listeners: list[dict[bytes, list[BuiltSite]]] = []
    for listener in built:
        zones: dict[bytes, list[BuiltSite]] = {}
        for key, each in listener.sites.items():
            zones.setdefault(names.from_text(names.to_text(key)), []).append(each)
        listeners.append(zones)

    def answered(name: bytes) -> bool:
        for zones in listeners:
            found = next((zones[suffix] for suffix in names.suffixes(name) if suffix in zones), [])
            if any(each is site for each in found):
                return True
        return False

    return answered
