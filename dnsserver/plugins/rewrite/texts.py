"""Names as text: which of them a rule means, and what it makes of them (coredns-compat.md, section 3.8).

Text is in presentation format with final dot; names of questions are in lower case.
"""

import re
from dataclasses import dataclass
from typing import Protocol

from dnsserver.languages.patterns import Pattern

KINDS = ("exact", "prefix", "suffix", "substring", "regex")
_GROUP = re.compile(r"\{([0-9]{1,3})\}")


class Rewriter(Protocol):
    def __call__(self, name: str) -> str | None:
        """What becomes of *name*; None when it is not meant."""
        ...


def filled(text: str, groups: tuple[str, ...]) -> str:
    """*text* with `{0}`, `{1}`... replaced by the groups; numbers that there are none of stay."""
    return _GROUP.sub(lambda found: groups[int(found[1])] if int(found[1]) < len(groups) else found[0], text)


@dataclass(frozen=True, slots=True)
class ByText:
    """Of one of KINDS but regex: *old* is found, *new* stands for it."""

    kind: str
    old: str
    new: str = ""

    def __call__(self, name: str) -> str | None:
        match self.kind:
            case "exact":
                return self.new if name == self.old else None
            case "prefix":
                return self.new + name[len(self.old) :] if name.startswith(self.old) else None
            case "suffix":
                return name[: len(name) - len(self.old)] + self.new if name.endswith(self.old) else None
            case _:
                return name.replace(self.old, self.new) if self.old in name else None


@dataclass(frozen=True, slots=True)
class ByPattern:
    """*new* with the groups of *pattern* filled in."""

    pattern: Pattern
    new: str = ""

    def __call__(self, name: str) -> str | None:
        groups = self.pattern.groups_in(name)
        return None if groups is None else filled(self.new, groups)


@dataclass(frozen=True, slots=True)
class BackFrom:
    """Turns *rewritten*, and names below it, back into *original*, whatever their case."""

    rewritten: str
    original: str

    def __call__(self, name: str) -> str | None:
        lower = name.lower()
        if lower == self.rewritten:
            return self.original
        if lower.endswith("." + self.rewritten):
            return name[: len(name) - len(self.rewritten)] + self.original
        return None


@dataclass(frozen=True, slots=True)
class BackFromSuffix:
    """Turns the suffix *rewritten* back into *original*, whatever its case."""

    rewritten: str
    original: str

    def __call__(self, name: str) -> str | None:
        if not name.lower().endswith(self.rewritten):
            return None
        return name[: len(name) - len(self.rewritten)] + self.original
