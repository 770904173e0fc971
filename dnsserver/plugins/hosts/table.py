"""Lines of a hosts file to names and addresses (hosts(5); coredns-compat.md, section 3.7).

What is kept is flat octets: lists of a million names are in use, as block lists.
"""

import socket
import time
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field

from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.errors import NameTextError
from dnsserver.wire.limits import LABEL_MAX, NAME_MAX

#: Octets of an address of either type.
SIZES = {Type.A: 4, Type.AAAA: 16}
#: Addresses that are kept for a name. More A records than this have no room in any message (65,535 octets).
ADDRESSES_MAX = 4096
#: Names that are kept for an address, as PTR records of the cluster. Block lists name one address for all their names.
NAMES_MAX = 256
#: Lines after which a thread that reads a long file lets others run.
TURN_LINES = 256

_MAPPED = bytes(10) + b"\xff\xff"
_WILDCARD = b"\x01*"


@dataclass(slots=True)
class HostTable:
    """Names (wire form, lower case) to their packed addresses one behind the other, and back. `wild` has the names
    that begin with `*`."""

    exact: dict[Type, dict[bytes, bytes]] = field(default_factory=lambda: {Type.A: {}, Type.AAAA: {}})
    wild: dict[Type, dict[bytes, bytes]] = field(default_factory=lambda: {Type.A: {}, Type.AAAA: {}})
    names: dict[bytes, bytes] = field(default_factory=dict)
    """Packed addresses to the names one behind the other: each ends with its root."""
    entries: int = 0
    """Pairs of name and address, those for PTR records counted once more."""

    def addresses(self, name: bytes, rtype: Type) -> bytes:
        """The packed addresses of *name*: its own or, without any, those of `*` in place of its first label."""
        found = self.exact[rtype].get(name)
        if found is None and self.wild[rtype]:
            found = self.wild[rtype].get(_WILDCARD + name[1 + name[0] :]) if name[0] else None
        return found or b""

    def owners(self) -> Iterator[tuple[Type, list[bytes]]]:
        """The names that have records of a type; for PTR the packed addresses."""
        for rtype in SIZES:
            yield rtype, [*self.exact[rtype], *self.wild[rtype]]
        yield Type.PTR, list(self.names)

    def dismantle(self) -> None:
        """Give the memory back bit by bit: to free a large dictionary at once holds up every thread."""
        for mapping in (*self.exact.values(), *self.wild.values(), self.names):
            for count in range(len(mapping)):
                mapping.popitem()
                if count % TURN_LINES == 0:
                    time.sleep(0)


def parse_hosts(
    lines: Iterable[bytes],
    zones: Container[bytes],
    *,
    reverse: bool,
    unread: Callable[[int], None] = lambda _number: None,
) -> HostTable:
    """The names of *lines* at and below *zones*; *reverse*: with PTR records. *unread* is told the numbers of lines,
    from 1 on, that have something to say and do not begin with an address, or name nothing that is a domain name."""
    building = _Building(zones, reverse)
    for number, line in enumerate(lines, 1):
        if number % TURN_LINES == 0:
            time.sleep(0)
        words = line.partition(b"#")[0].split()
        if words and not building.add(words):
            unread(number)
    return building.table


class _Building:
    def __init__(self, zones: Container[bytes], reverse: bool) -> None:
        self.table = HostTable()
        self._zones = None if names.ROOT in zones else zones
        self._reverse = reverse
        self._full: set[bytes] = set()
        self._last: tuple[bytes, bytes | None] = (b"", None)

    def add(self, words: list[bytes]) -> bool:
        """Whether the line could be used: an address, and names."""
        if words[0] != self._last[0]:
            self._last = words[0], packed_address(words[0])
        address = self._last[1]
        if address is None or len(words) == 1:
            return False
        rtype = Type.A if len(address) == SIZES[Type.A] else Type.AAAA
        good = True
        for word in words[1:]:
            name = wire_name(word)
            if name is None:
                good = False
            elif self._zones is None or any(suffix in self._zones for suffix in names.suffixes(name)):
                self._put(name, rtype, address)
        return good

    def _put(self, name: bytes, rtype: Type, address: bytes) -> None:
        if name.startswith(_WILDCARD):
            self._append(self.table.wild[rtype], name, address)
            return
        self._append(self.table.exact[rtype], name, address)
        if self._reverse:
            self._append_name(address, name)

    def _append(self, mapping: dict[bytes, bytes], name: bytes, address: bytes) -> None:
        held = mapping.get(name)
        if held is None:
            mapping[name] = address
        elif len(held) < ADDRESSES_MAX * len(address) and not _has(held, address):
            mapping[name] = held + address
        else:
            return
        self.table.entries += 1

    def _append_name(self, address: bytes, name: bytes) -> None:
        held = self.table.names.get(address)
        if held is None:
            self.table.names[address] = name
        elif address in self._full:
            return
        else:
            known = split_names(held)
            if name in known:
                return
            self.table.names[address] = held + name
            if len(known) + 1 == NAMES_MAX:
                self._full.add(address)
        self.table.entries += 1


def split_addresses(packed: bytes, size: int) -> list[bytes]:
    return [packed[place : place + size] for place in range(0, len(packed), size)]


def split_names(joined: bytes) -> list[bytes]:
    """The names of *joined*, each with its root."""
    found, start, place = [], 0, 0
    while place < len(joined):
        size = joined[place]
        place += 1 + size
        if not size:
            found.append(joined[start:place])
            start = place
    return found


def _has(packed: bytes, address: bytes) -> bool:
    """Whether *address* stands in *packed*, at a border between addresses."""
    place = packed.find(address)
    while place > 0 and place % len(address):
        place = packed.find(address, place + 1)
    return place >= 0


def packed_address(text: bytes) -> bytes | None:
    """The 4 or 16 octets of an address, its scope left out; an IPv4-mapped one is IPv4. None: it is none."""
    try:
        address = text.partition(b"%")[0].decode("ascii")
        if ":" not in address:
            return socket.inet_pton(socket.AF_INET, address)
        packed = socket.inet_pton(socket.AF_INET6, address)
    except (OSError, ValueError):  # ValueError: not ASCII, or a NUL
        return None
    return packed[len(_MAPPED) :] if packed.startswith(_MAPPED) else packed


def wire_name(text: bytes) -> bytes | None:
    """The name, in lower case, that *text* is in presentation format; None when it is none."""
    if b"\\" in text:
        try:
            return names.from_text(text.decode()).lower()
        except (NameTextError, UnicodeDecodeError):
            return None
    labels = text.lower().removesuffix(b".").split(b".")
    if any(not 0 < len(label) <= LABEL_MAX for label in labels):
        return None
    name = names.join(labels)
    return name if len(name) <= NAME_MAX else None
