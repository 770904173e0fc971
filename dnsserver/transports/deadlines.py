"""Many deadlines, few timers: what ends in time, as nearly all does, costs the event loop nothing."""

import asyncio
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)

#: Seconds. Deadlines that fall between two multiples of it share a timer, which is that of the later one: nothing is
#: ended too early, and nothing more than this too late.
GRAIN_S = 0.01


class Deadlines(Generic[T]):
    """*expire* is called with everything whose time is over before it was taken out."""

    def __init__(self, expire: Callable[[T], object], grain_s: float = GRAIN_S) -> None:
        """*grain_s*: coarser for longer times, as each grain has some 600 octets until it is over."""
        self._grain_s = grain_s
        self._expire = expire
        self._together: dict[int, set[T]] = {}
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._places: dict[T, set[T]] = {}

    def __repr__(self) -> str:
        return f"<Deadlines waiting={len(self._places)}>"

    def add(self, item: T, seconds: float, loop: asyncio.AbstractEventLoop) -> None:
        """*item*, which is not waiting yet, has so many *seconds* from now on."""
        number = int((loop.time() + seconds) / self._grain_s) + 1
        place = self._together.get(number)
        if place is None:
            place = self._together[number] = set()
            self._timers[number] = loop.call_at(number * self._grain_s, self._over, number)
        place.add(item)
        self._places[item] = place

    def take_out(self, item: T) -> None:
        """Nothing when it is not waiting any more."""
        place = self._places.pop(item, None)
        if place is not None:
            place.discard(item)

    def close(self) -> None:
        """Nothing expires any more. The event loop would hold on to whoever has these until the last timer's time."""
        for timer in self._timers.values():
            timer.cancel()
        for each in (self._timers, self._together, self._places):
            each.clear()

    def _over(self, number: int) -> None:
        del self._timers[number]
        for item in self._together.pop(number):
            del self._places[item]
            self._expire(item)
