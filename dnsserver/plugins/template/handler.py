"""A query to the records that templates make of it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import lru_cache

from dnsserver.answering.query import Query, follow
from dnsserver.answering.reply import Reply
from dnsserver.languages.gotemplate import ExecutionError, Template
from dnsserver.plugins.plugin import Handler
from dnsserver.plugins.query_expressions import label_of
from dnsserver.plugins.template.counts import TemplateCounts
from dnsserver.plugins.template.data import HEADER_FIELDS
from dnsserver.plugins.template.matching import Matched, Refused, matched
from dnsserver.plugins.template.settings import OneTemplate
from dnsserver.sources.zonefile.errors import RecordTextError
from dnsserver.sources.zonefile.records import record_from_text
from dnsserver.wire import names
from dnsserver.wire.codes import ExtendedError, Flag, Rcode, Type
from dnsserver.wire.edns import extended_error, told_cause
from dnsserver.wire.records import Record

PLUGIN = "template"
#: Questions that the server asks itself for one query: templates can make CNAMEs that point at each other without end.
TRAIL_MAX = 8
#: Records whose text has been read already, of the whole process. Most names are asked again.
RECORDS_MAX = 2_048
#: Flags of the header, by miekg/dns's names.
_FLAGS = {
    "Response": Flag.QR,
    "Authoritative": Flag.AA,
    "Truncated": Flag.TC,
    "RecursionDesired": Flag.RD,
    "RecursionAvailable": Flag.RA,
    "Zero": Flag.Z,
    "AuthenticatedData": Flag.AD,
    "CheckingDisabled": Flag.CD,
}
_FAILED = told_cause(ExtendedError.OTHER, "plugin template could not make the records")


class _FailedError(Exception):
    """A record could not be made; the text is for the operator."""


class TemplateHandler:
    """Answers by the first of *templates* that takes the query; `lookup` puts a query through the whole server."""

    def __init__(
        self,
        next_handler: Handler,
        templates: tuple[OneTemplate, ...],
        counts: TemplateCounts,
        lookup: Callable[[Query], Awaitable[Reply | None]],
    ) -> None:
        self._next = next_handler
        self._templates = templates
        self._counts = counts
        self._lookup = lookup

    async def __call__(self, query: Query) -> Reply | None:
        try:
            found = matched(self._templates, query)
        except Refused:
            return Reply(rcode=Rcode.SERVFAIL)
        if found is None:
            return await self._next(query)
        self._counts.matched(query, found)
        if found.template.rcode == Rcode.SERVFAIL:
            return Reply(rcode=Rcode.SERVFAIL)
        try:
            sections = {
                section: self._records(query, found, section, templates)
                for section, templates in found.template.sections.items()
            }
        except _FailedError as error:
            return Reply(rcode=Rcode.SERVFAIL, options=(_FAILED,), error=str(error))
        reason = found.template.extended_error
        reply = Reply(
            rcode=found.template.rcode,
            answer=sections.get("answer", ()),
            authority=sections.get("authority", ()),
            additional=sections.get("additional", ()),
            authoritative=True,
            options=() if reason is None else (extended_error(*reason),),
            plugin=PLUGIN,
        )
        return await self._chased(reply, query) if query.question.rtype in (Type.A, Type.AAAA) else reply

    def _records(
        self, query: Query, found: Matched, section: str, templates: tuple[Template, ...]
    ) -> tuple[Record, ...]:
        """Raises _FailedError."""
        data = _data(query, found)
        records = []
        for template in templates:
            try:
                record = _record(template.run(data))
            except ExecutionError as error:
                self._counts.failed(query, found, section, template.text)
                raise _FailedError(f"template: {section}: {error}") from None
            except RecordTextError as error:
                self._counts.broken(query, found, section, template.text)
                raise _FailedError(f"template: {section}: {error}") from None
            records.append(record)
        return tuple(records)

    async def _chased(self, reply: Reply, query: Query) -> Reply:
        """*reply*, with what the whole server says of a CNAME's target behind the CNAME.

        For a question that another one led to, of the first alone: else templates with several CNAMEs would ask the
        server so many times to the power of TRAIL_MAX.
        """
        been = (*query.trail, query.name)
        answer: list[Record] = []
        truncated, live, chased = reply.truncated, False, False
        for record in reply.answer:
            answer.append(record)
            if record.rtype != Type.CNAME:
                continue
            target = record.rdata.names[0]
            if target.lower() in been or len(been) > TRAIL_MAX or (chased and query.trail):
                continue
            chased = True
            found = await self._lookup(follow(query, target))
            if found is not None:
                answer += found.answer
                truncated, live = found.truncated, live or found.live
        return replace(reply, answer=tuple(answer), truncated=truncated, live=live)


@lru_cache(maxsize=RECORDS_MAX)
def _record(text: str) -> Record:
    """Raises RecordTextError."""
    record = record_from_text(text)
    if record is None:
        raise RecordTextError("the template gave no record")
    return record


def _data(query: Query, found: Matched) -> dict[str, object]:
    """The values of `data.DATA`."""
    header = query.header
    asked = query.question
    question = {"Name": names.to_text(asked.name), "Qtype": asked.rtype, "Qclass": asked.rclass}
    message: dict[str, object] = dict.fromkeys(HEADER_FIELDS, 0)
    message |= {name: bool(header.flags & flag) for name, flag in _FLAGS.items()}
    message |= {"Id": header.id, "Opcode": header.opcode, "Rcode": header.rcode, "Question": [question]}
    return {
        "Zone": found.zone,
        "Name": found.name,
        "Regex": found.pattern,
        "Class": found.rclass,
        "Type": found.rtype,
        "Remote": query.arrival.client_host,
        "Match": list(found.match),
        "Group": found.groups,
        "Question": question,
        "Message": message,
        "Var": found.variables,
        "Meta": lambda label: label_of(query, label),
    }
