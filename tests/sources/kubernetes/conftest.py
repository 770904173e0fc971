"""One running source against one API server, with time in the test's hand."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from itertools import count

import pytest

from dnsserver.sources.kubernetes.pacing import Timing
from dnsserver.sources.kubernetes.reflector import Limits
from dnsserver.sources.kubernetes.settings import LiveSettings
from dnsserver.sources.kubernetes.source import KubernetesSource
from dnsserver.testing.kube_api import KubeApi
from dnsserver.zone.cluster import ClusterState

#: Seconds of real time after which a test gives up waiting.
PATIENCE_S = 60.0
#: Unix seconds at which the tests' clock stands.
NOW = 1_700_000_000.0


@dataclass(slots=True)
class HandTime:
    """A clock that stands still. Sleepers note how long they want to sleep, and wake when the test says so."""

    at: float = 0.0
    hold: bool = False
    """False: sleeping takes no time on any clock but ours."""
    chance: float = 0.5
    slept: list[float] = field(default_factory=list)
    _wakers: list[asyncio.Event] = field(default_factory=list)

    @property
    def timing(self) -> Timing:
        return Timing(monotonic=lambda: self.at, sleep=self.sleep, random=lambda: self.chance)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self.hold:
            waker = asyncio.Event()
            self._wakers.append(waker)
            await waker.wait()
        else:
            await asyncio.sleep(0.001)
        self.at += seconds

    @property
    def sleepers(self) -> int:
        return len(self._wakers)

    def wake(self) -> None:
        """Let all who sleep now go on."""
        wakers, self._wakers[:] = list(self._wakers), []
        for waker in wakers:
            waker.set()


@dataclass(slots=True)
class Running:
    """A source that runs, and what it feeds."""

    source: KubernetesSource
    state: ClusterState
    time: HandTime
    log: pytest.LogCaptureFixture
    task: asyncio.Task[None]

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        await eventually(condition, lambda: f"{what} {self.source!r} {self.messages}")

    async def synced(self) -> None:
        await self.until(lambda: self.state.synced)

    @property
    def messages(self) -> list[str]:
        """What was logged as a warning or worse."""
        return [record.getMessage() for record in self.log.records if record.levelno >= logging.WARNING]

    def said(self, text: str) -> int:
        """How many warnings hold *text*."""
        return sum(text in message for message in self.messages)


async def eventually(
    condition: Callable[[], object], what: Callable[[], str] = str, patience_s: float = PATIENCE_S
) -> None:
    """Wait for *condition*, and fail with *what* when it does not come true."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(patience_s):
            while not condition():  # noqa: ASYNC110 - the conditions are of many kinds
                await asyncio.sleep(0.002)
    assert condition(), what()


@dataclass(slots=True)
class Starter:
    """Starts sources, and ends them with the test."""

    log: pytest.LogCaptureFixture
    stack: contextlib.AsyncExitStack

    async def __call__(
        self,
        settings: LiveSettings,
        *,
        time: HandTime | None = None,
        limits: Limits | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Running:
        time = time or HandTime()
        clock = count(int(NOW))
        state = ClusterState(settings.feeds, NOW)
        source = KubernetesSource(
            settings,
            state,
            now=lambda: float(next(clock)),
            timing=time.timing,
            limits=limits,
            environ=environ or {},
        )
        task = asyncio.create_task(source.run(), name="source under test")
        self.stack.push_async_callback(_end, task)
        return Running(source, state, time, self.log, task)


async def _end(task: asyncio.Task[None]) -> None:
    """A test that expects the source to end looks at its exception itself."""
    task.cancel()
    await asyncio.wait([task])


@pytest.fixture
async def start(caplog: pytest.LogCaptureFixture) -> AsyncIterator[Starter]:
    caplog.set_level(logging.INFO, logger="dnsserver.kubernetes")
    async with contextlib.AsyncExitStack() as stack:
        yield Starter(caplog, stack)


@pytest.fixture
async def api() -> AsyncIterator[KubeApi]:
    async with KubeApi() as found:
        yield found


@pytest.fixture
def settings(api: KubeApi) -> LiveSettings:
    return LiveSettings(endpoint=api.url)
