"""What an earlier run has left: taken over when it is sound, of the same configuration, and not too old.

The file is read, and copied into a new one, by a forked child: a mangled or truncated file makes LMDB crash the
process that reads it. The copy is made record by record, so neither a tree that leads astray nor a list of free pages
with pages in use comes into this run.
"""

import logging
import os
import resource
import select
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

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
    DATA_FILE,
    FIRST_MAP_SIZE,
    INDEX,
    LOCK_FILE,
    META,
    NAMES,
    SUM_MODULO,
    Databases,
    Transaction,
    entry_sum,
    open_databases,
    open_environment,
    open_to_read,
)
from dnsserver.store.lmdb.errors import DamagedError
from dnsserver.zone.objects import Feed

#: Seconds that the check may take; a sound store of 10^6 records takes two.
CHECK_MOST_S = 30.0
#: Seconds between two looks of the child for its parent.
LOOK_S = 0.1
#: Octets of the child's report: a sentence, or the Meta record.
REPORT_MOST = 64 * 1024
#: Octets of the file in which readers have their places: some 500 of 64.
LOCK_FILE_SIZE = 32 * 1024
ASIDE, COPY = DATA_FILE + ".aside", DATA_FILE + ".new"

LOG = logging.getLogger("dnsserver.store")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What content must be to be taken over. `now` is in Unix seconds, `max_age_s` in seconds; `generation` is the
    last one that readers were told of."""

    fingerprint: bytes
    feeds: frozenset[Feed]
    generation: int
    max_age_s: float
    now: float


def restore(folder: Path, wanted: Wanted) -> Meta | None:
    """Put a sound data file in place and return what is known of it, or put none there and return None.

    What is there and is not taken over is kept aside, one file at most. The caller has the writer's lock, and no
    reader is opening. Raises OSError.
    """
    data, copy = folder / DATA_FILE, folder / COPY
    copy.unlink(missing_ok=True)
    found = None
    if data.exists():
        found = _in_child(lambda: _copied(data, copy, wanted))
        if isinstance(found, Meta):
            copy.replace(data)
        else:
            copy.unlink(missing_ok=True)
            data.replace(folder / ASIDE)
            LOG.warning(
                "%s: what an earlier run left is not used: %s; it is kept as %s", folder, found, ASIDE
            )
            found = None
    # The readers' places belong to the file that was. They are written, not only sized: a hole in a full memory
    # file system kills the reader that takes one.
    places = folder / LOCK_FILE
    places.unlink(missing_ok=True)
    places.write_bytes(bytes(LOCK_FILE_SIZE))
    return found if isinstance(found, Meta) else None


def _in_child(work: Callable[[], Meta]) -> Meta | str:
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
        return f"it is damaged: reading it ended with {signal.Signals(os.WTERMSIG(status)).name}"
    if os.WEXITSTATUS(status) != 0:
        return report.decode(errors="replace") or "it cannot be read"
    return decoded_meta(report)


def _report(work: Callable[[], Meta], writing: int, parent: int) -> NoReturn:
    """The child's life: no handler, no core and no message of its own; the parent says what was wrong. Without it
    nobody wants to know, and its successor waits for the files."""
    code = 1
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


def _copied(data: Path, copy: Path, wanted: Wanted) -> Meta:
    """Check the store in *data* and write it anew into *copy*. Raises DamagedError with the reason not to use it."""
    size = data.stat().st_size
    source = open_to_read(data, alone=True)
    if (source.info()["last_pgno"] + 1) * source.stat()["psize"] > size:
        raise DamagedError("it is damaged: the file is shorter than it says")
    databases = open_databases(source, create=False)
    target = open_environment(copy, max(FIRST_MAP_SIZE, 2 * size), alone=True)
    copies = open_databases(target, create=True)
    with source.begin() as reading, target.begin(write=True) as writing:
        meta = _accepted(reading, databases, wanted)
        for name in NAMES:
            if name != META:
                _copy(name, reading, databases, writing, copies, meta)
        writing.put(META_KEY, encoded_record(META_KEY, meta), db=copies.meta)
        writing.put(FORMAT_KEY, FORMAT_OCTETS, db=copies.meta)
    target.close()
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
    if not wanted.feeds <= meta.synced or not meta.fresh_at:
        raise DamagedError("it was never complete")
    age = wanted.now - meta.fresh_at
    if age > wanted.max_age_s:
        raise DamagedError(f"it is too old: {age:.0f} s, and {wanted.max_age_s:.0f} s are allowed")
    return meta


def _copy(
    name: str,
    reading: Transaction,
    databases: Databases,
    writing: Transaction,
    copies: Databases,
    meta: Meta,
) -> None:
    """Appended in order: an entry out of order ends it."""
    total = 0

    def summed(pairs: Iterator[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
        nonlocal total
        for key, value in pairs:
            total += entry_sum(key, value)
            yield key, value

    def unsealed_all(pairs: Iterator[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
        for key, value in pairs:
            unsealed(name, key, value)
            yield key, value

    checked = summed if name == INDEX else unsealed_all
    with reading.cursor(databases.named(name)) as source, writing.cursor(copies.named(name)) as target:
        try:
            consumed, added = target.putmulti(checked(source.iternext()), append=True)
        except DamagedError as error:
            raise DamagedError(f"it is damaged: {error}") from None
    if not consumed == added == meta.counts.get(name) or (
        name == INDEX and total % SUM_MODULO != meta.index_sum
    ):
        raise DamagedError(f"it is damaged: {name} has not the entries that were written")
