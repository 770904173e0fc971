"""Which server block answers a query (cluster-dns-behaviour.md, section 15)."""

from collections.abc import Mapping

from dnsserver.answering.query import Query
from dnsserver.runtime.sites import BuiltSite
from dnsserver.wire import names
from dnsserver.wire.codes import Class, Type


class SiteChoice:
    """*sites* as BuiltListener has them. `views`: the zones of which some site takes but some queries, each with the
    keys of all its sites."""

    def __init__(self, sites: Mapping[bytes, BuiltSite]) -> None:
        self._sites = sites
        self._only_root = list(sites) == [names.ROOT]
        self.views = _filtered(sites)
        # Section 15: one block that takes them lets them in for the whole listener.
        self._classes_beyond_in = any(site.classes_beyond_in for site in sites.values())

    def zone(self, query: Query) -> bytes | None:
        """The zone whose site answers; None when no site does."""
        if query.question.rclass != Class.IN and not self._classes_beyond_in:
            return None
        key = self.longest(query.name, query.question.rtype)
        if key in self.views:
            key = self._taking(query)
        return key if key is not None and self._sites[key].plugins else None

    def longest(self, name: bytes, rtype: int) -> bytes | None:
        """The zone that decides, whoever asks: its only site's key, or a key of `views`."""
        if self._only_root:
            return names.ROOT
        zones = [suffix for suffix in names.suffixes(name) if suffix in self._sites or suffix in self.views]
        if not zones:
            return None
        # DS belongs to the parent's side of a cut (RFC 4035 section 3.1.4.1). The root block does not count as a
        # parent: it is where everything that is not ours goes.
        if rtype == Type.DS and zones[0] == name and len(zones) > 1 and zones[1] != names.ROOT:
            return zones[1]
        return zones[0]

    def _taking(self, query: Query) -> bytes | None:
        """The key of the first site that takes *query*: of those of the longest zone, then of the zones above it."""
        found: list[bytes] = []
        for suffix in names.suffixes(query.name):
            keys = self.views.get(suffix, (suffix,) if suffix in self._sites else ())
            found += [key for key in keys if self._sites[key].takes(query)][:1]
            if found and (query.question.rtype != Type.DS or suffix != query.name):
                break
        # As in `longest`.
        if len(found) > 1 and names.to_text(found[1]) != ".":
            return found[1]
        return found[0] if found else None


def _filtered(sites: Mapping[bytes, BuiltSite]) -> dict[bytes, tuple[bytes, ...]]:
    """The zones of which some site takes but some queries, each with the keys of all its sites."""
    keys: dict[bytes, list[bytes]] = {}
    for key in sites:
        keys.setdefault(names.from_text(names.to_text(key)), []).append(key)
    return {zone: tuple(found) for zone, found in keys.items() if any(sites[key].filtered for key in found)}
