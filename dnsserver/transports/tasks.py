"""Tasks that belong to a listener."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

_log = logging.getLogger(__name__)


class TaskHome:
    """A TaskGroup that one task may open and another close (a bare one must be left where it was entered).

    A task that fails is logged and takes no other with it.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._group = asyncio.TaskGroup()
        self._main: asyncio.Task[None] | None = None
        self._running = 0

    def __repr__(self) -> str:
        return f"<TaskHome {self._name} tasks={self._running}>"

    async def open(self) -> None:
        opened = asyncio.Event()
        self._main = asyncio.create_task(self._run(opened), name=self._name)
        await opened.wait()

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None] | None:
        """Run *work*; None when the home is closing and *work* was dropped."""
        if self._main is None or self._main.done() or self._main.cancelling():
            work.close()
            return None
        self._running += 1
        task = self._group.create_task(self._guard(work), name=name)
        task.add_done_callback(lambda _: self._ended(work))
        return task

    async def close(self) -> None:
        """Cancel all tasks and wait for their end."""
        if self._main is not None:
            self._main.cancel()
            await asyncio.wait([self._main])

    async def _run(self, opened: asyncio.Event) -> None:
        async with self._group:
            opened.set()
            await asyncio.Event().wait()

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            _log.exception("%s: a task failed", self._name)

    def _ended(self, work: Coroutine[Any, Any, None]) -> None:
        self._running -= 1
        work.close()  # does nothing unless the task was cancelled before its first step
