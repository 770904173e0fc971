"""A program that the tests run: a supervisor whose children do what files tell them. Argument: options as JSON.

Lines on standard output: `UP name pid`, `LAME name`, `DRAINED name`, `PORT number`, `STARTED`,
`BUFFERED name`, `WAITING name pid`, and the log. A file
called like a child (`control`, `worker-1`) in the current folder holds what it does in place of its work.
"""

import asyncio
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from dnsserver.observability import logs
from dnsserver.runtime.processes import Board, ChildLink, Limits, ProcessStartError, Supervisor

#: Exit code of the order "crash".
CRASH_EXIT = 7
#: Seconds. Longer than any test.
FOR_EVER_S = 3600
#: prctl(2): the signal that comes when the parent dies.
PR_SET_PDEATHSIG = 1


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


class Program:
    """A crew, and the first one also the owner of all."""

    def __init__(self, options: dict[str, Any], before: "Program | None" = None) -> None:
        self._options = options
        self._number: int = before._number + 1 if before else 0
        self.board: Board = Board(options.get("workers", 2), before=before.board if before else None)
        self._sock: socket.socket = (
            before._sock if before else socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        )
        self._sock.setblocking(False)
        self._first: Program = before._first if before else self
        self._present = self

    def run(self) -> int:
        options = self._options
        limits = Limits(hang_s=options.get("hang_s", 5.0), drain_s=options.get("drain_s", 5.0))
        try:
            return Supervisor(self, self._next, limits).run()
        except (ProcessStartError, OSError) as error:
            sys.stderr.write(f"{error}\n")
            return 1
        finally:
            say(f"LEFT {os.getpid()}")

    def _next(self, wish: str) -> "Program | None":
        say(f"ASKED {wish}")
        return None if wish == "none" else Program(self._options, self._present)

    @property
    def lameduck_s(self) -> float:
        return float(self._options.get("lameduck_s", 0.0))

    def started(self) -> None:
        say("STARTED")
        self._first._present = self

    def leaves(self) -> None:
        say("DRAINED nobody yet")

    def last_word(self, number: int) -> bytes:
        return b"%d" % number

    def given_up(self, reason: str) -> None:
        say(f"GIVEN-UP {self._number} {reason}")

    def took_over(self) -> None:
        say(f"TOOK-OVER {self._number}")

    def control_ready(self) -> None:
        if self._number:
            return
        if self._options.get("no_bind"):
            raise OSError("listen udp: address already in use")
        self._sock.bind(("127.0.0.1", 0))
        sys.stdout.write("BUFFERED parent\n")
        say(f"PORT {self._sock.getsockname()[1]}")
        if self._options.get("stray"):
            stray = subprocess.Popen(["sleep", "0.3"])
            say(f"STRAY {stray.pid}")
            stray.returncode = 0  # nobody but the supervisor waits for it

    def control(self, link: ChildLink, _number: int) -> int:
        return self._run(link, "control")

    def worker(self, link: ChildLink, number: int) -> int:
        name = f"worker-{number}"
        if not self._options.get("belt", True):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, 0)
        return self._run(link, name)

    def _run(self, link: ChildLink, name: str) -> int:
        order = Path(name).read_text() if Path(name).exists() else ""
        match order:
            case "crash":
                return CRASH_EXIT
            case "fail":
                link.failed("no such zone\nsecond line")
                return 1
            case "raise":
                raise RuntimeError("a mistake in the code")
        return asyncio.run(self._live(link, name, order))

    async def _live(self, link: ChildLink, name: str, order: str) -> int:
        async with link:
            if order == "wait":
                say(f"WAITING {name} {os.getpid()}")
                await link.drain.wait()
                return 0
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGUSR2, time.sleep, FOR_EVER_S)
            if name != "control":
                loop.add_reader(self._sock, self._echo)
            tell = asyncio.create_task(self._tell(link, name))
            say(f"UP {name} {os.getpid()}")  # first, so that everybody has said so at STARTED
            link.ready()
            await link.drain.wait()
            sys.stdout.write(f"BUFFERED {name}\n")
            if order == "stuck":
                await asyncio.sleep(FOR_EVER_S)
            tell.cancel()
        say(f"DRAINED {name}")
        return 0

    async def _tell(self, link: ChildLink, name: str) -> None:
        await link.lame.wait()
        say(f"LAME {name}")
        for (kind, reason), count in link.board.restarts.counts().items():
            if name == "control" and count:
                say(f"RESTARTS {kind} {reason} {count}")

    def _echo(self) -> None:
        try:
            question, client = self._sock.recvfrom(512)
        except BlockingIOError:
            return  # another worker had it
        self._sock.sendto(f"{question.decode()} from {os.getpid()}".encode(), client)


if __name__ == "__main__":
    sys.stdout = os.fdopen(os.dup(1), "w")  # with a buffer
    logs.configure()
    sys.exit(Program(json.loads(sys.argv[1])).run())
