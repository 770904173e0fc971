"""The embedded server, as the test suites of others use it."""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import dns.asyncquery
import dns.message
import dns.rcode
import pytest

from dnsserver.config import ConfigError
from dnsserver.runtime.server import StartError
from dnsserver.sources.manifests import ManifestError
from dnsserver.testing import ClusterDNS
from tests.support.addresses import AddressWatch
from tests.support.process import REPOSITORY, free_port

DEMO = REPOSITORY / "zones" / "demo"
WEB = "web.default.svc.cluster.local"
#: Seconds. Until a change on disk is served (plugins/kubernetes/README.md).
FOLLOWS_S = 1.0
#: Starts that are measured.
STARTS = 5


def service(name: str, address: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"clusterIP": address, "ports": [{"name": "http", "port": 80}]},
    }


def text_of(name: str, address: str) -> str:
    return (
        f"apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\n"
        f"spec:\n  clusterIP: {address}\n  ports:\n  - port: 80\n"
    )


def folder_of(folder: Path, name: str, address: str) -> Path:
    (folder / "web.yaml").write_text(text_of(name, address))
    return folder


async def ask(dns_: ClusterDNS, name: str, rtype: str = "A", *, tcp: bool = False) -> dns.message.Message:
    query = dns.message.make_query(name, rtype)
    exchange = dns.asyncquery.tcp if tcp else dns.asyncquery.udp
    return await exchange(query, dns_.host, timeout=5, port=dns_.port)


async def found(dns_: ClusterDNS, name: str, rtype: str = "A", *, tcp: bool = False) -> list[str]:
    """The answers, or the RCODE."""
    reply = await ask(dns_, name, rtype, tcp=tcp)
    answers = sorted(item.to_text() for rrset in reply.answer for item in rrset)
    return answers or [dns.rcode.to_text(reply.rcode())]


# What it serves.


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
async def test_folder(tcp: bool) -> None:
    async with ClusterDNS(DEMO) as served:
        assert await found(served, "nginx.default.svc.cluster.local", tcp=tcp) == ["10.8.5.220"]
        assert await found(served, "headless-demo.default.svc.cluster.local", tcp=tcp) == [
            "10.4.1.32",
            "10.4.2.41",
            "10.4.3.101",
        ]
        assert await found(served, "32.1.4.10.in-addr.arpa", "PTR", tcp=tcp) == [
            "10-4-1-32.headless-demo.default.svc.cluster.local."
        ]


@pytest.mark.parametrize(
    "manifests",
    [
        lambda folder: folder_of(folder, "web", "10.9.0.80"),
        lambda folder: folder_of(folder, "web", "10.9.0.80") / "web.yaml",
        lambda _: text_of("web", "10.9.0.80"),
        lambda _: [service("web", "10.9.0.80")],
        lambda _: (service("web", "10.9.0.80"), service("other", "10.9.0.81")),
    ],
    ids=["folder", "file", "text", "objects", "tuple of objects"],
)
async def test_manifests_of_every_sort(manifests: Callable[[Path], Any], tmp_path: Path) -> None:
    async with ClusterDNS(manifests(tmp_path)) as served:
        assert await found(served, WEB) == ["10.9.0.80"]
        assert await found(served, "nothing.default.svc.cluster.local") == ["NXDOMAIN"]


async def test_zone_and_options() -> None:
    options = ("ttl 60", "pods disabled")
    async with ClusterDNS(text_of("web", "10.9.0.80"), zone="k8s.test", options=options) as served:
        reply = await ask(served, "web.default.svc.k8s.test")
        assert reply.answer[0].ttl == 60
        assert await found(served, "10-4-1-32.default.pod.k8s.test") == ["NXDOMAIN"]
        assert await found(served, WEB) == ["NXDOMAIN"]
    async with ClusterDNS(text_of("web", "10.9.0.80")) as served:
        assert await found(served, "10-4-1-32.default.pod.cluster.local") == ["10.4.1.32"]


@pytest.mark.parametrize("name", ["example.org", "com", ".", "kubernetes.io", "svc.cluster.test"])
async def test_names_outside_are_refused(name: str) -> None:
    async with ClusterDNS(DEMO) as served:
        assert await found(served, name) == ["NXDOMAIN"]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_nothing_leaves_loopback(host: str, watch: AddressWatch) -> None:
    """Not even for an alias that leads outside, or for a name that this server does not have."""
    watch.on = True
    try:
        async with ClusterDNS(DEMO, host=host) as served:
            for tcp in (False, True):
                assert await found(served, "docs.default.svc.cluster.local", tcp=tcp) == ["kubernetes.io."]
                assert await found(served, "www.example.com", tcp=tcp) == ["NXDOMAIN"]
                assert await found(served, "1.2.0.192.in-addr.arpa", "PTR", tcp=tcp) == ["NXDOMAIN"]
    finally:
        watch.on = False
    seen, watch.seen = watch.seen, []
    assert {event for event, _ in seen} >= {"socket.bind", "socket.connect"}
    assert {address for _, address in seen} == {host}


# Where it listens.


async def test_port_is_chosen_and_told() -> None:
    served = ClusterDNS(DEMO)
    assert served.port == 0
    async with served:
        assert served.host == "127.0.0.1"
        assert served.port > 1023
        assert repr(served) == f"<ClusterDNS 127.0.0.1:{served.port}>"


async def test_port_that_is_given() -> None:
    port = free_port()
    async with ClusterDNS(DEMO, port=port) as served:
        assert served.port == port
        assert await found(served, "nginx.default.svc.cluster.local") == ["10.8.5.220"]
    async with ClusterDNS(DEMO, port=port) as served:
        assert await found(served, "nginx.default.svc.cluster.local", tcp=True) == ["10.8.5.220"]


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
@pytest.mark.parametrize("host", ["::1", "127.0.0.2"])
async def test_other_loopback_addresses(host: str, tcp: bool) -> None:
    async with ClusterDNS(DEMO, host=host) as served:
        assert served.host == host
        assert await found(served, "nginx.default.svc.cluster.local", tcp=tcp) == ["10.8.5.220"]


async def test_two_servers_at_once() -> None:
    async with (
        ClusterDNS(text_of("web", "10.9.0.1")) as first,
        ClusterDNS(text_of("web", "10.9.0.2")) as second,
    ):
        assert first.port != second.port
        assert await found(first, WEB) == ["10.9.0.1"]
        assert await found(second, WEB) == ["10.9.0.2"]
        await first.replace(text_of("web", "10.9.0.3"))
        assert await found(first, WEB) == ["10.9.0.3"]
        assert await found(second, WEB) == ["10.9.0.2"]
    with pytest.raises(ConnectionRefusedError):
        await ask(first, WEB, tcp=True)


async def test_one_object_can_be_started_again() -> None:
    served = ClusterDNS(text_of("web", "10.9.0.1"))
    for _ in range(2):
        async with served:
            assert await found(served, WEB) == ["10.9.0.1"]


async def test_end_leaves_no_task_behind() -> None:
    tasks = asyncio.all_tasks()
    async with ClusterDNS(DEMO) as served:
        await found(served, WEB, tcp=True)
    assert asyncio.all_tasks() == tasks


# Changes.


@pytest.mark.parametrize(
    "documents",
    [text_of("web", "10.9.0.2"), [service("web", "10.9.0.2")]],
    ids=["text", "objects"],
)
async def test_replace_is_live_on_return(documents: str | list[Mapping[str, Any]]) -> None:
    async with ClusterDNS([service("web", "10.9.0.1"), service("old", "10.9.0.9")]) as served:
        assert await found(served, WEB) == ["10.9.0.1"]
        await served.replace(documents)
        assert await found(served, WEB) == ["10.9.0.2"]
        assert await found(served, "old.default.svc.cluster.local") == ["NXDOMAIN"]


async def test_replace_many_times() -> None:
    async with ClusterDNS(text_of("web", "10.9.0.0")) as served:
        for number in range(1, 30):
            await served.replace(text_of("web", f"10.9.0.{number}"))
            assert await found(served, WEB) == [f"10.9.0.{number}"]


@pytest.mark.parametrize(
    "broken",
    ["kind: Service\nmetadata: [\n", text_of("web", "10.9.0.256"), [{"kind": "Service", "apiVersion": "v1"}]],
    ids=["no YAML", "no address", "no name"],
)
async def test_replace_by_something_broken_changes_nothing(broken: Any) -> None:
    async with ClusterDNS(text_of("web", "10.9.0.1")) as served:
        with pytest.raises(ManifestError, match=r"^<documents>"):
            await served.replace(broken)
        assert await found(served, WEB) == ["10.9.0.1"]
        await served.replace(text_of("web", "10.9.0.2"))
        assert await found(served, WEB) == ["10.9.0.2"]


async def test_replace_before_the_start_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await ClusterDNS(DEMO).replace("")


async def test_files_are_followed(tmp_path: Path) -> None:
    async with ClusterDNS(folder_of(tmp_path, "web", "10.9.0.1")) as served:
        assert await found(served, WEB) == ["10.9.0.1"]

        async def becomes(name: str, wanted: list[str]) -> None:
            begun = time.monotonic()
            while await found(served, name) != wanted:
                assert time.monotonic() - begun < FOLLOWS_S, await found(served, name)
                await asyncio.sleep(0.01)

        folder_of(tmp_path, "web", "10.9.0.2")
        await becomes(WEB, ["10.9.0.2"])
        (tmp_path / "more").mkdir()
        (tmp_path / "more/other.json").write_text(
            '{"kind":"Service","apiVersion":"v1","metadata":{"name":"other"},"spec":{"clusterIP":"10.9.0.3"}}'
        )
        await becomes("other.default.svc.cluster.local", ["10.9.0.3"])
        (tmp_path / "web.yaml").unlink()
        await becomes(WEB, ["NXDOMAIN"])


# Errors.


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kind: Service\nmetadata: [\n", r"bad\.yaml:\d+"),
        (text_of("web", "10.9.0.256"), r"bad\.yaml:\d+: Service \S*web\b.*10\.9\.0\.256"),
    ],
    ids=["no YAML", "no address"],
)
async def test_broken_file_is_told_with_file_and_line(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ManifestError, match=told):
        await ClusterDNS(path).__aenter__()


async def test_broken_text_is_told_with_its_line() -> None:
    with pytest.raises(ManifestError, match=r"<documents>:\d+"):
        await ClusterDNS("kind: Service\nmetadata: [\n").__aenter__()


async def test_missing_path_is_told() -> None:
    with pytest.raises(ManifestError, match="none: no such file or folder"):
        await ClusterDNS(Path("none")).__aenter__()


async def test_wrong_option_is_told() -> None:
    with pytest.raises(ConfigError, match="unknown property 'colour'"):
        await ClusterDNS(DEMO, options=("colour red",)).__aenter__()


async def test_port_that_is_taken_is_told() -> None:
    async with ClusterDNS(DEMO) as served:
        with pytest.raises(StartError, match=f"127.0.0.1:{served.port}: bind: address already in use"):
            await ClusterDNS(DEMO, port=served.port).__aenter__()
        assert await found(served, "nginx.default.svc.cluster.local") == ["10.8.5.220"]


async def test_start_that_fails_leaves_no_task_behind(tmp_path: Path) -> None:
    tasks = asyncio.all_tasks()
    (tmp_path / "bad.yaml").write_text("- [")
    with pytest.raises(ManifestError):
        await ClusterDNS(tmp_path).__aenter__()
    assert asyncio.all_tasks() == tasks


# Time.


async def test_start_and_first_answer(record_property: Callable[[str, object], None], capsys: Any) -> None:
    """No limit is asserted: the figures depend on the machine. They are in the output and in the JUnit report."""
    figures = []
    for _ in range(STARTS):
        begun = time.perf_counter()
        async with ClusterDNS(DEMO) as served:
            started = time.perf_counter()
            assert await found(served, "nginx.default.svc.cluster.local") == ["10.8.5.220"]
            figures.append((started - begun, time.perf_counter() - started))
    starts, answers = (sorted(1000 * value for value in values) for values in zip(*figures, strict=True))
    record_property("start_ms", round(starts[STARTS // 2], 1))
    record_property("first_answer_ms", round(answers[STARTS // 2], 1))
    with capsys.disabled():
        middle = STARTS // 2
        print(  # noqa: T201 - a figure for people
            f"\nembedded start of zones/demo: {starts[middle]:.1f} ms"
            f" ({starts[0]:.1f} to {starts[-1]:.1f}), first answer: {answers[middle]:.1f} ms"
        )
