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

    def refresh(self) -> None:
        """Take over what another process has changed. Called with every batch of queries, so it costs next to nothing
        when nothing has changed."""
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

    def __init__(self, feeds: frozenset[Feed], _configuration: bytes, now: Callable[[], float]) -> None:
        self.state = ClusterState(feeds, now())

    def refresh(self) -> None:
        """Nobody else changes it."""

    @contextlib.asynccontextmanager
    async def attending(self) -> AsyncIterator[None]:
        yield

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncIterator[asyncio.Event]:
        yield asyncio.Event()
