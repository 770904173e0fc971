"""Clients that ask by UDP and TCP without end, and judge each answer by what the cluster was."""

import asyncio
import contextlib
import random
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import dns.message
import dns.rcode
import dns.rdatatype

from tests.chaos.cluster import ABSENT, PATIENCE_S, Background, Cluster, Name, State

#: Seconds without an answer after which a question is lost: what resolv.conf(5) gives a server.
LOST_S = 5.0
#: Seconds between an answer and the next question of the same client.
PAUSE_S = 0.01
#: Seconds of rest where nobody listens.
REFUSED_PAUSE_S = 0.02
#: Questions of one client port, or of one connection.
QUESTIONS_EACH = 20


@dataclass(slots=True)
class Tally:
    """What became of the questions. `cut` are TCP connections that ended before the reply (they are asked again),
    `refused` are questions when nobody listened."""

    asked: int = 0
    right: int = 0
    lost: int = 0
    cut: int = 0
    refused: int = 0
    slowest_s: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.asked} asked, {self.right} right, {len(self.wrong)} wrong, {self.lost} lost, "
            f"{self.refused} refused, {self.cut} connections cut, slowest {self.slowest_s:.2f} s"
        )


class Load:
    """Asks from *udp* client ports and *tcp* connections at a time, while the context lasts."""

    def __init__(self, cluster: Cluster, port: int, *, udp: int = 6, tcp: int = 2) -> None:
        self._cluster = cluster
        self._address = ("127.0.0.1", port)
        self._clients = (udp, tcp)
        self._random = random.Random(2)
        self._ending = asyncio.Event()
        self.udp, self.tcp = Tally(), Tally()

    def __repr__(self) -> str:
        return f"<Load UDP: {self.udp}; TCP: {self.tcp}>"

    def __len__(self) -> int:
        """Questions that are asked by UDP at the same time."""
        return self._clients[0]

    async def run(self) -> None:
        """Until `end`; what was asked then is waited for."""
        udp, tcp = self._clients
        async with asyncio.TaskGroup() as group:
            for _ in range(udp):
                group.create_task(self._ask_by_udp())
            for _ in range(tcp):
                group.create_task(self._ask_by_tcp())

    def end(self) -> None:
        self._ending.set()

    async def _ask_by_udp(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._ending.is_set():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.setblocking(False)
                sock.connect(self._address)
                for _ in range(QUESTIONS_EACH):
                    if self._ending.is_set():
                        return
                    question = _Question(self.udp, self._some_name())
                    try:
                        async with asyncio.timeout(LOST_S):
                            await loop.sock_sendall(sock, question.octets)
                            while not question.answered(await loop.sock_recv(sock, 4096)):
                                pass
                    except TimeoutError:
                        self.udp.lost += 1
                    except ConnectionError:
                        self.udp.refused += 1
                        await asyncio.sleep(REFUSED_PAUSE_S)
                    await asyncio.sleep(PAUSE_S)

    async def _ask_by_tcp(self) -> None:
        while not self._ending.is_set():
            try:
                async with asyncio.timeout(LOST_S):
                    reader, writer = await asyncio.open_connection(*self._address)
            except TimeoutError:
                self.tcp.lost += 1
                continue
            except OSError:
                self.tcp.refused += 1
                await asyncio.sleep(REFUSED_PAUSE_S)
                continue
            await self._ask_over(reader, writer)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _ask_over(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(QUESTIONS_EACH):
            if self._ending.is_set():
                return
            question = _Question(self.tcp, self._some_name())
            try:
                async with asyncio.timeout(LOST_S):
                    writer.write(struct.pack("!H", len(question.octets)) + question.octets)
                    size = struct.unpack("!H", await reader.readexactly(2))[0]
                    assert question.answered(await reader.readexactly(size))
            except TimeoutError:
                self.tcp.lost += 1
                return
            except (OSError, asyncio.IncompleteReadError):
                self.tcp.cut += 1
                return
            await asyncio.sleep(PAUSE_S)

    def _some_name(self) -> Name:
        return self._random.choice(list(self._cluster.names.values()))


class _Question:
    def __init__(self, tally: Tally, name: Name) -> None:
        self._tally = tally
        self._name = name
        self._since = name.seen
        self._begun = time.monotonic()
        message = dns.message.make_query(name.text, "A")
        self._id = message.id
        self.octets = message.to_wire()
        tally.asked += 1

    def answered(self, octets: bytes) -> bool:
        """Judge the reply; False when it is a late one, to another question."""
        if int.from_bytes(octets[:2], "big") != self._id:
            return False
        reply, tally, name = dns.message.from_wire(octets), self._tally, self._name
        tally.slowest_s = max(tally.slowest_s, time.monotonic() - self._begun)
        state = state_of(reply)
        if state is not None and name.shown(state, self._since):
            tally.right += 1
        else:
            allowed = name.states[self._since :]
            told = f"{dns.rcode.to_text(reply.rcode())} {state}"
            tally.wrong.append(f"{name.text}: {told}, not among {allowed}; seen: {self._since}, {name.seen}")
        return True


def state_of(reply: dns.message.Message) -> State | None:
    """What the reply says of its name; None: that it cannot tell."""
    if reply.rcode() == dns.rcode.NXDOMAIN:
        return ABSENT
    if reply.rcode() != dns.rcode.NOERROR:
        return None
    found = [item.address for rrset in reply.answer for item in rrset if rrset.rdtype == dns.rdatatype.A]
    return tuple(sorted(found)) or None


@contextlib.contextmanager
def loading(background: Background, load: Load) -> Iterator[Load]:
    """Ask meanwhile. At the end, what was asked is waited for."""
    running = background.start(load.run())
    try:
        yield load
    finally:
        background.do(load.end)
        running.result(LOST_S + PATIENCE_S)
