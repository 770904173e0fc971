"""What a `cache` keeps, for people: `dnsserver check`."""

from collections.abc import Iterator

from dnsserver.config.gotext import duration_text
from dnsserver.plugins.cache.settings import CacheSettings, Half
from dnsserver.wire import names


def check_lines(settings: CacheSettings) -> list[str]:
    """Names, and for how long which replies are kept."""
    zones = " ".join(sorted(map(names.to_text, settings.zones)))
    failures = f"failures {duration_text(settings.servfail_s)}" if settings.servfail_s else "no failures"
    return [
        f"{zones}: replies for {_times(settings.success)}, denials for {_times(settings.denial)}, {failures}",
        *_excepted("replies", settings.success),
        *_excepted("denials", settings.denial),
    ]


def _times(half: Half) -> str:
    return f"{half.floor_s} to {half.ceiling_s} s, {half.entries_max} at most"


def _excepted(what: str, half: Half) -> Iterator[str]:
    if half.excepted:
        yield f"no {what} of {' '.join(sorted(map(names.to_text, half.excepted)))}"
