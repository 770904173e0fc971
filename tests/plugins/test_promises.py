"""What plugins promise to the quick way past them (`leaves_alone`, `alters`), held against what their handlers do."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.plugin import Handler, Plugin, Repeats
from dnsserver.plugins.table import SETUPS
from dnsserver.wire import names
from dnsserver.wire.codes import Flag, Rcode
from dnsserver.wire.edns import Edns
from dnsserver.wire.records import Record, name_rdata, soa_rdata
from tests.plugins.helpers import FakeServer, address, directive, query, site

QUERIES = 1_500
LABELS = "a b www old new localhost host tmpl x1 1 127 0 10 in-addr ip6 arpa test example org".split()
NAMES = (
    "host.test. WWW.example.org. old.example.org. a.tmpl.test. x.localhost. 1.0.0.10.in-addr.arpa.".split()
)
TYPES = "A AAAA PTR TXT MX SRV NS SOA CNAME ANY HTTPS DS AXFR HINFO".split()
CLIENTS = ("10.1.2.3", "192.0.2.7", "2001:db8::7", "::1", "fe80::1%eth0")
ALONE = (
    "hosts nothing {\n10.0.0.1 host.test www.example.org *.org\nfallthrough test 10.in-addr.arpa\n}",
    "hosts nothing example.org {\n10.0.0.1 host.test www.example.org\nfallthrough\nfallthrough_unsupported\n}",
    "local",
    "local {\nlocalhost_prefix off\n}",
    "dns64",
    "dns64 {\nallow_ipv4\ntranslate_all\n}",
    "acl example.org {\nallow type A net *\nblock type A AAAA net 192.0.2.0/24\ndrop type MX\n}",
    "acl {\nallow net 10.0.0.0/8\nallow type TXT\nfilter type SRV\nallow\nblock\n}",
    "loadbalance weighted weights",
    'template IN A tmpl.test {\nmatch "^a[.]"\nanswer "{{ .Name }} 60 IN A 192.0.2.9"\nfallthrough\n}',
    'template ANY ANY example.org {\nmatch "^www"\nrcode NXDOMAIN\nfallthrough new.example.org\n}',
    "template IN MX . {\nrcode REFUSED\nfallthrough org\n}",
    "rewrite name exact old.example.org www.example.org answer auto",
    "rewrite name suffix .test .org",
    "rewrite name regex (.*)[.]example[.]org {1}.test",
    "rewrite type A AAAA",
    "rewrite continue name substring old new",
    "rewrite ttl old.example.org 30",
    "rewrite stop rcode example.org NXDOMAIN NOERROR",
    "rewrite edns0 local set 0xffee abc",
    "rewrite cname exact host.test. new.test.",
)
ALTERED = (
    "minimal",
    "bufsize 600",
    "header {\nresponse set ra aa\nresponse clear rd\n}",
    "header {\nresponse clear aa\n}",
)


def made(text: str, folder: Path) -> Plugin:
    (folder / "weights").write_text("www.example.org\n192.0.2.1 5\n")
    name = text.split()[0]
    return SETUPS[name](directive(text, folder), site(FakeServer(), folder))


def some_query(dice: random.Random) -> Query:
    labels = dice.choices(LABELS, k=dice.randint(0, 5))
    name = ".".join(each.upper() if dice.random() < 0.1 else each for each in labels) + "."
    if dice.random() < 0.3:
        name = dice.choice(NAMES)
    edns = None if dice.random() < 0.5 else Edns(dice.choice((512, 1232, 4096)), do=dice.random() < 0.5)
    flags = sum(flag for flag in (Flag.RD, Flag.CD, Flag.AD) if dice.random() < 0.5)
    return query(name, dice.choice(TYPES), client=dice.choice(CLIENTS), edns=edns, flags=flags)


def some_reply(dice: random.Random, asked: Query) -> Reply:
    owner = names.to_text(asked.question.name)
    soa = Record(
        asked.question.name, 6, 60, soa_rdata(asked.question.name, asked.question.name, 1, 2, 3, 4, 5)
    )
    cname = Record(asked.question.name, 5, 60, name_rdata(names.from_text("host.test.")))
    pool = [
        address("192.0.2.1", owner),
        address("2001:db8::1", owner),
        address("192.0.2.2", "host.test."),
        soa,
        cname,
    ]

    def some() -> tuple[Record, ...]:
        return tuple(dice.sample(pool, dice.randint(0, 3)))

    return Reply(
        rcode=dice.choice((Rcode.NOERROR, Rcode.NXDOMAIN, Rcode.SERVFAIL)),
        answer=some(),
        authority=some(),
        additional=some(),
        authoritative=dice.random() < 0.5,
        recursion_available=dice.random() < 0.5,
        authentic=dice.random() < 0.5,
    )


class Next:
    """The plugin behind: notes what it was asked."""

    def __init__(self) -> None:
        self.asked: Query | None = None
        self.reply: Reply | None = None

    async def __call__(self, query: Query) -> Reply | None:
        self.asked = query
        return self.reply


@pytest.mark.parametrize("text", ALONE)
async def test_what_is_left_alone_passes_as_it_is(text: str, tmp_path: Path) -> None:
    dice, following = random.Random(text), Next()
    plugin = made(text, tmp_path)
    assert plugin.wrap is not None
    handler: Handler = plugin.wrap(following)
    alone: Callable[..., bool] | None = plugin.leaves_alone
    if alone is None:
        assert plugin.repeats is Repeats.NEVER
        return
    left = 0
    for _ in range(QUERIES):
        asked = some_query(dice)
        following.asked, following.reply = None, some_reply(dice, asked)
        if alone(asked.question):
            left += 1
            assert await handler(asked) is following.reply, asked
            assert following.asked is asked, asked
    assert left < QUERIES


@pytest.mark.parametrize("text", ALTERED)
async def test_altered_replies_are_the_handlers(text: str, tmp_path: Path) -> None:
    dice, following = random.Random(text), Next()
    plugin = made(text, tmp_path)
    assert plugin.wrap is not None
    assert plugin.repeats is Repeats.ALTERED
    assert plugin.alters is not None
    handler = plugin.wrap(following)
    changed = 0
    for _ in range(QUERIES):
        asked = some_query(dice)
        following.reply = some_reply(dice, asked)
        found = await handler(asked)
        assert found is not None
        assert plugin.alters(asked.question, following.reply) == found, asked
        changed += found != following.reply
    assert changed
