"""ready: which plugins are waited for."""

import logging
from collections.abc import Callable

import pytest

from dnsserver.plugins.plugin import Plugin
from dnsserver.plugins.ready import setup
from dnsserver.plugins.ready.settings import ReadySettings
from tests.plugins.helpers import FakeServer, directive, refused, site


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("ready", ReadySettings(host="", port=8181, continuously=False)),
        ("ready localhost:1234", ReadySettings(host="localhost", port=1234)),
        ("ready {\nmonitor until-ready\n}", ReadySettings()),
        ("ready :1 {\nmonitor continuously\n}", ReadySettings(port=1, continuously=True)),
        ("ready {\nmonitor continuously\nmonitor until-ready\n}", ReadySettings()),
    ],
)
def test_settings(text: str, settings: ReadySettings) -> None:
    assert ReadySettings.from_directive(directive(text)) == settings


ARGUMENTS = "Corefile:{} - Error during parsing: Wrong argument count or unexpected line ending after '{}'"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("ready bla", "address bla: missing port in address (Corefile:2)"),
        ("ready :1 :2", ARGUMENTS.format(2, ":2")),
        ("ready {\nmonitor\n}", ARGUMENTS.format(3, "monitor")),
        ("ready {\nmonitor 404\n}", "Corefile:3 - Error during parsing: monitor type '404' not supported"),
        ("ready {\nmonitro x\n}", "Corefile:3 - Error during parsing: unknown property 'monitro'"),
        ("ready\nready", "this plugin can only be used once per Server Block (Corefile:3)"),
    ],
)
def test_refused(text: str, error: str) -> None:
    assert refused(setup, text) == f"plugin/ready: {error}"


class Waiting:
    """Plugins that are ready when told so."""

    def __init__(self, *members: str) -> None:
        self.waits = dict.fromkeys(range(len(members)), True)
        self.server = FakeServer(
            (
                Plugin(name="whoami"),
                *(Plugin(name=name, waiting_for=self._of(n)) for n, name in enumerate(members)),
            )
        )

    def _of(self, number: int) -> Callable[[], str]:
        return lambda: "the first list" if self.waits[number] else ""

    def ask(self, text: str) -> Callable[[], tuple[int, bytes]]:
        (route,) = setup(directive(text), site(self.server)).routes
        assert route.path == "/ready"

        def ask() -> tuple[int, bytes]:
            answer = route.answer()
            return answer.status, answer.body

        return ask


def test_ready_at_once_without_anything_to_wait_for() -> None:
    assert Waiting().ask("ready")() == (200, b"OK")


def test_names_of_those_that_wait(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    state = Waiting("kubernetes", "hosts", "kubernetes")
    ask = state.ask("ready")
    assert ask() == (503, b"hosts,kubernetes")
    state.waits[0] = state.waits[1] = False
    assert ask() == (503, b"kubernetes")
    state.waits[2] = False
    assert ask() == (200, b"OK")
    assert caplog.record_tuples == [
        ("dnsserver.plugin.ready", logging.INFO, 'Plugins not ready: "hosts,kubernetes"'),
        ("dnsserver.plugin.ready", logging.INFO, 'Plugins not ready: "kubernetes"'),
    ]


def test_shutting_down(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    state = Waiting("kubernetes")
    ask = state.ask("ready")
    state.waits[0] = False
    state.server.stops = True
    assert ask() == (503, b"Shutting down")
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("text", "after"),
    [("ready", (200, b"OK")), ("ready {\nmonitor continuously\n}", (503, b"kubernetes"))],
)
def test_ready_once(text: str, after: tuple[int, bytes]) -> None:
    state = Waiting("kubernetes")
    ask = state.ask(text)
    state.waits[0] = False
    assert ask() == (200, b"OK")
    state.waits[0] = True
    assert ask() == after
