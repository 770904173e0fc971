"""Rules for names, with what they say of answers."""

import re

from dnsserver.languages.patterns import PATTERN_MAX, Pattern, PatternError
from dnsserver.plugins.rewrite.answers import Answering, Owners, Values
from dnsserver.plugins.rewrite.rules import Names
from dnsserver.plugins.rewrite.texts import KINDS, BackFromSuffix, ByPattern, ByText

_GROUP = re.compile(r"\{([0-9]+)\}")
KINDS_TEXT = "exact, prefix, suffix, substring, and regex name matching"
#: The largest group that is looked for, as in CoreDNS.
_GROUP_MAX = 100


class RuleError(ValueError):
    """The words are no rule."""


def normalized(text: str) -> str:
    """In lower case, with final dot."""
    return text.lower() if text.endswith(".") else f"{text.lower()}."


def name_change(words: list[str]) -> Names:
    """Raises RuleError."""
    if len(words) < 2:
        raise RuleError("too few arguments for a name rule")
    kind, old, new = ("exact", *words) if len(words) == 2 else (words[0].lower(), words[1], words[2])
    auto, answering = _answers(kind, words[3:]) if len(words) > 3 else (False, ())
    if kind not in KINDS:
        raise RuleError(
            f"name rule supports only exact, prefix, suffix, substring, and regex name matching, received: {kind}"
        )
    if kind == "regex":
        return Names(ByPattern(checked(old, new), normalized(new)), auto, answering)
    old, new = normalized(old), normalized(new)
    if kind == "suffix":
        # Every name with the suffix can be turned back, not only the one that was asked.
        back = BackFromSuffix(new, old)
        own: tuple[Answering, ...] = (Owners(back), Values(back)) if auto else ()
        return Names(ByText(kind, old, new), False, own + answering)
    return Names(ByText(kind, old, new), auto or kind == "exact", answering)


def checked(pattern: str, new: str) -> Pattern:
    """*pattern* compiled, if it has as many groups as *new* uses. Raises RuleError."""
    if len(pattern) > PATTERN_MAX:
        raise RuleError(f"regex pattern too long: {len(pattern)} > {PATTERN_MAX}")
    try:
        compiled = Pattern(pattern)
    except PatternError:
        raise RuleError(f"invalid regex matching pattern: {pattern}") from None
    used = {int(digits) for digits in _GROUP.findall(new) if len(digits) <= len(str(_GROUP_MAX))}
    if len([number for number in used if number <= _GROUP_MAX]) > compiled.group_count:
        raise RuleError(
            f"the rewrite regex pattern ({new}) uses more subexpressions than its corresponding matching "
            f"regex pattern ({pattern})"
        )
    return compiled


def _answers(kind: str, words: list[str]) -> tuple[bool, tuple[Answering, ...]]:
    """Whether `answer auto` is there, and the other answer rules."""
    if len(words) < 2:
        raise RuleError(f"invalid arguments for {kind} rule")
    if words[0] != "answer":
        raise RuleError(f"exceeded the number of arguments for a non-answer rule argument for {kind} rule")
    auto, rules = False, list[Answering]()
    left = list(words)
    while left:
        if left[0] == "answer":
            left.pop(0)
        if not left:
            raise RuleError(f"type missing for answer rule for {kind} rule")
        what = left.pop(0)
        if what == "auto":
            auto = True
            continue
        if what not in ("name", "value"):
            raise RuleError(f'invalid type "{what}" for answer rule for {kind} rule')
        if len(left) < 2:
            raise RuleError(f"{what} answer rule for {kind} rule: 2 arguments required")
        old, new, *left = left
        try:
            rewriter = ByPattern(checked(old, new), normalized(new))
        except RuleError as error:
            raise RuleError(f"{what} answer rule for {kind} rule: {error}") from None
        rules.append(Owners(rewriter) if what == "name" else Values(rewriter))
    if auto and any(isinstance(rule, Owners) for rule in rules):
        raise RuleError("auto name answer rule cannot be combined with explicit name anwer rules")
    return auto, tuple(rules)
