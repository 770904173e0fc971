"""Network namespaces with a resolv.conf of their own, and nothing but the test's own links in them."""

import contextlib
import itertools
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.tools import must_run, need_root, run, tool

#: Where `ip netns exec` finds files to show in place of those in /etc (ip-netns(8)).
CONFIGURATION = Path("/etc/netns")

#: What the kubelet writes for a pod of namespace default.
RESOLV_CONF = """\
nameserver {server}
search default.svc.cluster.local svc.cluster.local cluster.local
options ndots:5
"""

_numbers = itertools.count()


class Namespace:
    """A new network namespace with its loopback up, for as long as the context lasts."""

    def __init__(self, nameserver: str = "127.0.0.1") -> None:
        self.name = f"dnsserver-{os.getpid()}-{next(_numbers)}"
        self._nameserver = nameserver

    def __enter__(self) -> Self:
        need_root("making a network namespace")
        must_run((tool("ip"), "netns", "add", self.name))
        try:
            self.ip("link", "set", "lo", "up")
            folder = CONFIGURATION / self.name
            folder.mkdir(parents=True)
            (folder / "resolv.conf").write_text(RESOLV_CONF.format(server=self._nameserver))
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    def __repr__(self) -> str:
        return f"<Namespace {self.name}>"

    def remove(self) -> None:
        run((tool("ip"), "netns", "del", self.name))
        shutil.rmtree(CONFIGURATION / self.name, ignore_errors=True)
        with contextlib.suppress(OSError):  # others may have theirs in it
            CONFIGURATION.rmdir()

    @property
    def prefix(self) -> tuple[str, ...]:
        """In front of a command, runs it inside."""
        return (tool("ip"), "netns", "exec", self.name)

    def ip(self, *words: str) -> None:
        """`ip WORDS` inside."""
        must_run((tool("ip"), "-n", self.name, *words))

    def run(self, *command: str | Path) -> tuple[int, str]:
        """Exit code and standard output of *command*, run inside."""
        done = run((*self.prefix, *command))
        return done.returncode, done.stdout

    def address(self, device: str, addresses: Sequence[str]) -> None:
        for address in addresses:
            self.ip("address", "add", address, "dev", device, *(("nodad",) if ":" in address else ()))


def join(first: Namespace, second: Namespace) -> tuple[str, str]:
    """A veth pair between the two; the names of its ends."""
    words = f"link add near netns {first.name} type veth peer name far netns {second.name}"
    must_run((tool("ip"), *words.split()))
    first.ip("link", "set", "near", "up")
    second.ip("link", "set", "far", "up")
    return "near", "far"
