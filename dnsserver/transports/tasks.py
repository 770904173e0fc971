"""Tasks that belong to a listener."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

_log = logging.getLogger(__name__)


class TaskHome:
    """Tasks that one task may start and another end, so that none is left behind (a TaskGroup must be left where it was
    entered, and costs each task a second callback).

    A task that fails is logged and takes no other with it.
    """

    def __init__(self, name: str, ended: Callable[[asyncio.Task[None]], object] | None = None) -> None:
        """*ended* is called with each task when it is over, however that came."""
        self._name = name
        self._told = ended
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<TaskHome {self._name} tasks={len(self._tasks)}>"

    def __len__(self) -> int:
        """The tasks that are not over."""
        return len(self._tasks)

    async def open(self) -> None:
        self._loop = asyncio.get_running_loop()

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None] | None:
        """Run *work*; None when the home is closing and *work* was dropped."""
        if self._loop is None:
            work.close()
            return None
        task = self._loop.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def settle(self) -> None:
        """Until the tasks that are running now are over."""
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    async def close(self) -> None:
        """Cancel all tasks and wait for their end."""
        self._loop = None
        for task in self._tasks:
            task.cancel()
        await self.settle()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error("%s: a task failed", self._name, exc_info=error)
        if self._told is not None:
            self._told(task)
