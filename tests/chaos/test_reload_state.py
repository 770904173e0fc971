"""Going over to another Corefile, where plugins hold state: files, caches, upstreams, the cluster itself."""

import os
import signal
import time
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import pytest

from tests.chaos.cluster import ZONE, ApiServer
from tests.chaos.server import STABLE, STABLE_AT, STARTED, Served
from tests.chaos.test_reload import FAILED, both, held, named, unharmed
from tests.support.process import ServerProcess, free_port, wait_until

COMPLETE = "Reloading complete"
#: Reloads after which what is held is compared with what is held after all of them.
SETTLED, ALL = 8, 24
#: Octets that the processes may have more after the further reloads.
GROWTH_MAX = 16 << 20
ZONE_FILE = """\
example.org. 60 SOA ns.example.org. h.example.org. {serial} 7200 3600 1209600 60
www.example.org. 60 A {at}
"""


def stateful(upstream: int) -> str:
    """Lines of a block in which every plugin keeps something."""
    return "\n".join(
        (
            "loadbalance weighted weights",
            "log . {\nclass error\n}",
            "cache 30 {\nprefetch 1 1h\nserve_stale 1h\n}",
            "rewrite name exact old.example.org www.example.org answer auto",
            'template IN A tmpl.test {\nanswer "{{ .Name }} 60 IN A 192.0.2.9"\n}',
            "hosts hosts {\nreload 50ms\nfallthrough\n}",
            "acl {\nblock net 192.0.2.0/24\n}",
            "file zone example.org {\nreload 1s\n}",
            f"forward . 127.0.0.1:{upstream} {{\nhealth_check 100ms\nmax_concurrent 100\n}}",
        )
    )


def write_files(folder: Path, number: int) -> None:
    (folder / "weights").write_text("www.example.org\n192.0.2.1 5\n")
    (folder / "hosts").write_text(f"192.0.2.{number % 200 + 1} host.test\n")
    (folder / "zone").write_text(ZONE_FILE.format(serial=number, at=f"198.51.100.{number % 200 + 1}"))


@both
def test_plugins_with_state(workers: int, api: ApiServer, tmp_path: Path) -> None:
    """Nothing is lost, nothing is left behind, and what the files say now is what is answered."""
    upstream_file = tmp_path / "Upstream"
    upstream_port = free_port()
    upstream_file.write_text(f".:{upstream_port} {{\nbind 127.0.0.1\nwhoami\n}}\n")
    write_files(tmp_path, 0)
    lines = stateful(upstream_port)
    with (
        ServerProcess("-conf", upstream_file, "--workers", "0") as other,
        Served(tmp_path, api.url, workers=workers, lines=(lines,)) as server,
    ):
        other.wait_for(STARTED)
        server.up()
        found = {}
        with unharmed(api, server):
            for number in range(1, ALL + 1):
                write_files(tmp_path, number)
                server.change(lines, named(f"x{number}"))
                server.reload()
                server.asked_until("host.test", (f"192.0.2.{number % 200 + 1}",))
                at = (f"198.51.100.{number % 200 + 1}",)
                assert server.asked_until("www.example.org", at) < 1
                assert server.asked_until("old.example.org", at) < 1
                assert server.ask(f"n{number}.else.test").rcode() == dns.rcode.NOERROR
                if number in (SETTLED, ALL):
                    found[number] = [held(pid) for pid in (server.process.pid, *server.children())]
        files, threads, memory = (sum(each) for each in zip(*found[SETTLED], strict=True))
        more = [sum(each) for each in zip(*found[ALL], strict=True)]
        assert more[0] <= files + 8, "open files"
        assert more[1] <= threads + 4, "threads"
        assert more[2] <= memory + GROWTH_MAX, f"{(more[2] - memory) >> 10} KiB more"
        assert server.stop() == 0
        assert FAILED not in server.stdout
        assert server.stderr == ""


@both
def test_options_of_the_cluster_that_change(workers: int, api: ApiServer, tmp_path: Path) -> None:
    """The state of the server before is not served by other rules than the new ones."""

    def block(option: str) -> str:
        return (
            f".:PORT {{\nbind 127.0.0.1\nerrors\nprometheus 127.0.0.1:HTTP\nready 127.0.0.1:HTTP\n"
            f"kubernetes {ZONE} {{\nendpoint {api.url}\n{option}\n}}\n}}\n"
        )

    with Served(tmp_path, workers=workers, blocks=block("")) as server:
        server.up()
        server.asked_until(STABLE, STABLE_AT)
        for option, answer in (
            ("namespaces other", "NXDOMAIN"),
            ("ttl 7", STABLE_AT),
            ("labels nothing=here", None),
            ("namespace_labels nothing=here", "NXDOMAIN"),
            ("noendpoints", STABLE_AT),
            ("", STABLE_AT),
        ):
            server.change(blocks=block(option))
            server.reload()
            if answer is not None:
                shown = [server.addresses(STABLE) for _ in range(20)]
                assert set(shown) == {answer}, option
            if option.startswith("ttl"):
                assert server.ask(STABLE).answer[0].ttl == 7
        assert server.stop() == 0


def swap(folder: Path, name: str, text: str) -> None:
    """What the kubelet does with the volume of a ConfigMap: a new folder, and one link that is renamed."""
    (folder / name).mkdir()
    (folder / name / "Corefile").write_text(text)
    (folder / "..data_tmp").symlink_to(name)
    (folder / "..data_tmp").rename(folder / "..data")


def _wait_for_reload(server: ServerProcess, before: int) -> None:
    """Another one than the *before*."""
    wait_until(lambda: server.stdout.count(COMPLETE) > before, server.told)


@both
def test_volume_of_a_configmap(workers: int, tmp_path: Path) -> None:
    folder, port = tmp_path / "config", free_port()
    folder.mkdir()

    def text(zone: str) -> str:
        return f"{zone}.test:{port} {{\nbind 127.0.0.1\nreload 2s 0\nwhoami\n}}\n"

    swap(folder, "..1", text("one"))
    (folder / "Corefile").symlink_to("..data/Corefile")
    with ServerProcess("-conf", folder / "Corefile", "--workers", str(workers)) as server:
        server.wait_for(STARTED)
        for name in ("two", "three"):
            before = server.stdout.count(COMPLETE)
            swap(folder, f"..{name}", text(name))
            _wait_for_reload(server, before)
        query = dns.message.make_query("three.test", "A")
        assert dns.query.udp(query, "127.0.0.1", port=port, timeout=5).rcode() == dns.rcode.NOERROR
        assert server.stop() == 0
        assert server.stderr == ""


@pytest.mark.parametrize("pause_s", [0.0, 0.15, 0.3])
def test_reload_while_the_control_process_is_replaced(pause_s: float, api: ApiServer, tmp_path: Path) -> None:
    with Served(tmp_path, api.url) as server:
        server.up()
        server.asked_until(STABLE, STABLE_AT)
        with unharmed(api, server):
            os.kill(server.control(), signal.SIGKILL)
            server.change(named("x"))
            time.sleep(pause_s)
            server.reload()
            server.asked_until(STABLE, STABLE_AT)
        assert server.stop() == 0
