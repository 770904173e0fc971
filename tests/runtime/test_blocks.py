"""Several server blocks, several addresses, one process."""

import asyncio
import contextlib
import resource
from pathlib import Path

import pytest

from dnsserver.config import ConfigError
from tests.runtime.helpers import ask, data, get, rcode, server_of
from tests.support.process import free_port
from tests.transports.clients import tcp_client


def manifest(folder: Path, name: str, address: str) -> str:
    path = folder / f"{name}.yaml"
    path.write_text(
        f"kind: Service\napiVersion: v1\nmetadata: {{name: {name}}}\n"
        f"spec: {{clusterIP: {address}, ports: [{{port: 80}}]}}\n"
    )
    return path.name


def kubernetes(folder: Path, name: str, address: str) -> str:
    return f"kubernetes {{\nmanifests {manifest(folder, name, address)}\n}}"


async def test_blocks_with_zones_of_their_own_share_a_port(tmp_path: Path) -> None:
    port = free_port()
    text = (
        f"one.test:{port} {{\nbind 127.0.0.1\n{kubernetes(tmp_path, 'a', '10.9.0.1')}\n}}\n"
        f"two.test:{port} sub.one.test:{port} {{\nbind 127.0.0.1\n{kubernetes(tmp_path, 'b', '10.9.0.2')}\n}}\n"
    )
    async with server_of(text, tmp_path) as server:
        assert server.endpoints == (("127.0.0.1", port),)
        for tcp in (False, True):
            assert data(await ask(port, "a.default.svc.one.test", tcp=tcp)) == ["A 10.9.0.1"]
            assert data(await ask(port, "b.default.svc.two.test", tcp=tcp)) == ["A 10.9.0.2"]
            assert data(await ask(port, "b.default.svc.sub.one.test", tcp=tcp)) == ["A 10.9.0.2"]
            assert rcode(await ask(port, "a.default.svc.two.test", tcp=tcp)) == "NXDOMAIN"
            assert rcode(await ask(port, "a.default.svc.three.test", tcp=tcp)) == "REFUSED"


async def test_blocks_on_ports_of_their_own(tmp_path: Path) -> None:
    first, second = free_port(), free_port()
    text = (
        f"one.test:{first} {{\nbind 127.0.0.1\n{kubernetes(tmp_path, 'a', '10.9.0.1')}\n}}\n"
        f"one.test:{second} {{\nbind 127.0.0.1\n{kubernetes(tmp_path, 'a', '10.9.0.2')}\n}}\n"
    ).replace("a.yaml", "shared.yaml", 1)
    manifest(tmp_path, "shared", "10.9.0.7")
    async with server_of(text, tmp_path) as server:
        assert set(server.endpoints) == {("127.0.0.1", first), ("127.0.0.1", second)}
        assert data(await ask(first, "shared.default.svc.one.test")) == ["A 10.9.0.7"]
        assert rcode(await ask(second, "shared.default.svc.one.test")) == "NXDOMAIN"
        assert data(await ask(second, "a.default.svc.one.test")) == ["A 10.9.0.2"]


async def test_bind_to_several_addresses() -> None:
    port = free_port()
    text = f".:{port} {{\nbind 127.0.0.1 127.0.0.2\nbind ::1\nwhoami\n}}\n"
    async with server_of(text) as server:
        assert set(server.endpoints) == {(host, port) for host in ("127.0.0.1", "127.0.0.2", "::1")}
        for host in ("127.0.0.1", "127.0.0.2", "::1"):
            for tcp in (False, True):
                assert rcode(await ask(port, "example.org", host=host, tcp=tcp)) == "NOERROR"
        with pytest.raises(ConnectionRefusedError):
            await ask(port, "example.org", host="127.0.0.3", tcp=True)


async def test_one_zone_on_two_addresses_by_two_blocks(tmp_path: Path) -> None:
    """Split horizon by address: each block answers on its own."""
    port = free_port()
    text = "".join(
        f"one.test:{port} {{\nbind {host}\n{kubernetes(tmp_path, name, ip)}\n}}\n"
        for host, name, ip in (("127.0.0.1", "a", "10.9.0.1"), ("127.0.0.2", "b", "10.9.0.2"))
    )
    async with server_of(text, tmp_path):
        assert data(await ask(port, "a.default.svc.one.test", host="127.0.0.1")) == ["A 10.9.0.1"]
        assert rcode(await ask(port, "a.default.svc.one.test", host="127.0.0.2")) == "NXDOMAIN"
        assert data(await ask(port, "b.default.svc.one.test", host="127.0.0.2")) == ["A 10.9.0.2"]


async def test_connections_are_counted_over_all_listeners(monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle connection of one listener makes room for a client of another."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (80, 80))  # files for 16 connections
    port, other = free_port(), free_port()
    text = f".:{port} .:{other} {{\nbind 127.0.0.1 127.0.0.2\nwhoami\n}}\n"
    async with server_of(text) as server, contextlib.AsyncExitStack() as stack:
        for _ in range(16):
            await stack.enter_async_context(tcp_client("127.0.0.1", port))
        while server.counters.tcp_connections_now < 16:  # noqa: ASYNC110 - it is a number
            await asyncio.sleep(0.01)
        for host, number in (("127.0.0.2", port), ("127.0.0.1", other), ("127.0.0.2", other)):
            assert rcode(await ask(number, "example.org", host=host, tcp=True)) == "NOERROR"
        assert server.counters.tcp_refused == 0
        assert server.counters.tcp_replaced >= 1


async def test_without_bind_every_address_answers() -> None:
    port = free_port()
    async with server_of(f".:{port} {{\nwhoami\n}}\n") as server:
        assert set(server.endpoints) == {("0.0.0.0", port), ("::", port)}
        for host in ("127.0.0.1", "127.0.0.9", "::1"):
            reply = await ask(port, "example.org", host=host)  # dnspython checks who replies
            assert rcode(reply) == "NOERROR"


async def test_classes_beyond_in_need_a_plugin_that_has_them(tmp_path: Path) -> None:
    plain, mixed = free_port(), free_port()
    block = kubernetes(tmp_path, "a", "10.9.0.1")
    text = (
        f"one.test:{plain} {{\nbind 127.0.0.1\n{block}\n}}\n"
        f".:{mixed} {{\nbind 127.0.0.1\nchaos tested-version\nwhoami\n}}\n"
        f"one.test:{mixed} {{\nbind 127.0.0.1\n{block}\n}}\n"
    )
    async with server_of(text, tmp_path):
        assert rcode(await ask(plain, "version.bind", "TXT", rclass="CH")) == "REFUSED"
        assert rcode(await ask(plain, "a.default.svc.one.test", rclass="CH")) == "REFUSED"
        assert data(await ask(mixed, "version.bind", "TXT", rclass="CH")) == ['TXT "tested-version"']
        assert rcode(await ask(mixed, "a.default.svc.one.test", rclass="CH")) == "REFUSED"
        assert data(await ask(mixed, "a.default.svc.one.test")) == ["A 10.9.0.1"]


async def test_ready_waits_for_the_plugins_of_all_blocks(tmp_path: Path) -> None:
    port, ready, other = free_port(), free_port(), free_port()
    dead = f"kubernetes {{\nendpoint http://127.0.0.1:{free_port()}\nstartup_timeout 0\n}}"
    text = (
        f"one.test:{port} {{\nbind 127.0.0.1\nready 127.0.0.1:{ready}\n{kubernetes(tmp_path, 'a', '10.9.0.1')}\n}}\n"
        f"two.test:{port} {{\nbind 127.0.0.1\nready 127.0.0.1:{ready}\n{dead}\n}}\n"
        f"three.test:{port} {{\nbind 127.0.0.1\nready 127.0.0.1:{other}\nwhoami\n}}\n"
    )
    async with server_of(text, tmp_path):
        assert await get(ready, "/ready") == (503, "kubernetes")
        assert await get(other, "/ready") == (503, "kubernetes")
        assert data(await ask(port, "a.default.svc.one.test")) == ["A 10.9.0.1"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "a.test {\nwhoami\n}\nA.test. {\nwhoami\n}\n",
            r"cannot serve dns://a\.test\.:53 - it is already defined",
        ),
        ("a.test {\nwhoami\n}\na.test {\nbind 127.0.0.1\nwhoami\n}\n", "zone overlap listener capacity"),
        (
            "a.test {\nbind 127.0.0.1 ::1\nwhoami\n}\na.test {\nbind ::1\nwhoami\n}\n",
            r"cannot serve dns://a\.test\.:53 on ::1 - it is already defined",
        ),
        (". {\nbind 127.0.0.1 127.0.0.1\nwhoami\n}\n", "already"),
    ],
)
def test_zone_that_is_served_twice_is_refused(text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        server_of(text)


def test_blocks_of_one_name_on_different_ports_are_fine() -> None:
    assert len(server_of("a.test:5300 {\nwhoami\n}\na.test:5301 {\nwhoami\n}\n").sites) == 2
