"""Hot answers against the simplest thing that behaves so: two lists, oldest first."""

from dataclasses import dataclass, field
from random import Random

import pytest

from dnsserver.answering.stored import StoredAnswer
from dnsserver.store import hot
from dnsserver.store.hot import Held, HotAnswers
from dnsserver.zone.objects import ObjectKey

#: Entries: few enough that random operations fill both tables many times.
POSITIVES, NEGATIVES = 12, 5
OPERATIONS = 20_000
SERVICES = tuple(ObjectKey("default", name) for name in "abcdef")


@pytest.fixture(autouse=True)
def _small_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hot, "SERVICE_ANSWERS_MAX", POSITIVES)
    monkeypatch.setattr(hot, "OTHERS_MAX", NEGATIVES)


def held(number: int = 0, *, negative: bool = False) -> Held[int]:
    answer = StoredAnswer(3 if negative else 0, bytes(6), bytes(6), b"", True, negative, 0)
    return Held(answer, number)


@dataclass(frozen=True, slots=True)
class Entry:
    question: bytes
    held: Held[int]
    service: ObjectKey | None


@dataclass
class Model:
    entries: list[Entry] = field(default_factory=list)

    def get(self, question: bytes) -> Held[int] | None:
        return next((entry.held for entry in self.entries if entry.question == question), None)

    def put(self, question: bytes, new: Held[int], service: ObjectKey | None) -> None:
        self.entries = [entry for entry in self.entries if entry.question != question]
        other = _other(new, service)
        alike = [entry for entry in self.entries if _other(entry.held, entry.service) == other]
        if len(alike) == (NEGATIVES if other else POSITIVES):
            self.entries.remove(alike[0])
        self.entries.append(Entry(question, new, service))

    def forget(self, services: tuple[ObjectKey, ...]) -> None:
        self.entries = [entry for entry in self.entries if entry.service not in (*services, None)]


def _other(entry: Held[int], service: ObjectKey | None) -> bool:
    """Whether clients could invent the question."""
    return service is None or (entry.answer is not None and entry.answer.negative)


def check_tables(answers: HotAnswers[int]) -> None:
    """No entry is in one table and missing in another, and nothing empty is kept."""
    positive, negative = set(answers._of_services), set(answers._others)
    assert not positive & negative
    assert len(positive) <= POSITIVES
    assert len(negative) <= NEGATIVES
    assert positive | negative == set(answers._service_of)
    listed = [(question, service) for service, found in answers._by_service.items() for question in found]
    assert len(listed) == len(answers._service_of)
    assert dict(listed) == answers._service_of
    assert all(answers._by_service.values())


@pytest.mark.parametrize("seed", range(5))
def test_random_operations(seed: int) -> None:
    rng = Random(seed)
    answers: HotAnswers[int] = HotAnswers()
    model = Model()
    questions = [bytes((number,)) for number in range(40)]
    for number in range(OPERATIONS // 5):
        question = rng.choice(questions)
        match rng.random():
            case draw if draw < 0.70:
                new = held(number, negative=rng.random() < 0.5)
                service = rng.choice((*SERVICES, None))
                answers.put(question, new, service)
                model.put(question, new, service)
            case draw if draw < 0.97:
                changed = tuple(rng.choices(SERVICES, k=rng.randrange(4)))  # none, and one twice
                answers.forget(changed)
                model.forget(changed)
            case _:
                answers.clear()
                model.entries.clear()
        check_tables(answers)
        assert [answers.get(each) for each in questions] == [model.get(each) for each in questions]
        assert len(answers) == len(model.entries)
        assert repr(answers)


def test_inventing_names_drops_no_positive_answer() -> None:
    answers: HotAnswers[int] = HotAnswers()
    for number in range(POSITIVES):
        answers.put(b"good%d" % number, held(number), SERVICES[0])
    for number in range(1000):
        answers.put(b"bad%d" % number, held(negative=True), SERVICES[1])
        answers.put(b"pod%d" % number, held(), None)
    assert all(answers.get(b"good%d" % number) == held(number) for number in range(POSITIVES))
    assert len(answers) == POSITIVES + NEGATIVES
    check_tables(answers)


@pytest.mark.parametrize(("negative", "most"), [(False, POSITIVES), (True, NEGATIVES)])
def test_the_oldest_makes_room(negative: bool, most: int) -> None:
    answers: HotAnswers[int] = HotAnswers()
    for number in range(most + 3):
        answers.put(bytes((number,)), held(number, negative=negative), SERVICES[number % 6])
    assert [number for number in range(most + 3) if answers.get(bytes((number,)))] == list(range(3, most + 3))
    check_tables(answers)


def test_putting_again_drops_nobody_else() -> None:
    """A full table takes another answer to a question that it holds, in place of the one before."""
    answers: HotAnswers[int] = HotAnswers()
    for number in range(POSITIVES):
        answers.put(bytes((number,)), held(number), SERVICES[0])
    answers.put(b"\5", held(99), SERVICES[1])
    assert len(answers) == POSITIVES
    assert answers.get(b"\5") == held(99)
    check_tables(answers)


@pytest.mark.parametrize(("first", "then"), [(False, True), (True, False), (False, False), (True, True)])
def test_an_answer_that_hangs_on_another_service_now(first: bool, then: bool) -> None:
    """Neither the old service nor the old table knows it any more."""
    answers: HotAnswers[int] = HotAnswers()
    answers.put(b"name", held(1, negative=first), SERVICES[0])
    answers.put(b"name", held(2, negative=then), SERVICES[1])
    answers.forget([SERVICES[0]])
    answers.forget([SERVICES[0]])
    assert answers.get(b"name") == held(2, negative=then)
    answers.forget([SERVICES[1]])
    assert answers.get(b"name") is None
    assert len(answers) == 0
    check_tables(answers)


def test_any_change_ends_what_hangs_on_everything() -> None:
    answers: HotAnswers[int] = HotAnswers()
    answers.put(b"one", held(), SERVICES[0])
    answers.put(b"any", held(), None)
    answers.forget([SERVICES[1]])
    assert (answers.get(b"one"), answers.get(b"any")) == (held(), None)
    answers.put(b"any", held(), None)
    answers.forget([])  # of pods
    assert (answers.get(b"one"), answers.get(b"any")) == (held(), None)
    check_tables(answers)


def test_names_that_are_asked_about_leave_no_trace() -> None:
    answers: HotAnswers[int] = HotAnswers()
    assert answers.get(b"name") is None
    answers.forget(SERVICES)
    check_tables(answers)
    assert not answers._by_service


def test_nodata_of_addresses_is_no_invention() -> None:
    """Every name of an IPv4 cluster is asked for AAAA too: these answers have room beside the positive ones."""
    answers: HotAnswers[int] = HotAnswers()
    nodata = Held(StoredAnswer(0, bytes(6), bytes(6), b"", True, True, 0), 1)
    answers.put(b"\3web\0\0\x1c\0\1", nodata, SERVICES[0])
    answers.put(b"\3web\0\0\x10\0\1", nodata, SERVICES[0])  # TXT: types can be invented
    for number in range(1000):
        answers.put(b"bad%d" % number, held(negative=True), SERVICES[1])
    assert answers.get(b"\3web\0\0\x1c\0\1") == nodata
    assert answers.get(b"\3web\0\0\x10\0\1") is None
