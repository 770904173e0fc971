"""What a real library did, beside what the emulator does in the same scenario."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.stubs.emulating import Told

#: Seconds. Timers are compared with this tolerance, on a busy machine; most of them are of a second.
TOLERANCE_S = 0.6
#: What Go's errors say of this machine.
_PLACES = (re.compile(r"127\.0\.\d+\.(\d)(?=:53\b)"), re.compile(r"127\.0\.0\.1:\d+->"))


def differences(told: Told, recorded: Mapping[str, Any], concurrent: bool) -> Iterator[str]:
    """Where the two differ. *concurrent*: the order of A and AAAA is left to chance, each is compared by itself."""
    ours, theirs = [line for _, line in told.asked], [line for _, line in recorded["asked"]]
    types = (" A ", " AAAA ") if concurrent else ("",)
    for rtype in types:
        if [line for line in ours if rtype in line] != [line for line in theirs if rtype in line]:
            yield f"emulator asks {ours}, library {theirs}"
    if ours == theirs:
        for (at, line), (really, _) in zip(told.asked, recorded["asked"], strict=True):
            if abs(at - really) > TOLERANCE_S:
                yield f"emulator asks {line} after {at} s, library after {really} s"
    if sorted(told.outcome.addresses) != sorted(recorded["addresses"]):
        yield f"emulator finds {told.outcome.addresses}, library {recorded['addresses']}"
    if not concurrent and told.outcome.error != recorded.get("error", ""):
        yield f"emulator ends with {told.outcome.error!r}, library with {recorded.get('error')!r}"
    if _anywhere(told.outcome.text) != _anywhere(recorded.get("text", "")):
        yield f"emulator says {told.outcome.text!r}, library {recorded.get('text')!r}"
    yield from _durations(told.seconds, recorded["seconds"])


def _durations(ours: float | None, theirs: float | None) -> Iterator[str]:
    never = ours is None, theirs is None
    if any(never) != all(never) or abs((ours or 0) - (theirs or 0)) > TOLERANCE_S:
        yield f"emulator ends after {ours} s, library after {theirs} s"


def _anywhere(text: str) -> str:
    servers, client = _PLACES
    return client.sub("CLIENT->", servers.sub(r"192.0.2.\1", text))
