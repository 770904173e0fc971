"""Master files to zones (RFC 1035 section 5), with `$ORIGIN`, `$INCLUDE`, `$TTL` (RFC 2308) and `$GENERATE`."""

import os
import re
import stat
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from dnsserver.sources.zonefile.errors import RecordTextError, ZoneFileError
from dnsserver.sources.zonefile.lines import ENTRY_MAX, EntryError, entries
from dnsserver.sources.zonefile.rdata import name_from_text
from dnsserver.sources.zonefile.records import RecordLines, ttl_from_text
from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.records import Record
from dnsserver.zone.static import StaticZone, ZoneBuilder, ZoneDataError

#: Files that include each other: miekg/dns's limit, so CoreDNS's.
INCLUDE_DEPTH_MAX = 7
#: Records that one `$GENERATE` may make; the same.
GENERATED_MAX = 65_536
#: Digits that a number in `$GENERATE` may be filled up to: BIND's limit.
GENERATED_WIDTH_MAX = 127
#: Records after which other threads have their turn: about a millisecond.
BREATH = 64

_RANGE = re.compile(r"(\d{1,10})-(\d{1,10})(?:/(\d{1,10}))?")
_GENERATED = re.compile(r"\\.|\$\$|\$(?:\{([+-]?\d{1,10})(?:,(\d{1,3})(?:,([doxX]))?)?\})?")

#: Device, inode, size and time of the last change in nanoseconds.
Stamp = tuple[int, int, int, int]


class ReadingStoppedError(Exception):
    """The caller has no use for the zone any more."""


@dataclass(frozen=True, slots=True)
class LoadedZone:
    """`zone` as it was in `files`, with their stamps. `foreign`: records of other zones, which were left out."""

    zone: StaticZone
    files: tuple[tuple[Path, Stamp], ...]
    foreign: int

    @property
    def changed_ns(self) -> int:
        """When the zone's own file was last changed, in nanoseconds since 1970."""
        return self.files[0][1][3]

    def is_current(self) -> bool:
        """Whether the files are still what was read."""
        return all(_stamp(path) == stamp for path, stamp in self.files)


#: What has been read, as long as anybody has use for it: processes that are forked later take it over.
_known: dict[tuple[Path, bytes], tuple[weakref.ref[StaticZone], tuple[tuple[Path, Stamp], ...], int]] = {}


def load_zone(
    path: Path,
    origin: bytes,
    *,
    unless_serial: int | None = None,
    stopped: Callable[[], bool] = bool,
) -> LoadedZone | None:
    """The zone in the master file *path*; None when its SOA record has the serial *unless_serial*.

    Takes some 20 µs for each record; made to run in a thread. *stopped* is asked every millisecond. Raises
    ZoneFileError, OSError when the file cannot be opened, ReadingStoppedError.
    """
    known = _known.get((path, origin))
    zone = known and known[0]()
    if known is not None and zone is not None:
        loaded = LoadedZone(zone, known[1], known[2])
        if loaded.is_current():
            return None if unless_serial == zone.serial else loaded
    reader = ZoneFileReader(origin)
    builder = ZoneBuilder(origin)
    try:
        for number, record in enumerate(reader.records(path)):
            if record.rtype == Type.SOA and int.from_bytes(record.rdata.tail[:4], "big") == unless_serial:
                return None
            builder.add(record)
            if number % BREATH == 0:
                time.sleep(0)
                if stopped():
                    raise ReadingStoppedError
        zone = builder.build()
    except ZoneDataError as error:
        where = names.to_text(origin)
        if "no SOA" in str(error):
            raise ZoneFileError(f'file "{path}" has no SOA record for origin {where}') from None
        raise ZoneFileError(f"{reader.place}: {error}") from None
    found = LoadedZone(zone, tuple(reader.files.items()), builder.foreign)
    _known[path, origin] = (weakref.ref(zone), found.files, found.foreign)
    return found


def read_records(path: Path, origin: bytes) -> Iterator[Record]:
    """The records of a master file, one by one. Raises ZoneFileError, OSError."""
    return ZoneFileReader(origin).records(path)


class ZoneFileReader:
    """Gives the records of a file one by one. `files` are those that were read, `place` is where."""

    def __init__(self, origin: bytes) -> None:
        self._origin = origin
        self.files: dict[Path, Stamp] = {}
        self.place = ""

    def records(self, path: Path) -> Iterator[Record]:
        """Raises ZoneFileError, OSError for the first file."""
        state = RecordLines(self._origin)
        yield from self._file(path, state, 0)

    def _file(self, path: Path, state: RecordLines, depth: int) -> Iterator[Record]:
        with self._opened(path) as file:
            lines = (
                line.decode("utf-8", "surrogateescape")
                for line in iter(partial(file.readline, ENTRY_MAX), b"")
            )
            number = 0
            try:
                for number, line in entries(lines):
                    if line[0] != "$":
                        self.place = f"{path}:{number}"
                        yield state.record(line)
                    else:
                        yield from self._directive(line, state, path, number, depth)
            except EntryError as error:
                raise self._error(path, error.line, error) from None
            except RecordTextError as error:
                raise self._error(path, number, error) from None

    def _opened(self, path: Path) -> BinaryIO:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe may never end
            raise ZoneFileError(f'file "{path}" is no regular file')
        file = path.open("rb")
        self.files[path] = _stamp_of(os.fstat(file.fileno()))
        return file

    def _error(self, path: Path, number: int, error: Exception) -> ZoneFileError:
        where = names.to_text(self._origin)
        return ZoneFileError(
            f'failed to parse file "{path}" for origin {where} with error {path}:{number}: {error}'
        )

    def _directive(
        self, line: str, state: RecordLines, path: Path, number: int, depth: int
    ) -> Iterator[Record]:
        word, *arguments = line.split()
        match word.upper(), arguments:
            case "$TTL", [ttl]:
                state.default_ttl = ttl_from_text(ttl)
            case "$ORIGIN", [name]:
                state.origin = name_from_text(name, state.origin)
            case "$INCLUDE", [name, *origin] if len(origin) < 2:
                yield from self._included(name.strip('"'), origin, state, path, number, depth)
            case "$GENERATE", [numbers, *rest] if len(rest) > 2:
                for text in generated(numbers, line.split(None, 2)[2]):
                    yield state.record(text)
            case "$TTL" | "$ORIGIN" | "$INCLUDE" | "$GENERATE", _:
                raise RecordTextError(f"wrong number of arguments for {word}")
            case _:
                raise RecordTextError(f"unknown directive '{word}'")

    def _included(
        self,
        name: str,
        origin: list[str],
        state: RecordLines,
        path: Path,
        number: int,
        depth: int,
    ) -> Iterator[Record]:
        """Origin and owner are afterwards what they were before (RFC 1035 section 5.1)."""
        if depth >= INCLUDE_DEPTH_MAX:
            raise RecordTextError(f"files include each other more than {INCLUDE_DEPTH_MAX} deep")
        before = state.origin, state.owner
        if origin:
            state.origin = name_from_text(origin[0], state.origin)
        try:
            yield from self._file(path.parent / name, state, depth + 1)
        except OSError as error:
            raise self._error(path, number, RecordTextError(f"$INCLUDE {name}: {error.strerror}")) from None
        state.origin, state.owner = before


def generated(numbers: str, template: str) -> Iterator[str]:
    """*template* with each of *numbers*, `START-STOP[/STEP]`, in the place of `$` (BIND 9's `$GENERATE`)."""
    found = _RANGE.fullmatch(numbers)
    if found is None:
        raise RecordTextError(f"'{numbers}' is no range: START-STOP or START-STOP/STEP")
    start, stop, step = int(found[1]), int(found[2]), int(found[3] or 1)
    if step < 1 or stop < start:
        raise RecordTextError(f"'{numbers}' is no range: STOP is at least START, STEP at least 1")
    if (stop - start) // step >= GENERATED_MAX:
        raise RecordTextError(f"'{numbers}' makes more than {GENERATED_MAX} records")
    for number in range(start, stop + 1, step):
        yield _GENERATED.sub(partial(_substitute, number), template)


def _substitute(number: int, found: re.Match[str]) -> str:
    if found[0] == "$$":
        return "$"
    if found[0][0] == "\\":
        return found[0]
    value, width = number + int(found[1] or 0), int(found[2] or 0)
    if value < 0 or width > GENERATED_WIDTH_MAX:
        raise RecordTextError(f"{found[0]} is not possible for {number}")
    return format(value, found[3] or "d").zfill(width)


def _stamp(path: Path) -> Stamp | None:
    try:
        return _stamp_of(path.stat())
    except OSError:
        return None


def _stamp_of(found: os.stat_result) -> Stamp:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
