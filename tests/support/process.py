"""The server as a process of its own, as users run it; ended by its process id."""

import contextlib
import errno
import itertools
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

REPOSITORY = Path(__file__).resolve().parents[2]
#: Seconds. A start, or an end, that takes longer does not come, also where other tests have the CPUs.
PATIENCE_S = 60.0
#: Seconds between two looks.
LOOK_S = 0.01
#: The first port that tests take, how many each process of them has, and for how many processes there are any
#: (10000 to 29999; Linux gives away 32768 and above by itself).
PORTS_FIRST, PORTS_EACH, PORT_SHARES = 10_000, 2_500, 8
#: Octets of output that are kept in view.
OUTPUT_MAX = 1 << 20


def environment() -> dict[str, str]:
    """Ours, with the package of this checkout first on the path, and without a cluster around us."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("KUBERNETES_")}
    return {**kept, "PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1"}


def command_line(arguments: Sequence[str | Path]) -> list[str]:
    return [sys.executable, "-m", "dnsserver", *map(str, arguments)]


def _ports() -> Iterator[int]:
    """The ports of this process of the tests, over and over. They lie below those that the kernel gives to sockets that
    name none, and each process that tests at the same time (pytest-xdist) has others: nobody takes one in between."""
    first = PORTS_FIRST + PORTS_EACH * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % PORT_SHARES)
    start = os.getpid()
    for number in itertools.count():
        yield first + (start + number) % PORTS_EACH


_PORTS = _ports()


def free_port() -> int:
    """A port that is free on every loopback address of IPv4 and IPv6, for UDP and TCP."""
    for port in _PORTS:
        with contextlib.ExitStack() as stack:
            try:
                for family, kind, host in (
                    (socket.AF_INET, socket.SOCK_DGRAM, "0.0.0.0"),
                    (socket.AF_INET, socket.SOCK_STREAM, "0.0.0.0"),
                    (socket.AF_INET6, socket.SOCK_STREAM, "::1"),
                    (socket.AF_INET6, socket.SOCK_DGRAM, "::1"),
                ):
                    stack.enter_context(socket.socket(family, kind)).bind((host, port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    continue
                raise
            return port
    raise AssertionError("the ports do not end")


def wait_until(
    condition: Callable[[], bool], what: Callable[[], str], patience_s: float = PATIENCE_S
) -> float:
    """Look until *condition* holds; the seconds that took. AssertionError with *what* when it never does."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < patience_s, what()
        time.sleep(LOOK_S)
    return time.monotonic() - begun


class ServerProcess:
    """`python -m dnsserver ARGUMENTS` for as long as the context lasts. *prefix* goes in front of the command.

    *state_dir*: where the arguments say nothing of it, the state is in a folder of its own that goes with the context,
    and the admin endpoint is off, as several servers run at a time.
    """

    def __init__(
        self,
        *arguments: str | Path,
        cwd: Path | None = None,
        prefix: Sequence[str] = (),
        stdin: str = "",
        state_dir: bool = True,
    ) -> None:
        self._command = [*prefix, *command_line(arguments)]
        self._own_state = state_dir and "--state-dir" not in arguments
        if state_dir and "--admin" not in arguments:
            self._command += ["--admin", "off"]
        self._cwd = cwd
        self._stdin = stdin
        self._files = contextlib.ExitStack()
        self._begun = 0.0

    def __enter__(self) -> Self:
        self._out = self._files.enter_context(tempfile.TemporaryFile())
        self._err = self._files.enter_context(tempfile.TemporaryFile())
        given = self._files.enter_context(tempfile.TemporaryFile())
        given.write(self._stdin.encode())
        given.seek(0)
        state = self._files.enter_context(tempfile.TemporaryDirectory()) if self._own_state else ""
        self._begun = time.monotonic()
        self.process = subprocess.Popen(
            [*self._command, *(("--state-dir", state) if state else ())],
            cwd=self._cwd,
            env=environment(),
            stdin=given,
            stdout=self._out,
            stderr=self._err,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self.process.poll() is None:
                self.process.terminate()
                try:
                    self.process.wait(PATIENCE_S)
                except subprocess.TimeoutExpired:
                    self.process.kill()
                    self.process.wait()
                    if error is None:
                        raise
        finally:
            self._files.close()

    def __repr__(self) -> str:
        return f"<ServerProcess {' '.join(self._command)}: exit {self.process.poll()}>"

    @property
    def stdout(self) -> str:
        return os.pread(self._out.fileno(), OUTPUT_MAX, 0).decode()

    @property
    def stderr(self) -> str:
        return os.pread(self._err.fileno(), OUTPUT_MAX, 0).decode()

    def told(self) -> str:
        """For messages: everything that it said."""
        return f"{self!r}\n{self.stdout}{self.stderr}"

    def wait_for(self, text: str) -> float:
        """Wait until *text* was printed; the seconds since the start."""
        wait_until(
            lambda: text in self.stdout or self.process.poll() is not None,
            lambda: f"never {text!r}: {self.told()}",
        )
        assert text in self.stdout, self.told()
        return time.monotonic() - self._begun

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        """Wait for the process' own end; its exit code."""
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"does not end: {self.told()}") from None

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.send(number)
        return self.end()
