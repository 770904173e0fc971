"""Equal questions that are under way are asked once: who comes later waits for the reply to the first.

Without this, a thousand clients that ask for the same name at once would be a thousand questions to upstreams, and an
attacker would have as many chances to guess the reply to one of them (RFC 5452 section 5, "birthday attack").
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")

#: Queries that wait for replies to others, for each `forward`. With `upstream_exchanges` they are fewer than the
#: datagrams of one socket that may be in flight: one more hears SERVFAIL, and not nothing.
FOLLOWERS_MAX = 1536


class TooManyError(Exception):
    """There are FOLLOWERS_MAX already."""


class _Running(Generic[T]):
    """A question that somebody asks until *deadline*, and who waits for its outcome. None: the asker was cancelled."""

    __slots__ = ("deadline", "followers")

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.followers: list[asyncio.Future[T | None]] = []


class InFlight(Generic[T]):
    """Questions under way, by their keys."""

    def __init__(self, followers_max: int = FOLLOWERS_MAX) -> None:
        self._running: dict[object, _Running[T]] = {}
        self._followers_max = followers_max
        self._followers = 0

    def __repr__(self) -> str:
        return f"<InFlight questions={len(self._running)} followers={self._followers}>"

    async def ask(
        self, key: object, deadline: float, work: Callable[[], Awaitable[T]], joined: Callable[[], None]
    ) -> T:
        """The outcome of *work*, or of the same of somebody else who is at it; then *joined* is called.

        Raises TooManyError, and TimeoutError at *deadline* (seconds of the event loop) where somebody else's work takes
        longer; own work has to know its time.
        """
        while (running := self._running.get(key)) is not None:
            joined()
            outcome = await self._follow(running, deadline)
            if outcome is not None:
                return outcome
        running = self._running[key] = _Running(deadline)
        outcome = None
        try:
            outcome = await work()
            return outcome
        finally:
            del self._running[key]
            for follower in running.followers:
                if not follower.done():
                    follower.set_result(outcome)

    async def _follow(self, running: _Running[T], deadline: float) -> T | None:
        if self._followers >= self._followers_max:
            raise TooManyError
        loop = asyncio.get_running_loop()
        follower: asyncio.Future[T | None] = loop.create_future()
        running.followers.append(follower)
        timer = loop.call_at(deadline, _expire, follower) if deadline < running.deadline else None
        self._followers += 1
        try:
            return await follower
        finally:
            self._followers -= 1
            if timer is not None:
                timer.cancel()


def _expire(future: asyncio.Future[T]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())
