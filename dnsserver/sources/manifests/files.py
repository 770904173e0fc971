"""Which files the given paths stand for, and what has to be watched to notice when that changes."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

#: Names that end so are read when they are found in a folder. A file that is named itself may end otherwise.
SUFFIXES = frozenset({".yaml", ".yml", ".json"})
#: Written for kustomize, not for the API; kubectl does not take them either.
NOT_MANIFESTS = frozenset({"kustomization.yaml", "kustomization.yml"})
#: Symbolic links in a row (Linux, path_resolution(7)).
MAX_LINKS = 40
#: Nanoseconds. A file changed so shortly before it was read may change again without a new time stamp:
#: ten ticks of the coarsest kernel clock (CONFIG_HZ=100).
UNSETTLED_NS = 100_000_000

#: Real path, inode, size and times: equal means unchanged.
Fingerprint = tuple[str, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """One file. `path` is how messages call it."""

    path: Path
    fingerprint: Fingerprint

    def settled(self, now_ns: int) -> bool:
        """Whether an equal fingerprint later on will mean equal content."""
        return now_ns - max(self.fingerprint[3:]) > UNSETTLED_NS


@dataclass(slots=True)
class Scan:
    """`folders`: any manifest or folder in them counts. `names`: single entries elsewhere that count (the given
    paths, and links on the way to a file). `missing`: given paths that are not there. `unreadable`: files and folders
    with the reason."""

    files: dict[Path, Found] = field(default_factory=dict)
    folders: set[Path] = field(default_factory=set)
    names: set[Path] = field(default_factory=set)
    missing: list[Path] = field(default_factory=list)
    unreadable: dict[Path, str] = field(default_factory=dict)

    @property
    def watched(self) -> frozenset[Path]:
        """The folders to watch, each by itself: a watch does not reach what is below."""
        parents = {_existing(name.parent) for name in self.names}
        return frozenset(folder for folder in (self.folders | parents) if _is_folder(folder))

    def hidden(self, path: Path) -> bool:
        """Whether *path* was out of reach, so that it is not known what is there now."""
        unknown = (*self.missing, *self.unreadable)
        return any(path == place or place in path.parents for place in unknown)

    def concerns(self, path: Path) -> bool:
        """Whether a change of the entry *path* in a watched folder can change the files or their content."""
        if path in self.names or path in self.folders:
            return True
        if path.parent in self.folders:
            return path.suffix.lower() in SUFFIXES or path.name.startswith("..") or path.is_dir()
        return any(path in name.parents for name in self.names)


def scan(paths: Iterable[Path]) -> Scan:
    """All manifests at and below *paths*, which are absolute, in a stable order: as given, folders by name.

    What is reached by several ways (links, paths within paths) counts once. Hidden entries are passed over, so a
    mounted ConfigMap, whose files are links to `..data/NAME` in a hidden folder, has each file once.
    """
    walk = _Walk()
    for path in paths:
        walk.root(path)
    return walk.scan


class _Walk:
    def __init__(self) -> None:
        self.scan = Scan()
        self._real: set[str] = set()

    def root(self, path: Path) -> None:
        self.scan.names.add(path)
        try:
            self.scan.names.update(_links(path))
            if path.is_dir():
                self._folder(path)
            elif path.exists():
                self._file(path)
            else:
                self.scan.missing.append(path)
        except OSError as error:
            self.scan.unreadable[path] = f"cannot be read: {error.strerror}"

    def _folder(self, folder: Path) -> None:
        if not self._first(folder):
            return
        self.scan.folders.add(folder)
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            self.scan.unreadable[folder] = f"the folder cannot be read: {error.strerror}"
            return
        for entry in entries:
            if entry.name.startswith("."):
                continue
            try:
                self._entry(entry)
            except OSError as error:
                self.scan.unreadable[Path(entry.path)] = f"cannot be read: {error.strerror}"

    def _entry(self, entry: os.DirEntry[str]) -> None:
        path = Path(entry.path)
        wanted = path.suffix.lower() in SUFFIXES and entry.name not in NOT_MANIFESTS
        if entry.is_symlink() and (wanted or entry.is_dir()):
            self.scan.names.update(_links(path))
        if entry.is_dir():
            self._folder(path)
        elif wanted and entry.is_file():
            self._file(path)

    def _file(self, path: Path) -> None:
        try:
            status = path.stat()
        except OSError as error:
            self.scan.unreadable[path] = f"cannot be read: {error.strerror}"
            return
        if self._first(path):
            real = os.path.realpath(path)
            self.scan.files[path] = Found(
                path, (real, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
            )

    def _first(self, path: Path) -> bool:
        real = os.path.realpath(path)
        if real in self._real:
            return False
        self._real.add(real)
        return True


def _links(path: Path) -> Iterator[Path]:
    """Each symbolic link on the way to *path*, and where the way ends."""
    todo = list(reversed(path.absolute().parts))
    at = Path(todo.pop())
    links = 0
    while todo:
        part = todo.pop()
        at = at.parent if part == ".." else at / part
        if links < MAX_LINKS and at.is_symlink():
            links += 1
            yield at
            target = at.readlink()
            todo += reversed(target.parts)
            at = Path(todo.pop()) if target.is_absolute() else at.parent
    yield at


def _existing(folder: Path) -> Path:
    while not _is_folder(folder) and folder != folder.parent:
        folder = folder.parent
    return folder


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a folder on the way may not be entered
        return False
