"""hosts: lines to names and addresses."""

import pytest

from dnsserver.plugins.hosts.table import (
    ADDRESSES_MAX,
    NAMES_MAX,
    HostTable,
    packed_address,
    parse_hosts,
    split_addresses,
    split_names,
    wire_name,
)
from dnsserver.wire import names
from dnsserver.wire.codes import Type


def table(*lines: str, zone: str = ".", reverse: bool = True) -> HostTable:
    octets = [line.encode() for line in lines]
    return parse_hosts(octets, frozenset([names.from_text(zone)]), reverse=reverse)


def a(found: HostTable, name: str) -> list[str]:
    packed = found.addresses(names.from_text(name), Type.A)
    return [".".join(map(str, address)) for address in split_addresses(packed, 4)]


def owners(found: HostTable, address: str) -> list[str]:
    packed = packed_address(address.encode())
    assert packed is not None
    return [names.to_text(name) for name in split_names(found.names.get(packed, b""))]


@pytest.mark.parametrize(
    ("line", "addresses"),
    [
        ("10.0.0.1 a.example.org", ["10.0.0.1"]),
        ("  10.0.0.1\tb   A.Example.ORG. # 10.0.0.2 c", ["10.0.0.1"]),
        ("10.0.0.1 a.example.org\r\n", ["10.0.0.1"]),
        ("10.0.0.1%eth0 a.example.org", ["10.0.0.1"]),
        ("::ffff:10.0.0.1 a.example.org", ["10.0.0.1"]),
        ("10.0.0.1 \\097.example.org", ["10.0.0.1"]),
        ("fe80::1 a.example.org", []),
        ("10.0.0.01 a.example.org", []),
        ("10.0.1 a.example.org", []),
        ("10.0.0.1 # a.example.org", []),
        ("# 10.0.0.1 a.example.org", []),
    ],
)
def test_line(line: str, addresses: list[str]) -> None:
    assert a(table(line), "a.example.org.") == addresses


def test_lines_of_one_name_add_up_and_equal_ones_do_not() -> None:
    found = table("10.0.0.2 a", "10.0.0.1 a b", "10.0.0.2 a", "0.1.10.0 a")
    assert a(found, "a.") == ["10.0.0.2", "10.0.0.1", "0.1.10.0"]
    assert owners(found, "10.0.0.1") == ["a.", "b."]
    assert found.entries == 8


def test_an_address_is_not_found_across_two_others() -> None:
    assert a(table("1.2.3.4 a", "3.4.5.6 a", "3.4.3.4 a", "2.3.4.3 a"), "a.") == [
        "1.2.3.4",
        "3.4.5.6",
        "3.4.3.4",
        "2.3.4.3",
    ]


def test_names_outside_the_zones_are_not_kept() -> None:
    found = table("10.0.0.1 a.example.org a.example.net example.org", zone="example.org.")
    assert (a(found, "a.example.net."), a(found, "a.example.org.")) == ([], ["10.0.0.1"])
    assert owners(found, "10.0.0.1") == ["a.example.org.", "example.org."]


def test_no_reverse() -> None:
    found = table("10.0.0.1 a", reverse=False)
    assert (found.names, found.entries) == ({}, 1)


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("x.example.org.", ["10.0.0.9"]),
        ("*.example.org.", ["10.0.0.9"]),
        ("x.y.example.org.", []),
        ("example.org.", []),
        ("own.example.org.", ["10.0.0.1"]),
        (".", []),
    ],
)
def test_wildcard_is_one_label(name: str, addresses: list[str]) -> None:
    found = table("10.0.0.9 *.example.org", "10.0.0.1 own.example.org")
    assert a(found, name) == addresses
    assert owners(found, "10.0.0.9") == []


def test_names_that_are_none_are_left_out_and_told() -> None:
    told: list[int] = []
    lines = [b"10.0.0.1 a..b ok", b"x y", b"", b"  # c", b"10.0.0.1", b"10.0.0.1 " + b"a" * 64, b"\xff\0 a"]
    found = parse_hosts(lines, frozenset([names.ROOT]), reverse=True, unread=told.append)
    assert a(found, "ok.") == ["10.0.0.1"]
    assert told == [1, 2, 5, 6, 7]


@pytest.mark.parametrize("text", ["", ".", "..", ".a", "a" * 64, "a." * 128, "a\\", "a\\999", "\\"])
def test_no_name(text: str) -> None:
    assert wire_name(text.encode()) is None


def test_longest_name() -> None:
    text = ".".join(["a" * 63] * 3 + ["b" * 61])
    assert wire_name(text.encode()) == names.from_text(text)
    assert wire_name((text + "b").encode()) is None


def test_block_lists_do_not_grow_without_end() -> None:
    lines = [f"0.0.0.0 n{number}" for number in range(2_000)]
    lines += [f"{number >> 8}.1.{number & 255}.1 one" for number in range(ADDRESSES_MAX + 10)]
    found = table(*lines)
    assert len(owners(found, "0.0.0.0")) == NAMES_MAX
    assert len(a(found, "one.")) == ADDRESSES_MAX
    assert a(found, "n1999.") == ["0.0.0.0"]


def test_dismantled_tables_are_empty() -> None:
    found = table("10.0.0.1 a *.b", "::1 a *.c")
    found.dismantle()
    assert not any((*found.exact.values(), *found.wild.values(), found.names))
