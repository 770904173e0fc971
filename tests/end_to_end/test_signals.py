"""Signals: to a server that runs, and to one that waits for its API server (coredns-compat.md, section 5.2)."""

import signal
import socket
import time
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import pytest

from tests.end_to_end.commands import answers, finish, get, running, whoami
from tests.support.process import (
    ServerProcess,
    free_port,
)

both = pytest.mark.parametrize("workers", ["0", "2"], ids=["one process", "several"])


@both
@pytest.mark.parametrize(
    ("number", "said"),
    [
        (signal.SIGTERM, "[INFO] SIGTERM: Shutting down servers then terminating"),
        (signal.SIGINT, "[INFO] SIGINT: Shutting down"),
        (signal.SIGQUIT, ""),
    ],
    ids=["SIGTERM", "SIGINT", "SIGQUIT"],
)
def test_signal_that_ends(number: signal.Signals, said: str, workers: str, tmp_path: Path, port: int) -> None:
    with running(tmp_path, whoami(port), "--workers", workers) as server:
        assert server.stop(number) == 0
        assert said in server.stdout.splitlines() or not said
        assert server.stderr == ""


@both
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1], ids=["SIGHUP", "SIGUSR1"])
def test_signal_that_does_not_end(number: signal.Signals, workers: str, tmp_path: Path, port: int) -> None:
    with running(tmp_path, whoami(port), "--workers", workers) as server:
        server.send(number)
        if number == signal.SIGUSR1:
            server.wait_for("[INFO] Reloading complete")
        for _ in range(5):
            assert answers(port)
            time.sleep(0.02)
        assert server.process.poll() is None
        assert server.stop() == 0
        assert server.stderr == ""


@both
def test_reload_that_wants_the_admin_port(workers: str, tmp_path: Path, port: int) -> None:
    """It fails, says why and what to do, and the server goes on."""
    admin = free_port()
    with running(tmp_path, whoami(port), "--workers", workers, "--admin", f"127.0.0.1:{admin}") as server:
        (tmp_path / "Corefile").write_text(whoami(port, f"health 127.0.0.1:{admin}"))
        server.send(signal.SIGUSR1)
        server.wait_for(f"Port {admin} is that of this server's admin endpoint")
        assert answers(port)
        assert server.stop() == 0


@both
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_lameduck(number: signal.Signals, workers: str, tmp_path: Path, port: int) -> None:
    """Unready at once; healthy, measured and answering for the time asked for, then a good end."""
    health, ready, metrics = free_port(), free_port(), free_port()
    lines = (
        f"health 127.0.0.1:{health} {{\nlameduck 800ms\n}}",
        f"ready 127.0.0.1:{ready}",
        f"prometheus 127.0.0.1:{metrics}",
    )
    with running(tmp_path, whoami(port, *lines), "--workers", workers) as server:
        assert get(health, "/health") == (200, "OK")
        assert get(ready, "/ready") == (200, "OK")
        begun = time.monotonic()
        server.send(number)
        server.wait_for("[INFO] plugin/health: Going into lameduck mode for ")
        assert get(ready, "/ready") == (0, ""), "the listener must be closed"
        while time.monotonic() - begun < 0.6:
            assert answers(port)
            assert get(health, "/health") == (200, "OK")
            assert get(metrics, "/metrics")[0] == 200
            time.sleep(0.05)
        assert server.end() == 0
        assert time.monotonic() - begun >= 0.8
        assert not answers(port)
        assert server.stderr == ""


@both
@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_interrupt_while_stopping_is_exit_2(
    first: signal.Signals, workers: str, tmp_path: Path, port: int
) -> None:
    lines = f"health 127.0.0.1:{free_port()} {{\nlameduck 1h\n}}"
    with running(tmp_path, whoami(port, lines), "--workers", workers) as server:
        server.send(first)
        server.wait_for("lameduck")
        assert answers(port)
        assert server.stop(signal.SIGINT) == 2
        assert server.stderr == ""


@both
def test_quit_does_not_wait_for_lameduck(workers: str, tmp_path: Path, port: int) -> None:
    lines = f"health 127.0.0.1:{free_port()} {{\nlameduck 1h\n}}"
    with running(tmp_path, whoami(port, lines), "--workers", workers) as server:
        server.send(signal.SIGTERM)
        server.wait_for("lameduck")
        assert server.stop(signal.SIGQUIT) == 0
        assert server.stderr == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_signal_while_waiting_for_the_api_server(number: signal.Signals, tmp_path: Path, port: int) -> None:
    """An API server that takes connections and says nothing must not keep the process."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        block = f"kubernetes cluster.local {{\nendpoint {url}\nstartup_timeout 1h\n}}"
        (tmp_path / "Corefile").write_text(f".:{port} {{\nbind 127.0.0.1\n{block}\n}}\n")
        with ServerProcess(cwd=tmp_path) as server:
            server.wait_for("[INFO] plugin/kubernetes: waiting for Kubernetes API before starting server")
            begun = time.monotonic()
            assert server.stop(number) == 0
            assert time.monotonic() - begun < 3
            assert "dnsserver-" not in server.stdout, "a banner without a start"
            assert server.stderr == ""


def test_start_does_not_wait_for_ever_for_the_api_server(tmp_path: Path, port: int) -> None:
    ready = free_port()
    nobody = free_port()
    block = f"kubernetes cluster.local {{\nendpoint http://127.0.0.1:{nobody}\nstartup_timeout 100ms\n}}"
    text = f".:{port} {{\nbind 127.0.0.1\nready 127.0.0.1:{ready}\n{block}\n}}\n"
    with running(tmp_path, text) as server:
        assert "[WARNING] plugin/kubernetes: starting server with unsynced Kubernetes API" in server.stdout
        assert get(ready, "/ready") == (503, "kubernetes")
        reply = dns.query.udp(
            dns.message.make_query("web.default.svc.cluster.local", "A"), "127.0.0.1", timeout=2, port=port
        )
        assert reply.rcode() == dns.rcode.SERVFAIL
        assert server.stop() == 0
        assert server.stderr == ""


def test_source_that_cannot_work_ends_the_start(tmp_path: Path, port: int) -> None:
    block = "kubernetes cluster.local {\nkubeconfig none/config\n}"
    (tmp_path / "Corefile").write_text(f".:{port} {{\nbind 127.0.0.1\n{block}\n}}\n")
    done = finish(cwd=tmp_path)
    assert done.returncode == 1
    assert "plugin/kubernetes: kubeconfig " in done.stderr
    assert "none/config: cannot be read: No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr
