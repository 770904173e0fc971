"""reload: what it is told."""

import pytest

from dnsserver.plugins.reload import setup
from dnsserver.plugins.reload.settings import ReloadSettings
from tests.plugins.helpers import directive, refused


@pytest.mark.parametrize(
    ("text", "interval_s", "jitter_s"),
    [
        ("reload", 30, 15),
        ("reload 10s", 10, 5),
        ("reload 10s 2s", 10, 2),
        ("reload 2s 0", 2, 0),
        ("reload 1m 0s", 60, 0),
        ("reload 10s 8s", 10, 5),
        ("reload 10s 2s\nreload 5s", 10, 2),
    ],
)
def test_settings(text: str, interval_s: float, jitter_s: float) -> None:
    settings = ReloadSettings.from_directive(directive(text))
    assert settings == ReloadSettings(interval_s=interval_s, jitter_s=jitter_s)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("reload foo", 'time: invalid duration "foo" (Corefile:2)'),
        ("reload 10s foo", 'time: invalid duration "foo" (Corefile:2)'),
        ("reload 30", 'time: missing unit in duration "30" (Corefile:2)'),
        ("reload 1s", "interval value must be greater or equal to 2s (Corefile:2)"),
        ("reload 0s", "interval value must be greater or equal to 2s (Corefile:2)"),
        ("reload 3s 0.5s", "jitter value must be 0 or greater or equal to 1s (Corefile:2)"),
        ("reload 3s -2s", "jitter value must be 0 or greater or equal to 1s (Corefile:2)"),
        (
            "reload 3s 1s 1s",
            "Corefile:2 - Error during parsing: Wrong argument count or unexpected line ending after '1s'",
        ),
    ],
)
def test_refused(text: str, error: str) -> None:
    assert refused(setup, text) == f"plugin/reload: {error}"


def test_period_lies_around_the_interval() -> None:
    settings = ReloadSettings(interval_s=10, jitter_s=4)
    assert [settings.period_s(chance) for chance in (0.0, 0.5, 1.0)] == [8, 10, 12]
