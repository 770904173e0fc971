"""Regular expressions: what is found, and which texts are none."""

import pytest

from dnsserver.languages.patterns import PATTERN_MAX, Pattern, PatternError


def test_groups() -> None:
    pattern = Pattern(r"^ip-(?P<a>\d+)(-(?<b>\d+))?\.")
    assert (pattern.group_count, dict(pattern.group_names)) == (3, {"a": 1, "b": 3})
    assert pattern.groups_in("ip-1-2.example.") == ("ip-1-2.", "1", "-2", "2")
    assert pattern.groups_in("ip-1.example.") == ("ip-1.", "1", "", "")
    assert pattern.groups_in("ip.example.") is None
    assert pattern.is_found_in("ip-1.")
    assert not pattern.is_found_in("xip-1.")


def test_text_that_utf_8_cannot_carry() -> None:
    assert Pattern(".").groups_in("\ud800") == ("?",)


@pytest.mark.parametrize("text", ["(", "a{2,1}", r"(?=a)", r"(a)\1", "\ud800", "a" * (PATTERN_MAX + 1)])
def test_refused(text: str) -> None:
    with pytest.raises(PatternError, match="regex"):
        Pattern(text)


def test_time_grows_with_the_text_only() -> None:
    assert Pattern(r"^(a+)+$").groups_in("a" * 5_000 + "b") is None
