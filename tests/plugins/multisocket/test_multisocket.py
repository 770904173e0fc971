"""multisocket: how many workers there are; that they come is tests/chaos/test_reload.py's."""

import pytest

from dnsserver.plugins.multisocket import setup
from tests.plugins.helpers import directive, refused, site


@pytest.mark.parametrize(
    ("text", "workers"), [("multisocket", 0), ("multisocket 1", 1), ("multisocket 1024", 1024)]
)
def test_settings(text: str, workers: int) -> None:
    assert setup(directive(text), site()).workers == workers


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("multisocket x", 'invalid num sockets: strconv.Atoi: parsing "x": invalid syntax (Corefile:2)'),
        ("multisocket 0", "num sockets can not be zero or negative: 0 (Corefile:2)"),
        ("multisocket -1", "num sockets can not be zero or negative: -1 (Corefile:2)"),
        ("multisocket 1025", "num sockets exceeds maximum (1024): 1025 (Corefile:2)"),
        (
            "multisocket 2 3",
            "Corefile:2 - Error during parsing: Wrong argument count or unexpected line ending after '3'",
        ),
        (
            "multisocket 2\nmultisocket",
            "Corefile:3 - Error during parsing: Wrong argument count or unexpected line ending after 'multisocket'",
        ),
        (
            "multisocket 2 {\nblock\n}",
            "Corefile:3 - Error during parsing: Wrong argument count or unexpected line ending after 'block'",
        ),
    ],
)
def test_refused(text: str, error: str) -> None:
    assert refused(setup, text) == f"plugin/multisocket: {error}"
