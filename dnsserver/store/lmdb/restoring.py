"""What an earlier run has left: taken over when it is sound, of the same configuration, and not too old.

The file is read, and copied into a new one, by a forked child: a mangled or truncated file makes LMDB crash the
process that reads it. The copy is made record by record, so neither a tree that leads astray nor a list of free pages
with pages in use comes into this run. Where there is no room for a copy, the records are checked in the same way, and
the file is used as it is: better than none, though its list of free pages is taken on trust.
"""

import contextlib
import errno
import logging
import math
import os
import resource
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NoReturn

import lmdb

from dnsserver.store.lmdb.codec import (
    FORMAT_KEY,
    FORMAT_OCTETS,
    META_KEY,
    Meta,
    decoded_meta,
    encoded_record,
    unsealed,
)
from dnsserver.store.lmdb.databases import (
    COUNTED,
    DATA_FILE,
    FIRST_MAP_SIZE,
    INDEX,
    LOCK_FILE,
    SUM_MODULO,
    Databases,
    Transaction,
    entry_sum,
    open_databases,
    open_environment,
    open_to_read,
)
from dnsserver.store.lmdb.errors import DamagedError
from dnsserver.store.lmdb.room import ASIDE, lacks_room, make_room
from dnsserver.zone.objects import Feed

#: Seconds that the check may take; a sound store of 10^6 records takes two.
CHECK_MOST_S = 30.0
#: Seconds between two looks of the child for its parent.
LOOK_S = 0.1
#: Octets of the child's report: a sentence, or the Meta record.
REPORT_MOST = 64 * 1024
#: Octets of the file in which readers have their places: some 500 of 64.
LOCK_FILE_SIZE = 32 * 1024
COPY = DATA_FILE + ".new"
#: Exit codes of the child: why it has no Meta record.
REFUSED, NOT_WRITTEN = 1, 2

LOG = logging.getLogger("dnsserver.store")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What content must be to be taken over. `now` is in Unix seconds, `max_age_s` in seconds; `generation` is the
    last one that readers were told of. Without a limit to the age it is the state of this run, whose writer is
    replaced: then it need not ever have been complete."""

    fingerprint: bytes
    feeds: frozenset[Feed]
    generation: int
    max_age_s: float
    now: float


@dataclass(frozen=True, slots=True)
class _Failure:
    """What the child says instead. `written` False: it is the copy that could not be written."""

    reason: str
    written: bool = True


def restore(folder: Path, wanted: Wanted) -> Meta | None:
    """Put a sound data file in place and return what is known of it, or put none there and return None.

    What is there and is not taken over is kept aside, one file at most. The caller has the writer's lock, and no
    reader is opening. Raises OSError.
    """
    data, copy = folder / DATA_FILE, folder / COPY
    copy.unlink(missing_ok=True)
    if not data.exists():
        _make_places(folder)
        return None
    found = _in_child(lambda: _copied(data, copy, wanted))
    if isinstance(found, _Failure) and not found.written:
        copy.unlink(missing_ok=True)
        if lacks_room(found.reason) and make_room(folder):
            return restore(folder, wanted)
        LOG.warning("%s: what is there cannot be copied: %s; it is checked in place", folder, found.reason)
        found = _in_child(lambda: _checked(data, wanted))
        if isinstance(found, Meta):
            _keep_places(folder)
            return found
    if isinstance(found, Meta):
        copy.replace(data)
        _make_places(folder)
        return found
    copy.unlink(missing_ok=True)
    data.replace(folder / ASIDE)
    LOG.warning("%s: what an earlier run left is not used: %s; it is kept as %s", folder, found.reason, ASIDE)
    _make_places(folder)
    return None


def take_seed(folder: Path, seeds: Sequence[Path], wanted: Wanted) -> Meta | None:
    """Put a copy of the first sound store among the folders *seeds* in place, and return what is known of it; None
    where there is none. Nothing of theirs is changed, and somebody may be writing there. Raises OSError."""
    data, copy = folder / DATA_FILE, folder / COPY
    wanted = replace(wanted, generation=0)  # which generation readers know is a matter of each folder
    for seed in seeds:
        if not (seed / DATA_FILE).exists():
            continue
        found = _in_child(partial(_copied, seed / DATA_FILE, copy, wanted, alone=False))
        if isinstance(found, Meta):
            copy.replace(data)
            _make_places(folder)
            return found
        copy.unlink(missing_ok=True)
        LOG.debug("%s: what is in %s is not used: %s", folder, seed, found.reason)
    return None


def _keep_places(folder: Path) -> None:
    """Readers of this file may have theirs: LMDB must know them, so as not to write over what they see."""
    places = folder / LOCK_FILE
    if not places.is_file() or places.stat().st_size < LOCK_FILE_SIZE:
        _make_places(folder)


def _make_places(folder: Path) -> None:
    """The readers' places, for a file that is new. They are written, not only sized: a hole in a full memory file
    system kills the reader that takes one."""
    places = folder / LOCK_FILE
    places.unlink(missing_ok=True)
    descriptor = os.open(places, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        if os.write(descriptor, bytes(LOCK_FILE_SIZE)) < LOCK_FILE_SIZE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(places))
    finally:
        os.close(descriptor)


def _in_child(work: Callable[[], Meta]) -> Meta | _Failure:
    """What *work* returns in a child of its own, or why it could not."""
    reading, writing = os.pipe()
    own = os.getpid()
    child = os.fork()
    if child == 0:
        _report(work, writing, own)
    os.close(writing)
    try:
        report = _read_all(reading, time.monotonic() + CHECK_MOST_S)
    except TimeoutError:
        os.kill(child, signal.SIGKILL)
        report = b""
    finally:
        os.close(reading)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        number = signal.Signals(os.WTERMSIG(status))
        return _Failure(f"it is damaged: reading it ended with {number.name}")
    code = os.WEXITSTATUS(status)
    if code != 0:
        return _Failure(report.decode(errors="replace") or "it cannot be read", code != NOT_WRITTEN)
    return decoded_meta(report)


def _report(work: Callable[[], Meta], writing: int, parent: int) -> NoReturn:
    """The child's life: no handler, no core and no message of its own; the parent says what was wrong. Without it
    nobody wants to know, and its successor waits for the files."""
    code = REFUSED
    try:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGABRT, signal.SIGBUS, signal.SIGSEGV):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGALRM, lambda *_: None if os.getppid() == parent else os._exit(1))
        signal.setitimer(signal.ITIMER_REAL, LOOK_S, LOOK_S)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        report = encoded_record(META_KEY, work())
        code = 0
    except DamagedError as error:
        report = str(error).encode()
    except _NotWrittenError as error:
        report, code = str(error).encode(), NOT_WRITTEN
    except Exception as error:
        report = f"it cannot be read: {error}".encode()
    try:
        os.write(writing, report[:REPORT_MOST])
    finally:
        os._exit(code)


def _read_all(descriptor: int, until: float) -> bytes:
    """Until the other side is closed. Raises TimeoutError at *until*, on the monotonic clock."""
    octets = b""
    while True:
        left = until - time.monotonic()
        if left <= 0 or not select.select((descriptor,), (), (), left)[0]:
            raise TimeoutError
        piece = os.read(descriptor, REPORT_MOST)
        if not piece:
            return octets
        octets += piece


class _NotWrittenError(Exception):
    """The copy cannot be written, which says nothing of its source."""


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    """What LMDB has against it is a matter of the copy. Sources say DamagedError (see `_Entries`)."""
    try:
        yield
    except lmdb.Error as error:
        raise _NotWrittenError(str(error)) from None


def _opened(data: Path, *, alone: bool = True) -> tuple[lmdb.Environment, Databases]:
    """The store to check; *alone*: nobody writes to it. Raises DamagedError when it is cut off."""
    source = open_to_read(data if alone else data.parent, alone=alone)
    if (source.info()["last_pgno"] + 1) * source.stat()["psize"] > data.stat().st_size:
        raise DamagedError("it is damaged: the file is shorter than it says")
    return source, open_databases(source, create=False)


def _copied(data: Path, copy: Path, wanted: Wanted, *, alone: bool = True) -> Meta:
    """Check the store in *data* and write it anew into *copy*; *alone*: nobody writes to it meanwhile. Raises
    DamagedError with the reason not to use it, and _NotWrittenError."""
    source, databases = _opened(data, alone=alone)
    with source.begin() as reading:
        meta = _accepted(reading, databases, wanted)
        with _writing():
            target = open_environment(copy, max(FIRST_MAP_SIZE, 2 * data.stat().st_size), alone=True)
            copies = open_databases(target, create=True)
            with target.begin(write=True) as writing:
                for name in COUNTED:
                    _copy(name, reading, databases, writing, copies, meta)
                writing.put(META_KEY, encoded_record(META_KEY, meta), db=copies.meta)
                writing.put(FORMAT_KEY, FORMAT_OCTETS, db=copies.meta)
            target.close()
    return meta


def _checked(data: Path, wanted: Wanted) -> Meta:
    """Check the store in *data* where it lies. Raises DamagedError with the reason not to use it."""
    source, databases = _opened(data)
    with source.begin() as reading:
        meta = _accepted(reading, databases, wanted)
        for name in COUNTED:
            entries, last = _Entries(name, reading, databases), b""
            for key, _ in entries:
                if key <= last:
                    raise DamagedError(f"it is damaged: {name} is out of order")
                last = key
            entries.must_be(meta, entries.number)
    return meta


def _accepted(reading: Transaction, databases: Databases, wanted: Wanted) -> Meta:
    if reading.get(FORMAT_KEY, db=databases.meta) != FORMAT_OCTETS:
        raise DamagedError("it is of another format")
    try:
        meta = decoded_meta(reading.get(META_KEY, db=databases.meta))
    except DamagedError as error:
        raise DamagedError(f"it is damaged: {error}") from None
    if meta.generation < wanted.generation:
        raise DamagedError("it is damaged: its last generation is lost")  # LMDB has the one before it, too
    if meta.fingerprint != wanted.fingerprint or not wanted.feeds <= meta.feeds:
        raise DamagedError("it is of another configuration")
    if wanted.max_age_s == math.inf:
        return meta
    if not wanted.feeds <= meta.synced or not meta.fresh_at:
        raise DamagedError("it was never complete")
    age = wanted.now - meta.fresh_at
    if age > wanted.max_age_s:
        raise DamagedError(f"it is too old: {age:.0f} s, and {wanted.max_age_s:.0f} s are allowed")
    return meta


class _Entries:
    """Those of one database, each checked as it is taken. Raises DamagedError for whatever is wrong with them."""

    def __init__(self, name: str, reading: Transaction, databases: Databases) -> None:
        self._name = name
        self._cursor = reading.cursor(databases.named(name))
        self._sum = 0
        self.number = 0

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        try:
            for key, value in self._cursor.iternext():
                if self._name == INDEX:
                    self._sum += entry_sum(key, value)
                else:
                    unsealed(self._name, key, value)
                self.number += 1
                yield key, value
        except (DamagedError, lmdb.Error) as error:
            raise DamagedError(f"it is damaged: {error}") from None

    def must_be(self, meta: Meta, number: int) -> None:
        """All of them, of which *number* were in their places."""
        wrong_sum = self._name == INDEX and self._sum % SUM_MODULO != meta.index_sum
        if not self.number == number == meta.counts.get(self._name) or wrong_sum:
            raise DamagedError(f"it is damaged: {self._name} has not the entries that were written")


def _copy(
    name: str,
    reading: Transaction,
    databases: Databases,
    writing: Transaction,
    copies: Databases,
    meta: Meta,
) -> None:
    """Appended in order: an entry out of order ends it."""
    entries = _Entries(name, reading, databases)
    with writing.cursor(copies.named(name)) as target:
        consumed, added = target.putmulti(iter(entries), append=True)
    if consumed != added:
        raise DamagedError(f"it is damaged: {name} is out of order")
    entries.must_be(meta, added)
