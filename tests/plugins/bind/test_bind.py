"""bind: addresses and interfaces."""

import pytest

from dnsserver.plugins.bind import settings as bind_settings
from dnsserver.plugins.bind import setup
from tests.plugins.helpers import directive, refused, site

INTERFACES = {
    "eth0": ("10.0.0.5", "2001:db8::5", "fe80::5%eth0"),
    "lo": ("127.0.0.1", "::1"),
    "down0": (),
}


def interface_addresses(name: str) -> tuple[str, ...]:
    if name not in INTERFACES:
        raise LookupError(name)
    return INTERFACES[name]


@pytest.fixture(autouse=True)
def _interfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bind_settings, "addresses_of", interface_addresses)


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("bind 127.0.0.1", ("127.0.0.1",)),
        ("bind 127.0.0.1 ::1", ("127.0.0.1", "::1")),
        ("bind 2001:DB8:0::1", ("2001:db8::1",)),
        ("bind fe80::1%eth0", ("fe80::1%eth0",)),
        ("bind lo", ("127.0.0.1", "::1")),
        ("bind eth0 lo", ("10.0.0.5", "2001:db8::5", "fe80::5%eth0", "127.0.0.1", "::1")),
        ("bind eth0 {\nexcept 10.0.0.5\n}", ("2001:db8::5", "fe80::5%eth0")),
        ("bind eth0 lo {\nexcept lo 2001:db8:0::5\nexcept fe80::5%eth0\n}", ("10.0.0.5",)),
        ("bind lo {\nexcept ::1\n}\nbind ::1", ("127.0.0.1", "::1")),
        ("bind lo 127.0.0.1", ("127.0.0.1", "::1", "127.0.0.1")),
        ("bind down0 10.0.0.9", ("10.0.0.9",)),
    ],
)
def test_addresses(text: str, addresses: tuple[str, ...]) -> None:
    assert setup(directive(text), site()).bind == addresses


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("bind", "at least one address or interface name is expected (Corefile:2)"),
        ("bind eth9", 'not a valid IP address or interface name: "eth9" (Corefile:2)'),
        ("bind 10.0.0.300", 'not a valid IP address or interface name: "10.0.0.300" (Corefile:2)'),
        ("bind 10.0.0.5:53", 'not a valid IP address or interface name: "10.0.0.5:53" (Corefile:2)'),
        (
            "bind lo {\nexcept\n}",
            "at least one address or interface must be given to except subdirective (Corefile:3)",
        ),
        ("bind lo {\nexcept eth9\n}", 'not a valid IP address or interface name: "eth9" (Corefile:3)'),
        ("bind lo {\nonly 1\n}", 'invalid option "only" (Corefile:3)'),
        (
            "bind lo {\nexcept lo\n}",
            "no address is left to listen on; name an interface that has one, or except less (Corefile:2)",
        ),
        (
            "bind down0",
            "no address is left to listen on; name an interface that has one, or except less (Corefile:2)",
        ),
    ],
)
def test_refused(text: str, error: str) -> None:
    assert refused(setup, text) == f"plugin/bind: {error}"


def test_a_real_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert "127.0.0.1" in setup(directive("bind lo"), site()).bind
