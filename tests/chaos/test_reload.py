"""Going over to another Corefile under load: nothing is lost, whatever is in the new one and whoever dies meanwhile."""

import contextlib
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import dns.exception
import dns.rcode
import pytest

from tests.chaos.cluster import ApiServer
from tests.chaos.load import Load, loading
from tests.chaos.server import STABLE, STABLE_AT, Served
from tests.chaos.test_stopping import HEALTH, LAMEDUCK_S, connecting
from tests.end_to_end.commands import get
from tests.support.process import ServerProcess, free_port, wait_until

REQUESTS = "coredns_dns_requests_total"
FAILED = "[ERROR] Restart failed: "
#: Reloads of one test under load.
RELOADS = 4
#: Reloads after which what is held is compared with what is held after all of them.
SETTLED, ALL = 5, int(os.environ.get("CHAOS_RELOADS", "15"))
#: Octets that a process may have more after the further reloads: what a memory allocator makes of the same.
GROWTH_MAX = 12 << 20

both = pytest.mark.parametrize("workers", [0, 2], ids=["one process", "several"])


@contextlib.contextmanager
def unharmed(api: ApiServer, server: Served) -> Iterator[Load]:
    """A load that is answered rightly and as a whole meanwhile."""
    load = Load(api.cluster, server.port)
    with loading(api.background, load):
        yield load
    assert load.udp.wrong + load.tcp.wrong == []
    assert load.udp.lost == load.udp.refused == load.tcp.lost == load.tcp.refused == 0, load
    assert load.udp.right > 0 < load.tcp.right


def named(name: str) -> str:
    """A block that tells one Corefile from another."""
    return f"}}\n{name}.test:PORT {{\nbind 127.0.0.1\nwhoami"


def served(server: Served, name: str) -> bool:
    with contextlib.suppress(dns.exception.Timeout):
        return server.ask(f"{name}.test").rcode() == dns.rcode.NOERROR
    return False


@both
def test_nothing_is_lost(workers: int, api: ApiServer, tmp_path: Path) -> None:
    """The block of the cluster stays as it is, or gets other settings by turns; probes find somebody at any time."""
    with Served(tmp_path, api.url, workers=workers) as server:
        server.up()
        with unharmed(api, server):
            for number in range(RELOADS):
                ttl = f"}}\nx{number}.test:PORT {{\nbind 127.0.0.1\nwhoami"
                server.change("loadbalance" if number % 2 else "any", ttl)
                server.send(signal.SIGUSR1)
                said = number + 1
                while server.stdout.count("Reloading complete") < said:
                    assert server.ready() == (200, "OK")
                    assert FAILED not in server.stdout, server.told()
                assert served(server, f"x{number}")
                assert not served(server, f"x{number - 1}")
        assert server.stop() == 0
        assert server.stderr == ""


@both
def test_reload_at_once_after_another(workers: int, api: ApiServer, tmp_path: Path) -> None:
    with Served(tmp_path, api.url, workers=workers) as server:
        server.up()
        with unharmed(api, server):
            for _ in range(10):
                server.send(signal.SIGUSR1)
                time.sleep(0.05)
            server.change(named("last"))
            server.send(signal.SIGUSR1)
            wait_until(lambda: served(server, "last"), server.told)
        assert server.stop() == 0
        assert FAILED not in server.stdout


@both
@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (("nonsense",), "Error during parsing: Unknown directive 'nonsense'"),
        (("health bla",), "plugin/health: address bla: "),
        (("import",), "Error during parsing: "),
        ((f"{named('x')}\nbind 192.0.2.99",), "listen tcp 192.0.2.99:"),
        ((f"{named('x')}\nhealth 192.0.2.99:8080",), "listen tcp 192.0.2.99:8080: bind: "),
    ],
    ids=["directive", "set-up", "form", "address", "http address"],
)
def test_broken_file(
    workers: int, lines: tuple[str, ...], reason: str, api: ApiServer, tmp_path: Path
) -> None:
    with Served(tmp_path, api.url, workers=workers) as server:
        server.up()
        with unharmed(api, server):
            server.change(*lines)
            server.reload(f"{FAILED}")
            line = next(text for text in server.stdout.splitlines() if text.startswith(FAILED))
            assert reason in line
            assert "[ERROR] SIGUSR1: " + line.removeprefix(FAILED) in server.stdout
            server.change(named("good"))
            server.reload()
            assert served(server, "good")
        assert server.stop() == 0
        assert server.stderr == ""


@both
def test_file_that_is_gone_or_empty(workers: int, api: ApiServer, tmp_path: Path) -> None:
    with Served(tmp_path, api.url, workers=workers) as server:
        server.up()
        for text in ("", None):
            if text is None:
                server._file.unlink()
            else:
                server._file.write_text(text)
            server.reload(FAILED)
            server.asked_until(STABLE, STABLE_AT)
        assert "has no server block" in server.stdout
        assert "no such file or directory" in server.stdout
        assert server.stop() == 0


@both
def test_plugin_reloads(workers: int, api: ApiServer, tmp_path: Path) -> None:
    with Served(tmp_path, api.url, workers=workers, lines=("reload 2s 0",)) as server:
        server.up()
        server.wait_for("[INFO] plugin/reload: Running configuration SHA512 = ")
        with unharmed(api, server):
            server.change("reload 2s 0", named("second"))
            wait_until(lambda: served(server, "second"), server.told)
            server.change("reload 2s 0", "nonsense")
            server.wait_for("[ERROR] plugin/reload: Corefile changed but reload failed: ")
            time.sleep(2.5)  # another look
            assert server.stdout.count("Corefile changed but reload failed") == 1
            assert server.metric("coredns_reload_failed_total") == 1
            assert server.metric("coredns_reload_version_info", hash="sha512") == 1
            server.change("reload 2s 0", named("third"))
            wait_until(lambda: served(server, "third"), server.told)
            assert not served(server, "second")
        wait_until(lambda: server.stdout.count("Running configuration SHA512 = ") == 3, server.told)
        assert server.metric("coredns_reload_failed_total") == 1
        assert server.stop() == 0


@both
def test_ports_that_come_and_go(workers: int, api: ApiServer, tmp_path: Path) -> None:
    dns_port, http_port = free_port(), free_port()
    more = named("more").replace("PORT", str(dns_port)) + f"\nhealth 127.0.0.1:{http_port}"
    with Served(tmp_path, api.url, workers=workers) as server:
        server.up()
        assert connecting(dns_port) == "refused"
        with unharmed(api, server):
            server.change(more)
            server.reload()
            assert connecting(dns_port) == "served"
            assert get(http_port, "/health") == (200, "OK")
            server.change()
            server.reload()
            assert connecting(dns_port) == "refused"
            assert get(http_port, "/health") == (0, "")
        assert server.stop() == 0


@both
def test_api_server_is_down(workers: int, api: ApiServer, tmp_path: Path) -> None:
    """What was known before the reload is served after it."""
    with Served(tmp_path, api.url, workers=workers) as server:
        server.up()
        server.asked_until(STABLE, STABLE_AT)
        api.stop()
        with unharmed(api, server):
            for number in range(2):
                server.change(named(f"x{number}"))
                server.reload()
        assert "no full list yet of anything; what was known before is served" in server.stdout
        assert server.stop() == 0
    api.start()


@both
def test_counters_go_on(workers: int, api: ApiServer, tmp_path: Path) -> None:
    asked = 0
    with Served(tmp_path, api.url, workers=workers) as server:
        server.up()
        for number in range(4):
            for _ in range(10):
                server.ask(STABLE)
            asked += 10
            counted(server, asked)
            assert server.metric("coredns_plugin_enabled", name="loadbalance") == (1 if number % 2 else None)
            server.change(*(() if number % 2 else ("loadbalance",)))
            server.reload()
            assert (server.metric(REQUESTS) or 0) >= asked, "a counter went down"
        assert server.stop() == 0


def counted(server: Served, asked: int) -> None:
    wait_until(lambda: server.metric(REQUESTS) == asked, lambda: f"{server.metric(REQUESTS)}, not {asked}", 3)


def test_number_of_workers(api: ApiServer, tmp_path: Path) -> None:
    """By multisocket, where the command line leaves it open."""
    with Served(tmp_path, api.url, workers="auto", lines=("multisocket 3",)) as server:
        server.up()
        assert len(server.workers()) == 3
        with unharmed(api, server):
            for number in (1, 4):
                server.change(f"multisocket {number}")
                server.reload()
                assert len(server.workers()) == number
                assert server.metric("dnsserver_workers") == number
        assert server.stop() == 0


def decided(server: Served, number: int) -> None:
    """Wait until the server has said of so many reloads what became of them."""
    wait_until(
        lambda: server.stdout.count("Reloading complete") + server.stdout.count(FAILED) == number, server.told
    )


def test_children_killed(api: ApiServer, tmp_path: Path, seconds: float) -> None:
    """New ones and old ones, at any moment of a reload: one of the two Corefiles is served."""
    chance, number = random.Random(5), 0
    with Served(tmp_path, api.url, lines=(named("x0"),)) as server:
        server.up()
        load = Load(api.cluster, server.port)
        with loading(api.background, load):
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                number += 1
                server.change(named(f"x{number}"))
                server.send(signal.SIGUSR1)
                time.sleep(chance.random() * 0.5)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(chance.choice(server.children()), signal.SIGKILL)
                decided(server, number)
                answers = [served(server, f"x{each}") for each in range(number + 1)]
                assert answers.count(True) == 1, answers
        server.reload()
        assert served(server, f"x{number}")
        assert load.udp.wrong + load.tcp.wrong == []
        assert load.udp.refused == load.tcp.refused == 0, load
        assert server.stop() == 0
        assert server.stderr == ""


@both
def test_stop_during_a_reload(workers: int, api: ApiServer, tmp_path: Path) -> None:
    for pause_s in (0.0, 0.1, 0.2, 0.3):
        with Served(tmp_path, api.url, workers=workers, lines=(HEALTH,)) as server:
            server.up()
            load = Load(api.cluster, server.port)
            with loading(api.background, load):
                server.change(HEALTH, named("x"))
                server.send(signal.SIGUSR1)
                time.sleep(pause_s)
                server.send(signal.SIGTERM)
                time.sleep(LAMEDUCK_S / 2)
                assert load.udp.refused == load.tcp.refused == 0, "refused in the lameduck time"
                assert server.end() == 0
            assert load.udp.wrong + load.tcp.wrong == []
            assert load.udp.lost == load.tcp.lost == 0, load
            assert FAILED not in server.stdout
            assert server.stderr == ""


def test_next_start_finds_the_state(api: ApiServer, tmp_path: Path) -> None:
    """On whichever side of the store it is."""
    state = tmp_path / "state"
    for reloads in (1, 2):
        with Served(tmp_path, api.url, state=state) as server:
            server.up()
            server.asked_until(STABLE, STABLE_AT)
            for _ in range(reloads):
                server.reload()
            assert len(list(state.glob("cluster-*"))) == 1
            assert server.stop() == 0
        api.stop()
        with Served(tmp_path, api.url, state=state) as server:
            server.up()
            assert server.asked_until(STABLE, STABLE_AT) < 1
            assert server.stop() == 0
        api.start()


@both
def test_nothing_is_left_behind(workers: int, api: ApiServer, tmp_path: Path) -> None:
    """By many reloads: neither files nor memory nor threads."""
    with Served(tmp_path, api.url, workers=workers, lines=(HEALTH,)) as server:
        server.up()
        found = {}
        for number in range(1, ALL + 1):
            server.change(HEALTH, named(f"x{number}"))
            server.reload()
            if number in (SETTLED, ALL):
                server.ask(STABLE)
                found[number] = held(server.process.pid)
        files, threads, memory = found[SETTLED]
        assert found[ALL][0] <= files + 2
        assert found[ALL][1] <= threads + 2
        assert found[ALL][2] <= memory + GROWTH_MAX, f"{(found[ALL][2] - memory) >> 10} KiB more"
        assert server.stop() == 0


def held(pid: int) -> tuple[int, int, int]:
    """Open files, threads, and octets of memory (proc(5))."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return files, int(status["Threads"]), int(status["RssAnon"].split()[0]) << 10


def test_reload_of_manifests(tmp_path: Path) -> None:
    """`serve` has no Corefile, and goes over to itself."""
    (tmp_path / "web.yaml").write_text(
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {clusterIP: 10.9.0.80, ports: [{port: 80}]}\n"
    )
    port = free_port()
    with ServerProcess("serve", tmp_path, "--port", str(port), cwd=tmp_path) as server:
        server.wait_for("Stop with Ctrl-C")
        server.send(signal.SIGUSR1)
        server.wait_for("[INFO] Reloading complete")
        assert server.stop() == 0
        assert server.stderr == ""
