"""`dnsserver compare` as an operator runs it: two servers of ours, one of them with other manifests."""

import asyncio
import json
import os
import pty
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from dnsserver.testing.kube_api import KubeApi, service
from tests.end_to_end.commands import DEMO, Done, finish, started
from tests.support.process import REPOSITORY, command_line, environment, free_port
from tests.support.upstream import closed_port

NGINX = "nginx.default.svc.cluster.local."
QUICK = ("--pause", "10ms", "--timeout", "1s")


def copied(folder: Path) -> Path:
    """The demo's manifests, in a folder of one's own."""
    folder.mkdir()
    for path in DEMO.glob("*.yaml"):
        (folder / path.name).write_text(path.read_text())
    return folder


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Addresses: `demo`, `same`, and `changed`, where a Service has another address."""
    folder = tmp_path_factory.mktemp("servers")
    changed = copied(folder / "changed")
    nginx = changed / "nginx.yaml"
    nginx.write_text(nginx.read_text().replace("10.8.5.220", "10.8.5.221"))
    assert nginx.read_text() != (DEMO / "nginx.yaml").read_text()
    addresses = {}
    with ExitStack() as stack:
        for name, manifests in (("demo", DEMO), ("same", copied(folder / "same")), ("changed", changed)):
            port = free_port()
            words = ("serve", manifests, "--port", str(port))
            stack.enter_context(started(*words, cwd=folder, until="Stop with"))
            addresses[name] = f"127.0.0.1:{port}"
        yield addresses


def compared(old: str, new: str, *more: str | Path, text: str = "") -> Done:
    return finish("compare", "--old", old, "--new", new, *QUICK, *more, cwd=REPOSITORY, text=text)


def test_servers_with_the_same_manifests_are_alike(servers: dict[str, str]) -> None:
    done = compared(servers["demo"], servers["same"], "--names", "manifests", DEMO)
    assert (done.returncode, done.stderr) == (0, "")
    first, *counts = done.stdout.splitlines()
    asked = first.split()[0]
    assert first == f"{asked} questions to {servers['demo']} (old) and {servers['same']} (new)"
    assert int(asked) > 200
    assert [line.split(maxsplit=1) for line in counts] == [[asked, "equal"]]


def test_a_service_with_another_address(servers: dict[str, str]) -> None:
    done = compared(servers["demo"], servers["changed"], "--names", "manifests", DEMO, "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["different"] == {"answer": 2, "rcode": 1}
    assert found["equal"] + 3 == found["asked"]
    named = {one["name"]: one for one in found["differences"]}
    assert set(named) == {NGINX, f"_http._tcp.{NGINX}", "220.5.8.10.in-addr.arpa."}
    assert named[NGINX]["type"] == "A"
    assert named[NGINX]["old"] == "NOERROR: A 10.8.5.220"
    assert named[NGINX]["new"] == "NOERROR: A 10.8.5.221"


def test_the_same_for_people(servers: dict[str, str]) -> None:
    done = compared(servers["demo"], servers["changed"], "--names", "manifests", DEMO, "--show", "0")
    assert done.returncode == 1
    assert "        2  different: answer\n" in done.stdout
    assert done.stdout.endswith("\nanswer:\n  and 2 more (--show 2)\n")


def test_what_is_ignored_does_not_fail(servers: dict[str, str]) -> None:
    ignoring = ("--ignore", "answer", "--ignore", "rcode")
    done = compared(servers["demo"], servers["changed"], "--names", "manifests", DEMO, *ignoring)
    assert done.returncode == 0, done.stdout
    assert "        2  ignored: answer\n" in done.stdout


def test_names_of_a_file_and_of_a_log(servers: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "names").write_text(f"{NGINX} A\n{NGINX} AAAA\n")
    done = compared(servers["demo"], servers["changed"], "--names", tmp_path / "names")
    assert (done.returncode, done.stdout.splitlines()[0][:11]) == (1, "2 questions")
    line = f'[INFO] 127.0.0.1:1 - 2 "A IN {NGINX} udp 60 false 1232" NOERROR qr,aa,rd 80 0.0001s\n'
    done = compared(servers["demo"], servers["changed"], "--names", "log", "-", text=line * 3)
    assert (done.returncode, done.stdout.splitlines()[0][:13]) == (1, "1 question to")


def test_a_log_with_octets_that_are_no_text_is_read_from_standard_input(servers: dict[str, str]) -> None:
    line = f'[INFO] 10.0.0.7:5 - 9 "A IN {NGINX} udp 60 false 1232" NOERROR qr 80 0.1s\n'.encode()
    words = ("compare", "--old", servers["demo"], "--new", servers["same"], "--names", "log", "-")
    done = subprocess.run(
        command_line(words),
        cwd=REPOSITORY,
        env=environment(),
        input=b"\xff\x00" * 100_000 + b"\n" + line,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"1 question to ")


def test_our_own_log_gives_names(tmp_path: Path) -> None:
    port = free_port()
    with started("serve", DEMO, "--port", str(port), "--log", cwd=tmp_path, until="Stop with") as server:
        address = f"127.0.0.1:{port}"
        (tmp_path / "names").write_text(f"{NGINX} A\n{NGINX} AAAA\n")
        compared(address, address, "--names", tmp_path / "names")
        done = compared(address, address, "--names", "log", "-", text=server.stdout)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1] == "        3  equal"  # the two, and the zone's SOA of the greeting


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--names", "gone"), 1, "dnsserver compare: gone: No such file or directory"),
        (("--names", "-"), 1, "dnsserver compare: --names -: no questions there"),
        (("--names", "log"), 2, "--names manifests and --names log need a PATH, others take none"),
        (("--names", "manifests", "gone"), 1, "gone: no such file or folder: correct the path"),
        (("--qps", "0"), 2, "argument --qps: 0 is no number above 0"),
        (("--concurrency", "3000000"), 2, "argument --concurrency: 3000000 is more than 400"),
        (("--timeout", "0s"), 2, "argument --timeout: 0s is no time to wait for a reply"),
        (("--ignore", "nope"), 2, "argument --ignore: invalid"),
        (("--zone", "a..b"), 2, "has an empty label"),
        (("--kubeconfig", "gone"), 1, "kubeconfig gone: cannot be read: No such file or directory"),
    ],
)
def test_wrong_use(words: tuple[str, ...], code: int, told: str, servers: dict[str, str]) -> None:
    done = compared(servers["demo"], servers["same"], *words)
    assert (done.returncode, told in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr


def test_addresses_are_ip_addresses() -> None:
    done = compared("kube-dns", "10.0.0.1:66000")
    assert done.returncode == 2
    assert "argument --old: kube-dns is no IP address, with or without :PORT" in done.stderr


def test_a_server_that_is_not_there(servers: dict[str, str]) -> None:
    gone = f"127.0.0.1:{closed_port()}"
    done = compared(servers["demo"], gone, "--names", "manifests", DEMO)
    assert done.returncode == 1
    assert f"dnsserver compare: {gone} does not answer: " in done.stderr
    assert "connection refused" in done.stderr


async def test_names_of_the_cluster_by_list_alone(servers: dict[str, str], tmp_path: Path) -> None:
    async with KubeApi() as api:
        api.namespace("default")
        api.add(service("nginx", "10.8.5.220"))
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(json.dumps(api.kubeconfig()))
        done = await asyncio.to_thread(
            compared, servers["demo"], servers["changed"], "--kubeconfig", kubeconfig, "--json"
        )
        asked = api.asked()
    assert {one["name"] for one in json.loads(done.stdout)["differences"]} >= {NGINX}
    assert [(one.verb, one.resource) for one in asked] == [
        ("list", "services"),
        ("list", "endpointslices"),
        ("list", "namespaces"),
    ]


def test_progress_on_a_terminal(servers: dict[str, str], tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    words = ("compare", "--old", servers["demo"], "--new", servers["same"], "--names", "manifests", str(DEMO))
    done = subprocess.run(
        command_line(words),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=theirs,
        check=False,
    )
    os.close(theirs)
    shown = os.read(ours, 65_536).decode()
    os.close(ours)
    assert done.returncode == 0
    assert "\r\x1b[Kround 1: 50 of " in shown
    assert shown.endswith("\r\x1b[K")
    assert b"round" not in done.stdout
