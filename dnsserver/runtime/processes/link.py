"""The line between the parent and one child: who is ready, who shall stop, and who has died.

A pair of connected sockets on which one message is one packet: the child says READY, or FAILED and why, and may
WISH for another family in the place of its own; the parent says LAME and DRAIN. The end of the file says that the other
process is gone, however it went.
"""

import asyncio
import contextlib
import os
import signal
import socket
import time
from enum import Enum
from typing import Self

from dnsserver.runtime.processes.board import Board
from dnsserver.runtime.processes.slots import Slot

#: Seconds between two heartbeats of a child: several fit into any useful limit of hanging.
HEARTBEAT_S = 0.5
#: Exit code of a child whose parent is gone; nobody is left to read it.
PARENT_GONE_EXIT = 3
#: Octets of a message: room for a start error of some lines, and for the names of a thousand sockets.
_MESSAGE_MAX = 65_536


class Word(bytes, Enum):
    """How a message begins."""

    READY = b"READY"
    FAILED = b"FAILED "
    """The reason follows."""
    WISH = b"WISH "
    """What the owner of the family makes of it follows."""
    LAME = b"LAME"
    DRAIN = b"DRAIN "
    """What follows is from the owner of the family."""


def link_pair() -> tuple[socket.socket, socket.socket]:
    """The parent's end, and the child's. Raises OSError."""
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in pair:
        end.setblocking(False)
    return pair


class ParentLink:
    """The parent's end. Nothing here waits."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.ready = False
        """The child has said READY."""
        self.failure: str | None = None
        """What the child has said of why it cannot start."""
        self.wish: str | None = None
        """What the child has said last of the family that it wishes for."""

    def fileno(self) -> int:
        return self._sock.fileno()

    def hear(self) -> bool:
        """Take what the child has said; False once it will say no more."""
        while True:
            try:
                message = self._sock.recv(_MESSAGE_MAX)
            except BlockingIOError:
                return True
            except ConnectionResetError:
                continue  # it died before it read us: said once, and before what it has said itself
            if not message:
                return False
            if message == Word.READY:
                self.ready = True
            elif message.startswith(Word.FAILED):
                self.failure = message.removeprefix(Word.FAILED).decode(errors="replace")
            elif message.startswith(Word.WISH):
                self.wish = message.removeprefix(Word.WISH).decode(errors="replace")

    def tell(self, word: Word, more: bytes = b"") -> None:
        with contextlib.suppress(ConnectionError):  # it is dying, which the parent hears in another way
            self._sock.send(word + more)

    def close(self) -> None:
        self._sock.close()


class ChildLink:
    """The child's end. Entered in the child's event loop, as the first thing there and for as long as it lives:

    it beats the heart in the slot, hears the parent, and takes SIGTERM for DRAIN. When the parent is gone, the process
    ends at once.
    """

    def __init__(self, sock: socket.socket, board: Board, number: int) -> None:
        self._sock = sock
        self.board = board
        """The memory shared with all others."""
        self.number = number
        self.lame = asyncio.Event()
        """Set when the parent says: be unready, and go on answering."""
        self.drain = asyncio.Event()
        """Set when the parent says: finish what has arrived and return 0. It may come without `lame`."""
        self.told_to_drain = False
        """The parent said so, and nobody else: no other child of this family will take this one's place."""
        self.told = b""
        """What the owner of the family said with that."""

    def __repr__(self) -> str:
        return f"<ChildLink {self.number} lame={self.lame.is_set()} drain={self.drain.is_set()}>"

    @property
    def slot(self) -> Slot:
        """This child's own slot; what the one before it has left is still in there."""
        return self.board.slots[self.number]

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        loop.add_reader(self._sock, self._hear)
        loop.add_signal_handler(signal.SIGTERM, self.drain.set)
        self._heart = asyncio.create_task(self._beat(), name="heartbeat")
        return self

    async def __aexit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        self._heart.cancel()
        await asyncio.wait([self._heart])
        loop.remove_signal_handler(signal.SIGTERM)
        loop.remove_reader(self._sock)

    def ready(self) -> None:
        """Tell the parent that this child does its work."""
        self._tell(Word.READY)

    def failed(self, text: str) -> None:
        """Tell the parent why this child cannot start; it should return 1 then. Works without the event loop too."""
        self._tell(Word.FAILED + text.encode(errors="replace")[: _MESSAGE_MAX - len(Word.FAILED)])

    def wish(self, text: str) -> None:
        """Tell the parent that its owner should put another family in the place of this one."""
        self._tell(Word.WISH + text.encode(errors="replace")[: _MESSAGE_MAX - len(Word.WISH)])

    async def _beat(self) -> None:
        while True:
            self.slot.beat(time.monotonic())
            await asyncio.sleep(HEARTBEAT_S)

    def _hear(self) -> None:
        try:
            message = self._sock.recv(_MESSAGE_MAX)
        except BlockingIOError:
            return
        except ConnectionResetError:
            message = b""
        if message == Word.LAME:
            self.lame.set()
        elif message.startswith(Word.DRAIN):
            self.told_to_drain = True
            self.told = message.removeprefix(Word.DRAIN)
            self.drain.set()
        elif not message:
            os._exit(PARENT_GONE_EXIT)  # nothing may hold it up: the sockets must not live on

    def _tell(self, message: bytes) -> None:
        try:
            self._sock.send(message)
        except ConnectionError:
            os._exit(PARENT_GONE_EXIT)
