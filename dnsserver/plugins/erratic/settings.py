"""What `erratic` is told in the Corefile."""

from dataclasses import dataclass, replace

from dnsserver.config import Directive, Property, Token

#: Go reads the numbers with 32 bits.
AMOUNT_END = 1 << 31
#: Queries. What an option without a number means, and `drop` where no option says otherwise.
AMOUNT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ErraticSettings:
    """Each number: one query in so many; 0: none."""

    drop: int = AMOUNT
    truncate: int = 0
    delay: int = 0
    delay_s: float = 0.1
    """Seconds."""
    large: bool = False
    """Replies with 30 A records."""

    @classmethod
    def from_directive(cls, directive: Directive) -> "ErraticSettings":
        """Raises ConfigError."""
        settings, drops = cls(), False
        for occurrence in directive.occurrences:
            for line in occurrence.properties:
                drops |= line.text == "drop" and bool(line.arguments)
                settings = _with_line(settings, line)
        if (settings.delay or settings.truncate) and not drops:
            return replace(settings, drop=0)
        return settings


def _with_line(settings: ErraticSettings, line: Property) -> ErraticSettings:
    match line.text:
        case "drop":
            arguments = line.at_most(1)
            return replace(settings, drop=_amount(line, arguments[0])) if arguments else settings
        case "truncate":
            arguments = line.at_most(1)
            return replace(settings, truncate=_amount(line, arguments[0]) if arguments else AMOUNT)
        case "delay":
            arguments = line.at_most(2)
            settings = replace(settings, delay=_amount(line, arguments[0]) if arguments else AMOUNT)
            delay_s = line.duration(arguments[1]) if len(arguments) == 2 else ErraticSettings().delay_s
            return replace(settings, delay_s=delay_s)
        case "large":
            return replace(settings, large=True)
        case _:
            raise line.unknown()


def _amount(line: Property, token: Token) -> int:
    amount = line.integer(token, function="strconv.ParseInt")
    if not -AMOUNT_END <= amount < AMOUNT_END:
        raise line.bare_error(f'strconv.ParseInt: parsing "{token.text}": value out of range', token)
    if amount < 0:
        raise line.bare_error(f'illegal amount value given "{token.text}"', token)
    return amount
