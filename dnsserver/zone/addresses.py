"""IP addresses as index keys: packed octets to the objects that hold them."""

from bisect import bisect_left, insort
from collections.abc import Iterable
from ipaddress import ip_address

from dnsserver.zone.objects import ObjectKey

#: Additions since the last range query above which sorting anew beats inserting one by one.
BULK_ADDITIONS = 64


def packed(address: str) -> bytes | None:
    """The 4 or 16 octets of an IP address in any accepted spelling, or None when *address* is none.

    A scoped address (`fe80::1%eth0`) means nothing outside its host, so it is none.
    """
    quick = _plain_ipv4(address)
    if quick is not None:
        return quick
    if "%" in address:
        return None
    try:
        return ip_address(address).packed
    except ValueError:
        return None


def _plain_ipv4(address: str) -> bytes | None:
    """The octets of an IPv4 address in its one canonical spelling: four times as fast as `ip_address`, and a first
    list has 10^5 of them."""
    parts = address.split(".")
    if len(parts) != 4:
        return None
    try:
        octets = bytes([int(part) for part in parts])
    except ValueError:
        return None
    return octets if ".".join(map(str, octets)) == address else None


class AddressIndex:
    """Which objects hold an address, and whether any address lies in a range.

    The sorted view that range queries need is brought up to date by the query, not by the change: changes come
    by the thousand, questions about partial reverse names hardly ever.
    """

    def __init__(self) -> None:
        self._owners: dict[bytes, tuple[ObjectKey, ...]] = {}
        self._sorted: dict[int, list[bytes]] = {4: [], 16: []}
        self._added: set[bytes] = set()

    def add(self, owner: ObjectKey, addresses: Iterable[str]) -> None:
        """Text that is no address is passed over."""
        for address in set(addresses):
            key = packed(address)
            if key is None:
                continue
            held = self._owners.get(key, ())
            if not held:
                self._added.add(key)
            if owner not in held:
                self._owners[key] = tuple(sorted((*held, owner)))

    def remove(self, owner: ObjectKey, addresses: Iterable[str]) -> None:
        for address in set(addresses):
            key = packed(address)
            if key is None or key not in self._owners:
                continue
            left = tuple(held for held in self._owners[key] if held != owner)
            if left:
                self._owners[key] = left
            else:
                del self._owners[key]
                self._forget(key)

    def owners(self, key: bytes) -> tuple[ObjectKey, ...]:
        """The owners of the address with these octets, sorted."""
        return self._owners.get(key, ())

    def any_within(self, low: bytes, high: bytes) -> bool:
        """Whether an address in [low, high] is held; both have the length of one family."""
        self._settle()
        addresses = self._sorted[len(low)]
        place = bisect_left(addresses, low)
        return place < len(addresses) and addresses[place] <= high

    def _forget(self, key: bytes) -> None:
        if key in self._added:
            self._added.remove(key)
            return
        addresses = self._sorted[len(key)]
        del addresses[bisect_left(addresses, key)]

    def _settle(self) -> None:
        if len(self._added) > BULK_ADDITIONS:
            for size, addresses in self._sorted.items():
                addresses.extend(key for key in self._added if len(key) == size)
                addresses.sort()
        else:
            for key in self._added:
                insort(self._sorted[len(key)], key)
        self._added.clear()
