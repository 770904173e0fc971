"""Several server blocks with HTTP listeners of one port."""

import re
import socket

import pytest

from dnsserver.config import ConfigError
from tests.runtime.helpers import get, server_of
from tests.support.process import free_port


def blocks(*directives: str) -> str:
    """Server blocks of five lines each, with their directive on the third."""
    return "".join(
        f"zone{number}.test:5300 {{\nbind 127.0.0.1\n{directive}\nwhoami\n}}\n"
        for number, directive in enumerate(directives)
    )


CONTINUOUSLY = "ready :8181 {\nmonitor continuously\n}"

REFUSED = (
    (
        ("ready :8181", CONTINUOUSLY),
        "plugin/ready: /ready of :8181 cannot have both 'monitor continuously' and, as at Corefile:3, "
        "'monitor until-ready': say the same in both blocks (Corefile:8)",
    ),
    (
        (CONTINUOUSLY, "ready"),
        "plugin/ready: /ready of :8181 cannot have both 'monitor until-ready' and, as at Corefile:3, "
        "'monitor continuously': say the same in both blocks (Corefile:10)",
    ),
    (
        ("ready 127.0.0.1:8181", CONTINUOUSLY.replace(":8181", "localhost:8181")),
        "plugin/ready: /ready of localhost:8181 cannot have both 'monitor continuously' and, as at Corefile:3, "
        "'monitor until-ready': say the same in both blocks (Corefile:8)",
    ),
    (
        ("health 127.0.0.1:8080", "ready :8080"),
        "plugin/ready: :8080 and 127.0.0.1:8080 at Corefile:3 cannot both be listened on: "
        "write the same address in both places, or two different ports (Corefile:8)",
    ),
    (
        ("health 0.0.0.0:8080", "health localhost:8080"),
        "plugin/health: localhost:8080 and 0.0.0.0:8080 at Corefile:3 cannot both be listened on: "
        "write the same address in both places, or two different ports (Corefile:8)",
    ),
    (
        ("health [::]:8080", "health :8080"),
        "plugin/health: :8080 and [::]:8080 at Corefile:3 cannot both be listened on: "
        "write the same address in both places, or two different ports (Corefile:8)",
    ),
)


@pytest.mark.parametrize(("directives", "told"), REFUSED)
def test_contradictions_are_refused(directives: tuple[str, ...], told: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(told)}$"):
        server_of(blocks(*directives))


@pytest.mark.parametrize(
    "directives",
    [
        ("ready :8181", "ready"),
        (CONTINUOUSLY, CONTINUOUSLY),
        (CONTINUOUSLY, "ready :8182"),
        (CONTINUOUSLY, "ready 127.0.0.1:8182"),
        ("health 127.0.0.1:8080", "health 127.0.0.2:8080"),
        ("health 0.0.0.0:8080", "health [::]:8080"),
        ("health :0", "health 127.0.0.1:0"),
    ],
)
def test_what_does_not_contradict_is_taken(directives: tuple[str, ...]) -> None:
    assert len(server_of(blocks(*directives)).sites) == 2


@pytest.mark.parametrize(
    "names", [("127.0.0.1", "localhost"), ("localhost", "127.0.0.1"), ("[::1]", "[0::1]")]
)
async def test_two_names_of_one_address_are_one_listener(names: tuple[str, str]) -> None:
    port, http = free_port(), free_port()
    text = blocks(f"health {names[0]}:{http}", f"ready {names[1]}:{http}").replace("5300", str(port))
    host = names[0].strip("[]").replace("localhost", "127.0.0.1")
    async with server_of(text):
        assert await get(http, "/health", host) == (200, "OK")
        assert await get(http, "/ready", host) == (200, "OK")


def test_no_name_is_looked_up_without_need(monkeypatch: pytest.MonkeyPatch) -> None:
    """A DNS server may be the one that would have to answer."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("looked up")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert len(server_of(blocks("health dns.test:8080", "ready other.test:8181")).sites) == 2
