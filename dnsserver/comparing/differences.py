"""What of two replies a client could tell apart, by kind."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dnsserver.comparing.seen import RRsetKey, Seen
from dnsserver.wire import names
from dnsserver.wire.codes import type_name


class Kind(StrEnum):
    """What differs. `NO_REPLY`: one of both servers, or both, did not answer."""

    RCODE = "rcode"
    ANSWER = "answer"
    CNAME = "cname"
    NEGATIVE_TTL = "negative-ttl"
    TTL = "ttl"
    AA = "aa"
    RA = "ra"
    NO_REPLY = "no-reply"


@dataclass(frozen=True, slots=True)
class Difference:
    """What each server says, in words."""

    kind: Kind
    old: str
    new: str


def differences(old: Sequence[Seen], new: Sequence[Seen], ttl_tolerance_s: int) -> tuple[Difference, ...]:
    """Between the last of the replies to one question; the earlier ones tell which TTLs a cache counts down.

    Where the RCODE differs, nothing else is looked at.
    """
    left, right = old[-1], new[-1]
    if left.rcode != right.rcode:
        return (Difference(Kind.RCODE, str(left), str(right)),)
    return (*_contents(left, right), *_ttls(old, new, ttl_tolerance_s), *_flags(left, right))


def _contents(old: Seen, new: Seen) -> Iterator[Difference]:
    if old.data != new.data:
        yield Difference(Kind.ANSWER, str(old), str(new))
    if old.aliases != new.aliases:
        yield Difference(Kind.CNAME, str(old), str(new))
    if old.negative and new.negative and old.minimum != new.minimum:
        yield Difference(Kind.NEGATIVE_TTL, _minimum(old), _minimum(new))


def _minimum(seen: Seen) -> str:
    return "no SOA record" if seen.minimum is None else f"MINIMUM {seen.minimum} s"


def _ttls(old: Sequence[Seen], new: Sequence[Seen], tolerance_s: int) -> Iterator[Difference]:
    for key in sorted(old[-1].ttls.keys() & new[-1].ttls.keys()):
        left, right = _history(old, key), _history(new, key)
        if not _explained(left, right, tolerance_s):
            yield Difference(Kind.TTL, _shown(key, left), _shown(key, right))


def _history(seen: Sequence[Seen], key: RRsetKey) -> list[int]:
    return [each.ttls[key] for each in seen if key in each.ttls]


def _explained(old: Sequence[int], new: Sequence[int], tolerance_s: int) -> bool:
    """Whether both can come from one TTL: a cache counts it down, so what moves may be anything up to what stands."""
    old_moves, new_moves = len(set(old)) > 1, len(set(new)) > 1
    if old_moves and new_moves:
        return True
    if old_moves or new_moves:
        moving, standing = (old, new[-1]) if old_moves else (new, old[-1])
        return max(moving) <= standing + tolerance_s
    return abs(old[-1] - new[-1]) <= tolerance_s


def _shown(key: RRsetKey, values: Sequence[int]) -> str:
    name, rtype = key
    seconds = ", then ".join(map(str, values))
    return f"{names.to_text(name)} {type_name(rtype)}: {seconds} s"


def _flags(old: Seen, new: Seen) -> Iterator[Difference]:
    for kind, left, right in (
        (Kind.AA, old.authoritative, new.authoritative),
        (Kind.RA, old.recursion_available, new.recursion_available),
    ):
        if left != right:
            yield Difference(kind, _bit(left), _bit(right))


def _bit(is_set: bool) -> str:
    return "set" if is_set else "clear"
