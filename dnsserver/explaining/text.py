"""An explanation for people: lines of text, with colour where it is wanted."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from dnsserver.explaining.cause import Cause, Rule
from dnsserver.explaining.evidence import Place
from dnsserver.explaining.explanation import Explanation
from dnsserver.explaining.verdict import Did, Step

#: Records that are shown.
RECORDS_SHOWN = 10
#: Characters. Sentences stand behind a margin of this width.
MARGIN = 8

_BOLD, _DIM, _RED, _GREEN, _YELLOW = "1", "2", "31", "32", "33"


class Painter:
    """Select Graphic Rendition of ECMA-48, or none."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    def __call__(self, text: str, *codes: str) -> str:
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if self._colour and text else text


def lines(found: Explanation, *, colour: bool = False, width: int = 100) -> Iterator[str]:
    """*width*: characters of a line, where words allow."""
    paint = Painter(colour=colour)
    yield from _headline(found, paint)
    if found.rule is not None:
        yield ""
        yield from _rule(found.rule, paint, width)
    for place, cause in enumerate(found.causes):
        yield ""
        yield from _cause("Why" if place == 0 else "Also", cause, paint, width)
    for note in found.notes:
        yield ""
        yield from _cause("Note", note, paint, width)
    if found.attempts:
        yield ""
        yield from _attempts(found, paint)
    if found.block is not None or found.steps:
        yield ""
        yield from _way(found, paint)
    if found.unseen:
        yield ""
        yield from (f"{'Unseen':<{MARGIN}}{kind}: {reason}" for kind, reason in sorted(found.unseen.items()))


def _headline(found: Explanation, paint: Painter) -> Iterator[str]:
    verdict = found.verdict
    colour = _GREEN if found.resolves else _RED
    what = verdict.rcode or "no reply"
    if verdict.rcode == "NOERROR" and not found.resolves:
        what = "NOERROR, but no such records"
    asked = f" asked by {found.client}" if found.attempts else ""
    yield f"{paint(f'{found.name} {found.rtype}', _BOLD)}{asked}: {paint(what, _BOLD, colour)}"
    yield from (f"  {record}" for record in verdict.answer[:RECORDS_SHOWN])
    if len(verdict.answer) > RECORDS_SHOWN:
        yield f"  and {len(verdict.answer) - RECORDS_SHOWN} more"


def _rule(rule: Rule, paint: Painter, width: int) -> Iterator[str]:
    yield from _sentence("Rule", rule.sentence, paint, _GREEN, width)
    yield from _objects(rule.objects, paint)
    yield f"{'':<{MARGIN}}{paint(rule.docs, _DIM)}"


def _cause(title: str, cause: Cause, paint: Painter, width: int) -> Iterator[str]:
    colour = _RED if title == "Why" else _YELLOW
    yield from _sentence(title, cause.sentence, paint, colour, width)
    yield from _objects(cause.objects, paint)
    if cause.advice:
        yield from _sentence("To do", cause.advice, paint, _BOLD, width)
    yield f"{'':<{MARGIN}}{paint(cause.docs, _DIM)}"


def _sentence(title: str, text: str, paint: Painter, colour: str, width: int) -> Iterator[str]:
    room = max(width - MARGIN, MARGIN)
    for place, line in enumerate(wrap(text, room, break_long_words=False, break_on_hyphens=False)):
        yield f"{paint(f'{title:<{MARGIN}}', colour) if place == 0 else ' ' * MARGIN}{line}"


def _objects(objects: Sequence[Place], paint: Painter) -> Iterator[str]:
    size = max((len(str(each)) for each in objects), default=0)
    for each in objects:
        origin = f", made by {each.made_by}" if each.made_by else ""
        where = f"{each.where}{origin}".removeprefix(", ")
        yield f"{'':<{MARGIN}}- {each!s:<{size}}  {paint(where, _DIM)}".rstrip()


def _attempts(found: Explanation, paint: Painter) -> Iterator[str]:
    for place, each in enumerate(found.attempts):
        what = each.rcode if each.data or each.rcode != "NOERROR" else "NOERROR without data"
        mark = " <- explained here" if each.name == found.name else ""
        title = "Search" if place == 0 else ""
        yield f"{title:<{MARGIN}}{each.name} {paint(what, _GREEN if each.data else _RED)}{paint(mark, _DIM)}"


def _way(found: Explanation, paint: Painter) -> Iterator[str]:
    if found.block is not None:
        zone, where = found.block.zone, found.block.where
        yield f"{'Way':<{MARGIN}}server block at {where}, zone {zone}, {found.block.listener}"
    size = max((len(step.plugin) + 2 * step.depth for step in found.steps), default=0)
    for step in found.steps:
        name = f"{'  ' * step.depth}{step.plugin}"
        yield f"{'':<{MARGIN}}{name:<{size}}  {paint(_did(step, found), _DIM)}"


def _did(step: Step, found: Explanation) -> str:
    text = step.did.value
    if step.did is Did.REWROTE:
        text = f"passed on {step.passed}"
    elif step.did in (Did.ANSWERED, Did.CHANGED) and step.rcode:
        text = f"{text} {step.rcode}" if step.did is Did.ANSWERED else f"{text} ({step.rcode})"
    asked = f" [{step.name} {step.rtype}]" if (step.name, step.rtype) != (found.name, found.rtype) else ""
    return f"{text}{asked}{f': {step.error}' if step.error and step.did is not Did.PASSED else ''}"
