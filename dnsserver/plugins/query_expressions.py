"""What expressions of `view` and `template` may ask of a query (coredns-compat.md, section 3.11)."""

import ipaddress
from collections.abc import Callable, Mapping
from functools import lru_cache

from dnsserver.answering.query import Query
from dnsserver.languages.expr import EvaluationError, Kind, Signature, Value
from dnsserver.wire import names
from dnsserver.wire.codes import class_name, type_name

_TEXTS: Mapping[str, Callable[[Query], str]] = {
    "type": lambda query: type_name(query.question.rtype),
    "name": lambda query: names.to_text(query.name),
    "class": lambda query: class_name(query.question.rclass),
    "proto": lambda query: query.arrival.protocol,
    "client_ip": lambda query: query.arrival.client_host,
    "port": lambda query: str(query.arrival.client_port),
    "server_ip": lambda query: query.arrival.server_host,
    "server_port": lambda query: str(query.arrival.server_port),
}
_NUMBERS: Mapping[str, Callable[[Query], int]] = {
    "size": lambda query: len(query.octets),
    "id": lambda query: query.header.id,
    "opcode": lambda query: query.header.opcode,
    "bufsize": lambda query: query.size_limit,
}
#: The functions, and what they take and give.
FUNCTIONS: Mapping[str, Signature] = {
    **{name: Signature((), Kind.STRING) for name in _TEXTS},
    **{name: Signature((), Kind.INTEGER) for name in _NUMBERS},
    "do": Signature((), Kind.TRUTH),
    "metadata": Signature((Kind.STRING,), Kind.STRING),
    "incidr": Signature((Kind.STRING, Kind.STRING), Kind.TRUTH),
}


def functions_of(query: Query) -> dict[str, Value]:
    """The same, for one query."""

    def asking(ask: Callable[[Query], Value]) -> Callable[[], Value]:
        return lambda: ask(query)

    return {
        **{name: asking(ask) for name, ask in {**_TEXTS, **_NUMBERS}.items()},
        "do": lambda: query.edns is not None and query.edns.do,
        "metadata": lambda label: label_of(query, label),
        "incidr": incidr,
    }


def label_of(query: Query, label: str) -> str:
    """The value of a label, "" when the query has none such."""
    value = query.labels.get(label)
    return "" if value is None else value()


def incidr(address: str, cidr: str) -> bool:
    """Whether *address* is in *cidr*. Raises EvaluationError when one of them is none."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        raise EvaluationError("first argument is not an IP address") from None
    return found in _network(cidr)


@lru_cache(maxsize=256)
def _network(cidr: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        if "/" in cidr:
            return ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        pass
    raise EvaluationError(f"invalid CIDR address: {cidr}")
