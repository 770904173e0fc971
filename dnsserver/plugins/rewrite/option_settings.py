"""Rules for EDNS options."""

from dnsserver.languages.literals import number
from dnsserver.plugins.rewrite.name_settings import RuleError
from dnsserver.plugins.rewrite.options import (
    ACTIONS,
    NSID,
    SUBNET,
    VARIABLES,
    Data,
    OptionChange,
    Subnet,
    label,
)

_CODE_MAX = 0xFFFF


def option_change(words: list[str]) -> OptionChange:
    """Raises RuleError."""
    if len(words) < 2:
        raise RuleError("too few arguments for an EDNS0 rule")
    kind, action, *rest = words[0].lower(), words[1].lower(), *words[2:]
    if action not in ACTIONS:
        raise RuleError(f'invalid action: "{action}"')
    if kind not in ("local", "nsid", "subnet"):
        raise RuleError(f'invalid rule type "{kind}"')
    if action == "unset":
        return _unset(kind, rest)
    reverts = words[-1] == "revert"
    rest = rest[:-1] if reverts else rest
    if kind == "nsid":
        if rest:
            raise RuleError("EDNS0 NSID rules can accept no more than one arg")
        return OptionChange(NSID, action, lambda _: b"")
    if len(rest) != 2:
        raise RuleError(f"EDNS0 {kind} rules require three or four args")
    if kind == "subnet":
        bits = Subnet(_bits(rest[0], 32, "IPv4"), _bits(rest[1], 128, "IPv6"))
        return OptionChange(SUBNET, action, bits, again=False)
    data, again = _data(rest[1])
    return OptionChange(_unsigned(rest[0]), action, data, again=again, shown=True, reverts=reverts)


def _unset(kind: str, rest: list[str]) -> OptionChange:
    wanted, text = (1, "two arguments") if kind == "local" else (0, "one argument")
    if len(rest) != wanted:
        raise RuleError(f"{kind} unset action requires exactly {text}")
    code = _unsigned(rest[0]) if kind == "local" else NSID if kind == "nsid" else SUBNET
    return OptionChange(code, "unset", lambda _: b"")


def _unsigned(text: str) -> int:
    """Decimal, or with the prefix 0x, 0o or 0b."""
    try:
        value = number(text)
    except ValueError:
        value = -1
    if not isinstance(value, int) or value < 0 or text[:1] in "+-":
        raise RuleError(f'strconv.ParseUint: parsing "{text}": invalid syntax')
    if value > _CODE_MAX:
        raise RuleError(f'strconv.ParseUint: parsing "{text}": value out of range')
    return value


def _bits(text: str, most: int, family: str) -> int:
    value = _unsigned(text)
    if value > most:
        raise RuleError(f"invalid {family} bit mask length {value}")
    return value


def _data(text: str) -> tuple[Data, bool]:
    """Text, hexadecimal digits behind 0x, or a variable; only fixed data can be appended to what is there."""
    if text.startswith("{") and text.endswith("}"):
        name = text[1:-1]
        if name in VARIABLES:
            return VARIABLES[name], False
        left, slash, right = name.partition("/")
        if not (left and slash and right):
            raise RuleError(f'unsupported variable name "{text}"')
        return label(name), False
    data = text.encode()
    if text.startswith("0x"):
        try:
            data = bytes.fromhex(text[2:])
        except ValueError:
            raise RuleError(f"encoding/hex: invalid hexadecimal digits: {text}") from None
    return lambda _: data, True
