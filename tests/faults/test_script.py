"""The text form of faults, and what is refused."""

from typing import Any

import pytest

from dnsserver.faults import (
    Fault,
    FaultError,
    Faults,
    cut,
    delay,
    drop,
    rcode,
    read_script,
    truncate,
    wrong_id,
)

LINES = (
    ("drop", drop()),
    (
        "drop name=*.svc.cluster.local type=AAAA nth=1-2",
        drop(name="*.svc.cluster.local", type="AAAA", nth=(1, 2)),
    ),
    (
        "delay 300ms client=10.244.0.0/16 probability=0.25",
        delay(0.3, client="10.244.0.0/16", probability=0.25),
    ),
    ("rcode SERVFAIL name=db.* nth=1", rcode(2, name="db.*", nth=1)),
    ("rcode NXDOMAIN nth=4-", rcode(3, nth=(4, 0))),
    ("truncate protocol=udp", truncate(protocol="udp")),
    ("wrong-id client=fd00::1", wrong_id(client="fd00::1")),
    ("cut 20 protocol=tcp", cut(20)),
)

REFUSED = (
    ("dorp", "unknown fault 'dorp': give one of drop, delay, rcode, truncate, wrong-id, cut"),
    ("drop 3", "drop takes no arguments, as in `drop`"),
    ("delay", "delay takes 1 argument, as in `delay 300ms`"),
    ("delay 5", "give a time with its unit"),
    ("delay 20s", "delay of 20 s: give 0 to 9 s"),
    ("rcode FOO", "rcode FOO: give a name"),
    ("rcode BADVERS", "rcode 16: give a number from 0 to 15"),
    ("cut 3 protocol=udp", "not possible over UDP"),
    ("cut 99999", "cut after 99999 octets: give 0 to 65535"),
    ("drop nth=0", "count from 1"),
    ("drop nth=3-2", "count from 1"),
    ("drop name=", "'name=' is no condition: give one of name, type, client, protocol, nth, probability"),
    ("drop colour=red", "'colour=red' is no condition"),
    ("drop type=NONE", "there is no such type"),
    ("drop client=1.2.3", "give an address, or a network as 10.244.0.0/16"),
    ("drop protocol=quic", "give udp or tcp"),
    ("drop probability=2", "give a number from 0 to 1"),
    ("drop probability=nan", "give a number from 0 to 1"),
    ("drop probability=often", "give a number from 0 to 1"),
    ("drop name=a name=b", "name stands twice"),
)


@pytest.mark.parametrize(("line", "fault"), LINES, ids=[line for line, _ in LINES])
def test_a_line_is_a_fault_and_its_text_the_line(line: str, fault: Fault) -> None:
    assert read_script(line) == (fault,)
    assert str(fault) == line


def test_comments_and_empty_lines() -> None:
    assert read_script("# nothing\n\n  drop   # all\n") == (drop(),)


@pytest.mark.parametrize(("line", "told"), REFUSED, ids=[line for line, _ in REFUSED])
def test_what_cannot_be_is_refused_with_its_line(line: str, told: str) -> None:
    with pytest.raises(FaultError) as found:
        read_script(f"drop\n\n{line}\n", "bad.faults")
    assert str(found.value).startswith("bad.faults:3: ")
    assert told in str(found.value)


#: What is called, and with what; what is told.
CALLS: tuple[tuple[Any, tuple[Any, ...], dict[str, Any], str], ...] = (
    (drop, (), {"nmae": "web.*"}, "drop: nmae: give name, type, client, protocol, nth, probability"),
    (drop, (), {"nth": "1"}, "nth '1': give a number, or the first and the last, as (1, 3)"),
    (drop, (), {"nth": (1,)}, "nth (1,): give a number, or the first and the last, as (1, 3)"),
    (drop, (), {"probability": "0.5"}, "probability '0.5': give a number"),
    (drop, (), {"type": 1}, "type 1: give text"),
    (delay, ("1s",), {}, "delay_s '1s': give a number"),
    (rcode, ("FOO",), {}, "rcode FOO: give a name as SERVFAIL, or a number"),
    (Faults, (["drop"],), {}, "faults='drop': give the text of a script, or a list of faults"),
    (Faults, (drop(),), {}, "give the text of a script, or a list of faults"),
    (Faults, (None,), {}, "faults=None: give the text of a script, or a list of faults"),
)


@pytest.mark.parametrize(("call", "words", "named", "told"), CALLS, ids=[case[3] for case in CALLS])
def test_what_python_passes_is_held_to_the_same(
    call: Any, words: tuple[Any, ...], named: dict[str, Any], told: str
) -> None:
    with pytest.raises(FaultError) as found:
        call(*words, **named)
    assert told in str(found.value)


def test_rcodes_by_name() -> None:
    assert rcode("servfail") == rcode(2)


def test_too_many() -> None:
    with pytest.raises(FaultError, match="more than 1000 faults"):
        read_script("drop\n" * 1001)
