"""Arguments of the `autopath` directive (coredns-compat.md, section 3.11)."""

from dataclasses import dataclass
from pathlib import Path

from dnsserver.config import Directive, Occurrence
from dnsserver.config.lexer import Token
from dnsserver.wire import names
from dnsserver.wire.errors import NameTextError

#: Octets. A resolv.conf has some hundred; what is larger is another file.
RESOLV_CONF_MAX = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class AutopathSettings:
    """`zones` are wire names in lower case. The search list is that of a file, or *plugin* knows the client's."""

    zones: tuple[bytes, ...]
    search: tuple[bytes, ...] = ()
    plugin: str = ""

    @classmethod
    def from_directive(
        cls, directive: Directive, zones: tuple[str, ...], directory: Path
    ) -> "AutopathSettings":
        """Raises ConfigError. *zones* are the block's own; a relative path counts from *directory*. Of several
        directives the last one counts."""
        occurrence = directive.last()
        occurrence.no_properties()
        if not occurrence.arguments:
            raise occurrence.bare_error("no resolv-conf specified")
        *listed, source = occurrence.arguments
        own = _wire_zones(occurrence, occurrence.zones(zones, tuple(listed)))
        if source.text.startswith("@"):
            return cls(zones=own, plugin=source.text[1:])
        return cls(zones=own, search=_search_of(occurrence, source, directory))


def search_list(path: Path) -> tuple[bytes, ...]:
    """The search list of a file in the form of resolv.conf(5), as wire names in lower case; of several lines the last
    one counts. Raises OSError, and ValueError when it is no such file or a name is none."""
    with path.open("rb") as file:
        octets = file.read(RESOLV_CONF_MAX + 1)
    if len(octets) > RESOLV_CONF_MAX:
        raise ValueError(f"it is larger than {RESOLV_CONF_MAX} octets")
    found: list[str] = []
    for line in octets.decode("utf-8", "replace").splitlines():
        words = line.split()
        if words[:1] == ["search"]:
            found = words[1:]
        elif words[:1] == ["domain"] and len(words) > 1:
            found = words[1:2]
    return tuple(names.from_text(text.lower()) for text in found)


def _search_of(occurrence: Occurrence, token: Token, directory: Path) -> tuple[bytes, ...]:
    try:
        return search_list(directory / token.text)
    except OSError as error:
        reason = f"open {directory / token.text}: {(error.strerror or str(error)).lower()}"
    except ValueError as error:  # NameTextError is one
        reason = str(error)
    raise occurrence.bare_error(f'failed to parse "{token.text}": {reason}', token)


def _wire_zones(occurrence: Occurrence, zones: tuple[str, ...]) -> tuple[bytes, ...]:
    try:
        return tuple(dict.fromkeys(names.from_text(zone) for zone in zones))
    except NameTextError as error:
        raise occurrence.error(str(error)) from None
