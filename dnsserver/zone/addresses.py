"""IP addresses as index keys: packed octets to the objects that hold them."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from ipaddress import ip_address

from dnsserver.zone.objects import ObjectKey

#: Additions since the last range query above which sorting anew beats inserting one by one.
BULK_ADDITIONS = 64


def is_ip_address(text: str) -> bool:
    """Whether *text* is an IPv4 address, or an IPv6 address in any spelling, with or without a scope. What is an index
    key, or what the API takes, is less: `packed`, `sources.texts.is_address`."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


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
    """Which objects hold an address, and whether any address lies in a range, by namespace.

    The sorted view that range queries need is brought up to date by the query, not by the change: changes come
    by the thousand, questions about partial reverse names hardly ever.
    """

    def __init__(self) -> None:
        self._owners: dict[bytes, tuple[ObjectKey, ...]] = {}
        self._all = {4: _SortedAddresses(), 16: _SortedAddresses()}
        self._ranges: dict[tuple[str, int], _SortedAddresses] = {}

    def add(self, owner: ObjectKey, addresses: Iterable[str]) -> None:
        """Text that is no address is passed over."""
        for address in set(addresses):
            key = packed(address)
            if key is None:
                continue
            held = self._owners.get(key, ())
            if owner in held:
                continue
            if not held:
                self._all[len(key)].add(key)
            if not any(other.namespace == owner.namespace for other in held):
                self._ranges.setdefault((owner.namespace, len(key)), _SortedAddresses()).add(key)
            place = bisect_left(held, owner)
            self._owners[key] = (*held[:place], owner, *held[place:])

    def remove(self, owner: ObjectKey, addresses: Iterable[str]) -> None:
        for address in set(addresses):
            key = packed(address)
            if key is None or owner not in self._owners.get(key, ()):
                continue
            left = tuple(held for held in self._owners[key] if held != owner)
            if left:
                self._owners[key] = left
            else:
                del self._owners[key]
                self._all[len(key)].remove(key)
            if not any(other.namespace == owner.namespace for other in left):
                self._forget(owner.namespace, key)

    def owners(self, key: bytes) -> tuple[ObjectKey, ...]:
        """The owners of the address with these octets, sorted."""
        return self._owners.get(key, ())

    def any_within(self, low: bytes, high: bytes, shown: Callable[[str], bool]) -> bool:
        """Whether an object of a namespace that *shown* accepts holds an address in [low, high], packed and of one
        family."""
        if not self._all[len(low)].any_within(low, high):
            return False  # without a walk over the namespaces, which there may be thousands of
        return any(
            size == len(low) and addresses.any_within(low, high) and shown(namespace)
            for (namespace, size), addresses in self._ranges.items()
        )

    def _forget(self, namespace: str, key: bytes) -> None:
        addresses = self._ranges[namespace, len(key)]
        addresses.remove(key)
        if not addresses:
            del self._ranges[namespace, len(key)]


class _SortedAddresses:
    """Addresses of one family and namespace, sorted when a range is asked for."""

    def __init__(self) -> None:
        self._sorted: list[bytes] = []
        self._added: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._sorted) + len(self._added)

    def add(self, key: bytes) -> None:
        self._added.add(key)

    def remove(self, key: bytes) -> None:
        if key in self._added:
            self._added.remove(key)
        else:
            del self._sorted[bisect_left(self._sorted, key)]

    def any_within(self, low: bytes, high: bytes) -> bool:
        self._settle()
        place = bisect_left(self._sorted, low)
        return place < len(self._sorted) and self._sorted[place] <= high

    def _settle(self) -> None:
        if len(self._added) > BULK_ADDITIONS:
            self._sorted.extend(self._added)
            self._sorted.sort()
        else:
            for key in self._added:
                insort(self._sorted, key)
        self._added.clear()
