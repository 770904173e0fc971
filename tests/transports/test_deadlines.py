"""Deadlines that share timers."""

import asyncio
import gc
import weakref

import pytest

from dnsserver.transports.deadlines import GRAIN_S, Deadlines


async def test_who_is_taken_out_in_time_is_not_told() -> None:
    loop, told = asyncio.get_running_loop(), asyncio.Queue[tuple[str, float]]()
    deadlines: Deadlines[str] = Deadlines(lambda item: told.put_nowait((item, loop.time())))
    begun = loop.time()
    for item, seconds in (("late", 0.1), ("soon", 0.02), ("in time", 0.05), ("soon too", 0.02)):
        deadlines.add(item, seconds, loop)
    deadlines.take_out("in time")
    deadlines.take_out("in time")
    deadlines.take_out("unknown")
    found = [await told.get() for _ in range(3)]
    assert [item for item, _ in found[:2]] in (["soon", "soon too"], ["soon too", "soon"])
    assert found[2][0] == "late"
    assert found[0][1] - begun >= 0.02
    assert found[2][1] - begun >= 0.1
    assert repr(deadlines) == "<Deadlines waiting=0>"


async def test_one_timer_serves_all_of_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    deadlines: Deadlines[int] = Deadlines(lambda item: told.set() if item == 0 else None)
    timers: list[float] = []
    call_at = loop.call_at

    def counted(when: float, *rest: object) -> asyncio.TimerHandle:
        timers.append(when)
        return call_at(when, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "call_at", counted)
    begun = loop.time()
    for item in range(1000):
        deadlines.add(item, 0.2, loop)
    most = (loop.time() - begun) / GRAIN_S + 2
    await told.wait()
    assert 1 <= len(timers) <= most


async def test_no_time_at_all() -> None:
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    deadlines: Deadlines[str] = Deadlines(lambda _: told.set())
    deadlines.add("now", 0.0, loop)
    await told.wait()


async def test_nothing_is_held_once_they_are_closed() -> None:
    """A server that is replaced would live on in the event loop's timers."""

    class Owner:
        def __init__(self) -> None:
            self.late: Deadlines[str] = Deadlines(self.expire)

        def expire(self, _: str) -> None:
            raise AssertionError("it was closed")

    owner = Owner()
    loop = asyncio.get_running_loop()
    owner.late.add("a", 0.01, loop)
    owner.late.add("b", 3_600, loop)
    gone = weakref.ref(owner)
    owner.late.close()
    del owner
    gc.collect()
    assert gone() is None
    await asyncio.sleep(0.05)
