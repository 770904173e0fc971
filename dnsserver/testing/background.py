"""An event loop in a thread of its own: servers in it answer whatever the test's thread waits for."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class Background:
    """Runs coroutines in its thread, from `start` to `stop`. A test that blocks on a resolver blocks nothing here, and
    neither does it matter which event loop an async test has."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def __repr__(self) -> str:
        return f"<Background {self._name} {'runs' if self._loop else 'is over'}>"

    @property
    def running(self) -> bool:
        return self._loop is not None

    def start(self) -> None:
        """Raises RuntimeError, with the reason on standard error, when there is no file left for an event loop."""
        up = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(up,), name=self._name, daemon=True)
        self._thread.start()
        up.wait()
        if self._loop is None:
            raise RuntimeError(f"{self!r}: no event loop could be made")

    def stop(self) -> None:
        """Cancel what still runs there. May be repeated."""
        loop, self._loop = self._loop, None
        if loop is not None and self._thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            self._thread.join()

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """What *coroutine* comes to, from any other thread. RuntimeError when it is over."""
        if self._loop is None:
            coroutine.close()
            raise RuntimeError(f"{self!r}: use it inside `with`, or inside the test that has the fixture")
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def call(self, function: Callable[[], Result]) -> Result:
        """What *function* gives when it is called there."""

        async def called() -> Result:
            return function()

        return self.run(called())

    def _run(self, up: threading.Event) -> None:
        try:
            with asyncio.Runner() as runner:
                self._loop = runner.get_loop()
                self._loop.call_soon(up.set)
                self._loop.run_forever()
        finally:
            up.set()  # nobody waits for what could not begin
