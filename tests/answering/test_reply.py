"""Replies as values."""

from dataclasses import fields, replace

from dnsserver.answering.reply import Reply
from dnsserver.wire.records import Rdata, Record

RECORDS = (Record(b"\1a\0", 1, 60, Rdata(bytes(4))),)


def test_with_records_keeps_all_else() -> None:
    marks = {each.name: object() for each in fields(Reply)}
    reply = Reply(**marks)  # type: ignore[arg-type]
    wanted = replace(reply, answer=RECORDS, authority=RECORDS * 2, additional=RECORDS * 3)
    made = reply.with_records(RECORDS, RECORDS * 2, RECORDS * 3)
    assert [getattr(made, name) for name in marks] == [getattr(wanted, name) for name in marks]
