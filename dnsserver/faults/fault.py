"""One fault: what goes wrong, and when."""

import fnmatch
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TypedDict, Unpack

from dnsserver.wire.codes import Rcode, rcode_name, rcode_number, type_name, type_number

#: Seconds. A transport gives up an answer after 10 s (transports.limits), so a longer delay would be a drop.
DELAY_MAX_S = 9.0
#: RCODEs that stand in a header; the others need EDNS (RFC 6891 section 6.1.3).
RCODE_MAX = 15
#: Octets of a message over TCP (RFC 1035 section 4.2.2).
CUT_MAX = 65_535


class FaultError(ValueError):
    """A fault that cannot be; the text says how to mend it."""


class Kind(Enum):
    """What goes wrong; the values are the words of a script."""

    DROP = "drop"
    DELAY = "delay"
    RCODE = "rcode"
    TRUNCATE = "truncate"
    WRONG_ID = "wrong-id"
    CUT = "cut"


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and when; made by the functions below, or read from a script (its text is a line of one).

    `name` is a shell pattern for owner names, without final dot, in any case (`*` stands for dots too). `type` is a
    type's mnemonic, `client` an address or network, `protocol` "udp" or "tcp"; "" stands for all. `nth` are the first
    and last of the times that a client asks the same question over the same protocol (last 0: no end). `probability`
    is 0 to 1.
    """

    kind: Kind
    delay_s: float = 0.0
    rcode: int = Rcode.SERVFAIL
    octets: int = 0
    name: str = "*"
    type: str = ""
    client: str = ""
    protocol: str = ""
    nth: tuple[int, int] = (1, 0)
    probability: float = 1.0

    def __post_init__(self) -> None:
        """Raises FaultError."""
        self._check_sorts()
        if not 0 <= self.delay_s <= DELAY_MAX_S:
            raise FaultError(f"delay of {self.delay_s:g} s: give 0 to {DELAY_MAX_S:g} s")
        if not 0 <= self.rcode <= RCODE_MAX:
            raise FaultError(f"rcode {self.rcode}: give a number from 0 to {RCODE_MAX}")
        if not 0 <= self.octets <= CUT_MAX:
            raise FaultError(f"cut after {self.octets} octets: give 0 to {CUT_MAX}")
        if not 0 <= self.probability <= 1:
            raise FaultError(f"probability {self.probability:g}: give a number from 0 to 1")
        if self.protocol not in ("", "udp", "tcp"):
            raise FaultError(f"protocol {self.protocol!r}: give udp or tcp")
        if self.kind is Kind.CUT and self.protocol == "udp":
            raise FaultError("cut breaks a message in two, which is not possible over UDP: give protocol=tcp")
        first, last = self.nth
        if first < 1 or (last and last < first):
            raise FaultError(f"nth {first}-{last}: count from 1, as in nth=2, nth=1-3 or nth=4-")
        if self.type and type_number(self.type) is None:
            raise FaultError(f"type {self.type!r}: there is no such type")
        self._network  # noqa: B018 - an address that cannot be is refused now

    def _check_sorts(self) -> None:
        """Type checkers tell those who have one."""
        for name, sort in (("delay_s", float), ("probability", float), ("rcode", int), ("octets", int)):
            value = getattr(self, name)
            if not isinstance(value, (sort, int)) or isinstance(value, bool):
                raise FaultError(f"{name} {value!r}: give a number")
        for name in ("name", "type", "client", "protocol"):
            if not isinstance(getattr(self, name), str):
                raise FaultError(f"{name} {getattr(self, name)!r}: give text")
        nth = self.nth
        if not (isinstance(nth, tuple) and len(nth) == 2 and all(type(number) is int for number in nth)):
            raise FaultError(f"nth {nth!r}: give a number, or the first and the last, as (1, 3)")

    def __str__(self) -> str:
        what = {
            Kind.DELAY: f" {self.delay_s * 1000:g}ms",
            Kind.RCODE: f" {rcode_name(self.rcode)}",
            Kind.CUT: f" {self.octets}",
        }.get(self.kind, "")
        first, last = self.nth
        span = f"{first}" if first == last else f"{first}-{last or ''}"
        when = {
            "name": "" if self.name == "*" else self.name,
            "type": self.type,
            "client": self.client,
            "protocol": self.protocol,
            "nth": "" if self.nth == (1, 0) else span,
            "probability": "" if self.probability == 1 else f"{self.probability:g}",
        }
        shown = (f" {key}={value}" for key, value in when.items() if value)
        return f"{self.kind.value}{what}{''.join(shown)}"

    @cached_property
    def _network(self) -> IPv4Network | IPv6Network | None:
        if not self.client:
            return None
        try:
            return ip_network(self.client)
        except ValueError as error:
            raise FaultError(f"client: {error}: give an address, or a network as 10.244.0.0/16") from None

    @cached_property
    def _pattern(self) -> str:
        return self.name.lower().rstrip(".") or "."

    def meets(self, *, client: str, protocol: str, name: str, rtype: int, n: int) -> bool:
        """Whether it is this fault's turn, but for its probability. *name* is in lower case, without final dot."""
        first, last = self.nth
        return (
            n >= first
            and (not last or n <= last)
            and self.protocol in ("", protocol)
            and (not self.type or self.type.upper() == type_name(rtype))
            and fnmatch.fnmatchcase(name, self._pattern)
            and (self._network is None or _in(client, self._network))
        )


def _in(client: str, network: IPv4Network | IPv6Network) -> bool:
    address = ip_address(client.partition("%")[0])
    return address.version == network.version and address in network


class When(TypedDict, total=False):
    """The conditions of a fault, as in Fault; `nth` may be one number."""

    name: str
    type: str
    client: str
    protocol: str
    nth: int | tuple[int, int]
    probability: float


def made(
    kind: Kind, when: When, *, delay_s: float = 0.0, rcode: int = Rcode.SERVFAIL, octets: int = 0
) -> Fault:
    """Raises FaultError."""
    unknown = set(when) - set(When.__annotations__)
    if unknown:
        raise FaultError(
            f"{kind.value}: {', '.join(sorted(unknown))}: give {', '.join(When.__annotations__)}"
        )
    nth = when.get("nth", (1, 0))
    return Fault(
        kind,
        delay_s,
        rcode,
        octets,
        when.get("name", "*"),
        when.get("type", ""),
        when.get("client", ""),
        when.get("protocol", ""),
        (nth, nth) if isinstance(nth, int) else nth,
        when.get("probability", 1.0),
    )


def drop(**when: Unpack[When]) -> Fault:
    """The query gets no reply. All functions here raise FaultError."""
    return made(Kind.DROP, when)


def delay(seconds: float, **when: Unpack[When]) -> Fault:
    """The reply comes later, and other faults may meet it too. Replies to later questions overtake it."""
    return made(Kind.DELAY, when, delay_s=seconds)


def rcode(code: int | str, **when: Unpack[When]) -> Fault:
    """A reply without records, with this RCODE: a number, or a mnemonic as "SERVFAIL"."""
    number = rcode_number(code.upper()) if isinstance(code, str) else code
    if number is None:
        raise FaultError(f"rcode {code}: give a name as SERVFAIL, or a number")
    return made(Kind.RCODE, when, rcode=number)


def truncate(**when: Unpack[When]) -> Fault:
    """A reply without records that has TC."""
    return made(Kind.TRUNCATE, when)


def wrong_id(**when: Unpack[When]) -> Fault:
    """The reply has another message's ID."""
    return made(Kind.WRONG_ID, when)


def cut(octets: int, **when: Unpack[When]) -> Fault:
    """Over TCP: the length says all, *octets* octets of the message come, then the connection is closed."""
    when["protocol"] = when.get("protocol", "tcp")
    return made(Kind.CUT, when, octets=octets)
