"""What `file` is told in the Corefile."""

from dataclasses import dataclass
from pathlib import Path

from dnsserver.config import Directive, Property
from dnsserver.plugins.zone_files import ZoneFile
from dnsserver.wire import names

#: Seconds between two looks at a file.
RELOAD_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSettings:
    """`files`: one for each zone. `fallthrough`: where names without records are another's business."""

    files: tuple[ZoneFile, ...]
    fallthrough: tuple[bytes, ...] = ()

    @classmethod
    def from_directive(cls, directive: Directive, zones: tuple[str, ...], directory: Path) -> "FileSettings":
        """What one `file` line says of reloading and falling through holds for those behind it too, as in CoreDNS."""
        files: dict[bytes, ZoneFile] = {}
        fallthrough: tuple[str, ...] = ()
        reload_s, by_mtime = RELOAD_S, False
        for occurrence in directive.occurrences:
            path = directory / occurrence.at_least(1)[0].text
            origins = occurrence.zones(zones, occurrence.arguments[1:])
            for line in occurrence.properties:
                match line.text:
                    case "fallthrough":
                        fallthrough = line.zones((".",))
                    case "reload":
                        reload_s = reload_interval(line)
                    case "reload_by_mtime":
                        by_mtime = True
                    case "upstream":
                        pass  # of old; names are looked up by the server itself
                    case _:
                        raise line.unknown()
            for text in origins:
                origin = names.from_text(text)
                files[origin] = ZoneFile(origin, path, reload_s, by_mtime)
        return cls(files=tuple(files.values()), fallthrough=tuple(map(names.from_text, fallthrough)))


def reload_interval(line: Property) -> float:
    """Seconds between two looks; 0: never again."""
    if not line.arguments:
        raise line.bare_error("reload duration value is expected")
    seconds = line.duration(line.arguments[0])
    if seconds < 0:
        raise line.bare_error("invalid duration", line.arguments[0])
    return seconds
