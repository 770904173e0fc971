"""When to ask, and when to ask again: token bucket, back-off, and the clock behind both."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

#: Seconds. First and greatest pause after a failure, and their factor (client-go, tools/cache/reflector.go).
BACKOFF_FIRST_S = 0.8
BACKOFF_MOST_S = 30.0
BACKOFF_FACTOR = 2.0
#: Share of a pause that chance adds to it at most, so that replicas do not come back in step (client-go: 1.0).
BACKOFF_JITTER = 1.0
#: Seconds. A Retry-After beyond this is not believed.
RETRY_AFTER_MOST_S = 120.0


@dataclass(frozen=True, slots=True)
class Timing:
    """Clock, sleep and chance; tests bring their own."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random
    """At least 0 and less than 1."""


class Backoff:
    """Growing pauses in a row of failures, each between BACKOFF_FIRST_S and BACKOFF_MOST_S."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._step = BACKOFF_FIRST_S

    def next(self) -> float:
        """Seconds to wait after one more failure."""
        pause = self._step * (1 + BACKOFF_JITTER * self._timing.random())
        self._step = min(self._step * BACKOFF_FACTOR, BACKOFF_MOST_S / (1 + BACKOFF_JITTER))
        return pause

    def reset(self) -> None:
        self._step = BACKOFF_FIRST_S


class TokenBucket:
    """At most *burst* requests at once, and *qps* per second over some time."""

    def __init__(self, qps: float, burst: int, timing: Timing) -> None:
        self._qps = qps
        self._burst = burst
        self._timing = timing
        self._tokens = float(burst)
        self._at = timing.monotonic()

    async def take(self) -> None:
        """Return when the next request may be sent; callers are let through in the order of their calls."""
        now = self._timing.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._qps) - 1
        self._at = now
        if self._tokens < 0:
            await self._timing.sleep(-self._tokens / self._qps)
