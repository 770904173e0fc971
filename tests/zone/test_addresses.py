"""The index by address, against a brute force."""

from ipaddress import ip_address
from random import Random

import pytest

from dnsserver.zone.addresses import BULK_ADDITIONS, AddressIndex, packed
from dnsserver.zone.objects import ObjectKey


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("10.0.0.1", "0a000001"),
        ("0.0.0.0", "00000000"),
        ("255.255.255.255", "ffffffff"),
        ("::", "00" * 16),
        ("fd00::1", "fd00" + "00" * 13 + "01"),
        ("FD00:0:0:0:0:0:0:1", "fd00" + "00" * 13 + "01"),
        ("fd00:0000::0001", "fd00" + "00" * 13 + "01"),
        ("::ffff:10.0.0.1", "00" * 10 + "ffff0a000001"),
    ],
)
def test_packed(text: str, octets: str) -> None:
    assert packed(text) == bytes.fromhex(octets)


@pytest.mark.parametrize(
    "text",
    [
        "", "None", "10.0.0", "10.0.0.0.1", "010.0.0.1", "10.0.0.256", "10.0.0.-1", "10.0.0.+1",
        "10.0.0. 1", " 10.0.0.1", "10.0.0.1 ", "10.0.0.1.", "10.0.0.1/32", "1_0.0.0.1", "\u0661.0.0.1",
        "fe80::1%eth0", "fd00:::1", "fd00::1::2", "g::", "1:2:3:4:5:6:7", "www.example.com",
    ],
)  # fmt: skip
def test_no_address(text: str) -> None:
    assert packed(text) is None


class Model:
    """Every address with its owners, in a list."""

    def __init__(self) -> None:
        self.held: set[tuple[bytes, ObjectKey]] = set()

    def owners(self, key: bytes) -> tuple[ObjectKey, ...]:
        return tuple(sorted(owner for address, owner in self.held if address == key))

    def any_within(self, low: bytes, high: bytes, shown: set[str]) -> bool:
        return any(
            len(address) == len(low) and low <= address <= high and owner.namespace in shown
            for address, owner in self.held
        )


def random_address(rng: Random) -> str:
    if rng.random() < 0.5:
        return str(ip_address(0x0A000000 + rng.randrange(60)))
    address = ip_address(0xFD00 << 112 | rng.randrange(60))
    return rng.choice((str(address), address.exploded.upper()))


@pytest.mark.parametrize("seed", range(6))
def test_as_a_brute_force(seed: int) -> None:
    rng = Random(seed)
    index, model = AddressIndex(), Model()
    owners = [ObjectKey(namespace, name) for namespace in ("a", "b", "c") for name in ("x", "y")]
    given: dict[ObjectKey, list[str]] = {owner: [] for owner in owners}
    for _ in range(400):
        owner = rng.choice(owners)
        index.remove(owner, given[owner])
        model.held = {(address, other) for address, other in model.held if other != owner}
        given[owner] = [random_address(rng) for _ in range(rng.randrange(12))] + ["None"] * rng.randrange(2)
        index.add(owner, given[owner])
        model.held |= {(key, owner) for text in given[owner] if (key := packed(text))}
        check(index, model, rng)


def check(index: AddressIndex, model: Model, rng: Random) -> None:
    key = packed(random_address(rng))
    assert key is not None
    assert index.owners(key) == model.owners(key)
    for _ in range(rng.randrange(4)):  # 0: several changes before the next range query
        size = rng.choice((4, 16))
        base = 0x0A000000 if size == 4 else 0xFD00 << 112
        low = base + rng.randrange(64)
        ends = low.to_bytes(size, "big"), (low + rng.randrange(8)).to_bytes(size, "big")
        shown = {namespace for namespace in "abc" if rng.random() < 0.6}
        assert index.any_within(*ends, shown.__contains__) == model.any_within(*ends, shown)


def test_removing_what_is_not_there_changes_nothing() -> None:
    index, owner, other = AddressIndex(), ObjectKey("a", "x"), ObjectKey("a", "y")
    index.remove(owner, ["10.0.0.1"])
    index.add(owner, ["10.0.0.1"])
    index.remove(other, ["10.0.0.1", "10.0.0.2", "no address"])
    key = packed("10.0.0.1")
    assert key is not None
    assert index.owners(key) == (owner,)
    assert index.any_within(key, key, lambda _: True)


def test_adding_twice_is_adding_once() -> None:
    index, owner = AddressIndex(), ObjectKey("a", "x")
    index.add(owner, ["fd00::1", "FD00::1", "fd00:0::1"])
    index.add(owner, ["fd00::1"])
    key = packed("fd00::1")
    assert key is not None
    assert index.owners(key) == (owner,)
    index.remove(owner, ["fd00::1"])
    assert index.owners(key) == ()
    assert not index.any_within(key, key, lambda _: True)


@pytest.mark.parametrize("count", [1, BULK_ADDITIONS, BULK_ADDITIONS + 1, 1000])
def test_many_additions_before_one_question(count: int) -> None:
    index = AddressIndex()
    for number in range(count):
        index.add(ObjectKey("a", str(number)), [str(ip_address(0x0A000000 + 2 * number))])
    for number in range(2 * count):
        key = (0x0A000000 + number).to_bytes(4, "big")
        assert index.any_within(key, key, lambda _: True) == (number % 2 == 0)
