"""Which socket addresses are served, and that no zone is served twice (coredns-compat.md, section 1.5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from dnsserver.config.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ListenEntry:
    """One zone on one address; the address is empty without `bind`, which means all addresses.

    `where` is `FILE:LINE` of the key; `filtered` is true for a block with `view`, which may share its zone.
    """

    scheme: str
    zone: str
    port: int
    address: str = ""
    where: str = ""
    filtered: bool = False

    def __str__(self) -> str:
        bound = f" on {self.address}" if self.address else ""
        return f"{self.scheme}://{self.zone}:{self.port}{bound}"


@dataclass(frozen=True, slots=True)
class Listener:
    """All zones that share transport, address and port, in file order."""

    scheme: str
    address: str
    port: int
    entries: tuple[ListenEntry, ...]


def check_overlaps(entries: Iterable[ListenEntry]) -> None:
    """ConfigError if a zone is served twice, or once on all addresses and once on one."""
    served: dict[ListenEntry, ListenEntry] = {}
    by_zone: dict[ListenEntry, ListenEntry] = {}
    for entry in entries:
        place = replace(entry, where="", filtered=False)
        anywhere = replace(place, address="")
        if not entry.filtered and place in served:
            raise _refused(entry, "it is already defined", served[place])
        other = by_zone.get(anywhere) if not entry.address else served.get(anywhere)
        if other is not None and place not in served:
            raise _refused(entry, f"zone overlap listener capacity with {other}", other)
        if not entry.filtered:
            served[place] = by_zone[anywhere] = entry


def listeners(entries: Iterable[ListenEntry]) -> tuple[Listener, ...]:
    """One listener for each transport, address and port, after the check for overlaps."""
    entries = tuple(entries)
    check_overlaps(entries)
    groups: dict[tuple[str, str, int], list[ListenEntry]] = {}
    for entry in entries:
        groups.setdefault((entry.scheme, entry.address, entry.port), []).append(entry)
    return tuple(Listener(*key, tuple(group)) for key, group in groups.items())


def _refused(entry: ListenEntry, reason: str, other: ListenEntry) -> ConfigError:
    places = f" ({entry.where}, first at {other.where})" if entry.where and other.where else ""
    return ConfigError(f"cannot serve {entry} - {reason}{places}")
