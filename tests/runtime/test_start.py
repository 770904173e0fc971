"""The start and the probes: before the cluster is known, while it is, and when its API server has gone."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from dnsserver.config import ConfigError
from dnsserver.runtime.server import ClusterDnsServer, StartError
from dnsserver.testing.kube_api import KubeApi, forbidden, namespace, service, slice_of
from tests.runtime.helpers import ask, data, eventually, extended_errors, get, rcode, server_of
from tests.support.process import free_port

WEB = "web.default.svc.cluster.local"
#: Extended DNS Error "Not Ready" (RFC 8914 section 4.15).
NOT_READY = 14


@pytest.fixture
async def api() -> AsyncIterator[KubeApi]:
    """An API server that is not there yet: it has its port, and objects."""
    found = KubeApi()
    found.port = free_port()
    found.add(
        namespace("default"), service("web", "10.9.0.80"), service("pods"), slice_of("pods", ["10.4.0.1"])
    )
    yield found
    await found.stop()


class Ports:
    """DNS, health and ready of the server under test."""

    def __init__(self) -> None:
        self.dns, self.health, self.ready = free_port(), free_port(), free_port()

    def corefile(self, *options: str, monitor: str = "until-ready") -> str:
        return "\n".join(
            (
                f".:{self.dns} {{",
                "bind 127.0.0.1",
                "errors",
                f"health 127.0.0.1:{self.health}",
                f"ready 127.0.0.1:{self.ready} {{",
                f"monitor {monitor}",
                "}",
                "kubernetes cluster.local in-addr.arpa {",
                *options,
                "}",
                "}",
            )
        )


@pytest.fixture
def ports() -> Ports:
    return Ports()


async def ready(ports: Ports) -> tuple[int, str]:
    return await get(ports.ready, "/ready")


async def resolves(ports: Ports, name: str = WEB) -> list[str]:
    return data(await ask(ports.dns, name))


# Before the first lists.


async def test_probes_speak_while_the_start_waits(
    api: KubeApi, ports: Ports, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dnsserver")
    server = server_of(ports.corefile(f"endpoint {api.url}", "startup_timeout 1h"))
    starting = asyncio.create_task(server.__aenter__())
    try:
        await eventually(lambda: ready(ports), (503, "kubernetes"))
        assert await get(ports.health, "/health") == (200, "OK")
        assert await get(ports.ready, "/other") == (404, "404 page not found\n")
        with pytest.raises(ConnectionRefusedError):
            await ask(ports.dns, WEB, tcp=True)
        assert not starting.done()

        async def waits() -> bool:
            return "waiting for Kubernetes API before starting server" in caplog.text

        await eventually(waits, True)
        assert 'Plugins not ready: "kubernetes"' in caplog.text
        await api.start()
        await asyncio.wait_for(starting, 10)
        assert await ready(ports) == (200, "OK")
        assert await resolves(ports) == ["A 10.9.0.80"]
    finally:
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await starting
        await server.__aexit__()
    assert await get(ports.health, "/health") == (0, "")


async def test_names_are_not_denied_before_the_first_lists(api: KubeApi, ports: Ports) -> None:
    async with server_of(ports.corefile(f"endpoint {api.url}", "startup_timeout 0")):
        assert await ready(ports) == (503, "kubernetes")
        assert await get(ports.health, "/health") == (200, "OK")
        for name, rtype in (
            (WEB, "A"),
            (WEB, "SRV"),
            ("80.0.9.10.in-addr.arpa", "PTR"),
            ("no.such.cluster.local", "A"),
        ):
            for tcp in (False, True):
                reply = await ask(ports.dns, name, rtype, edns=True, tcp=tcp)
                assert rcode(reply) == "SERVFAIL"
                assert not reply.answer
                ((code, text),) = extended_errors(reply)
                assert code == NOT_READY
                assert text == "no list yet of endpointslices, namespaces, services"
        plain = await ask(ports.dns, WEB)
        assert (rcode(plain), plain.options) == ("SERVFAIL", ())
        # What does not hang on the cluster's objects is known all the same.
        assert await resolves(ports, "cluster.local") == []
        assert data(await ask(ports.dns, "dns-version.cluster.local", "TXT")) == ['TXT "1.1.0"']


async def test_answers_once_the_api_server_is_there(api: KubeApi, ports: Ports) -> None:
    async with server_of(ports.corefile(f"endpoint {api.url}", "startup_timeout 0")):
        assert rcode(await ask(ports.dns, WEB)) == "SERVFAIL"
        await api.start()
        await eventually(lambda: ready(ports), (200, "OK"))
        assert await resolves(ports) == ["A 10.9.0.80"]
        assert data(await ask(ports.dns, "80.0.9.10.in-addr.arpa", "PTR")) == [f"PTR {WEB}."]
        assert rcode(await ask(ports.dns, "no.default.svc.cluster.local")) == "NXDOMAIN"


async def test_one_list_that_is_missing_is_enough(api: KubeApi, ports: Ports) -> None:
    """Without the right to list EndpointSlices nothing may be denied, and what is known is answered."""
    await api.start()
    api.fail(forbidden("endpointslices", "list", "discovery.k8s.io"))
    async with server_of(ports.corefile(f"endpoint {api.url}", "startup_timeout 300ms")):
        assert await ready(ports) == (503, "kubernetes")
        assert await resolves(ports) == ["A 10.9.0.80"]
        reply = await ask(ports.dns, "pods.default.svc.cluster.local", edns=True)
        assert rcode(reply) == "SERVFAIL"
        assert extended_errors(reply) == [(NOT_READY, "no list yet of endpointslices")]


@pytest.mark.parametrize("seconds", [0.0, 0.3])
async def test_start_waits_as_long_as_it_is_told(
    seconds: float, api: KubeApi, ports: Ports, caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    async with server_of(ports.corefile(f"endpoint {api.url}", f"startup_timeout {int(seconds * 1000)}ms")):
        assert loop.time() - begun >= seconds
        (text,) = [item.getMessage() for item in caplog.records if "unsynced" in item.getMessage()]
        assert text == (
            "starting server with unsynced Kubernetes API: "
            "no full list yet of endpointslices, namespaces, services"
        )


# Afterwards.


async def follow(api: KubeApi, ports: Ports) -> None:
    api.add(service("later", "10.9.0.81"))
    await eventually(lambda: resolves(ports, "later.default.svc.cluster.local"), ["A 10.9.0.81"])


async def test_answers_go_on_without_the_api_server(api: KubeApi, ports: Ports) -> None:
    await api.start()
    async with server_of(ports.corefile(f"endpoint {api.url}")):
        await follow(api, ports)
        assert await ready(ports) == (200, "OK")
        await api.stop()
        for _ in range(5):
            assert await resolves(ports) == ["A 10.9.0.80"]
            assert rcode(await ask(ports.dns, "no.default.svc.cluster.local")) == "NXDOMAIN"
            assert await ready(ports) == (200, "OK")
            await asyncio.sleep(0.02)


async def test_watch_that_is_lost_before_the_first_probe_does_not_hold_ready_back(
    api: KubeApi, ports: Ports
) -> None:
    """`until-ready` asks whether the cluster was known once; a lost watch is the matter of `continuously`."""
    await api.start()
    async with server_of(ports.corefile(f"endpoint {api.url}")):
        await api.stop()
        await asyncio.sleep(0.3)  # the loss has been noticed
        assert await ready(ports) == (200, "OK")


async def test_changes_are_followed_after_the_api_server_came_back(api: KubeApi, ports: Ports) -> None:
    await api.start()
    async with server_of(ports.corefile(f"endpoint {api.url}")):
        await api.stop()
        api.delete(service("web"))
        api.add(service("new", "10.9.0.82"))
        assert await resolves(ports) == ["A 10.9.0.80"]
        await api.start()
        await eventually(lambda: resolves(ports, "new.default.svc.cluster.local"), ["A 10.9.0.82"])
        assert rcode(await ask(ports.dns, WEB)) == "NXDOMAIN"


async def test_monitor_continuously_tells_of_a_lost_watch(api: KubeApi, ports: Ports) -> None:
    await api.start()
    async with server_of(ports.corefile(f"endpoint {api.url}", monitor="continuously")):
        assert await ready(ports) == (200, "OK")
        await api.stop()
        await eventually(lambda: ready(ports), (503, "kubernetes"))
        assert await resolves(ports) == ["A 10.9.0.80"]
        await api.start()
        await eventually(lambda: ready(ports), (200, "OK"))


async def test_go_lame_closes_ready_and_nothing_else(ports: Ports, tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("")
    async with server_of(ports.corefile("manifests m.yaml"), tmp_path) as server:
        assert await ready(ports) == (200, "OK")
        await server.go_lame()
        assert await ready(ports) == (0, "")
        assert await get(ports.health, "/health") == (200, "OK")
        assert rcode(await ask(ports.dns, "cluster.local")) == "NOERROR"


# Starts that fail.


def no_file(path: Path) -> str:
    return f"kubeconfig {path}: cannot be read: No such file or directory"


def no_yaml(path: Path) -> str:
    path.write_text("clusters: [")
    return f"kubeconfig {path}: is no kubeconfig"


def no_context(path: Path) -> str:
    path.write_text("apiVersion: v1\nkind: Config\nclusters: []\nusers: []\ncontexts: []\n")
    return f"kubeconfig {path}: it has no current-context"


@pytest.mark.parametrize("prepare", [no_file, no_yaml, no_context])
async def test_unusable_kubeconfig_ends_the_start(
    prepare: Callable[[Path], str], ports: Ports, tmp_path: Path
) -> None:
    path = tmp_path / "config"
    told = prepare(path)
    server = server_of(ports.corefile(f"kubeconfig {path}"))
    with pytest.raises(ConfigError) as caught:
        await server.__aenter__()
    assert str(caught.value).startswith(f"plugin/kubernetes: {told}")
    assert await get(ports.health, "/health") == (0, ""), "a start that failed leaves nothing open"


async def test_outside_a_cluster_ends_the_start(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match=r"^plugin/kubernetes: not in a cluster: "):
        await server_of(ports.corefile()).__aenter__()


async def test_broken_manifest_ends_the_start(ports: Ports, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("kind: Service\nmetadata: [\n")
    server = server_of(ports.corefile("manifests bad.yaml"), tmp_path)
    with pytest.raises(ConfigError, match=r"^plugin/kubernetes: .*bad\.yaml:\d"):
        await server.__aenter__()


async def closes_everything(server: ClusterDnsServer, ports: Ports, told: str) -> None:
    tasks = asyncio.all_tasks()
    with pytest.raises(StartError, match=told):
        await server.__aenter__()
    assert await get(ports.health, "/health") == (0, "")
    assert asyncio.all_tasks() == tasks


async def test_port_that_is_taken_ends_the_start(ports: Ports, tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", ports.dns))
        server = server_of(ports.corefile("manifests m.yaml"), tmp_path)
        await closes_everything(
            server, ports, f"listen udp 127.0.0.1:{ports.dns}: bind: address already in use"
        )


async def test_port_of_ready_that_is_taken_ends_the_start(ports: Ports, tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("")
    with socket.socket() as other:
        other.bind(("127.0.0.1", ports.ready))
        other.listen()
        server = server_of(ports.corefile("manifests m.yaml"), tmp_path)
        await closes_everything(server, ports, f"127.0.0.1:{ports.ready}: bind: address already in use")


async def test_start_that_is_cancelled_leaves_nothing(api: KubeApi, ports: Ports) -> None:
    tasks = asyncio.all_tasks()
    server = server_of(ports.corefile(f"endpoint {api.url}", "startup_timeout 1h"))
    starting = asyncio.create_task(server.__aenter__())
    await eventually(lambda: ready(ports), (503, "kubernetes"))
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert await get(ports.health, "/health") == (0, "")
    assert asyncio.all_tasks() == tasks
