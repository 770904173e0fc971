"""The server under test: its Corefile, its processes, and what it says of itself."""

import contextlib
import os
import re
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import dns.edns
import dns.exception
import dns.message
import dns.query
import dns.rcode

from tests.chaos.cluster import ZONE
from tests.end_to_end.commands import get
from tests.runtime.processes.tree import alive
from tests.support.process import PATIENCE_S, ServerProcess, free_port, wait_until

#: What the banner has, which is printed once all workers are ready.
STARTED = "dnsserver-"
STALE_ANSWER = 3
#: A name that is in every cluster of these tests, and what it stands for.
STABLE, STABLE_AT = f"stable-0.default.svc.{ZONE}", ("10.1.0.0",)


class Served(ServerProcess):
    """A server with a Corefile of its own, and its state in *folder*. *lines* go into the block that serves *api*,
    *blocks* in place of it; PORT and HTTP in them are our ports."""

    def __init__(
        self,
        folder: Path,
        api: str = "",
        *flags: str | Path,
        workers: int | str = 2,
        lines: Sequence[str] = (),
        blocks: str = "",
        port: int = 0,
        state: Path | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        self.port, self.http = port or free_port(), free_port()
        self.state = state or folder / "state"
        self._file = folder / f"Corefile-{self.port}"
        self._api = api
        self._text = self._made(lines, blocks)
        super().__init__(
            "-conf",
            self._file,
            "--workers",
            str(workers),
            "--state-dir",
            self.state,
            *flags,
            cwd=folder,
            prefix=prefix,
        )

    def __enter__(self) -> Self:
        self._file.write_text(self._text)
        return super().__enter__()

    def _made(self, lines: Sequence[str], blocks: str) -> str:
        text = blocks or _block(self._api, lines)
        return text.replace("PORT", str(self.port)).replace("HTTP", str(self.http))

    # Going over to another Corefile.

    def change(self, *lines: str, blocks: str = "") -> None:
        """Put another Corefile in the place of the present one; all of it at once."""
        new = self._file.with_suffix(".new")
        new.write_text(self._made(lines, blocks))
        new.replace(self._file)

    def reload(self, said: str = "[INFO] Reloading complete") -> None:
        """Tell the server to go over to it, and wait until it has *said* so."""
        before = self.stdout.count(said)
        self.send(signal.SIGUSR1)
        wait_until(lambda: self.stdout.count(said) > before, self.told)

    def up(self) -> Self:
        self.wait_for(STARTED)
        return self

    # Its processes.

    def children(self) -> list[int]:
        return children_of(self.process.pid)

    def workers(self) -> list[int]:
        """The processes with UDP sockets on our port, the oldest first."""
        return sorted(pid for pid in self.children() if _sockets(pid) & _inodes(("udp", "udp6"), self.port))

    def control(self) -> int:
        """The process that listens for HTTP, once it does."""
        found: list[int] = []

        def there() -> bool:
            found[:] = [pid for pid in self.children() if _sockets(pid) & _inodes(("tcp",), self.http)]
            return len(found) == 1

        wait_until(there, lambda: f"{found} of {self.children()}: {self.told()}")
        return found[0]

    def wait_for_others(self, old: int, number: int) -> float:
        """Wait until there are *number* children, and *old* is none; the seconds that took."""
        return wait_until(lambda: old not in self.children() and len(self.children()) == number, self.told)

    # What it says.

    def ask(
        self, name: str, *, edns: bool = True, tcp: bool = False, timeout_s: float = 2.0
    ) -> dns.message.Message:
        query = dns.message.make_query(name, "A", use_edns=0 if edns else -1)
        way = dns.query.tcp if tcp else dns.query.udp
        return way(query, "127.0.0.1", timeout=timeout_s, port=self.port)

    def asked_until(self, name: str, answer: tuple[str, ...], patience_s: float = PATIENCE_S) -> float:
        """Ask until *answer* comes; the seconds that took."""
        last: list[object] = []

        def right() -> bool:
            last[:] = [self.addresses(name)]
            return last == [answer]

        return wait_until(right, lambda: f"{name} is {last}, not {answer}: {self.told()}", patience_s)

    def addresses(self, name: str) -> tuple[str, ...] | str:
        """What the answer has; its RCODE, or what went wrong, where there is none."""
        try:
            reply = self.ask(name, timeout_s=1.0)
        except (OSError, dns.exception.Timeout) as error:
            return repr(error)
        found = sorted(item.address for rrset in reply.answer for item in rrset)
        return tuple(found) if reply.rcode() == dns.rcode.NOERROR else dns.rcode.to_text(reply.rcode())

    def ready(self) -> tuple[int, str]:
        return get(self.http, "/ready")

    def metric(self, name: str, /, **labels: str) -> float | None:
        """The sum of the samples with *labels*; None when there is none, or nobody to tell."""
        text = get(self.http, "/metrics")[1]
        found = [
            float(line.rpartition(" ")[2])
            for line in text.splitlines()
            if re.match(rf"{name}(\{{| )", line)
            and all(f'{key}="{value}"' in line for key, value in labels.items())
        ]
        return sum(found) if found else None


def _block(api: str, lines: Sequence[str]) -> str:
    own = (
        "bind 127.0.0.1",
        "errors",
        "prometheus 127.0.0.1:HTTP",
        "ready 127.0.0.1:HTTP",
        f"kubernetes {ZONE} {{\nendpoint {api}\nstartup_timeout 500ms\n}}",
    )
    return "\n".join((".:PORT {", *own, *lines, "}", ""))


def fails(server: ServerProcess) -> str:
    """The one line that the server ends with."""
    assert server.end() == 1
    lines = server.stderr.splitlines()
    assert len(lines) == 1, server.told()
    return lines[0]


def is_stale(reply: dns.message.Message) -> bool:
    """Whether it says that it is of an earlier run (RFC 8914 section 4.4)."""
    return any(
        isinstance(option, dns.edns.EDEOption) and option.code == STALE_ANSWER for option in reply.options
    )


def children_of(pid: int) -> list[int]:
    """Those that run (proc(5))."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it has ended
        return []
    return sorted(int(child) for child in found if alive(int(child)))


def processes_with(text: str) -> list[int]:
    """The processes whose command lines hold *text*, but for this one."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            with contextlib.suppress(OSError):
                if text.encode() in (folder / "cmdline").read_bytes() and alive(int(folder.name)):
                    found.append(int(folder.name))
    return found


def _sockets(pid: int) -> set[str]:
    found = set()
    with contextlib.suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                target = str(entry.readlink())
                if target.startswith("socket:["):
                    found.add(target[8:-1])
    return found


def _inodes(tables: Sequence[str], port: int) -> set[str]:
    """The sockets on *port* (proc(5))."""
    rows = [
        line.split() for table in tables for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    return {row[9] for row in rows if int(row[1].rpartition(":")[2], 16) == port and row[9] != "0"}
