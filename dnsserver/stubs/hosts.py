"""The hosts file (hosts(5)), and addresses given in place of names: what is answered without any packet."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from dnsserver.stubs.outcome import Family, Lookup, Outcome

_VERSIONS = {Family.BOTH: (4, 6), Family.IPV4: (4,), Family.IPV6: (6,)}


def family_of(address: str) -> int:
    """4 or 6."""
    return ip_address(address).version


@dataclass(frozen=True, slots=True)
class Hosts:
    """*text* is the content of the file. *folded*: names match in any case, which musl's do not."""

    text: str = ""
    folded: bool = True

    def find(self, lookup: Lookup) -> tuple[str, ...]:
        """The addresses of the name in the families wanted, in the order of the file; a final dot never matches."""
        return tuple(item for item in self.all(lookup.name) if family_of(item) in _VERSIONS[lookup.family])

    def all(self, name: str) -> tuple[str, ...]:
        """The addresses of *name* in both families."""
        found = [
            str(address) for address, names in self._lines() if self._case(name) in map(self._case, names)
        ]
        return tuple(dict.fromkeys(found))

    def literal(self, lookup: Lookup) -> Outcome | None:
        """None when the name is no address; without addresses when it is one of the other family."""
        try:
            address = ip_address(lookup.name)
        except ValueError:
            return None
        fits = address.version in _VERSIONS[lookup.family]
        return Outcome((str(address),) if fits else ())

    def _case(self, name: str) -> str:
        return name.lower() if self.folded else name

    def _lines(self) -> Iterator[tuple[IPv4Address | IPv6Address, list[str]]]:
        for line in self.text.splitlines():
            words = line.partition("#")[0].split()
            try:
                address = ip_address(words[0] if words else "")
            except ValueError:
                continue
            yield address, words[1:]
