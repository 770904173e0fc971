"""An outcome to a reply: which records stand in which section (RFC 1034 section 6.2, RFC 2308, RFC 6604)."""

from typing import assert_never

from dnsserver.answering.lookup import Elsewhere, Endless, Found, NoData, NxDomain, Outcome, Resolution
from dnsserver.answering.reply import Reply
from dnsserver.wire.codes import ExtendedError, Rcode
from dnsserver.wire.edns import told_cause
from dnsserver.wire.records import Record
from dnsserver.zone.view import Zone


def reply_to(zone: Zone, resolution: Resolution) -> Reply:
    """The authoritative reply. For a chain that leaves the zone: the CNAMEs alone, which is all that the zone knows."""
    outcome = resolution.outcome
    negative = isinstance(outcome, NoData | NxDomain | Endless)
    return Reply(
        rcode=_rcode(outcome),
        answer=resolution.cnames + _answer(outcome, resolution.origin),
        authority=zone.soa.records(resolution.origin, resolution.origin) if negative else (),
        additional=outcome.rrset.additional_records(resolution.origin) if isinstance(outcome, Found) else (),
        authoritative=True,
    )


def not_ready(zone: Zone, origin: bytes) -> Reply:
    """SERVFAIL for a name that may well exist: the cluster's objects are not all known yet (section 2).

    `origin` is the zone as the question spells it.
    """
    waiting = ", ".join(zone.state.waiting_for)
    return Reply(
        rcode=Rcode.SERVFAIL,
        authority=zone.soa.records(origin, origin),
        authoritative=True,
        options=(told_cause(ExtendedError.NOT_READY, f"no list yet of {waiting}"),),
    )


def _answer(outcome: Outcome, origin: bytes) -> tuple[Record, ...]:
    match outcome:
        case Found(owner, rrset):
            return rrset.records(owner, origin)
        case NoData() | NxDomain() | Elsewhere() | Endless():
            return ()
        case _:
            assert_never(outcome)


def _rcode(outcome: Outcome) -> Rcode:
    """After a CNAME the RCODE is that of the last name (RFC 6604 section 2.1)."""
    return Rcode.NXDOMAIN if isinstance(outcome, NxDomain) else Rcode.NOERROR
