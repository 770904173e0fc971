"""What came out of a comparison, as text and as JSON."""

import json
from collections.abc import Iterator

from dnsserver.comparing.differences import Kind
from dnsserver.comparing.rounds import Finding, Outcome
from dnsserver.wire import names
from dnsserver.wire.codes import type_name

#: The page that explains what is accepted.
PAGE = "docs/differences.md"


def text(outcome: Outcome, old: str, new: str, most: int) -> str:
    """The counts, and up to *most* differences of each kind."""
    lines = [f"{outcome.asked:,} question{'s' if outcome.asked != 1 else ''} to {old} (old) and {new} (new)"]
    lines += [f"{count:>9,}  {what}" for what, count in _counts(outcome)]
    for row, count in outcome.accepted.most_common():
        lines.append(f"{count:>9,}  accepted: {row.matter}: see {PAGE}, {row.section}")
    for kind in Kind:
        lines += _listed([one for one in outcome.findings if one.difference.kind is kind], kind, most)
    return "\n".join(lines)


def as_json(outcome: Outcome, old: str, new: str) -> str:
    """All of it, on one line."""
    return json.dumps(
        {
            "old": old,
            "new": new,
            "asked": outcome.asked,
            "equal": outcome.equal,
            "accepted": [
                {"matter": row.matter, "page": PAGE, "section": row.section, "count": count}
                for row, count in outcome.accepted.most_common()
            ],
            "ignored": {kind.value: count for kind, count in sorted(outcome.ignored.items())},
            "different": {kind.value: count for kind, count in sorted(outcome.kinds.items())},
            "differences": [
                {
                    "name": names.to_text(one.question.name),
                    "type": type_name(one.question.rtype),
                    "kind": one.difference.kind.value,
                    "old": one.difference.old,
                    "new": one.difference.new,
                }
                for one in outcome.findings
            ],
        }
    )


def _counts(outcome: Outcome) -> Iterator[tuple[str, int]]:
    yield "equal", outcome.equal
    for kind, count in sorted(outcome.ignored.items()):
        yield f"ignored: {kind.value}", count
    for kind, count in sorted(outcome.kinds.items()):
        yield f"{'not compared' if kind is Kind.NO_REPLY else 'different'}: {kind.value}", count


def _listed(findings: list[Finding], kind: Kind, most: int) -> Iterator[str]:
    if not findings:
        return
    yield f"\n{kind.value}:"
    for one in findings[:most]:
        yield f"  {names.to_text(one.question.name)} {type_name(one.question.rtype)}"
        yield f"      old  {one.difference.old}"
        yield f"      new  {one.difference.new}"
    if len(findings) > most:
        yield f"  and {len(findings) - most:,} more (--show {len(findings)})"
