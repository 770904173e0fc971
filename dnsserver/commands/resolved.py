"""A look-up as a table for people, and as JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dnsserver.commands.asker import Asker
from dnsserver.sources.zonefile.printing import rdata_text
from dnsserver.stubs import Exchange, Library, Lookup, Transcript
from dnsserver.wire import names
from dnsserver.wire.codes import Flag, Rcode, Type, rcode_name, type_name

#: The form of the JSON output; a form that readers of this one cannot read gets another number.
SCHEMA = "dnsserver.resolve/1"


#: How a query ends that has no answer.
_BROKEN = {
    "": "no answer",
    "refused": "nobody listens there",
    "closed": "connection closed",
    "unheard": "not waited for",
}


@dataclass(frozen=True, slots=True)
class Resolved:
    """A look-up by one library. `silent` are name servers that were not asked really."""

    library: Library
    lookup: Lookup
    who: Asker
    transcript: Transcript
    silent: tuple[str, ...]
    advice: tuple[str, ...]


def as_text(found: Sequence[Resolved]) -> str:
    return "\n\n".join("\n".join(_lines(each)) for each in found)


def _lines(found: Resolved) -> Iterator[str]:
    conf = found.library.read(found.who.resolv_conf)
    yield f"{found.lookup.name or repr('')}, asked for by {found.who.title} with {found.library.title}"
    yield f"  nameserver {' '.join(conf.servers)}; search {' '.join(conf.search) or '-'}; ndots {conf.ndots}"
    yield ""
    if found.transcript.exchanges:
        yield from _table([_row(exchange) for exchange in found.transcript.exchanges])
        yield ""
    yield _ending(found.transcript)
    for server in found.silent:
        yield f"Note: {server} is not asked here, and counts as silent: --nameserver {server}=ADDR says where it is."
    for note in found.who.notes:
        yield f"Note: {note}."
    for sentence in found.advice:
        yield f"Advice: {sentence}"


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    rows = [("AT", "TYPE", "NAME", "BY", "ANSWER"), *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for at, *rest in rows:
        texts = [text.ljust(width) for text, width in zip(rest, widths[1:], strict=True)]
        yield "  ".join((at.rjust(widths[0]), *texts)).rstrip()


def _row(exchange: Exchange) -> tuple[str, ...]:
    name, rtype = exchange.question
    by = f"{exchange.transport} {exchange.server}"
    return f"{exchange.at:.1f} s", type_name(rtype), names.to_text(name), by, _answer(exchange)


def _answer(exchange: Exchange) -> str:
    """RCODE and addresses, with CNAMEs on the way; NODATA is how NOERROR without any is called (RFC 2308)."""
    answer = exchange.answer
    if answer is None or answer.message is None:
        unreachable = exchange.broken == "closed" and exchange.transport == "udp"
        return "no way there" if unreachable else _BROKEN[exchange.broken]
    if answer.has(Flag.TC):
        return "cut (TC)"
    if answer.rcode != Rcode.NOERROR:
        return rcode_name(answer.rcode)
    texts = [
        f"CNAME {text}" if rtype == Type.CNAME else text
        for rtype, text in (
            (record.rtype, rdata_text(record.rtype, record.rdata)) for record in answer.message.answer
        )
    ]
    return ", ".join(texts) or "NODATA"


def _ending(transcript: Transcript) -> str:
    outcome = transcript.outcome
    failure = outcome.text if outcome.error in outcome.text else f"{outcome.error}: {outcome.text}"
    result = " ".join(outcome.addresses) or failure
    if transcript.seconds is None:
        result = "never ends"
    seconds = "" if transcript.seconds is None else f", {transcript.seconds:.1f} s"
    return f"{result} ({len(transcript.exchanges)} queries, {transcript.answers} answers{seconds})"


def as_json(found: Sequence[Resolved]) -> str:
    return json.dumps({"schema": SCHEMA, "lookups": [_object(each) for each in found]}, indent=1)


def _object(found: Resolved) -> dict[str, object]:
    outcome, transcript = found.transcript.outcome, found.transcript
    return {
        "name": found.lookup.name,
        "types": [rtype.name for rtype in found.lookup.family.types],
        "library": found.library.name,
        "from": found.who.title,
        "resolv_conf": found.who.resolv_conf,
        "queries": [_query(exchange) for exchange in transcript.exchanges],
        "answers": transcript.answers,
        "seconds": None if transcript.seconds is None else round(transcript.seconds, 6),
        "addresses": list(outcome.addresses),
        "canonical": outcome.canonical,
        "error": outcome.error,
        "text": outcome.text,
        "not_asked": list(found.silent),
        "notes": list(found.who.notes),
        "advice": list(found.advice),
    }


def _query(exchange: Exchange) -> dict[str, object]:
    name, rtype = exchange.question
    edns = exchange.query.edns
    return {
        "at": round(exchange.at, 6),
        "name": names.to_text(name),
        "type": type_name(rtype),
        "server": exchange.server,
        "transport": exchange.transport,
        "socket": exchange.channel.number,
        "ad": bool(exchange.query.header.flags & Flag.AD),
        "edns_payload": edns.payload if edns else None,
        "answer": _reply(exchange),
        "broken": exchange.broken,
    }


def _reply(exchange: Exchange) -> dict[str, object] | None:
    answer = exchange.answer
    if answer is None or exchange.answered is None:
        return None
    records = answer.message.answer if answer.message else ()
    return {
        "at": round(exchange.answered, 6),
        "rcode": rcode_name(answer.rcode),
        "truncated": answer.has(Flag.TC),
        "records": [
            {
                "name": names.to_text(record.owner),
                "type": type_name(record.rtype),
                "ttl": record.ttl,
                "value": rdata_text(record.rtype, record.rdata),
            }
            for record in records
        ],
    }
