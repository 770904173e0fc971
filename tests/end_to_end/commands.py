"""Running the program as a user does: commands that end, and servers that run until they are told to stop."""

import contextlib
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dns.message
import dns.query
import dns.rcode

from tests.support.process import (
    REPOSITORY,
    ServerProcess,
    command_line,
    environment,
)
from tests.support.tools import run

DEMO = REPOSITORY / "zones" / "demo"

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: 10.9.0.80, ports: [{name: http, port: 80}]}
"""


def whoami(port: int, *lines: str, host: str = "127.0.0.1") -> str:
    """A Corefile that starts anywhere and answers everything."""
    return "\n".join((f".:{port} {{", f"bind {host}", "whoami", *lines, "}", ""))


@dataclass(frozen=True, slots=True)
class Done:
    """A command that ended by itself."""

    returncode: int
    stdout: str
    stderr: str


Finish = Callable[..., Done]


def finish(*arguments: str | Path, cwd: Path, text: str = "") -> Done:
    """Run a command that ends by itself as a process."""
    done = run(command_line(arguments), cwd=cwd, env=environment(), text=text)
    return Done(done.returncode, done.stdout, done.stderr)


def answers(port: int, host: str = "127.0.0.1", name: str = "example.org") -> bool:
    """Whether a question by UDP gets an answer."""
    query = dns.message.make_query(name, "A")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(2)
        sock.connect((host, port))  # so that a closed port is an error, not silence
        try:
            sock.send(query.to_wire())
            reply = dns.message.from_wire(sock.recv(65_535))
        except OSError:
            return False
    return reply.id == query.id and reply.rcode() == dns.rcode.NOERROR


def get(port: int, path: str) -> tuple[int, str]:
    """Status and body; 0 when nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


@contextlib.contextmanager
def started(
    *arguments: str | Path, cwd: Path, stdin: str = "", until: str = "dnsserver-"
) -> Iterator[ServerProcess]:
    with ServerProcess(*arguments, cwd=cwd, stdin=stdin) as server:
        server.wait_for(until)
        yield server


@contextlib.contextmanager
def running(folder: Path, text: str, *flags: str) -> Iterator[ServerProcess]:
    """A server with *text* as its Corefile."""
    (folder / "Corefile").write_text(text)
    with started(*flags, cwd=folder) as server:
        yield server
