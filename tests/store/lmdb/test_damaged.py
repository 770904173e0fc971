"""Files that are not what was written: set aside, or taken over because it does not matter; never anything else."""

import shutil
from pathlib import Path
from random import Random

import pytest

from dnsserver.store.lmdb import StoreReader, StoreWriter
from dnsserver.store.lmdb.databases import open_databases, open_environment
from dnsserver.zone.objects import Feed
from tests.store.lmdb.peers import FINGERPRINT, NOW, Clock, complete, writer_of
from tests.zone.histories import picture, random_changes

ASIDE = "data.mdb.aside"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    """A store with a history, so that it has free pages, and what is in it."""
    folder = tmp_path_factory.mktemp("sound") / "store"
    writer = writer_of(folder)
    complete(writer.state)
    names = [*"abcdefghijklmnopqrstuvwxyz"]
    for change in random_changes(Random(1), 600, names):
        change(writer.state)
        writer.commit()
    seen = picture(writer.state, names)
    writer.close()
    return folder, seen


def outcome(folder: Path, seen: dict[str, object]) -> bool:
    """Whether it was taken over; all of it then, and nothing of it otherwise. In any case it can be written."""
    writer = writer_of(folder)
    restored = writer.state.restored
    if restored:
        assert picture(writer.state, [*"abcdefghijklmnopqrstuvwxyz"]) == seen
    else:
        assert [writer.state.count(feed) for feed in Feed] == [0] * len(Feed)
        assert not writer.state.synced
    complete(writer.state)
    for change in random_changes(Random(2), 30):
        change(writer.state)
        writer.commit()
    assert writer.outage == ""
    writer.close()
    return restored


def copied(sound: Path, to: Path) -> Path:
    shutil.copytree(sound, to)
    return to


def test_sound(sound: tuple[Path, dict[str, object]], tmp_path: Path) -> None:
    folder = copied(sound[0], tmp_path / "store")
    assert outcome(folder, sound[1])
    assert not (folder / ASIDE).exists()


@pytest.mark.parametrize("seed", range(4))
def test_flipped_bits(sound: tuple[Path, dict[str, object]], tmp_path: Path, seed: int) -> None:
    rng, outcomes = Random(seed), []
    for number in range(25):
        folder = copied(sound[0], tmp_path / f"{number}")
        octets = bytearray((folder / "data.mdb").read_bytes())
        # Half of them in the first 200 octets of a page, where its structure is.
        for _ in range(rng.choice((1, 1, 8, 64))):
            page = rng.randrange(len(octets) // 4096) * 4096
            octets[page + rng.randrange(rng.choice((200, 4096)))] ^= 1 << rng.randrange(8)
        (folder / "data.mdb").write_bytes(octets)
        outcomes.append(outcome(folder, sound[1]))
        assert (folder / ASIDE).exists() != outcomes[-1]
    assert not all(outcomes)


@pytest.mark.parametrize("file", ["generation", "lock.mdb", "lock"])
@pytest.mark.parametrize("octets", [b"", b"x" * 7, b"\xff" * 8, b"\xff" * 40_000])
def test_the_other_files_do_not_matter(
    sound: tuple[Path, dict[str, object]], tmp_path: Path, file: str, octets: bytes
) -> None:
    folder = copied(sound[0], tmp_path / "store")
    (folder / file).write_bytes(octets)
    StoreReader(folder).close()
    assert outcome(folder, sound[1])


def test_truncated(sound: tuple[Path, dict[str, object]], tmp_path: Path) -> None:
    size = (sound[0] / "data.mdb").stat().st_size
    rng = Random(1)
    for length in (
        0,
        1,
        4095,
        4096,
        8191,
        8192,
        size // 2,
        size - 1,
        *(rng.randrange(size) for _ in range(8)),
    ):
        folder = copied(sound[0], tmp_path / f"{length}")
        with (folder / "data.mdb").open("r+b") as file:
            file.truncate(length)
        assert not outcome(folder, sound[1])


@pytest.mark.parametrize("octets", [b"", b"no store\n", bytes(8192), Random(1).randbytes(100_000)])
def test_garbage(tmp_path: Path, octets: bytes, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "data.mdb").write_bytes(octets)
    assert not outcome(tmp_path, {})
    assert (tmp_path / ASIDE).read_bytes() == octets
    assert len(caplog.records) == 1
    assert f"{tmp_path}: what an earlier run left is not used: " in caplog.text


def refused(folder: Path, fingerprint: bytes = FINGERPRINT, clock: Clock | None = None) -> None:
    writer = StoreWriter(folder, Feed, fingerprint=fingerprint, max_age_s=60, now=clock or Clock())
    assert not writer.state.restored
    assert writer.state.count(Feed.SERVICES) == 0
    writer.close()


def test_foreign(
    sound: tuple[Path, dict[str, object]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    refused(copied(sound[0], tmp_path / "1"), fingerprint=b"another")
    assert "it is of another configuration; it is kept as data.mdb.aside" in caplog.text
    refused(copied(sound[0], tmp_path / "2"), clock=Clock(NOW + 61))
    assert "it is too old: 61 s, and 60 s are allowed" in caplog.text
    folder = copied(sound[0], tmp_path / "3")
    environment = open_environment(folder, 1 << 20)
    databases = open_databases(environment, create=False)
    with environment.begin(write=True) as transaction:
        transaction.put(b"format", b"dnsserver store, format 0", db=databases.meta)
    environment.close()
    refused(folder)
    assert "it is of another format" in caplog.text


def test_one_is_kept_aside(tmp_path: Path) -> None:
    for octets in (b"first", b"second"):
        (tmp_path / "data.mdb").write_bytes(octets)
        refused(tmp_path)
        assert (tmp_path / ASIDE).read_bytes() == octets
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("data.mdb", ASIDE, "generation", "lock", "lock.mdb")
    ]


def test_a_lost_generation(sound: tuple[Path, dict[str, object]], tmp_path: Path) -> None:
    """LMDB goes back to the generation before when the last one's page is damaged; readers have been told more."""
    folder = copied(sound[0], tmp_path / "store")
    told = int.from_bytes((folder / "generation").read_bytes(), "little")
    (folder / "generation").write_bytes((told + 1).to_bytes(8, "little"))
    assert not outcome(folder, sound[1])
