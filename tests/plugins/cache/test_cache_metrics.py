"""cache: its numbers (coredns-compat.md, section 4.2)."""

import pytest

from tests.plugins.cache.stage import NXDOMAIN, SERVFAIL, Stage
from tests.plugins.cache.test_cache_stale import renewed, staged


async def test_numbers() -> None:
    stage = Stage(arguments="B.test a.test", view="inside")
    for _ in range(4):
        await stage.ask("a.test. A")
    stage.says = NXDOMAIN
    for _ in range(3):
        await stage.ask("b.test. A")
    await stage.ask("c.test. A")
    labels = "b.test.,a.test.,inside"
    assert stage.metrics() == {
        f"entries{{dns://:53,success,{labels}}}": 1,
        f"entries{{dns://:53,denial,{labels}}}": 1,
        f"evictions_total{{dns://:53,success,{labels}}}": 0,
        f"evictions_total{{dns://:53,denial,{labels}}}": 0,
        f"requests_total{{dns://:53,{labels}}}": 7,
        f"hits_total{{dns://:53,success,{labels}}}": 3,
        f"hits_total{{dns://:53,denial,{labels}}}": 2,
        f"misses_total{{dns://:53,{labels}}}": 2,
        f"prefetch_total{{dns://:53,{labels}}}": 0,
        f"drops_total{{dns://:53,{labels}}}": 0,
        f"served_stale_total{{dns://:53,{labels}}}": 0,
    }


async def test_servers_of_one_block() -> None:
    stage = Stage()
    await stage.ask()
    await stage.ask(listener=("127.0.0.1", 5353))
    found = stage.metrics()
    assert found["requests_total{dns://:53,.,}"] == 1
    assert found["hits_total{dns://127.0.0.1:5353,success,.,}"] == 1
    assert [name for name in found if name.startswith("entries{")] == [
        "entries{dns://:53,success,.,}",
        "entries{dns://:53,denial,.,}",
    ]


async def test_failures_count_as_denials() -> None:
    stage = Stage(says=SERVFAIL)
    await stage.ask()
    await stage.ask()
    assert stage.metrics()["hits_total{dns://:53,denial,.,}"] == 1


@pytest.mark.parametrize(("options", "prefetches"), [("serve_stale", 1), ("serve_stale 1h verify", 0)])
async def test_stale(options: str, prefetches: int) -> None:
    async with staged(options) as stage:
        stage.says = SERVFAIL
        await stage.ask()
        await renewed(stage)
        found = stage.metrics()
        assert found["served_stale_total{dns://:53,.,}"] == 1
        assert found["prefetch_total{dns://:53,.,}"] == prefetches
        assert found["hits_total{dns://:53,success,.,}"] == 1


async def test_prefetch() -> None:
    async with staged("prefetch 1", age_s=29) as stage:
        await stage.ask()
        await renewed(stage)
        assert stage.metrics()["prefetch_total{dns://:53,.,}"] == 1
