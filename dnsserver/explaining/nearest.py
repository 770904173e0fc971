"""Names that somebody may have meant."""

from collections.abc import Iterable

#: Names that are suggested at most.
SUGGESTED_MAX = 3
#: Edits per character of the name: "ngnix" is two from "nginx", "web" is not to suggest "api".
SHARE = 0.4
#: Names that are compared at most: one question shall not cost seconds in a large cluster.
COMPARED_MAX = 20_000


def nearest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Those of *known* that differ from *name* by few edits, the nearest first; *name* itself is not among them."""
    most = max(1, int(len(name) * SHARE))
    found = []
    for place, other in enumerate(known):
        if place >= COMPARED_MAX:
            break
        if other != name and abs(len(other) - len(name)) <= most:
            edits = distance(name, other)
            if edits <= most:
                found.append((edits, other))
    return tuple(dict.fromkeys(other for _, other in sorted(found)))[:SUGGESTED_MAX]


def distance(one: str, other: str) -> int:
    """Insertions, deletions, replacements and swaps of neighbours that make *other* of *one* (optimal string
    alignment)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, char in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (char != wanted))
            if i > 1 and j > 1 and char == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


def suggestion(found: tuple[str, ...]) -> str:
    """` Did you mean "a" or "b"?`; "" when there is nothing to suggest."""
    quoted = [f'"{name}"' for name in found]
    if not quoted:
        return ""
    listed = " or ".join((", ".join(quoted[:-1]), quoted[-1]) if len(quoted) > 1 else quoted)
    return f"Did you mean {listed}?"
