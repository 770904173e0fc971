"""The admin endpoint: who is answered, and that nothing which comes there is too much for it."""

import json
import random
import socket
import string
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from dnsserver.runtime.admin import BODY_MAX, administered, bind_admin, parse_admin
from tests.explaining.situation import CLUSTER
from tests.explaining.test_explained import running

REQUESTS = 300


@asynccontextmanager
async def endpoint() -> AsyncIterator[str]:
    """Its URL."""
    sockets = bind_admin(("127.0.0.1", 0))
    port = sockets[0].getsockname()[1]
    async with running(CLUSTER) as server, administered(sockets, lambda: server, answers=True):
        yield f"http://127.0.0.1:{port}"


async def post(url: str, body: object, **headers: str) -> tuple[int, dict[str, object]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    told = {"Content-Type": "application/json", **headers}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/explain", data=data, headers=told) as reply,
    ):
        assert reply.headers["Content-Type"] == "application/json"
        assert "Access-Control-Allow-Origin" not in reply.headers
        return reply.status, await reply.json()


async def test_explanation() -> None:
    async with endpoint() as url:
        status, found = await post(url, {"name": "wbe.default.svc.cluster.local.", "type": "a"})
        assert status == 200
        assert [cause["code"] for cause in found["causes"]] == ["no-such-service"]  # type: ignore[attr-defined]
        assert found["schema"] == 1


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:9155", 200),
        ("localhost:1", 200),
        ("[::1]:9155", 200),
        ("evil.example:9155", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example", 403),
        ("", 403),
    ],
)
async def test_names_that_somebody_lets_point_here_are_refused(host: str, status: int) -> None:
    """DNS rebinding."""
    async with endpoint() as url:
        assert (await post(url, {"name": "a."}, Host=host))[0] == status


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ({"name": "a."}, {"Origin": "http://127.0.0.1"}, 403),
        ({"name": "a."}, {"Content-Type": "text/plain"}, 415),
        ({"name": "a.", "more": 1}, {}, 400),
        ({"name": 1}, {}, 400),
        ({}, {}, 400),
        ([], {}, 400),
        (b"{", {}, 400),
        (b"[" * BODY_MAX, {}, 400),
        (b" " * (BODY_MAX + 1), {}, 413),
        ({"name": "a..b"}, {}, 400),
        ({"name": "a.", "type": "A", "from": "x/y"}, {}, 400),
    ],
    ids=str,
)
async def test_what_is_refused(body: object, headers: dict[str, str], status: int) -> None:
    async with endpoint() as url:
        got, found = await post(url, body, **headers)
        assert got == status
        assert set(found) == {"error"}


async def test_methods_and_paths() -> None:
    async with endpoint() as url, aiohttp.ClientSession() as session:
        for method, path, status in (("GET", "/", 200), ("GET", "/explain", 405), ("POST", "/other", 404)):
            async with session.request(method, f"{url}{path}") as reply:
                assert reply.status == status


async def test_fuzz() -> None:
    """Any body gets an answer that is no failure of ours, and the endpoint goes on."""
    rng = random.Random(8)
    async with endpoint() as url:
        for _ in range(REQUESTS):
            status, _ = await post(url, mutated(rng))
            assert status in (200, 400)
        assert (await post(url, {"name": "web.default.svc.cluster.local."}))[1]["resolves"] is True


def mutated(rng: random.Random) -> object:
    names = (
        "web.default.svc.cluster.local.",
        "\\000.a.",
        "*.svc.cluster.local.",
        "a" * 64,
        ".",
        "ä.svc",
        "_._.web",
    )
    value = {
        "name": rng.choice((*names, "".join(rng.choices(string.printable, k=rng.randrange(1, 300))))),
        "type": rng.choice(("A", "ANY", "AXFR", "OPT", "TYPE0", "TYPE65535", "", "SRV", "\ud800")),
        "from": rng.choice(
            ("", "default/slow-1", "::1", "127.0.0.1", "/", "a/b/c", "fe80::1%eth0", "999.1.1.1")
        ),
    }
    if rng.random() < 0.3:
        octets = bytearray(json.dumps(value).encode())
        for _ in range(rng.randrange(1, 8)):
            octets[rng.randrange(len(octets))] = rng.randrange(256)
        return bytes(octets)
    return value


def test_address_of_the_endpoint() -> None:
    assert parse_admin("off") is None
    assert parse_admin("localhost:1") == ("127.0.0.1", 1)
    assert parse_admin("[::1]:9155") == ("::1", 9155)
    for wrong in ("", "9155", "host:1", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "::1:9155x"):
        with pytest.raises(ValueError, match=r"neither|appear"):
            parse_admin(wrong)


def test_address_in_use_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert bind_admin(("127.0.0.1", other.getsockname()[1])) == ()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "no admin endpoint: listen tcp 127.0.0.1:" in caplog.text
