"""Which addresses a process talks to."""

import sys
from typing import Any


class AddressWatch:
    """Notes every address that this process binds, connects or sends to. A hook stays for good, so it can be off."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[tuple[str, str]] = []
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on or not event.startswith("socket."):
            return
        if event in ("socket.bind", "socket.connect", "socket.sendto", "socket.sendmsg"):
            address = arguments[1]
            if isinstance(address, tuple):
                self.seen.append((event, address[0]))
        elif event.startswith("socket.get"):
            self.seen.append((event, str(arguments[0])))
