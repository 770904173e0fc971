"""loadbalance weighted: one address first, as often as a file says."""

import asyncio
import logging
import random
from collections import Counter
from pathlib import Path

import pytest

from dnsserver.answering.reply import Reply
from dnsserver.plugins.loadbalance import setup
from dnsserver.plugins.loadbalance.settings import LoadbalanceSettings
from dnsserver.plugins.loadbalance.weights import WeightsError, parse_weights
from dnsserver.plugins.plugin import Plugin
from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.records import Record, name_rdata
from tests.plugins.helpers import address, directive, query, refused, replying, site
from tests.runtime.helpers import PATIENCE_S, eventually

CNAME = Record(names.from_text("example.org."), Type.CNAME, 5, name_rdata(names.ROOT))
ONE, TWO, THREE = (address(f"192.0.2.{number}") for number in (1, 2, 3))
WEIGHTS = """\
# comment
Example.org

192.0.2.1 3
192.0.2.2\t1
192.0.2.1 9
"""


@pytest.fixture(autouse=True)
def _same_chance_each_time() -> None:
    random.seed(7)


def weighted(folder: Path, options: str = "", content: str | None = WEIGHTS) -> Plugin:
    if content is not None:
        (folder / "weights").write_text(content)
    return setup(directive(f"loadbalance weighted weights {{\n{options}\n}}"), site(directory=folder))


async def firsts(plugin: Plugin, reply: Reply, rtype: str = "A", section: str = "answer") -> Counter[Record]:
    assert plugin.wrap is not None
    handler = plugin.wrap(replying(reply))
    found: Counter[Record] = Counter()
    for _ in range(1000):
        one = await handler(query(rtype=rtype))
        assert one is not None
        records = getattr(one, section)
        assert set(records) == set(getattr(reply, section))
        found[next((record for record in records if record.rtype == Type.A), records[0])] += 1
    return found


async def test_each_as_often_as_its_weight_says(tmp_path: Path) -> None:
    found = await firsts(weighted(tmp_path), Reply(answer=(ONE, TWO)))
    assert 690 < found[ONE] < 810


async def test_addresses_without_weight_weigh_one(tmp_path: Path) -> None:
    found = await firsts(weighted(tmp_path), Reply(answer=(THREE, ONE, TWO)))
    assert 540 < found[ONE] < 660
    assert 140 < found[THREE] < 260


async def test_the_rest_stays_in_its_order(tmp_path: Path) -> None:
    plugin = weighted(tmp_path, content="example.org\n192.0.2.3 255\n")
    assert plugin.wrap is not None
    reply = Reply(answer=(ONE, CNAME, TWO, THREE))
    found = Counter([await plugin.wrap(replying(reply))(query()) for _ in range(100)])
    swapped = Reply(answer=(CNAME, THREE, TWO, ONE))
    assert found.most_common(1)[0][0] == swapped


@pytest.mark.parametrize(("rtype", "changes"), [("SRV", True), ("AAAA", True), ("MX", False), ("TXT", False)])
async def test_types(rtype: str, changes: bool, tmp_path: Path) -> None:
    plugin = weighted(tmp_path)
    found = await firsts(plugin, Reply(additional=(TWO, ONE)), rtype, "additional")
    assert (found[ONE] > 0) is changes
    assert plugin.leaves_alone is not None
    assert plugin.leaves_alone(query(rtype=rtype).question) is not changes


async def test_prefer_comes_last_and_wins(tmp_path: Path) -> None:
    plugin = weighted(tmp_path, "prefer 192.0.2.2/32")
    assert await firsts(plugin, Reply(answer=(ONE, TWO))) == {TWO: 1000}
    assert plugin.leaves_alone is None


async def test_the_file_is_followed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dnsserver")
    plugin = weighted(tmp_path, "reload 10ms")
    assert plugin.lifespan is not None

    async def told() -> list[int]:
        return [record.levelno for record in caplog.records if record.name.endswith(".loadbalance")]

    async with plugin.lifespan():
        (tmp_path / "weights").write_text("x y z\n")
        await eventually(told, [logging.ERROR])
        assert 690 < (await firsts(plugin, Reply(answer=(ONE, TWO))))[ONE] < 810
        (tmp_path / "weights").write_text("example.org\n192.0.2.1 1\n")
        await eventually(told, [logging.ERROR, logging.INFO])
        assert 440 < (await firsts(plugin, Reply(answer=(ONE, TWO))))[ONE] < 560


async def test_without_reload_it_is_read_once(tmp_path: Path) -> None:
    plugin = weighted(tmp_path, "reload 0")
    assert plugin.lifespan is not None
    before = asyncio.all_tasks()
    async with asyncio.timeout(PATIENCE_S), plugin.lifespan():
        assert asyncio.all_tasks() == before


def test_a_file_that_is_not_there_may_come(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    weighted(tmp_path, content=None)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("192.0.2.1\n", 'wrong domain name:"192.0.2.1" in weight file f. (Maybe a missing weight value?)'),
        ("a..b\n", 'wrong domain name:"a..b" in weight file f. (Maybe a missing weight value?)'),
        ("a\nb 1\n", 'wrong IP address:"b" in weight file f'),
        *(
            (f"a\n192.0.2.1 {weight}\n", f'wrong weight value:"{weight}" in weight file f')
            for weight in ("0", "256", "-1", "x")
        ),
        ("192.0.2.1 1\n", "missing domain name in weight file f"),
        ("a\n 192.0.2.1 1 2\n", 'could not parse weight line:"192.0.2.1 1 2" in weight file f'),
    ],
)
def test_bad_file(content: str, error: str) -> None:
    with pytest.raises(WeightsError) as caught:
        parse_weights(content, "f")
    assert str(caught.value) == error


PARSING = "Corefile:{} - Error during parsing: {}"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("loadbalance weighted", PARSING.format(2, "missing weight file argument")),
        ("loadbalance weighted a b", PARSING.format(2, "unexpected argument(s)")),
        ("loadbalance weighted a {\nreload\n}", PARSING.format(3, "reload duration value is missing")),
        ("loadbalance weighted a {\nreload 1s 2s\n}", PARSING.format(3, "unexpected argument")),
        ("loadbalance weighted a {\nreload 5\n}", PARSING.format(3, "invalid reload duration '5'")),
        ("loadbalance weighted a {\nreload -5s\n}", PARSING.format(3, "invalid reload duration '-5s'")),
        ("loadbalance weighted a {\nweight 5\n}", PARSING.format(3, "unknown property 'weight'")),
        ("loadbalance {\nreload 5s\n}", PARSING.format(3, "unknown property 'reload'")),
        (
            "loadbalance weighted none {\nreload 0\n}",
            "weight file open error: {0}/none: No such file or directory (Corefile:2)",
        ),
        ("loadbalance weighted bad", 'wrong IP address:"b" in weight file {0}/bad (Corefile:2)'),
    ],
)
def test_refused(text: str, error: str, tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("a\nb 1\n")
    assert refused(setup, text, tmp_path) == "plugin/loadbalance: " + error.replace("{0}", str(tmp_path))


def test_settings() -> None:
    text = "loadbalance weighted f {\nreload 5s\n}"
    settings = LoadbalanceSettings.from_directive(directive(text), Path("/base"))
    assert settings == LoadbalanceSettings(weights=Path("/base/f"), reload_s=5)
    last = LoadbalanceSettings.from_directive(directive(f"{text}\nloadbalance"), Path("/base"))
    assert last == LoadbalanceSettings()
