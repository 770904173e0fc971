"""loop over several processes: what one of them asks comes back to another."""

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dnsserver.wire.codes import Type
from dnsserver.wire.message import Message
from tests.support.process import ServerProcess, free_port, wait_until

WORKERS = 3
#: Seconds. Between two looks whether the relay is to end.
LOOK_S = 0.1


class Relay:
    """An upstream that passes questions to *port* and replies back. All leave from one address and port, so that the
    kernel gives them to one and the same worker."""

    def __init__(self, port: int) -> None:
        self.seen: Counter[bytes] = Counter()
        """How often each name of type HINFO was asked for."""
        self._front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._front.bind(("127.0.0.1", 0))
        self._front.settimeout(LOOK_S)
        self._back = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._back.connect(("127.0.0.1", port))
        self._back.settimeout(1.0)
        self._ended = threading.Event()

    @property
    def port(self) -> int:
        return int(self._front.getsockname()[1])

    def run(self) -> None:
        while not self._ended.is_set():
            try:
                octets, client = self._front.recvfrom(65_535)
            except TimeoutError:
                continue
            question = Message.decode(octets).questions[0]
            self.seen[question.name.lower()] += question.rtype == Type.HINFO
            try:
                self._back.send(octets)
                self._front.sendto(self._back.recv(65_535), client)
            except (TimeoutError, ConnectionRefusedError):
                continue  # the server is not there yet, or drops what it forwarded itself

    @contextmanager
    def running(self) -> Iterator["Relay"]:
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            thread.join()
            self._front.close()
            self._back.close()


def test_question_of_one_process_that_comes_back_to_another(tmp_path: Path) -> None:
    """All of them find the loop, though only one of them sees the questions; and that one passes none of them on."""
    port = free_port()
    with Relay(port).running() as relay:
        corefile = tmp_path / "Corefile"
        corefile.write_text(
            f".:{port} {{\nbind 127.0.0.1\nloop\nforward . 127.0.0.1:{relay.port} {{\nhealth_check 1h\n}}\n}}\n"
        )
        with ServerProcess("-conf", corefile, "--workers", str(WORKERS)) as server:
            wait_until(lambda: server.stdout.count("Loop (") >= WORKERS, server.told)
            assert server.stdout.count("Loop (") == WORKERS
        probes = {name: number for name, number in relay.seen.items() if number}
        assert len(probes) >= 2 * WORKERS
        assert set(probes.values()) == {1}, "a question of ours was passed on"
