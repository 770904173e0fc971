"""Upstreams that do not answer, and few files: clients that need no upstream are served all the same."""

import socket
import time
from pathlib import Path

import dns.message
import dns.query
import dns.rcode

from tests.support.process import ServerProcess, free_port

#: Files that the server may open: 16 go to exchanges with upstreams, 48 to TCP clients.
FILES = 128
EXCHANGES = 16
QUESTIONS = 200
FULL = f"upstream exchanges exceeded maximum {EXCHANGES}, our share of the limit of open files"


def corefile(port: int, upstream: int) -> str:
    return (
        f".:{port} {{\nbind 127.0.0.1\nerrors\nforward . 127.0.0.1:{upstream}\n}}\n"
        f"here.test:{port} {{\nbind 127.0.0.1\nwhoami\n}}\n"
    )


def test_silent_upstream_does_not_use_up_the_files(tmp_path: Path) -> None:
    port = free_port()
    limited = ("sh", "-c", f'ulimit -n {FILES} && exec "$@"', "sh")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        (tmp_path / "Corefile").write_text(corefile(port, silent.getsockname()[1]))
        with ServerProcess(cwd=tmp_path, prefix=limited) as server:
            server.wait_for("dnsserver-")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.connect(("127.0.0.1", port))
                for number in range(QUESTIONS):
                    client.send(dns.message.make_query(f"{number}.test", "A").to_wire())
                client.settimeout(1)
                rcodes = [
                    dns.message.from_wire(client.recv(512)).rcode() for _ in range(QUESTIONS - EXCHANGES)
                ]
                begun = time.monotonic()
                query = dns.message.make_query("a.here.test", "A")
                for _ in range(30):
                    assert (
                        dns.query.tcp(query, "127.0.0.1", port=port, timeout=2).rcode() == dns.rcode.NOERROR
                    )
                assert time.monotonic() - begun < 1
            assert set(rcodes) == {dns.rcode.SERVFAIL}
            assert server.stdout.count(FULL) == QUESTIONS - EXCHANGES
            assert "too many open files" not in server.stdout.lower()
