"""Tallies: replies counted by adding one come to what counting them one by one gives."""

from random import Random

import pytest

from dnsserver.observability.counters import (
    OTHER,
    SIZE_BOUNDS,
    TIME_BOUNDS,
    Exchange,
    Histogram,
    ZoneCounters,
    no_durations,
)
from dnsserver.observability.tallies import Tallies

A, AAAA = 1, 28
EXCHANGE: Exchange = ("udp", False, A, 0, "kubernetes", False)


def random_exchange(rng: Random) -> Exchange:
    rcode = rng.choice((0, 3))
    return (
        rng.choice(("udp", "tcp")),
        rng.random() < 0.5,
        rng.choice((A, AAAA, OTHER)),
        rcode,
        "kubernetes",
        rcode > 0,
    )


def without_durations(counters: ZoneCounters) -> ZoneCounters:
    return ZoneCounters(counters.exchanges, no_durations(), counters.asked, counters.sent)


def durations(zones: list[ZoneCounters]) -> Histogram:
    found = no_durations()
    for zone in zones:
        found.merge(zone.seconds)
    return found


# Histograms.


@pytest.mark.parametrize("bounds", [TIME_BOUNDS, SIZE_BOUNDS, (1,)])
def test_adding_many_is_adding_one_many_times(bounds: tuple[float, ...]) -> None:
    rng = Random(7)
    many, ones = Histogram(bounds), Histogram(bounds)
    for _ in range(200):
        value, times = rng.choice((*bounds, 0, rng.random() * 2 * bounds[-1])), rng.randrange(4)
        many.add(value, times)
        for _ in range(times):
            ones.add(value, 1)
    assert many.counts == ones.counts
    assert many.total == pytest.approx(ones.total)


@pytest.mark.parametrize(
    ("value", "bucket"), [(0, 0), (1, 0), (1.5, 1), (2, 1), (2.1, 2), (1000, 2)], ids=str
)
def test_the_bucket_of_a_value(value: float, bucket: int) -> None:
    histogram = Histogram((1, 2))
    histogram.add(value, 3)
    assert histogram.counts == [3 if number == bucket else 0 for number in range(3)]
    assert histogram.total == 3 * value


@pytest.mark.parametrize("seed", range(20))
def test_shares_are_as_large_as_they_are_to_be(seed: int) -> None:
    """Each has its number, spread as the whole is to within one observation for each bucket."""
    rng = Random(seed)
    counts = [rng.choice((0, 0, 1, 5, 1000)) for _ in range(5)]
    whole = Histogram((1, 2, 3, 4), counts or [1], 50.0)
    observed = sum(whole.counts)
    cut = rng.randrange(observed + 1)
    shares = {1: cut, 2: observed - cut, 3: 0}
    parts = whole.shared_out(shares)
    assert parts.keys() == (shares.keys() if observed else set())
    for number, count in enumerate(whole.counts if parts else ()):
        assert sum(part.counts[number] for part in parts.values()) == count
    for key, part in parts.items():
        assert sum(part.counts) == shares[key]
        assert part.total == pytest.approx(50.0 * shares[key] / observed)
        for mine, all_of_it in zip(part.counts, counts, strict=True):
            assert abs(mine - all_of_it * shares[key] / observed) < len(parts)
    assert whole.counts == counts, "what is shared out stays as it was"


def test_one_share_of_all_is_the_whole() -> None:
    whole = Histogram((1, 2), [3, 0, 4], 12.0)
    assert whole.shared_out({7: 7}) == {7: whole}
    assert whole.shared_out({}) == {}
    assert Histogram((1, 2)).shared_out({7: 0}) == {}


# Counters.


def test_counting_many_is_counting_one_many_times() -> None:
    rng = Random(8)
    many, ones = ZoneCounters(), ZoneCounters()
    for _ in range(300):
        exchange, asked, sent, number = (
            random_exchange(rng),
            rng.randrange(12, 300),
            rng.randrange(12, 4097),
            rng.randrange(1, 5),
        )
        many.add_many(exchange, asked, sent, number)
        for _ in range(number):
            ones.add(exchange, asked, sent, 0.001)
    assert many == without_durations(ones)


def test_both_ways_of_counting_add_up() -> None:
    counters, other = ZoneCounters(), ZoneCounters()
    counters.add(EXCHANGE, 40, 100, 0.001)
    counters.add_many(EXCHANGE, 40, 100, 2)
    counters.add(EXCHANGE, 50, None, 0.001)
    other.add_many(EXCHANGE, 40, 100, 3)
    for _ in range(3):
        other.seconds.add(0.001, 1)
    assert counters.exchanges == {EXCHANGE: 4}
    assert (sum(counters.asked["udp"].counts), counters.asked["udp"].total) == (4, 170)
    assert counters.sent == other.sent


# Tallies.


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("number_of_zones", [1, 2, 5])
def test_what_was_tallied_is_what_counting_one_by_one_gives(seed: int, number_of_zones: int) -> None:
    """Also when somebody asks for the numbers in between, and when some are counted directly."""
    rng = Random(seed)
    tallies = Tallies()
    found = [ZoneCounters() for _ in range(number_of_zones)]
    wanted = [ZoneCounters() for _ in range(number_of_zones)]
    for _ in range(2_000):
        zone = rng.randrange(number_of_zones)
        exchange, asked, sent = random_exchange(rng), rng.choice((40, 100, 101)), rng.choice((80, 512, 4096))
        seconds = rng.choice((0.00001, 0.0003, 0.002, 10.0))
        wanted[zone].add(exchange, asked, sent, seconds)
        if rng.random() < 0.2:
            found[zone].add(exchange, asked, sent, seconds)
        else:
            tallies.tally(found[zone], exchange, asked, sent)[0] += 1
            tallies.lasted(seconds, 1)
        if rng.random() < 0.01:
            tallies.fold()
    tallies.fold()
    assert [without_durations(each) for each in found] == [without_durations(each) for each in wanted]
    for mine, theirs in zip(found, wanted, strict=True):
        assert sum(mine.seconds.counts) == sum(theirs.seconds.counts)
    assert durations(found).total == pytest.approx(durations(wanted).total)
    if number_of_zones == 1:
        assert found[0].seconds.counts == wanted[0].seconds.counts


def test_one_kind_has_one_tally() -> None:
    tallies, zones = Tallies(), (ZoneCounters(), ZoneCounters())
    first = tallies.tally(zones[0], EXCHANGE, 40, 100)
    assert tallies.tally(zones[0], EXCHANGE, 40, 100) is first
    others = [
        tallies.tally(zones[1], EXCHANGE, 40, 100),
        tallies.tally(zones[0], EXCHANGE, 41, 100),
        tallies.tally(zones[0], EXCHANGE, 40, 101),
        *(
            tallies.tally(zones[0], different, 40, 100)
            for different in (
                ("tcp", *EXCHANGE[1:]),
                ("udp", True, *EXCHANGE[2:]),
                ("udp", False, AAAA, *EXCHANGE[3:]),
                ("udp", False, A, 3, "kubernetes", False),
                ("udp", False, A, 0, "kubernetes", True),
            )
        ),
    ]
    assert len({id(each) for each in (first, *others)}) == 9


def test_a_tally_goes_on_after_folding() -> None:
    """Ready replies hold on to theirs."""
    tallies, zone = Tallies(), ZoneCounters()
    tally = tallies.tally(zone, EXCHANGE, 40, 100)
    for times in (2, 0, 3):
        tally[0] += times
        tallies.lasted(0.001, times)
        tallies.fold()
        tallies.fold()
    assert zone.exchanges == {EXCHANGE: 5}
    assert sum(zone.seconds.counts) == 5
    assert (sum(zone.sent["udp"].counts), zone.sent["udp"].total) == (5, 500)


def test_zones_that_gave_nothing_get_nothing() -> None:
    tallies, busy, idle = Tallies(), ZoneCounters(), ZoneCounters()
    tallies.tally(idle, EXCHANGE, 40, 100)
    tallies.tally(busy, EXCHANGE, 40, 100)[0] += 10
    tallies.lasted(0.001, 10)
    tallies.fold()
    assert idle == ZoneCounters()
    assert sum(busy.seconds.counts) == 10


def test_replies_that_nobody_counts_leave_the_durations_of_others() -> None:
    """A batch tells of all its replies: those of a zone without `prometheus`, too."""
    tallies, zone = Tallies(), ZoneCounters()
    tallies.tally(zone, EXCHANGE, 40, 100)[0] += 3
    tallies.lasted(0.001, 9)
    tallies.fold()
    assert zone.seconds.counts == [0, 0, 3, *[0] * 14]
    assert zone.seconds.total == pytest.approx(0.003)


def test_durations_are_shared_out_by_the_number_of_replies() -> None:
    tallies, zones = Tallies(), (ZoneCounters(), ZoneCounters())
    for number, zone in enumerate(zones):
        tallies.tally(zone, EXCHANGE, 40, 100)[0] += 30 * (number + 1)
    tallies.lasted(0.0001, 60)
    tallies.lasted(1.0, 30)
    tallies.fold()
    assert [zone.seconds.counts[0] for zone in zones] == [20, 40]
    assert [zone.seconds.counts[12] for zone in zones] == [10, 20]
    assert [sum(zone.seconds.counts) for zone in zones] == [30, 60]
