"""Regular expressions of RE2 [re2]. Clients write part of what is searched: time must grow with its length only."""

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

    def is_found_in(self, text: str) -> bool:
        """Whether any part of *text* matches."""
        return self._compiled.search(text.encode("utf-8", "replace").decode()) is not None


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
