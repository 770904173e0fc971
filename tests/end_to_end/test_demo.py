"""The scenes of zones/, served by a real process and asked by the programs that people have."""

import contextlib
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end.clients import CLIENTS, Client, Told
from tests.end_to_end.walkthrough import Example, examples, perform, seen
from tests.support.process import REPOSITORY, ServerProcess, free_port, wait_until

ZONES = REPOSITORY / "zones"
PAGE = (ZONES / "README.md").read_text()
EXAMPLES = tuple(examples(PAGE))
SCENES = ("demo", "statefulset")
#: Seconds are measured.
pytestmark = pytest.mark.alone

#: Seconds. Until a change on disk is served (plugins/kubernetes/README.md).
FOLLOWS_S = 1.0

DIG = Client("dig", tcp=False)


@dataclass(frozen=True, slots=True)
class Scene:
    """A copy of zones/, one scene of which is served on `port`."""

    name: str
    folder: Path
    port: int
    server: ServerProcess

    def data(self, name: str, rtype: str = "A") -> tuple[str, ...]:
        return DIG.ask(self.port, f"{name}.svc.cluster.local", rtype).data

    def edit(self, file: str, old: str, new: str) -> float:
        """Change a manifest; the time of that."""
        path = self.folder / "zones" / self.name / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        return time.monotonic()

    def follows(self, since: float, name: str, data: tuple[str, ...], rtype: str = "A") -> None:
        """The answer is *data* within a second."""
        wait_until(lambda: self.data(name, rtype) == data, self.server.told, 5)
        assert time.monotonic() - since < FOLLOWS_S, self.server.told()


@contextlib.contextmanager
def by_corefile(name: str, folder: Path) -> Iterator[Scene]:
    """The scene as the page starts it, but for the port."""
    shutil.copytree(ZONES, folder / "zones")
    port = free_port()
    corefile = folder / "zones" / name / "Corefile"
    corefile.write_text(corefile.read_text().replace(":1053 ", f":{port} "))
    with ServerProcess("-conf", f"zones/{name}/Corefile", cwd=folder) as server:
        server.wait_for("dnsserver-")
        yield Scene(name, folder, port, server)
        assert server.stop() == 0, server.told()
        assert server.stderr == ""


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Scene]]:
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(by_corefile(name, tmp_path_factory.mktemp(name))) for name in SCENES}


@pytest.fixture
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    """A scene of the test's own, which it may change."""
    with by_corefile(request.param, tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Of the demo, served as `make demo` does, but for the port."""
    number = free_port()
    with ServerProcess("serve", "zones/demo", "--port", str(number), cwd=REPOSITORY) as server:
        server.wait_for("Stop with Ctrl-C.")
        yield number
        assert server.stop() == 0, server.told()
        assert server.stderr == ""


# The page.


@pytest.mark.tool("dig", "sed")
@pytest.mark.parametrize("example", [item for item in EXAMPLES if item.questions], ids=str)
def test_page(example: Example, scenes: dict[str, Scene]) -> None:
    scene = scenes[example.scene]
    begun = time.monotonic()
    printed = perform(example, scene.folder, scene.port)
    if example.expected is None:
        return
    while seen(printed) != seen(example.expected) and time.monotonic() - begun < FOLLOWS_S:
        printed = perform(example, scene.folder, scene.port)
    assert seen(printed) == seen(example.expected)


def test_page_shows_answers_of_both_scenes() -> None:
    shown = [item.scene for item in EXAMPLES if item.expected]
    assert shown.count("demo") >= 10
    assert shown.count("statefulset") >= 3
    assert all(seen(item.expected)[1] for item in EXAMPLES if item.expected), "an answer without a record"


def test_page_shows_the_way_of_a_foreign_name(scenes: dict[str, Scene]) -> None:
    rows = re.findall(r"^\| `(www\.example\.com\S*)` \| .*?\b(NXDOMAIN|SERVFAIL)\b", PAGE, re.MULTILINE)
    assert len(rows) == 4
    told = [(name, DIG.ask(scenes["demo"].port, name, "A").status) for name, _ in rows]
    assert told == rows


# All clients, both transports.

SVC = "svc.cluster.local"
QUESTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (f"nginx.default.{SVC}", "A", ("10.8.5.220",)),
    (f"nodeport-demo.default.{SVC}", "A", ("10.8.0.16",)),
    (f"kube-dns.kube-system.{SVC}", "A", ("10.8.0.10",)),
    (f"headless-demo.default.{SVC}", "A", ("10.4.1.32", "10.4.2.41", "10.4.3.101")),
    (f"10-4-2-41.headless-demo.default.{SVC}", "A", ("10.4.2.41",)),
    (f"_http._tcp.nginx.default.{SVC}", "SRV", (f"0 100 8080 nginx.default.{SVC}.",)),
    (
        f"_http._tcp.headless-demo.default.{SVC}",
        "SRV",
        tuple(
            f"0 33 8080 {ip}.headless-demo.default.{SVC}." for ip in ("10-4-1-32", "10-4-2-41", "10-4-3-101")
        ),
    ),
    (f"docs.default.{SVC}", "CNAME", ("kubernetes.io.",)),
    (f"primary.database.default.{SVC}", "A", ("192.0.2.10",)),
    (f"dual.default.{SVC}", "AAAA", ("fd00:10:8::646",)),
    ("220.5.8.10.in-addr.arpa", "PTR", (f"nginx.default.{SVC}.",)),
    ("10-4-1-32.default.pod.cluster.local", "A", ("10.4.1.32",)),
    ("dns-version.cluster.local", "TXT", ('"1.1.0"',)),
)


@pytest.mark.tool("dig", "kdig", "nslookup")
@pytest.mark.parametrize("client", CLIENTS, ids=str)
@pytest.mark.parametrize(
    ("name", "rtype", "data"), QUESTIONS, ids=[f"{name}-{kind}" for name, kind, _ in QUESTIONS]
)
def test_answer(client: Client, name: str, rtype: str, data: tuple[str, ...], port: int) -> None:
    assert client.ask(port, name, rtype) == Told("NOERROR", data, "127.0.0.1")


@pytest.mark.tool("dig", "kdig", "nslookup")
@pytest.mark.parametrize("client", CLIENTS, ids=str)
@pytest.mark.parametrize(
    ("name", "rtype", "status"),
    [
        (f"nothing.default.{SVC}", "A", "NXDOMAIN"),
        (f"nginx.default.{SVC}", "AAAA", "NOERROR"),
        (f"default.{SVC}", "A", "NOERROR"),
        ("www.example.com", "A", "NXDOMAIN"),
    ],
)
def test_no_answer(client: Client, name: str, rtype: str, status: str, port: int) -> None:
    assert client.ask(port, name, rtype) == Told(status, (), "127.0.0.1")


# Changes.


@pytest.mark.parametrize("scene", ["statefulset"], indirect=True)
def test_name_follows_the_pod(scene: Scene) -> None:
    name, service = "hello-kubernetes-0.headless-demo.default", "headless-demo.default"
    assert scene.data(name) == ("10.4.2.44",)
    since = scene.edit("pod-addresses.yaml", "10.4.2.44", "10.4.2.45")
    scene.follows(since, name, ("10.4.2.45",))
    assert scene.data(service) == ("10.4.1.35", "10.4.2.45", "10.4.3.104")
    reverse = DIG.ask(scene.port, "45.2.4.10.in-addr.arpa", "PTR")
    assert reverse.data == (f"{name}.svc.cluster.local.",)
    assert DIG.ask(scene.port, "44.2.4.10.in-addr.arpa", "PTR").data == ()
    since = scene.edit("pod-addresses.yaml", "10.4.2.45", "10.4.2.44")
    scene.follows(since, name, ("10.4.2.44",))


def fourth_pod(scene: Scene) -> float:
    path = scene.folder / "zones/demo/headless.yaml"
    last = path.read_text().rpartition("---\n")[2]
    path.write_text(
        path.read_text() + "---\n" + last.replace("c6bdl", "zzzzz").replace("10.4.3.101", "10.4.3.102")
    )
    return time.monotonic()


def other_address(scene: Scene) -> float:
    return scene.edit("nginx.yaml", "clusterIP: 10.8.5.220", "clusterIP: 10.8.5.221")


@pytest.mark.parametrize("scene", ["demo"], indirect=True)
@pytest.mark.parametrize(
    ("change", "name", "data"),
    [
        (other_address, "nginx.default", ("10.8.5.221",)),
        (fourth_pod, "headless-demo.default", ("10.4.1.32", "10.4.2.41", "10.4.3.101", "10.4.3.102")),
    ],
)
def test_changes_that_the_page_suggests(
    scene: Scene, change: Callable[[Scene], float], name: str, data: tuple[str, ...]
) -> None:
    scene.follows(change(scene), name, data)


@pytest.mark.parametrize("scene", ["demo"], indirect=True)
def test_mistake_is_told_and_the_last_good_state_stays(scene: Scene) -> None:
    scene.edit("nginx.yaml", "clusterIP: 10.8.5.220", "clusterIP: 10.8.5.999")
    scene.server.wait_for("[ERROR] plugin/kubernetes:")
    assert re.search(r"^\[ERROR\] plugin/kubernetes: \S*nginx\.yaml:\d+", scene.server.stdout, re.MULTILINE)
    assert scene.data("nginx.default") == ("10.8.5.220",)
    since = scene.edit("nginx.yaml", "10.8.5.999", "10.8.5.222")
    scene.follows(since, "nginx.default", ("10.8.5.222",))
    assert "nginx.yaml: good again" in scene.server.stdout
