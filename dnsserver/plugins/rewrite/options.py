"""EDNS options that rules set, replace, append and unset (coredns-compat.md, section 3.8)."""

import ipaddress
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from dnsserver.answering.query import Query
from dnsserver.plugins.query_expressions import label_of
from dnsserver.plugins.rewrite.answers import Answering, Options
from dnsserver.wire import names
from dnsserver.wire.edns import Edns

NSID, SUBNET = 3, 8
#: Octets. UDP size in queries of clients that sent no EDNS, as in CoreDNS. They get no larger replies for that.
PAYLOAD = 4096
ACTIONS = ("set", "replace", "append", "unset")

#: The data of an option for a query; None when there is none, and the rule does not apply.
Data = Callable[[Query], bytes | None]

VARIABLES: Mapping[str, Data] = {
    "qname": lambda query: names.to_text(query.question.name).encode(),
    "qtype": lambda query: query.question.rtype.to_bytes(2, "big"),
    "client_ip": lambda query: _packed(query.arrival.client_host),
    "server_ip": lambda query: _packed(query.arrival.server_host),
    "client_port": lambda query: query.arrival.client_port.to_bytes(2, "big"),
    "server_port": lambda query: query.arrival.server_port.to_bytes(2, "big"),
    "protocol": lambda query: query.arrival.protocol.encode(),
}


def _packed(address: str) -> bytes:
    return ipaddress.ip_address(address.partition("%")[0]).packed


def label(name: str) -> Data:
    """A label's value."""
    return lambda query: label_of(query, name).encode() or None


@dataclass(frozen=True, slots=True)
class Subnet:
    """The client's network as RFC 7871 has it; bits of IPv4 and of IPv6 addresses."""

    v4_bits: int
    v6_bits: int

    def __call__(self, query: Query) -> bytes | None:
        packed = _packed(query.arrival.client_host)
        family, bits = (1, self.v4_bits) if len(packed) == 4 else (2, self.v6_bits)
        network = ipaddress.ip_network((packed, bits), strict=False)
        octets = network.network_address.packed[: (bits + 7) // 8]
        return struct.pack("!HBB", family, bits, 0) + octets


@dataclass(frozen=True, slots=True)
class OptionChange:
    """`action` is one of ACTIONS. `again`: `append` adds one more to one that is there; else it does not apply then.
    `shown`: the client is shown the option in the reply; with `reverts`, as it sent it."""

    code: int
    action: str
    data: Data
    again: bool = True
    shown: bool = False
    reverts: bool = False

    def applied(self, query: Query) -> tuple[Edns | None, tuple[Answering, ...]] | None:
        """The EDNS to go on with, and what is to be done to the reply; None when the rule does not apply."""
        edns = query.edns
        held = () if edns is None else edns.options
        if self.action == "unset":
            kept = tuple(option for option in held if option[0] != self.code)
            return edns and replace(edns, options=kept), ()
        data = self.data(query)
        if data is None:
            return None
        place = next((place for place, option in enumerate(held) if option[0] == self.code), None)
        if place is not None and self.action != "append":
            options = (*held[:place], (self.code, data), *held[place + 1 :])
        elif self.action == "replace" or (place is not None and not self.again):
            return None
        else:
            options = (*held, (self.code, data))
        changed = replace(edns or Edns(PAYLOAD), options=options)
        if not self.shown:
            return changed, ()
        original = held[place][1] if place is not None else None
        return changed, (Options(self.code, original if self.reverts else data),)
