"""hosts: answers, and which names it leaves alone."""

import logging
from pathlib import Path

import pytest

from dnsserver.answering.reply import Reply
from dnsserver.observability.families import Family
from dnsserver.plugins.hosts import setup
from dnsserver.plugins.plugin import Plugin
from dnsserver.wire import names
from dnsserver.wire.codes import Class, Rcode, Type
from tests.plugins.helpers import directive, query, replying, site

FILE = """\
10.0.0.1 a.example.org both.example.org
10.0.0.2 A.example.org
fd00::1 both.example.org six.example.org
10.0.0.9 *.wild.example.org
10.0.0.3 elsewhere.example.net
"""
NEXT = Reply(rcode=Rcode.NXDOMAIN, plugin="next")
LINES = "10.0.0.4 a.example.org inline.example.org"


def plugin(folder: Path, options: str = "", zones: str = "") -> Plugin:
    (folder / "hosts").write_text(FILE)
    text = f"hosts hosts {zones} {{\n{LINES}\nreload 0\n{options}\n}}"
    return setup(directive(text), site(directory=folder))


async def answer(made: Plugin, name: str, rtype: str = "A", rclass: int = Class.IN) -> str:
    """`NEXT`, or the RCODE and the records as TTL and data."""
    assert made.wrap is not None
    assert made.lifespan is not None
    async with made.lifespan():
        asked = query(name, rtype, rclass=rclass)
        reply = await made.wrap(replying(NEXT))(asked)
        assert reply is not None
        if rclass == Class.IN:
            assert made.leaves_alone is not None
            assert made.leaves_alone(asked.question) is (reply is NEXT)
    if reply is NEXT:
        return "NEXT"
    assert (reply.plugin, reply.authority, reply.additional) == ("hosts", (), ())
    assert reply.authoritative is (reply.rcode == Rcode.NOERROR)
    assert {record.owner for record in reply.answer} <= {asked.question.name}
    records = [
        f"{record.ttl} "
        + (names.to_text(record.rdata.names[0]) if record.rtype == Type.PTR else record.rdata.head.hex("."))
        for record in reply.answer
    ]
    return " ".join([Rcode(reply.rcode).name, *records])


@pytest.mark.parametrize(
    ("name", "rtype", "expected"),
    [
        ("a.example.org.", "A", "NOERROR 3600 0a.00.00.01 3600 0a.00.00.02 3600 0a.00.00.04"),
        ("A.EXAMPLE.org.", "A", "NOERROR 3600 0a.00.00.01 3600 0a.00.00.02 3600 0a.00.00.04"),
        ("inline.example.org.", "A", "NOERROR 3600 0a.00.00.04"),
        ("a.example.org.", "AAAA", "NOERROR"),
        ("six.example.org.", "A", "NOERROR"),
        ("a.example.org.", "MX", "NOERROR"),
        ("both.example.org.", "AAAA", "NOERROR 3600 fd.00.00.00.00.00.00.00.00.00.00.00.00.00.00.01"),
        ("x.wild.example.org.", "A", "NOERROR 3600 0a.00.00.09"),
        ("y.x.wild.example.org.", "A", "SERVFAIL"),
        ("none.example.org.", "A", "SERVFAIL"),
        ("example.org.", "TXT", "SERVFAIL"),
        ("1.0.0.10.in-addr.arpa.", "PTR", "NOERROR 3600 a.example.org. 3600 both.example.org."),
        ("9.0.0.10.in-addr.arpa.", "PTR", "NEXT"),
        ("0.0.10.in-addr.arpa.", "PTR", "NEXT"),
        ("a.example.org.", "PTR", "NEXT"),
        (f"1.{'0.' * 27}0.0.d.f.ip6.arpa.", "PTR", "NOERROR 3600 both.example.org. 3600 six.example.org."),
    ],
)
async def test_answers(name: str, rtype: str, expected: str, tmp_path: Path) -> None:
    assert await answer(plugin(tmp_path), name, rtype) == expected


@pytest.mark.parametrize(
    ("options", "zones", "name", "rtype", "expected"),
    [
        ("ttl 7", "", "inline.example.org.", "A", "NOERROR 7 0a.00.00.04"),
        ("no_reverse", "", "1.0.0.10.in-addr.arpa.", "PTR", "NEXT"),
        ("fallthrough", "", "none.example.org.", "A", "NEXT"),
        ("fallthrough", "", "a.example.org.", "MX", "NOERROR"),
        ("fallthrough example.net", "", "none.example.org.", "A", "SERVFAIL"),
        ("fallthrough example.net", "", "none.example.net.", "A", "NEXT"),
        ("fallthrough\nfallthrough_unsupported", "", "a.example.org.", "MX", "NEXT"),
        ("fallthrough\nfallthrough_unsupported", "", "a.example.org.", "AAAA", "NOERROR"),
        ("fallthrough example.net\nfallthrough_unsupported", "", "a.example.org.", "MX", "NOERROR"),
        ("", "example.org", "elsewhere.example.net.", "A", "NEXT"),
        ("", "example.org", "elsewhere.example.net.", "MX", "NEXT"),
        ("", "example.org", "3.0.0.10.in-addr.arpa.", "PTR", "NEXT"),
        (
            "",
            "example.org",
            "1.0.0.10.in-addr.arpa.",
            "PTR",
            "NOERROR 3600 a.example.org. 3600 both.example.org.",
        ),
    ],
)
async def test_options(
    options: str, zones: str, name: str, rtype: str, expected: str, tmp_path: Path
) -> None:
    assert await answer(plugin(tmp_path, options, zones), name, rtype) == expected


async def test_other_classes_are_the_next_plugins(tmp_path: Path) -> None:
    assert await answer(plugin(tmp_path), "a.example.org.", "A", Class.CH) == "NEXT"


async def test_metrics(tmp_path: Path) -> None:
    made = plugin(tmp_path)
    assert made.lifespan is not None
    assert made.metrics is not None
    async with made.lifespan():
        found = {family.name: family for family in made.metrics()}
    entries = found["coredns_hosts_entries"]
    assert isinstance(entries, Family)
    # File: 6 names with PTR records and one without; Corefile: 2 with.
    assert (entries.labels, entries.samples) == (("hostsfile",), (((str(tmp_path / "hosts"),), 17.0),))
    assert entries.merged(entries).samples == entries.samples
    stamp = found["coredns_hosts_reload_timestamp_seconds"]
    assert stamp.samples == (((), (tmp_path / "hosts").stat().st_mtime_ns / 1e9),)


@pytest.mark.parametrize(
    ("lines", "warning"),
    [
        ("", "{0}/none is not read: No such file or directory"),
        ("tll 60", "'tll 60' in the Corefile is neither an option nor an address with names"),
    ],
)
async def test_warnings_at_the_start(
    lines: str, warning: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dnsserver")
    made = setup(directive(f"hosts none {{\n{lines}\n}}"), site(directory=tmp_path))
    assert made.follow is not None
    async with made.follow():
        assert warning.format(tmp_path) in [record.getMessage() for record in caplog.records]


async def test_check_says_what_there_is(tmp_path: Path) -> None:
    made = plugin(tmp_path)
    assert made.check is not None
    assert await made.check() == [f"17 entries of {tmp_path}/hosts and the Corefile"]
    (tmp_path / "hosts").unlink()
    assert await made.check() == [f"{tmp_path}/hosts is not read: No such file or directory"]
