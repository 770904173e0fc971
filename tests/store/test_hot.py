"""Hot answers against the simplest thing that behaves so: lists of entries, a young one and an old one."""

import operator
from dataclasses import dataclass, field
from random import Random

import pytest

from dnsserver.runtime.memory import AMPLE_MEMORY
from dnsserver.store import hot
from dnsserver.store.hot import ENTRY_OCTETS, HotAnswers, Shelf
from dnsserver.zone.objects import ObjectKey

OPERATIONS = 4_000
SERVICES = tuple(ObjectKey("default", name) for name in "abcdef")
#: Octets of the keys of these tests, and of an entry with a value of no octets.
KEY = 2
EMPTY = ENTRY_OCTETS + KEY
#: Entries that make half a shelf full: few enough that random operations fill both shelves many times.
OF_SERVICES, OTHERS = 12, 5


@dataclass(frozen=True, slots=True)
class Value:
    """`number` tells it from others."""

    number: int
    octets: int = 0


SIZE = operator.attrgetter("octets")


def key(number: int) -> bytes:
    return number.to_bytes(KEY, "big")


@dataclass(frozen=True, slots=True)
class Entry:
    key: bytes
    value: Value
    service: ObjectKey | None

    @property
    def cost(self) -> int:
        return EMPTY + self.value.octets


@dataclass
class ModelShelf:
    most: int
    young: list[Entry] = field(default_factory=list)
    old: list[Entry] = field(default_factory=list)

    def get(self, wanted: bytes) -> Value | None:
        return next((entry.value for entry in (*self.young, *self.old) if entry.key == wanted), None)

    def put(self, new: Entry) -> None:
        if any(entry.key == new.key for entry in self.young):
            return
        if sum(entry.cost for entry in self.young) >= self.most:
            self.old, self.young = self.young, []
        self.old = [entry for entry in self.old if entry.key != new.key]
        self.young.append(new)

    def forget(self, service: ObjectKey | None) -> None:
        self.young = [entry for entry in self.young if entry.service != service]
        self.old = [entry for entry in self.old if entry.service != service]

    def clear(self) -> None:
        self.young, self.old = [], []


def check_shelf(shelf: Shelf[Value], model: ModelShelf) -> None:
    assert shelf.young == {entry.key: entry.value for entry in model.young}
    assert shelf._old == {entry.key: entry.value for entry in model.old}
    assert len(shelf) == len(model.young) + len(model.old)
    assert shelf._used == sum(entry.cost for entry in model.young)
    # What is forgotten is forgotten in the tables by Service too: they name what is young, each once, and nobody else.
    listed = [(each, service) for service, keys in shelf._keys.items() for each in keys]
    assert sorted(listed, key=repr) == sorted(((each.key, each.service) for each in model.young), key=repr)
    assert all(shelf._keys.values())
    assert sum(map(len, shelf._old_keys.values())) <= model.most // EMPTY + 1


@pytest.mark.parametrize("seed", range(5))
def test_a_shelf_under_random_operations(seed: int) -> None:
    rng = Random(seed)
    most = OF_SERVICES * EMPTY
    shelf: Shelf[Value] = Shelf(most, SIZE)
    model = ModelShelf(most)
    for number in range(OPERATIONS):
        match rng.random():
            case draw if draw < 0.85:
                size = rng.choice((0, 0, 1, EMPTY, 5 * EMPTY))
                entry = Entry(key(rng.randrange(40)), Value(number, size), rng.choice((*SERVICES, None)))
                shelf.put(entry.key, entry.value, entry.service)
                model.put(entry)
            case draw if draw < 0.99:
                service = rng.choice((*SERVICES, None))
                shelf.forget(service)
                model.forget(service)
            case _:
                shelf.clear()
                model.clear()
        check_shelf(shelf, model)
        assert [shelf.get(key(each)) for each in range(40)] == [model.get(key(each)) for each in range(40)]


def test_room_is_counted_in_octets() -> None:
    """The entry that fills a half is in it; the next one begins another."""
    for size, number in ((0, 10), (EMPTY, 5), (9 * EMPTY, 1), (100 * EMPTY, 1)):
        shelf: Shelf[Value] = Shelf(10 * EMPTY, SIZE)
        for each in range(number + 1):
            shelf.put(key(each), Value(each, size), None)
        assert list(shelf.young) == [key(number)]
        assert all(shelf.get(key(each)) for each in range(number + 1))


def test_what_is_forgotten_leaves_its_room() -> None:
    shelf: Shelf[Value] = Shelf(3 * EMPTY, SIZE)
    shelf.put(key(0), Value(0), None)
    for each in range(1, 100):
        shelf.put(key(each), Value(each, EMPTY), SERVICES[0])
        shelf.forget(SERVICES[0])
    assert list(shelf.young) == [key(0)]


def test_what_has_grown_old_is_young_again_when_it_is_put_again() -> None:
    shelf: Shelf[Value] = Shelf(2 * EMPTY, SIZE)
    for number in (0, 1, 2):
        shelf.put(key(number), Value(number), SERVICES[0])
    assert key(0) not in shelf.young
    shelf.put(key(0), Value(99), SERVICES[1])
    assert shelf.young[key(0)] == Value(99)
    shelf.forget(SERVICES[0])  # whose it was
    assert shelf.get(key(0)) == Value(99)
    shelf.forget(SERVICES[1])
    assert shelf.get(key(0)) is None
    assert len(shelf) == 0


def test_the_young_half_keeps_what_it_has() -> None:
    shelf: Shelf[Value] = Shelf(10 * EMPTY, SIZE)
    shelf.put(key(0), Value(1), SERVICES[0])
    shelf.put(key(0), Value(2), SERVICES[1])
    assert shelf.get(key(0)) == Value(1)
    shelf.forget(SERVICES[1])
    assert shelf.get(key(0)) == Value(1)


# Both shelves.


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> HotAnswers[Value]:
    monkeypatch.setattr(hot, "SERVICE_OCTETS_MAX", OF_SERVICES * EMPTY)
    monkeypatch.setattr(hot, "OTHERS_OCTETS_MAX", OTHERS * EMPTY)
    return HotAnswers(SIZE)


NODE = ObjectKey("", "default")


@pytest.mark.parametrize("seed", range(5))
def test_both_shelves_under_random_operations(answers: HotAnswers[Value], seed: int) -> None:
    rng = Random(seed)
    named, others = ModelShelf(OF_SERVICES * EMPTY), ModelShelf(OTHERS * EMPTY)
    shelf_of: dict[bytes, bool] = {}
    for number in range(OPERATIONS):
        match rng.random():
            case draw if draw < 0.9:
                octets, service = key(rng.randrange(40)), rng.choice((*SERVICES, None, NODE))
                # A key changes its shelf only once it has been forgotten.
                inventable = shelf_of.setdefault(octets, rng.random() < 0.5)
                answers.put(octets, Value(number), service, inventable=inventable)
                model = others if inventable or service in (None, NODE) else named
                model.put(Entry(octets, Value(number), service))
            case draw if draw < 0.99:
                changed = rng.choices(SERVICES, k=rng.randrange(4))  # none, and one twice
                answers.forget(changed)
                for service in (*changed, None):
                    named.forget(service)
                    others.forget(service)
            case _:
                answers.clear()
                for model in (named, others):
                    model.clear()
                shelf_of.clear()
        check_shelf(answers.of_services, named)
        check_shelf(answers.others, others)
        for each in map(key, range(40)):
            first = named.get(each)
            assert answers.get(each) == (others.get(each) if first is None else first)
        assert len(answers) == len(answers.of_services) + len(answers.others)


def test_inventing_names_drops_no_services_answer(answers: HotAnswers[Value]) -> None:
    for number in range(OF_SERVICES):
        answers.put(key(number), Value(number), SERVICES[0], inventable=False)
    for number in range(1000, 3000, 3):
        answers.put(key(number), Value(number), SERVICES[1], inventable=True)
        answers.put(key(number + 1), Value(number), None, inventable=False)
        answers.put(key(number + 2), Value(number), NODE, inventable=False)
    assert all(answers.get(key(number)) == Value(number) for number in range(OF_SERVICES))
    assert len(answers.others) <= 2 * OTHERS


def test_any_change_ends_what_hangs_on_everything(answers: HotAnswers[Value]) -> None:
    answers.put(b"one", Value(1), SERVICES[0], inventable=False)
    answers.put(b"any", Value(2), None, inventable=False)
    answers.put(b"nil", Value(3), NODE, inventable=False)
    answers.forget([SERVICES[1]])
    assert (answers.get(b"one"), answers.get(b"any"), answers.get(b"nil")) == (Value(1), None, Value(3))
    answers.put(b"any", Value(4), None, inventable=True)
    answers.forget([])  # of pods
    assert (answers.get(b"one"), answers.get(b"any"), answers.get(b"nil")) == (Value(1), None, Value(3))


def test_old_halves_are_forgotten_too(answers: HotAnswers[Value]) -> None:
    for number in range(OF_SERVICES + 1):
        answers.put(key(number), Value(number), SERVICES[number % 2], inventable=False)
    answers.forget([SERVICES[0]])
    assert [number for number in range(OF_SERVICES + 1) if answers.get(key(number))] == list(
        range(1, OF_SERVICES + 1, 2)
    )


def test_clearing_leaves_those_who_look_with_nothing(answers: HotAnswers[Value]) -> None:
    """A batch holds on to what finds its replies."""
    answers.put(key(0), Value(0), SERVICES[0], inventable=False)
    answers.put(key(1), Value(1), None, inventable=False)
    finders = (answers.of_services.young.get, answers.others.young.get)
    answers.clear()
    assert [find(key(number)) for find in finders for number in (0, 1)] == [None] * 4


def test_hot_answers_leave_half_of_the_memory_that_there_is() -> None:
    """Six such tables stand in a worker: stored answers, orders of them, and ready ones for each protocol and IP
    version. Clients of one IP version that use UDP, as nearly all do, fill three at most."""
    assert 3 * 2 * (hot.SERVICE_OCTETS_MAX + hot.OTHERS_OCTETS_MAX) < AMPLE_MEMORY / 2


@pytest.mark.parametrize("room", [1.0, 0.25])
def test_there_is_less_room_where_memory_is_short(room: float) -> None:
    answers: HotAnswers[bytes] = HotAnswers(len, room)
    large = bytes(1 << 20)
    for number in range(1000):
        answers.put(number.to_bytes(2, "big"), large, ObjectKey("default", "web"), inventable=False)
    half = hot.SERVICE_OCTETS_MAX * room
    assert half - len(large) < len(answers) * len(large) < 2 * half + 2 * len(large)


def test_what_is_asked_again_comes_back_from_the_old_half() -> None:
    """Somewhat more than a half holds, asked in turn: without the old half nothing would be found, ever."""
    shelf: Shelf[tuple[bytes, ObjectKey]] = Shelf(150 * (ENTRY_OCTETS + 4), lambda _: 0)
    service = ObjectKey("default", "web")
    found = 0
    for number in range(20 * 180):
        key = (number % 180).to_bytes(4, "big")
        value = shelf.young.get(key) or shelf.revive(key, lambda value: value[1])
        assert value in (None, (key, service))
        if value is None:
            shelf.put(key, (key, service), service)
        else:
            found += 1
    assert found > 0.6 * 20 * 180
    shelf.forget(service)
    assert len(shelf) == 0
    assert shelf.revive(bytes(4), lambda value: value[1]) is None
