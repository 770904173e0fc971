"""The life of a server in the one process that it has, and what it has of the one before it."""

import asyncio
from collections.abc import Iterable

from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.runtime.sockets import duplicates
from dnsserver.runtime.surroundings import OpenSockets, Where
from dnsserver.store.keeping import Inheriting


class Life:
    """A server, entered and left in a task of its own. `server` is set by whoever makes it."""

    server: ClusterDnsServer

    def __init__(self, before: "Life | None" = None) -> None:
        """*before*: the one that serves until this one does, whose sockets and states this one begins with. To be
        called in the thread of the event loop."""
        self.before = before
        self.heirs: frozenset[Where] = before.server.places if before else frozenset()
        """Where somebody else goes on with the sockets of this one when it ends."""
        self.keep: Inheriting = Inheriting(before.keep if before else None)
        self._end = asyncio.Event()
        self._up = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<Life of {self.server!r}>"

    @property
    def task(self) -> asyncio.Task[None]:
        """It ends with the server. There is one once it was started."""
        assert self._task is not None
        return self._task

    def borrowed(self, places: Iterable[Where]) -> OpenSockets:
        """The sockets in these *places* that the one before has, once more."""
        return duplicates(self.before.server.sockets, places) if self.before else OpenSockets()

    def handed_over(self, where: Where) -> bool:
        return where in self.heirs

    async def start(self) -> None:
        """Until the server runs. Raises what keeps it from that; cancelled, it is left again."""
        self._task = asyncio.create_task(self._live(), name=f"{self!r}")
        up = asyncio.create_task(self._up.wait(), name="start")
        try:
            await asyncio.wait((self.task, up), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self.task.cancel()
            await asyncio.wait((self.task,))
            raise
        finally:
            up.cancel()
        if self.task.done():
            await self.task

    async def end(self) -> None:
        """Until it has ended. May be repeated."""
        self._end.set()
        await self.task

    async def _live(self) -> None:
        async with self.server:
            self._up.set()
            await self._end.wait()
