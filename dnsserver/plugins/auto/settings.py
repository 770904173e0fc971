"""What `auto` is told in the Corefile."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from dnsserver.config import Directive, Property
from dnsserver.languages.patterns import PATTERN_MAX, Pattern, PatternError
from dnsserver.plugins.file.settings import RELOAD_S, reload_interval
from dnsserver.wire import names
from dnsserver.wire.errors import NameTextError

_EXPANDED = re.compile(r"\$\$|\$\{(\w+)\}|\$(\w+)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoSettings:
    """`zones`: only names in these are answered. Files below `directory` whose names match `pattern` are zones, and
    `origin` is the zone's name, with `${1}` for the first group. `reload_s`: seconds between two looks, or 0."""

    zones: tuple[bytes, ...]
    directory: Path | None = None
    pattern: Pattern
    origin: str = "${1}"
    reload_s: float = RELOAD_S

    @classmethod
    def from_directive(cls, directive: Directive, zones: tuple[str, ...], directory: Path) -> "AutoSettings":
        settings = cls(zones=(), pattern=Pattern(r"db\.(.*)"))
        for occurrence in directive.occurrences:
            settings = replace(settings, zones=tuple(map(names.from_text, occurrence.zones(zones))))
            for line in occurrence.properties:
                match line.text:
                    case "directory":
                        settings = _directory(settings, line, directory)
                    case "reload":
                        settings = replace(settings, reload_s=reload_interval(line))
                    case "upstream":
                        pass  # of old; names are looked up by the server itself
                    case _:
                        raise line.unknown()
        return settings

    def origin_of(self, file: str) -> bytes | None:
        """The zone that a file of this name is; None when it is none."""
        groups = self.pattern.groups_in(file)
        if groups is None:
            return None
        try:
            numbers = {str(number): group for number, group in enumerate(groups)}
            named = {name: groups[number] for name, number in self.pattern.group_names.items()}
            text = _expanded(self.origin, numbers | named)
            return names.from_text(text).lower() if text else None
        except NameTextError:
            return None


def _expanded(template: str, groups: dict[str, str]) -> str:
    """As Go's Regexp.Expand: `$name`, `${name}`, `$$`; what there is no group for is empty."""

    def group(found: re.Match[str]) -> str:
        return "$" if found[0] == "$$" else groups.get(found[1] or found[2], "")

    return _EXPANDED.sub(group, template)


def _directory(settings: AutoSettings, line: Property, base: Path) -> AutoSettings:
    """`directory DIR [REGEXP ORIGIN]`."""
    arguments = line.between(1, 3)
    path = base / arguments[0].text
    try:
        path.stat()
    except FileNotFoundError:
        pass  # it may come; the first look says so
    except OSError as error:
        raise line.error(f"Unable to access root path '{path}': {error.strerror}", arguments[0]) from None
    settings = replace(settings, directory=path)
    if len(arguments) == 1:
        return settings
    if len(arguments[1].text) > PATTERN_MAX:
        raise line.error("regexp too large", arguments[1])
    try:
        pattern = Pattern(arguments[1].text)
    except PatternError as error:
        raise line.bare_error(str(error), arguments[1]) from None
    if not pattern.group_count:
        raise line.error("Need at least one sub expression", arguments[1])
    if len(arguments) == 2:
        raise line.argument_error()
    return replace(settings, pattern=pattern, origin=arguments[2].text.replace("{", "${"))
