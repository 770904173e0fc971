"""What `rewrite` is told in the Corefile. CoreDNS gives its messages no place; ours stands behind them."""

from collections.abc import Callable
from dataclasses import dataclass

from dnsserver.config import Directive, Occurrence
from dnsserver.languages.patterns import PATTERN_MAX, Pattern, PatternError
from dnsserver.plugins.rewrite.answers import CnameTargets, Rcodes, Ttls
from dnsserver.plugins.rewrite.name_settings import KINDS_TEXT, RuleError, name_change, normalized
from dnsserver.plugins.rewrite.option_settings import option_change
from dnsserver.plugins.rewrite.rules import Change, Classes, Cnames, EdnsOptions, Replies, Rule, Types
from dnsserver.plugins.rewrite.texts import KINDS, ByPattern, ByText, Rewriter
from dnsserver.wire.codes import class_number, rcode_number, type_number

#: The largest RCODE that may be given as a number, and the largest TTL without a limit, in seconds; as in CoreDNS.
RCODE_MAX, TTL_OPEN = 23, 2**31 - 1
TTL_MAX = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RewriteSettings:
    """The rules, in the order of the file."""

    rules: tuple[Rule, ...]

    @classmethod
    def from_directive(cls, directive: Directive) -> "RewriteSettings":
        """Raises ConfigError."""
        return cls(rules=tuple(map(_rule, directive.occurrences)))


def _rule(occurrence: Occurrence) -> Rule:
    words = list(occurrence.texts)
    if len(words) < 2:
        words += [word for line in occurrence.properties for word in line.words]
    else:
        occurrence.no_properties()
    try:
        return _read(words)
    except RuleError as error:
        raise occurrence.bare_error(str(error)) from None


def _read(words: list[str]) -> Rule:
    if not words:
        raise RuleError("no rule type specified for rewrite")
    mode = words[0].lower()
    rest = words
    if mode in ("continue", "stop"):
        rest = words[1:]
        if not rest:
            raise RuleError(f"{mode} rule must begin with a rule type")
    kind = rest[0].lower()
    if kind == "answer":
        raise RuleError("response rewrites must begin with a name rule")
    read = _RULES.get(kind)
    if read is None:
        raise RuleError(f'invalid rule type "{words[0]}"')
    return Rule(read(rest[1:]), stops=mode != "continue")


def _numbers(
    kind: str, words: list[str], number: Callable[[str], int | None], make: Callable[[int, int], Change]
) -> Change:
    if len(words) != 2:
        raise RuleError(f"{kind} rules must have exactly two arguments")
    found = []
    for word in words:
        value = number(word.upper())
        if value is None:
            raise RuleError(f'invalid {kind} "{word.upper()}"')
        found.append(value)
    return make(found[0], found[1])


def _meant(kind: str, rule: str, text: str) -> Rewriter:
    """The names of a rule about replies."""
    kind = kind.lower()
    if kind not in KINDS:
        raise RuleError(f"{rule} rule supports only {KINDS_TEXT}")
    if kind != "regex":
        return ByText(kind, normalized(text))
    if len(text) > PATTERN_MAX:
        raise RuleError(f"regex pattern too long in a {rule} rule: {len(text)} > {PATTERN_MAX}")
    try:
        return ByPattern(Pattern(text))
    except PatternError:
        raise RuleError(f"invalid regex pattern in a {rule} rule: {text}") from None


def _ttl(words: list[str]) -> Change:
    if len(words) < 2:
        raise RuleError(f"too few ({len(words)}) arguments for a ttl rule")
    limits = _ttl_limits(words[-1] if len(words) <= 3 else "")
    if limits is None:
        raise RuleError(f"invalid TTL '{words[-1] if len(words) <= 3 else ''}' for a ttl rule")
    kind, name = (words[0], words[1]) if len(words) == 3 else ("exact", words[0])
    return Replies(_meant(kind, "ttl", name), Ttls(*limits))


def _ttl_limits(text: str) -> tuple[int, int] | None:
    """`30`, `30-300`, `-300` or `30-`; None for anything else."""
    low, dash, high = text.partition("-")
    if not dash:
        value = _digits(low, TTL_MAX)
        return None if value is None else (value, value)
    if not low and not high:
        return None
    least = _digits(low, TTL_MAX) if low else 0
    most = _digits(high, TTL_MAX) if high else TTL_OPEN
    return None if least is None or most is None or least > most else (least, most)


def _digits(text: str, most: int) -> int | None:
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(TTL_MAX)) or int(text) > most:
        return None
    return int(text)


def _rcode(words: list[str]) -> Change:
    if len(words) < 3:
        raise RuleError(f"too few ({len(words)}) arguments for a rcode rule")
    old, new = words[-2:] if len(words) <= 4 else ("", "")
    codes = []
    for role, word in (("matching", old), ("replacement", new)):
        number = _digits(word, RCODE_MAX)
        number = rcode_number(word.upper()) if number is None else number
        if number is None:
            raise RuleError(f"invalid {role} RCODE '{word}' for a rcode rule")
        codes.append(number)
    kind, name = (words[0], words[1]) if len(words) == 4 else ("exact", words[0])
    return Replies(_meant(kind, "rcode", name), Rcodes(codes[0], codes[1]))


def _cname(words: list[str]) -> Change:
    if len(words) not in (2, 3):
        raise RuleError(f"too few ({len(words)}) arguments for a cname rule")
    kind, old, new = (words[0].lower(), *words[1:]) if len(words) == 3 else ("exact", *words)
    old, new = old.lower(), new.lower()
    if kind not in KINDS:
        raise RuleError(f"unknown cname rewrite type: {kind}")
    if kind == "exact":
        old, new = normalized(old), normalized(new)
    if kind != "regex":
        return Cnames(CnameTargets(ByText(kind, old, new)))
    if len(old) > PATTERN_MAX:
        raise RuleError(f"regex pattern too long in a cname rule: {len(old)} > {PATTERN_MAX}")
    try:
        return Cnames(CnameTargets(ByPattern(Pattern(old), new)))
    except PatternError as error:
        raise RuleError(f"invalid cname rewrite regex pattern: {error}") from None


_RULES: dict[str, Callable[[list[str]], Change]] = {
    "name": name_change,
    "class": lambda words: _numbers("class", words, class_number, Classes),
    "type": lambda words: _numbers("type", words, type_number, Types),
    "edns0": lambda words: EdnsOptions(option_change(words)),
    "ttl": _ttl,
    "cname": _cname,
    "rcode": _rcode,
}
