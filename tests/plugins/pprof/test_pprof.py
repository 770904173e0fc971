"""pprof: read, told of, without effect."""

import logging

import pytest

from dnsserver.plugins.pprof import setup
from tests.plugins.helpers import directive, refused, site


@pytest.mark.parametrize("text", ["pprof", "pprof :6060", "pprof {\nblock\n}", "pprof {\nblock 5\n}"])
async def test_accepted_with_a_warning(text: str, caplog: pytest.LogCaptureFixture) -> None:
    plugin = setup(directive(text), site())
    assert (plugin.wrap, plugin.routes) == (None, ())
    assert plugin.follow is not None
    async with plugin.follow():
        assert [record.levelno for record in caplog.records] == [logging.WARNING]


PARSING = "Corefile:{} - Error during parsing: {}"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("pprof\npprof", "this plugin can only be used once per Server Block (Corefile:3)"),
        ("pprof bla", "address bla: missing port in address (Corefile:2)"),
        ("pprof :1 :2", PARSING.format(2, "Wrong argument count or unexpected line ending after ':2'")),
        ("pprof {\nblock x\n}", PARSING.format(3, "property 'block' invalid integer value 'x'")),
        (
            "pprof {\nblock 1 2\n}",
            PARSING.format(3, "Wrong argument count or unexpected line ending after '2'"),
        ),
        ("pprof {\nmutex\n}", PARSING.format(3, "unknown property 'mutex'")),
    ],
)
def test_refused(text: str, error: str) -> None:
    assert refused(setup, text) == f"plugin/pprof: {error}"
