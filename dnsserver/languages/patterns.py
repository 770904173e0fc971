"""Regular expressions of RE2 [re2]. Clients write part of what is searched: time must grow with its length only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import re2

#: Characters. As in CoreDNS, against patterns that take all memory to compile.
PATTERN_MAX = 10_000


class PatternError(ValueError):
    """The text is no regular expression that can be used."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled expression. Raises PatternError, with the beginning that Go gives the message, for what is none."""

    text: str
    _compiled: Any = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.text) > PATTERN_MAX:
            raise PatternError(f"regex pattern too long: {len(self.text)} > {PATTERN_MAX}")
        options = re2.Options()
        options.log_errors = False
        try:
            compiled = re2.compile(self.text, options)
        except re2.error as error:
            raise PatternError(f"error parsing regexp: {_reason(error)}") from None
        except UnicodeEncodeError:
            raise PatternError("error parsing regexp: invalid UTF-8") from None
        object.__setattr__(self, "_compiled", compiled)

    @property
    def group_count(self) -> int:
        """How many groups it has, the whole match not counted."""
        return int(self._compiled.groups)

    @property
    def group_names(self) -> Mapping[str, int]:
        """The numbers of the groups that have a name."""
        names: Mapping[str, int] = self._compiled.groupindex
        return names

    def is_found_in(self, text: str) -> bool:
        """Whether any part of *text* matches."""
        return self._compiled.search(_valid(text)) is not None

    def groups_in(self, text: str) -> tuple[str, ...] | None:
        """The first part of *text* that matches, and its groups, "" for those that took no part; None without match."""
        found = self._compiled.search(_valid(text))
        return None if found is None else (found.group(0), *(group or "" for group in found.groups()))


def _valid(text: str) -> str:
    """*text* with question marks for what UTF-8 cannot carry."""
    return text.encode("utf-8", "replace").decode()


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
