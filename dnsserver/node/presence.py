"""Who else serves on this node: during an upgrade there are two, and only the last one to go tidies up.

Each has a socket with a name in the abstract namespace of unix(7), which is that of the network: all that share the
node's network see it, whatever their file systems are, and it is gone with its process, however that ended.
"""

import contextlib
import errno
import os
import secrets
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from dnsserver.node.apart import WORK_S
from dnsserver.node.errors import ErrorType, NodeError

#: Names of all unix sockets of this network (proc(5)).
UNIX_SOCKETS = Path("/proc/self/net/unix")
#: Seconds. Whoever has the lock does less than a second's work, or is killed after `apart.WORK_S`.
LOCK_S = WORK_S + 2.0
#: Seconds between two attempts.
_LOOK_S = 0.05


class Presence:
    """One of those that serve on *interface*."""

    def __init__(self, interface: str) -> None:
        self._prefix = f"dnsserver-node/{interface}/"
        self._name = f"{self._prefix}{os.getpid()}-{secrets.token_hex(8)}"
        self._socket: socket.socket | None = None

    def __repr__(self) -> str:
        return f"<Presence {self._name}{'' if self._socket else ' left'}>"

    def join(self) -> None:
        """Raises NodeError."""
        try:
            self._socket = _bound(self._name)
        except OSError as error:
            raise NodeError(ErrorType.INTERFACE_CHECK, f"unix socket @{self._name}: {error}") from None

    def leave(self) -> None:
        """May be repeated."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def others(self) -> bool:
        """Whether somebody else serves on this interface."""
        mark = f"@{self._prefix}"
        # Others may call theirs by any octets.
        lines = UNIX_SOCKETS.read_text("ascii", "replace").splitlines()
        names = (line.rpartition(" ")[2] for line in lines)
        ours = {f"@{self._name}", f"{mark}{_LOCK}"}
        return any(name.startswith(mark) and name not in ours for name in names)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Alone with what is shared. Raises NodeError when others do not let go."""
        end = time.monotonic() + LOCK_S
        while True:
            try:
                lock = _bound(self._prefix + _LOCK)
                break
            except OSError as error:
                if error.errno != errno.EADDRINUSE or time.monotonic() > end:
                    raise NodeError(
                        ErrorType.INTERFACE_CHECK, f"unix socket @{self._prefix}{_LOCK}: {error}"
                    ) from None
            time.sleep(_LOOK_S)
        with lock:
            yield


_LOCK = "lock"


def _bound(name: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        sock.bind(f"\0{name}")
    except BaseException:
        sock.close()
        raise
    return sock
