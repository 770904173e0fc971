"""Differences from CoreDNS that are meant: what docs/differences.md says of them, and how one knows them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dnsserver.comparing.differences import Kind
from dnsserver.comparing.seen import Seen
from dnsserver.wire import names
from dnsserver.wire.codes import Rcode, Type
from dnsserver.zone.reverse import is_reverse

CLUSTER = "Answers of the cluster's zones"
#: The first labels of names that stand above those of ports, without records of their own (RFC 8020).
PROTOCOLS = frozenset((b"_tcp", b"_udp", b"_sctp"))
#: Types that every Service may have.
ADDRESSES = frozenset((Type.A, Type.AAAA))
#: Labels of a pod's name below the zone: `10-4-1-32.NS.pod`.
POD_LABELS = 3
#: Labels of the name of an endpoint below the zone, `EP.SVC.NS.svc`, where EP has no dot.
ENDPOINT_LABELS = 4


@dataclass(frozen=True, slots=True)
class Case:
    """One question and the last replies; None: no reply. *name* and *zone*, the cluster's, are in lower case."""

    name: bytes
    rtype: int
    zone: bytes
    old: Seen | None
    new: Seen | None

    @property
    def left(self) -> Sequence[bytes]:
        """The labels below the cluster's zone; none for names outside."""
        split = names.split_at(self.name, self.zone)
        return names.labels(split[0] + names.ROOT) if split else ()

    @property
    def denied_no_more(self) -> bool:
        """NXDOMAIN has become NODATA."""
        return _absent(self.old) and _empty(self.new)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A row of docs/differences.md: *matter* begins its first cell, under the heading *section*."""

    matter: str
    kinds: frozenset[Kind]
    holds: Callable[[Case], bool]
    section: str = CLUSTER


def accepted(kind: Kind, case: Case) -> Accepted | None:
    """The row that a difference of *kind* falls under."""
    return next((row for row in ROWS if kind in row.kinds and row.holds(case)), None)


def _absent(seen: Seen | None) -> bool:
    return seen is not None and seen.rcode == Rcode.NXDOMAIN


def _empty(seen: Seen | None) -> bool:
    """NODATA, without an alias."""
    return seen is not None and seen.rcode == Rcode.NOERROR and not seen.data and not seen.aliases


def _has_data(seen: Seen | None) -> bool:
    return seen is not None and bool(seen.data)


def _reverse_of_other_type(case: Case) -> bool:
    return case.denied_no_more and is_reverse(case.name) and case.rtype != Type.PTR


def _non_terminal(case: Case) -> bool:
    if not case.denied_no_more:
        return False
    return case.left[:1] == [b"dns"] or bool(PROTOCOLS.intersection(case.left[:1])) or is_reverse(case.name)


def _own_names(case: Case) -> bool:
    """What a server says of itself: its name servers, and their addresses."""
    if case.rtype == Type.NS:
        return case.name == case.zone or is_reverse(case.name)
    return list(case.left) == [b"ns", b"dns"]


def _alias_of_other_type(case: Case) -> bool:
    return _shows_alias(case) and case.rtype not in (*ADDRESSES, Type.CNAME)


def _alias_without_data(case: Case) -> bool:
    return _shows_alias(case) and not _has_data(case.new) and not _absent(case.new)


def _alias_to_nothing(case: Case) -> bool:
    return _shows_alias(case) and _absent(case.new)


def _shows_alias(case: Case) -> bool:
    """An ExternalName Service: NODATA has become the alias."""
    return case.left[-1:] == [b"svc"] and _empty(case.old) and case.new is not None and bool(case.new.aliases)


def _left_of_a_pod(case: Case) -> bool:
    return case.left[-1:] == [b"pod"] and len(case.left) > POD_LABELS and _absent(case.new)


def _port_of_a_pod(case: Case) -> bool:
    at_pod = case.left[-1:] == [b"pod"] and len(case.left) == POD_LABELS
    return at_pod and case.rtype == Type.SRV and _has_data(case.old) and _empty(case.new)


def _dotted_endpoint(case: Case) -> bool:
    is_long = case.left[-1:] == [b"svc"] and len(case.left) > ENDPOINT_LABELS
    return is_long and not case.left[0].startswith(b"_") and _absent(case.old) and _has_data(case.new)


def _forward_in_reverse(case: Case) -> bool:
    labels = names.labels(case.name)
    return is_reverse(case.name) and bool({b"svc", b"pod"}.intersection(labels)) and _absent(case.new)


_DENIAL = frozenset((Kind.RCODE,))
_ALIAS = frozenset((Kind.RCODE, Kind.CNAME, Kind.ANSWER))
#: The first that holds counts.
ROWS = (
    Accepted("TXT at an existing name", _DENIAL, lambda case: case.denied_no_more and case.rtype == Type.TXT),
    Accepted(
        "other types at `dns-version`",
        _DENIAL,
        lambda case: case.denied_no_more and list(case.left) == [b"dns-version"],
    ),
    Accepted("other types at a reverse name with a PTR record", _DENIAL, _reverse_of_other_type),
    Accepted("`_tcp.SVC…`, `dns.ZONE`, partial reverse names", _DENIAL, _non_terminal),
    Accepted(
        "SOA at a name that does not exist",
        _DENIAL,
        lambda case: case.rtype == Type.SOA and _empty(case.old) and _absent(case.new),
    ),
    Accepted("NS and `ns.dns`", frozenset((Kind.RCODE, Kind.ANSWER, Kind.CNAME, Kind.TTL)), _own_names),
    Accepted("ExternalName, types other than A, AAAA and CNAME", _ALIAS, _alias_of_other_type),
    Accepted("ExternalName, target in the zone lacks the type", _ALIAS, _alias_without_data),
    Accepted("ExternalName, target in the zone does not exist", _ALIAS, _alias_to_nothing),
    Accepted("`_._tcp.SVC…`", _DENIAL, lambda case: case.left[:1] == [b"_"] and _absent(case.new)),
    Accepted("names left of a pod name", _DENIAL, _left_of_a_pod),
    Accepted("SRV at a pod name", frozenset((Kind.ANSWER,)), _port_of_a_pod),
    Accepted(
        "PTR of an address in a slice without Service",
        frozenset((Kind.NO_REPLY,)),
        lambda case: case.rtype == Type.PTR and case.old is None and _absent(case.new),
    ),
    Accepted("forward names below a reverse zone", _DENIAL, _forward_in_reverse),
    Accepted("endpoint names with dots", _DENIAL, _dotted_endpoint),
)
