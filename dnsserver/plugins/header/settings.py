"""What `header` is told in the Corefile."""

from dataclasses import dataclass, replace

from dnsserver.config import Directive, Property
from dnsserver.observability.logs import plugin_logger
from dnsserver.wire.codes import Flag

_log = plugin_logger("header")

FLAGS = {"aa": Flag.AA, "ra": Flag.RA, "rd": Flag.RD}
ACTIONS = {"set": True, "clear": False}

#: A bit, and whether it is set. Of two rules for a bit the later one counts.
Rule = tuple[Flag, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderSettings:
    """What is done to queries on their way to the next plugin, and to replies on their way back."""

    query: tuple[Rule, ...] = ()
    response: tuple[Rule, ...] = ()

    @classmethod
    def from_directive(cls, directive: Directive) -> "HeaderSettings":
        """The first occurrence that has rules counts, as in CoreDNS. Raises ConfigError."""
        counting = cls()
        for found in directive.occurrences:
            settings = cls()
            for line in found.properties:
                settings = _with_rules(settings, line)
            if counting == cls():
                counting = settings
            else:
                _log.warning("%s: the first 'header' of a server block counts alone", found.name.where)
        if counting == cls():
            raise directive.last().argument_error()
        return counting


def _with_rules(settings: HeaderSettings, line: Property) -> HeaderSettings:
    selector = line.text.lower()
    if selector not in ("query", "response"):
        reason = f"invalid selector={selector} should be query or response"
        raise line.bare_error(f"setting up rule: {reason}", line.name)
    rules = _rules(line)
    if selector == "query":
        return replace(settings, query=settings.query + rules)
    return replace(settings, response=settings.response + rules)


def _rules(line: Property) -> tuple[Rule, ...]:
    if not line.arguments:
        raise line.bare_error("setting up rule: no flag action provided")
    action, *flags = (text.lower() for text in line.texts)
    if not flags:
        reason = "invalid length for flags, at least one should be provided"
        raise line.bare_error(f"setting up rule: {reason}")
    if action not in ACTIONS:
        reason = f"unknown flag action={action}, should be set or clear"
        raise line.bare_error(f"setting up rule: {reason}")
    for flag in flags:
        if flag not in FLAGS:
            raise line.bare_error(f"setting up rule: unknown/unsupported flag={flag}")
    return tuple((FLAGS[flag], ACTIONS[action]) for flag in flags)
