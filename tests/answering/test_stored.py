"""Stored answers: what is kept, and what differs from client to client."""

import struct
from collections import Counter
from dataclasses import dataclass, replace
from random import Random

import pytest

from dnsserver.answering.fast import fast_reply
from dnsserver.answering.reply import Reply
from dnsserver.answering.stored import compile_answer, question_end, ttl_places, with_ttl
from dnsserver.wire import names
from dnsserver.wire.codes import Rcode, Type
from dnsserver.wire.edns import extended_error
from dnsserver.wire.limits import MESSAGE_MAX
from dnsserver.wire.question import Question
from dnsserver.wire.records import Rdata, Record, name_rdata, srv_rdata
from tests.answering.packets import AD, NAME, QR, QUESTION, RD, TC, message, opcode, opt
from tests.answering.replies import (
    A_SIZE,
    ALIAS,
    END,
    NOW,
    OPT_SIZE,
    SERIAL,
    TARGET,
    WITH_OPT,
    ZONE,
    Backwards,
    InOrder,
    addresses,
    asked,
    negative,
    plainly,
    positive,
    quickly,
    soa,
    stored,
)

# The place behind the question.


@pytest.mark.parametrize(
    ("octets", "end"),
    [
        (b"", -1),
        (b"\0", -1),
        (bytes(11), -1),
        (bytes(12), -1),
        (bytes(16), -1),
        (bytes(17), 17),  # the root
        (bytes(18), 17),
        (message(), END),
        (message() + b"more", END),
        (message()[:-1], -1),
        (message()[:-4], -1),
        (message()[:-5], -1),
        (message(b"\1" * 300), -1),  # no zero at all
        (message(b"\1a\xc0\x0c\0\1\0\1"), -1),  # a pointer: the type's zero ends it
        (message(b"\1a\xc0\x0c\0\1\0\1\0\0"), 12 + 9),
        (message(b"\3a\0b" + b"\0\0\1\0\1"), 12 + 2 + 5),  # a zero inside a label: no stored name has one
        (message(word=0x07FF), END),
        (message(word=QR), -1),
        (message(word=opcode(1)), -1),
        (message(word=opcode(4) | RD), -1),
        (message(word=opcode(8)), -1),
    ],
    ids=range(21),
)
def test_question_end(octets: bytes, end: int) -> None:
    assert question_end(octets) == end


# What is stored.


@dataclass(frozen=True, slots=True)
class Spelling:
    why: str
    reply: Reply
    other: Reply | None
    any_case: bool

    def __str__(self) -> str:
        return self.why


UPPER, ZONE_UPPER = NAME.swapcase(), ZONE.swapcase()
SPELLINGS = (
    Spelling("addresses", positive(*addresses(2)), positive(*addresses(2, UPPER)), True),
    Spelling("nothing", positive(), positive(), True),
    Spelling("a negative answer", negative(), negative(ZONE_UPPER), True),
    Spelling("no other reply", positive(*addresses(1)), None, False),
    Spelling(
        "an owner in lower case whatever was asked", positive(*addresses(1)), positive(*addresses(1)), False
    ),
    Spelling("other records", positive(*addresses(1)), positive(*addresses(2, UPPER)), False),
    Spelling(
        "a name that is not compressed",
        positive(Record(NAME, Type.SRV, 5, srv_rdata(0, 1, 80, TARGET))),
        positive(Record(UPPER, Type.SRV, 5, srv_rdata(0, 1, 80, TARGET.swapcase()))),
        False,
    ),
    Spelling(
        "a CNAME into the zone",
        positive(Record(NAME, Type.CNAME, 5, name_rdata(b"\1x" + ZONE))),
        positive(Record(UPPER, Type.CNAME, 5, name_rdata(b"\1x" + ZONE_UPPER))),
        True,
    ),
    Spelling(
        "a CNAME out of the zone, in its own spelling",
        positive(Record(NAME, Type.CNAME, 5, name_rdata(names.from_text("a.example.")))),
        positive(Record(UPPER, Type.CNAME, 5, name_rdata(names.from_text("a.example.")))),
        True,
    ),
    Spelling(
        "a CNAME to what the lower case has as its own end",
        positive(Record(NAME, Type.CNAME, 5, name_rdata(names.from_text("a.local.")))),
        positive(Record(UPPER, Type.CNAME, 5, name_rdata(names.from_text("a.local.")))),
        False,
    ),
    Spelling("another RCODE is not looked at", positive(), Reply(rcode=Rcode.NXDOMAIN), True),
)


@pytest.mark.parametrize("case", SPELLINGS, ids=str)
def test_octets_for_every_spelling(case: Spelling) -> None:
    assert stored(case.reply, case.other).any_case == case.any_case


@pytest.mark.parametrize("spelling", [NAME, UPPER])
def test_the_other_spelling_is_that_of_the_same_question(spelling: bytes) -> None:
    seen: list[Question] = []

    def other(question: Question) -> Reply | None:
        seen.append(question)
        return None

    compile_answer(Question(spelling, Type.SRV, 1), positive(), other, shuffle=False)
    assert seen == [Question(spelling.swapcase(), Type.SRV, 1)]


@pytest.mark.parametrize(
    ("reply", "counts"),
    [
        (positive(), (0, 0, 0)),
        (negative(), (0, 1, 0)),
        (positive(*addresses(300)), (300, 0, 0)),
        (positive(*addresses(1), additional=addresses(2)), (1, 0, 2)),
        (positive(additional=addresses(255)), (0, 0, 255)),
    ],
)
def test_counts(reply: Reply, counts: tuple[int, ...]) -> None:
    assert struct.unpack("!3H", stored(reply).counts) == counts
    with_opt = quickly(reply, message(QUESTION + opt(), 0, WITH_OPT), udp=False)
    assert with_opt is not None
    assert struct.unpack_from("!3H", with_opt, 6) == (*counts[:2], counts[2] + 1)


def test_what_no_message_can_hold_is_not_stored() -> None:
    room = (MESSAGE_MAX - END) // A_SIZE
    for number, taken in ((room, True), (room + 1, False)):
        found = compile_answer(asked(), positive(*addresses(number)), lambda _: None, shuffle=False)
        assert (found is not None) == taken


USUAL = positive(*addresses(1))


@pytest.mark.parametrize(
    "reply", [replace(USUAL, truncated=True), replace(USUAL, rcode=16)], ids=["TC", "BADVERS"]
)
def test_replies_that_hang_on_the_client_are_not_stored(reply: Reply) -> None:
    """TC says that this client cannot take it all; an RCODE above 15 needs OPT."""
    assert compile_answer(asked(), USUAL, lambda _: None, shuffle=False) is not None
    assert compile_answer(asked(), reply, lambda _: None, shuffle=False) is None


@pytest.mark.parametrize("authoritative", [False, True])
@pytest.mark.parametrize("recursion", [False, True])
@pytest.mark.parametrize("authentic", [False, True])
def test_flags_of_a_stored_reply(authoritative: bool, recursion: bool, authentic: bool) -> None:
    """As the plain path's, but for AD: clients get it that ask for it by AD or DO (RFC 6840 section 5.8)."""
    reply = replace(USUAL, authoritative=authoritative, recursion_available=recursion, authentic=authentic)
    found = compile_answer(asked(), reply, lambda _: None, shuffle=False)
    assert found is not None
    for octets, wants in (
        (message(), False),
        (message(word=RD | AD), True),
        (message(QUESTION + opt(), RD, WITH_OPT), False),
        (message(QUESTION + opt(ttl=0x8000), 0, WITH_OPT), True),
    ):
        expected = replace(reply, authentic=authentic and wants)
        assert fast_reply(octets, END, found, b"", InOrder(), udp=True) == plainly(expected, octets)


@pytest.mark.parametrize("payload_max", [512, 600, 1232, 4096])
@pytest.mark.parametrize("payload", [100, 512, 1000, 4096])
@pytest.mark.parametrize("number", [1, 30, 60])
def test_a_stored_reply_keeps_to_the_largest_payload(payload_max: int, payload: int, number: int) -> None:
    reply = replace(positive(*addresses(number)), payload_max=payload_max)
    found = compile_answer(asked(), reply, lambda _: None, shuffle=True)
    assert found is not None
    octets = message(QUESTION + opt(payload), RD, WITH_OPT)
    fast, plain = fast_reply(octets, END, found, b"", InOrder(), udp=True), plainly(reply, octets)
    assert fast in (None, plain)
    assert fast is not None or number > 1


@pytest.mark.parametrize(
    "reply",
    [
        positive(),
        positive(*addresses(3)),
        positive(Record(NAME, Type.CNAME, 5, name_rdata(TARGET)), *addresses(2, TARGET)),
        negative(),
        positive(Record(NAME, Type.SRV, 5, srv_rdata(0, 1, 80, TARGET)), additional=addresses(1, TARGET)),
    ],
)
def test_ttls_are_changed_in_place(reply: Reply) -> None:
    found = stored(reply)
    other = with_ttl(found, ttl_places(found), 77_777)

    def changed(records: tuple[Record, ...]) -> tuple[Record, ...]:
        return tuple(replace(record, ttl=77_777) for record in records)

    expected = replace(
        reply,
        answer=changed(reply.answer),
        authority=changed(reply.authority),
        additional=changed(reply.additional),
    )
    assert other == stored(expected)
    assert with_ttl(other, ttl_places(other), 5) == with_ttl(found, ttl_places(found), 5)


@pytest.mark.parametrize(("number", "taken"), [(0, True), (1, True), (2, False), (5, False)])
def test_additional_addresses_whose_order_changes_are_not_stored(number: int, taken: bool) -> None:
    reply = positive(
        Record(NAME, Type.SRV, 5, srv_rdata(0, 1, 80, TARGET)), additional=addresses(number, TARGET)
    )
    assert (compile_answer(asked(), reply, lambda _: None, shuffle=True) is not None) == taken
    assert compile_answer(asked(), reply, lambda _: None, shuffle=False) is not None


# What differs from reply to reply.


@pytest.mark.parametrize(
    ("reply", "is_negative"),
    [
        (negative(), True),
        (negative(rcode=Rcode.NOERROR), True),
        (replace(negative(), answer=(Record(NAME, Type.CNAME, 5, name_rdata(ZONE)),)), True),
        (positive(*addresses(1)), False),
        (positive(soa(ZONE)), False),
        (positive(), False),
        (replace(negative(), additional=addresses(1)), False),
        (replace(positive(), authority=(soa(ZONE), *addresses(1))), False),
    ],
)
def test_the_serial_of_now_is_in_negative_answers(reply: Reply, is_negative: bool) -> None:
    found = stored(reply)
    assert found.negative == is_negative
    body = found.octets(SERIAL, InOrder())
    if is_negative:
        now = replace(reply, authority=(soa(ZONE, NOW),))
        assert body == stored(now).body != found.body
    else:
        assert body == found.body


@pytest.mark.parametrize("serial", [0, 1, 0x7FFF_FFFF, 0xFFFF_FFFF])
def test_a_negative_reply_is_the_plain_one(serial: int) -> None:
    for octets in (message(), message(QUESTION + opt(), RD, WITH_OPT)):
        fast = fast_reply(octets, END, stored(negative()), serial.to_bytes(4, "big"), InOrder(), udp=True)
        assert fast == plainly(negative(serial=serial), octets)


AAAA = tuple(Record(NAME, Type.AAAA, 5, Rdata(bytes(15) + bytes((number,)))) for number in range(4))
ALIAS_OUT = Record(NAME, Type.CNAME, 5, name_rdata(names.from_text("a.example.")))
OUT = addresses(3, names.from_text("a.example."))
SIGNATURE = Record(NAME, 46, 5, Rdata(bytes(40)))
TEXTS = tuple(Record(NAME, Type.TXT, 5, Rdata(b"\3" + bytes((65 + number,)) * 3)) for number in range(3))


@pytest.mark.parametrize(
    ("reply", "in_order", "moving"),
    [
        (positive(*addresses(1)), 0, 1),
        (positive(*addresses(2)), 0, 2),
        (positive(*addresses(50)), 0, 50),
        (positive(*AAAA), 0, 4),
        (positive(ALIAS, *addresses(3, TARGET)), 1, 3),
        (positive(ALIAS_OUT, *OUT), 1, 3),
        (
            positive(
                ALIAS_OUT, Record(OUT[0].owner, Type.CNAME, 5, name_rdata(TARGET)), *addresses(2, TARGET)
            ),
            2,
            2,
        ),
        (positive(ALIAS, *addresses(1, TARGET)), 2, 0),
        (positive(ALIAS), 1, 0),
        (positive(*TEXTS), 3, 0),
        (positive(*addresses(2), *AAAA[:2]), 4, 0),
        (positive(*addresses(2), additional=addresses(1)), 0, 2),
        (replace(positive(*addresses(3)), authority=(soa(ZONE),)), 0, 3),
        (positive(SIGNATURE, *addresses(3)), 1, 3),
        (positive(*addresses(3), SIGNATURE), 4, 0),
        (positive(*addresses(2), Record(NAME, Type.MX, 5, name_rdata(ZONE))), 3, 0),
        (positive(), 0, 0),
    ],
)
def test_order_of_addresses(reply: Reply, in_order: int, moving: int) -> None:
    """CNAMEs stay in front; only addresses of one name change places, and only where somebody wants that."""
    kept, moved = reply.answer[:in_order], reply.answer[in_order : in_order + moving]
    expected = replace(reply, answer=(*kept, *reversed(moved)))
    assert quickly(reply, message(), udp=False) == plainly(reply, message(), "tcp")
    octets = stored(reply, shuffle=True).octets(SERIAL, Backwards())
    assert octets == stored(expected).body
    assert stored(reply, shuffle=False).octets(SERIAL, Backwards()) == stored(reply).body


# What does not fit: some of the addresses.


def some(reply: Reply, number: int) -> Reply:
    """*reply* with the first *number* of its addresses, behind its CNAMEs."""
    kept = [record for record in reply.answer if record.rtype == Type.CNAME]
    moving = [record for record in reply.answer if record.rtype != Type.CNAME]
    return replace(reply, answer=(*kept, *moving[:number]), truncated=True)


@pytest.mark.parametrize("with_opt", [False, True], ids=["plain", "opt"])
@pytest.mark.parametrize("reply", [positive(*addresses(100)), positive(ALIAS, *addresses(100, TARGET))])
def test_shuffled_addresses_that_do_not_fit_are_left_out(reply: Reply, with_opt: bool) -> None:
    """TC is set, the counts are right, and every octet of the room is used."""
    octets = message(QUESTION + opt(512), RD, WITH_OPT) if with_opt else message(QUESTION, RD)
    found = quickly(reply, octets, shuffle=True)
    assert found is not None
    fixed = END + (len(stored(positive(ALIAS)).body) if reply.answer[0] is ALIAS else 0)
    number = (512 - fixed - (OPT_SIZE if with_opt else 0)) // A_SIZE
    assert found == plainly(some(reply, number), octets) == plainly(reply, octets)
    assert found[2] & TC >> 8
    assert quickly(reply, octets) is None, "in their own order the plain path cuts them"


def test_what_is_cut_is_a_sample() -> None:
    """No address is preferred, and none is there twice."""
    answer = stored(positive(*addresses(100)), shuffle=True)
    dice, seen = Random(5), Counter[bytes]()
    for _ in range(2_000):
        part = answer.cut(10 * A_SIZE + 15, dice)
        assert part is not None
        counts, body = part
        assert struct.unpack("!3H", counts) == (10, 0, 0)
        records = [body[place : place + A_SIZE] for place in range(0, len(body), A_SIZE)]
        assert len(set(records)) == len(records) == 10
        seen.update(records)
    assert len(seen) == 100
    assert max(seen.values()) < 2 * min(seen.values())


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(
    "reply",
    [
        negative(),
        positive(),
        positive(*addresses(1)),
        positive(*TEXTS),
        positive(ALIAS, *addresses(1, TARGET)),
    ],
)
def test_other_answers_are_not_cut(reply: Reply, shuffle: bool) -> None:
    assert stored(reply, shuffle=shuffle).cut(MESSAGE_MAX, InOrder()) is None
    assert stored(positive(*addresses(2)), shuffle=False).cut(MESSAGE_MAX, InOrder()) is None


def test_room_for_all_and_for_none() -> None:
    answer = stored(positive(ALIAS, *addresses(4, TARGET)), shuffle=True)
    fixed = len(answer.body) - 4 * A_SIZE
    assert answer.cut(len(answer.body) + 1000, InOrder()) == (answer.counts, answer.body)
    for room, number in ((fixed + A_SIZE, 1), (fixed + A_SIZE - 1, 0), (fixed, 0)):
        assert answer.cut(room, InOrder()) == (
            struct.pack("!3H", 1 + number, 0, 0),
            answer.body[: fixed + number * A_SIZE],
        )
    for room in (fixed - 1, 0, -5):
        assert answer.cut(room, InOrder()) is None


# Options of ours.


def test_options_go_to_those_who_sent_opt() -> None:
    """An answer that carries some, and one that carries none: those of the client do not come back."""
    own = (extended_error(14, "text"), (3, b"name"))
    cookie = struct.pack("!HH", 10, 8) + b"8 octets"
    for options in ((), own):
        reply = replace(positive(*addresses(2)), options=options)
        for octets in (
            message(),
            message(QUESTION + opt(), RD, WITH_OPT),
            message(QUESTION + opt(4096, 0x8000, cookie), RD, WITH_OPT),
        ):
            assert quickly(reply, octets) == plainly(reply, octets)


def test_room_for_our_options_is_kept() -> None:
    """The largest body that fits beside OPT, and the next one."""
    octets = message(QUESTION + opt(512), 0, WITH_OPT)
    number = (512 - END - OPT_SIZE - 100) // A_SIZE
    for spare, whole in ((0, True), (1, False)):
        left = 512 - END - OPT_SIZE - number * A_SIZE - 4
        reply = replace(positive(*addresses(number)), options=((15, bytes(left + spare)),))
        assert quickly(reply, octets) == (plainly(reply, octets) if whole else None)
        assert bool(plainly(reply, octets)[2] & TC >> 8) != whole
        assert quickly(reply, octets, shuffle=True) == plainly(reply, octets)
