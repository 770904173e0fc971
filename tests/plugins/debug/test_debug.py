"""debug: a switch."""

import pytest

from dnsserver.plugins.debug import setup
from tests.plugins.helpers import directive, refused, site


@pytest.mark.parametrize("text", ["debug", "debug\ndebug"])
def test_on(text: str) -> None:
    plugin = setup(directive(text), site())
    assert plugin.debug
    assert plugin.wrap is None


@pytest.mark.parametrize("text", ["debug all", "debug {\nall\n}", "debug\ndebug all"])
def test_refused(text: str) -> None:
    assert "Wrong argument count or unexpected line ending after 'all'" in refused(setup, text)
