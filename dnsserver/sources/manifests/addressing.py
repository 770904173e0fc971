"""Addresses for what manifests leave without one: from the object's name, so the same each time."""

from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from dnsserver.sources.manifests.hashing import number
from dnsserver.sources.manifests.settings import Family
from dnsserver.zone.objects import ObjectKey

#: Addresses at the start of a range that nothing is given: the network itself, and the places where people expect
#: the Service `kubernetes` (.1) and the DNS Service (.10).
LOW_RESERVE = 16
#: Addresses. In a range smaller than this only the first and the last are kept back.
SMALL_RANGE = 256


def family_of(address: str) -> Family:
    return "IPv6" if ":" in address else "IPv4"


class ShortageError(ValueError):
    """More is asked for than there is, of addresses or of pods; the text says of what, and what to do."""


class Allocator:
    """Addresses of one range for one sort of object.

    An object's place is the hash of its name; when that is taken, the next free one. So an object keeps its address
    whatever else comes and goes, unless two hashes meet (of n objects in a range of m about n * n / 2m do), and the
    order of calls decides between those: call in the order of keys.
    """

    def __init__(self, sort: str, network: str, taken: Iterable[str]) -> None:
        self._sort = sort
        self._network = ip_network(network)
        self._size = self._network.num_addresses
        self._low = LOW_RESERVE if self._size >= SMALL_RANGE else min(1, self._size - 1)
        self._span = max(1, self._size - self._low - 1)
        self._taken = {value - self._first for value in map(_value, taken) if self._holds(value)}
        self._full_at = self._span + len([place for place in self._taken if not self._usable(place)])

    @property
    def _first(self) -> int:
        return int(self._network.network_address)

    def address(self, key: ObjectKey) -> str:
        """The address of the object *key*; ShortageError when none is left."""
        if len(self._taken) >= self._full_at:
            raise ShortageError(
                f"the range {self._network} for {self._sort} is full: set a wider one, or state addresses"
            )
        place = number(self._sort, *key) % self._span
        while self._low + place in self._taken:
            place = (place + 1) % self._span
        self._taken.add(self._low + place)
        return str(self._network.network_address + self._low + place)

    def _holds(self, value: int) -> bool:
        return self._first <= value < self._first + self._size

    def _usable(self, place: int) -> bool:
        return self._low <= place < self._low + self._span


def _value(address: str) -> int:
    return int(ip_address(address))
