"""Where the state of a cluster is kept: in this process's memory, or where others read it (store/lmdb)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import Feed


class Kept(Protocol):
    """The state of one cluster, as this process has it."""

    @property
    def state(self) -> ClusterState: ...

    @property
    def patient(self) -> bool:
        """What was restored is served by somebody else meanwhile: the start waits as if there were nothing, so that
        nobody sees that it was."""
        ...

    def refresh(self) -> None:
        """Take over what another process has changed. Called with every batch of queries, so it costs next to nothing
        when nothing has changed."""
        ...

    def publish(self) -> None:
        """Let other processes see what this one has changed; they would in some milliseconds anyway."""
        ...

    def attending(self) -> AbstractAsyncContextManager[None]:
        """While queries are answered from the state."""
        ...

    def writing(self) -> AbstractAsyncContextManager[asyncio.Event]:
        """While a source changes the state. The event is set when changes have been lost: the source has to list
        everything anew."""
        ...


#: Feeds, what tells the configuration from others (octets), and the clock (Unix seconds), to a place for a state.
#: Raises StoreError.
Keep = Callable[[frozenset[Feed], bytes, Callable[[], float]], Kept]


class InMemory:
    """Nobody else reads it, and it ends with the process."""

    patient = False

    def __init__(self, feeds: frozenset[Feed], _configuration: bytes, now: Callable[[], float]) -> None:
        self.state = ClusterState(feeds, now())

    def refresh(self) -> None:
        """Nobody else changes it."""

    def publish(self) -> None:
        """Nobody else reads it."""

    @contextlib.asynccontextmanager
    async def attending(self) -> AsyncIterator[None]:
        yield

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncIterator[asyncio.Event]:
        yield asyncio.Event()


class Inheriting:
    """A Keep in memory whose states begin as those of the same configuration that were kept before by another."""

    def __init__(self, before: "Inheriting | None" = None) -> None:
        self._kept: dict[bytes, InMemory] = {}
        known = before._kept if before else {}
        # Copied here and now: those states go on changing while this server is made.
        self._contents = {configuration: kept.state.content() for configuration, kept in known.items()}

    def __call__(self, feeds: frozenset[Feed], configuration: bytes, now: Callable[[], float]) -> Kept:
        kept = self._kept[configuration] = InMemory(feeds, configuration, now)
        content = self._contents.pop(configuration, None)
        if content is not None:
            kept.patient = True
            kept.state.restore(content)
        return kept
