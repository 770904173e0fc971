"""A cluster that changes, what its names stood for at each time, and the event loop in which both live."""

import asyncio
import random
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

from dnsserver.testing.kube_api import KubeApi, namespace, service, slice_of

T = TypeVar("T")

#: Seconds that a call into the loop may take.
PATIENCE_S = 20.0
ZONE = "cluster.local"

#: The addresses that a name stands for, sorted; none: there is no such name.
State = tuple[str, ...]
ABSENT: State = ()


class Background:
    """An event loop in a thread of its own, so that a test may wait for processes meanwhile."""

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="background loop")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run(self._cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def start(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.start(work).result(PATIENCE_S)

    def do(self, act: Callable[[], T]) -> T:
        """Call *act* in the loop's thread."""

        async def acted() -> T:
            return act()

        return self.run(acted())

    async def _cancel_all(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(slots=True)
class Name:
    """One name. Its states carry the order in which the API server had them; `seen` is the first that a question
    asked from now on may be answered with: some reply has shown it."""

    text: str
    states: list[State]
    seen: int = 0

    def shown(self, state: State, since: int) -> bool:
        """Whether *state* is right for a question that was put when `seen` was *since*; then it has been seen."""
        found = [place for place in range(since, len(self.states)) if self.states[place] == state]
        if found:
            self.seen = max(self.seen, found[0])
        return bool(found)

    @property
    def settled(self) -> bool:
        """The last state has been seen, be it that an earlier one was the same."""
        return self.states[self.seen] == self.states[-1]


@dataclass(slots=True)
class Cluster:
    """Services of an API server: some never change, some have endpoints that do, some come and go. All of it in the
    thread of one event loop."""

    api: KubeApi
    stable: int = 10
    headless: int = 5
    fleeting: int = 5
    names: dict[str, Name] = field(default_factory=dict)
    changes: int = 0
    _random: random.Random = field(default_factory=lambda: random.Random(1))
    _numbers: int = 0

    def fill(self) -> None:
        self.api.add(namespace("default"))
        for place in range(self.stable):
            ip = f"10.1.0.{place}"
            self.api.add(service(f"stable-{place}", ip))
            self._begin(f"stable-{place}", (ip,))
        for place in range(self.headless):
            addresses = self._addresses()
            self.api.add(service(f"headless-{place}"), slice_of(f"headless-{place}", addresses))
            self._begin(f"headless-{place}", addresses)
        for place in range(self.fleeting):
            self._begin(f"fleeting-{place}", ABSENT)

    def change(self) -> None:
        """Change something; what it comes to is known before the API server tells anyone."""
        self.changes += 1
        place = self._random.randrange(self.headless + self.fleeting)
        if place < self.headless:
            self._change_endpoints(f"headless-{place}")
        else:
            self._come_or_go(f"fleeting-{place - self.headless}")

    async def keep_changing(self, pause_s: float) -> None:
        """Until cancelled."""
        while True:
            self.change()
            await asyncio.sleep(pause_s)

    @property
    def unsettled(self) -> list[str]:
        return [name.text for name in self.names.values() if not name.settled]

    def _begin(self, name: str, state: State) -> None:
        text = f"{name}.default.svc.{ZONE}"
        self.names[name] = Name(text, [state])

    def _change_endpoints(self, name: str) -> None:
        addresses = self._addresses()
        self.names[name].states.append(addresses)
        self.api.update(slice_of(name, addresses))

    def _come_or_go(self, name: str) -> None:
        before = self.names[name].states[-1]
        if before == ABSENT:
            address = self._address()
            self.names[name].states.append((address,))
            self.api.add(service(name, address))
        else:
            self.names[name].states.append(ABSENT)
            self.api.delete(service(name, before[0]))

    def _addresses(self) -> State:
        return tuple(sorted(self._address() for _ in range(3)))

    def _address(self) -> str:
        """One that no name has had."""
        self._numbers += 1
        return f"10.{2 + (self._numbers >> 16)}.{self._numbers >> 8 & 255}.{self._numbers & 255}"


class ApiServer:
    """`KubeApi` in a background loop, for tests that wait for processes."""

    def __init__(self, background: Background) -> None:
        self.background = background
        self.api = KubeApi()
        self.cluster = Cluster(self.api)

    def __enter__(self) -> Self:
        self.background.run(self.api.start())
        self.background.do(self.cluster.fill)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return self.api.url

    def stop(self) -> None:
        self.background.run(self.api.stop())

    def start(self) -> None:
        self.background.run(self.api.start())

    def add(self, *objects: Mapping[str, Any]) -> None:
        self.background.do(lambda: self.api.add(*objects))

    def update(self, *objects: Mapping[str, Any]) -> None:
        self.background.do(lambda: self.api.update(*objects))

    def delete(self, *objects: Mapping[str, Any]) -> None:
        self.background.do(lambda: self.api.delete(*objects))
