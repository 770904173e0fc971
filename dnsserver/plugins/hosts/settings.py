"""What `hosts` is told in the Corefile."""

from dataclasses import dataclass, replace
from pathlib import Path

from dnsserver.config import Directive, Occurrence, Property, seconds
from dnsserver.plugins.zone_names import wire_zones

#: Seconds. What `ttl` accepts; CoreDNS's limit.
TTL_MAX = 65_535
DEFAULT_FILE = "/etc/hosts"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostsSettings:
    """One `hosts` block. Zones are wire names in lower case."""

    file: str = DEFAULT_FILE
    """Path as metrics name it: relative ones are joined to what they count from."""
    zones: tuple[bytes, ...]
    """Names at and below these are answered."""
    lines: tuple[str, ...] = ()
    """Lines of the Corefile in the form of the file's."""
    ttl: int = 3600
    """Seconds, of every record."""
    reverse: bool = True
    """Whether PTR records are made."""
    reload_s: float = 5.0
    """Seconds between two looks at the file; 0: it is read once."""
    fallthrough: tuple[bytes, ...] = ()
    """Zones below which a name that is not known goes to the next plugin."""
    passes_unsupported: bool = False
    """Types other than A, AAAA and PTR go to the next plugin too, below `fallthrough`."""

    @classmethod
    def from_directive(cls, directive: Directive, zones: tuple[str, ...], directory: Path) -> "HostsSettings":
        """Raises ConfigError. *zones* are the block's; relative paths count from *directory*."""
        occurrence = directive.once()
        file, *rest = occurrence.arguments or (None,)
        settings = cls(zones=wire_zones(occurrence, occurrence.zones(zones, tuple(filter(None, rest)))))
        if file is not None:
            settings = replace(settings, file=str(directory / file.text))
            _check_access(occurrence, settings.file)
        for line in occurrence.properties:
            settings = _with_line(settings, line)
        if settings.passes_unsupported and not settings.fallthrough:
            raise occurrence.error("fallthrough_unsupported requires fallthrough")
        return settings


def _check_access(occurrence: Occurrence, file: str) -> None:
    """A file that is not there may come; one that may not even be looked at is a mistake."""
    try:
        Path(file).stat()
    except FileNotFoundError:
        return
    except OSError as error:
        reason = f"stat {file}: {str(error.strerror).lower()}"  # as Go has the system's words
        raise occurrence.error(f"unable to access hosts file '{file}': {reason}") from None


def _with_line(settings: HostsSettings, line: Property) -> HostsSettings:
    match line.text:
        case "fallthrough":
            return replace(settings, fallthrough=wire_zones(line, line.zones((".",))))
        case "fallthrough_unsupported":
            line.exactly(0)
            return replace(settings, passes_unsupported=True)
        case "no_reverse":
            return replace(settings, reverse=False)
        case "ttl":
            return replace(settings, ttl=_ttl(line))
        case "reload":
            return replace(settings, reload_s=_reload(line))
        case _ if settings.fallthrough:  # as in CoreDNS: lines of hosts stand before it only
            raise line.unknown()
        case _:
            return replace(settings, lines=(*settings.lines, " ".join(line.words)))


def _ttl(line: Property) -> int:
    if not line.arguments:
        raise line.error("ttl needs a time in second")
    try:
        ttl = line.integer(line.arguments[0])
    except ValueError:
        raise line.error("ttl needs a number of second") from None
    if not 0 < ttl <= TTL_MAX:
        raise line.error("ttl provided is invalid")
    return ttl


def _reload(line: Property) -> float:
    if len(line.arguments) != 1:
        raise line.error("reload needs a duration (zero seconds to disable)")
    token = line.arguments[0]
    try:
        reload_s = seconds(token.text)
    except ValueError:
        raise line.error(f"invalid duration for reload '{token.text}'") from None
    if reload_s < 0:
        raise line.error(f"invalid negative duration for reload '{token.text}'")
    return reload_s
