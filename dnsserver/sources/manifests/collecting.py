"""The content of all files, kept up to date file by file, each with its last good state."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from dnsserver.sources.manifests.files import Fingerprint, Found, Scan
from dnsserver.sources.manifests.reading import BrokenError, read_documents, read_file
from dnsserver.sources.manifests.settings import DOCUMENTS_PATH, Documents
from dnsserver.sources.manifests.stated import Content
from dnsserver.zone.objects import Identity


class Collection:
    """What each file states. A file that cannot be used keeps its last good content, and is in `broken`.

    An object that stands in two files belongs to the one that had it first; the other counts as broken until one
    of them gives it up.
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self.broken: dict[Path, str] = {}
        self._good: dict[Path, Content] = {}
        self._waiting: dict[Path, Content] = {}
        """Read without fault, but in conflict with another file."""
        self._unusable: dict[Path, str] = {}
        self._fingerprints: dict[Path, Fingerprint] = {}

    @property
    def contents(self) -> tuple[Content, ...]:
        return tuple(self._good.values())

    @property
    def ignored(self) -> Counter[str]:
        """Objects of kinds that answers do not depend on, by kind."""
        return sum((content.ignored for content in self.contents), Counter())

    def update(self, scan: Scan, now_ns: int) -> bool:
        """Read what changed since the last call; whether anything did.

        Files that are gone state nothing any more. Those of a given path that is gone itself, or of a folder that
        cannot be read, are kept: that is what a mistake looks like, or the moment between removing and writing anew.
        """
        changed = False
        for path in [path for path in self._known() if path not in scan.files and path != DOCUMENTS_PATH]:
            if not scan.hidden(path):
                self._forget(path)
                changed = True
        for path, found in scan.files.items():
            if self._fingerprints.get(path) != found.fingerprint:
                changed = True
                self._read(found, now_ns)
        unreadable = {path: f"{path}: {reason}" for path, reason in scan.unreadable.items()}
        changed = changed or any(self._unusable.get(path) != text for path, text in unreadable.items())
        self._unusable.update(unreadable)
        if changed:
            self._settle()
        return changed

    def set_documents(self, documents: Documents) -> None:
        """Take manifests from memory; BrokenError, and nothing changed, when they cannot be used."""
        content = read_documents(documents)
        others = [item for path, item in self._good.items() if path != DOCUMENTS_PATH]
        conflict = _conflict(content, _claims(others))
        if conflict:
            raise BrokenError(conflict)
        self._good[DOCUMENTS_PATH] = content
        self._settle()

    def _known(self) -> set[Path]:
        return {*self._good, *self._waiting, *self._unusable, *self._fingerprints}

    def _forget(self, path: Path) -> None:
        for table in (self._good, self._waiting, self._unusable, self._fingerprints):
            table.pop(path, None)

    def _read(self, found: Found, now_ns: int) -> None:
        self._waiting.pop(found.path, None)
        self._unusable.pop(found.path, None)
        self._fingerprints.pop(found.path, None)
        try:
            content = self._waiting[found.path] = read_file(found.path)
            self._log.debug("%s: read: %d objects", found.path, len(content.objects))
        except BrokenError as error:
            self._unusable[found.path] = str(error)
            self._log.debug("%s: read: cannot be used", found.path)
        if found.settled(now_ns):
            self._fingerprints[found.path] = found.fingerprint

    def _settle(self) -> None:
        """Make what waits good, except where that would state an object twice.

        A file that has to wait keeps its old content, and that may be in the way of another one: so again, until
        none is in the way any more. Each round leaves one file less, as last good contents never conflict.
        """
        refused: dict[Path, str] = {}
        while True:
            accepted = {path: item for path, item in self._waiting.items() if path not in refused}
            kept = {path: item for path, item in self._good.items() if path not in accepted}
            found = _first_conflict(kept.values(), accepted)
            if found is None:
                break
            refused[found[0]] = found[1]
        order = sorted({**kept, **accepted})
        self._good = {path: accepted.get(path) or kept[path] for path in order}
        self._waiting = {path: item for path, item in self._waiting.items() if path in refused}
        self.broken = {**self._unusable, **refused}


def _first_conflict(kept: Iterable[Content], accepted: Mapping[Path, Content]) -> tuple[Path, str] | None:
    claims = _claims(kept)
    for path, content in accepted.items():
        conflict = _conflict(content, claims)
        if conflict:
            return path, conflict
        claims.update(dict.fromkeys(content.objects, content))
    return None


def _claims(contents: Iterable[Content]) -> dict[Identity, Content]:
    return {identity: content for content in contents for identity in content.objects}


def _conflict(content: Content, claims: Mapping[Identity, Content]) -> str:
    for identity in content.objects:
        other = claims.get(identity)
        if other is not None:
            where = f"{content.path}:{content.lines[identity]}: {identity}"
            return f"{where}: stands in {other.path}:{other.lines[identity]} too; remove one of the two"
    return ""
