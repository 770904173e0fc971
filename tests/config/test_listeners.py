"""Section 1.5 of coredns-compat.md, last rules: one listener per address, no zone twice."""

from __future__ import annotations

import pytest

from dnsserver.config import ConfigError, ListenEntry, check_overlaps, listeners


def entry(text: str, line: int = 0) -> ListenEntry:
    """`SCHEME ZONE PORT [ADDRESS] [view]`."""
    words = text.split()
    filtered = words[-1] == "view"
    address = "".join(word for word in words[3:] if word != "view")
    return ListenEntry(words[0], words[1], int(words[2]), address, f"F:{line}", filtered)


FREE = (
    "dns a. 53 | dns b. 53",
    "dns a. 53 | dns a. 54",
    "dns a. 53 | tls a. 53",
    "dns a. 53 10.0.0.1 | dns a. 53 10.0.0.2",
    "dns a. 53 10.0.0.1 | dns b. 53",
    "dns a. 53 | dns a. 53 view",
    "dns a. 53 view | dns a. 53",
    "dns a. 53 view | dns a. 53 view",
    "dns a. 53 view | dns a. 53 10.0.0.1 view",
)

TAKEN = (
    ("dns a. 53 | dns a. 53", "cannot serve dns://a.:53 - it is already defined (F:2, first at F:1)"),
    (
        "dns a. 53 10.0.0.1 | dns b. 53 | dns a. 53 10.0.0.1",
        "cannot serve dns://a.:53 on 10.0.0.1 - it is already defined (F:3, first at F:1)",
    ),
    (
        "dns a. 53 | dns a. 53 10.0.0.1",
        "cannot serve dns://a.:53 on 10.0.0.1 - zone overlap listener capacity with dns://a.:53 (F:2, first at F:1)",
    ),
    (
        "tls a. 853 ::1 | tls a. 853",
        "cannot serve tls://a.:853 - zone overlap listener capacity with tls://a.:853 on ::1 (F:2, first at F:1)",
    ),
    (
        "dns a. 53 | dns a. 53 10.0.0.1 view",
        "cannot serve dns://a.:53 on 10.0.0.1 - zone overlap listener capacity with dns://a.:53 (F:2, first at F:1)",
    ),
)


def entries(text: str) -> list[ListenEntry]:
    return [entry(part, number) for number, part in enumerate(text.split("|"), 1)]


@pytest.mark.parametrize("text", FREE)
def test_free(text: str) -> None:
    check_overlaps(entries(text))


@pytest.mark.parametrize(("text", "message"), TAKEN)
def test_taken(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        listeners(entries(text))
    assert str(caught.value) == message


def test_places_may_be_unknown() -> None:
    with pytest.raises(ConfigError, match=r"^cannot serve dns://a\.:53 - it is already defined$"):
        check_overlaps([ListenEntry("dns", "a.", 53)] * 2)


def test_zones_share_a_listener() -> None:
    found = listeners(entries("dns a. 53 | tls a. 853 | dns b. 53 | dns c. 53 ::1"))
    shown = [(one.scheme, one.address, one.port, " ".join(e.zone for e in one.entries)) for one in found]
    assert shown == [("dns", "", 53, "a. b."), ("tls", "", 853, "a."), ("dns", "::1", 53, "c.")]
