"""cache: how much it holds, whatever comes."""

import random
from collections import Counter

import pytest

from dnsserver.answering.kinds import Kind
from dnsserver.answering.reply import Reply
from dnsserver.plugins.cache.bounded import OCTETS_PER_ENTRY, BoundedEntries
from dnsserver.plugins.cache.entry import Entry, Key
from tests.plugins.cache.stage import FOUND, NXDOMAIN, Stage, reply


def entry(octets: int = 1_000) -> Entry:
    return Entry(Reply(), Kind.SUCCESS, b"\0", 30, 0, True, "", octets=octets)


def key(number: int) -> Key:
    return f"{number}".encode(), 1, 1, False, False


def test_no_more_than_so_many() -> None:
    half = BoundedEntries(100)
    for number in range(1_000):
        assert half.put(key(number), entry())
        assert len(half) == min(number + 1, 100)
    assert half.evictions == 900
    assert half.octets == 100_000
    assert half.get(key(999)) is not None


def test_no_more_than_so_many_octets() -> None:
    half = BoundedEntries(100)
    for number in range(1_000):
        half.put(key(number), entry(random.randrange(1, 60_000)))
        assert half.octets <= 100 * OCTETS_PER_ENTRY
    assert 3 < len(half) < 100
    assert not half.put(key(1_001), entry(100 * OCTETS_PER_ENTRY + 1))
    assert half.put(key(1_002), entry(100 * OCTETS_PER_ENTRY))
    assert len(half) == 1


def test_a_new_entry_takes_the_place_of_the_old_one() -> None:
    half = BoundedEntries(2)
    for octets in (1_000, 8_000, 10):
        half.put(key(1), entry(octets))
        assert (len(half), half.octets, half.evictions) == (1, octets, 0)
    half.remove(key(2))
    half.remove(key(1))
    assert (len(half), half.octets) == (0, 0)


def test_chance_decides_who_goes() -> None:
    """Every entry but the newest is as likely to go as any other."""
    gone: Counter[int] = Counter()
    for _ in range(2_000):
        half = BoundedEntries(4)
        for number in range(5):
            half.put(key(number), entry())
        gone += Counter(number for number in range(5) if half.get(key(number)) is None)
    assert set(gone) == {0, 1, 2, 3}
    assert all(400 < times < 600 for times in gone.values())


def test_removals_in_any_order() -> None:
    dice = random.Random(5)
    half, model = BoundedEntries(10_000), dict[int, Entry]()
    for _ in range(5_000):
        number = dice.randrange(200)
        if dice.random() < 0.5:
            model[number] = entry(dice.randrange(100))
            half.put(key(number), model[number])
        else:
            model.pop(number, None)
            half.remove(key(number))
    assert {number: half.get(key(number)) for number in model} == model
    assert (len(half), half.octets) == (len(model), sum(each.octets for each in model.values()))


@pytest.mark.parametrize(
    ("options", "came", "half"),
    [("success 1024", FOUND, "success"), ("denial 1024", NXDOMAIN, "denial")],
)
async def test_capacity(options: str, came: Reply, half: str) -> None:
    stage = Stage(options, says=came)

    async def script(_: object) -> Reply:
        return came if half == "denial" else reply(f"{len(stage.asked) - 1}.test. 30 IN A 192.0.2.1")

    stage.says = script
    for number in range(1_100):
        await stage.ask(f"{number}.test. A")
    assert stage.metrics()[f"entries{{dns://:53,{half},.,}}"] == 1024
    assert stage.metrics()[f"evictions_total{{dns://:53,{half},.,}}"] == 76


async def test_a_flood_of_giant_replies() -> None:
    stage = Stage("success 1024")

    async def script(_: object) -> Reply:
        name = f"{len(stage.asked) - 1}.test."
        return reply(*(f"{name} 30 IN TXT {'x' * 250}" for _ in range(200)))

    stage.says = script
    for number in range(200):
        await stage.ask(f"{number}.test. TXT")
    held = stage.metrics()["entries{dns://:53,success,.,}"]
    assert 10 < held < 1024 * OCTETS_PER_ENTRY / (200 * 250)


async def test_kept_answers_count_with_what_took_their_place() -> None:
    stage = Stage("serve_stale\nserve_stale_policy prefer_positive", says=reply(*["a.test. 30 IN TXT x"] * 9))
    await stage.ask("a.test. TXT")
    octets = _octets(stage)
    stage.says = reply()
    stage.later(4_000)
    await stage.ask("a.test. TXT")
    assert _octets(stage) > octets


def _octets(stage: Stage) -> int:
    shown = repr(stage.handler).split("success=<BoundedEntries ")[1]
    return int(shown.split(", ")[1].split()[0])
