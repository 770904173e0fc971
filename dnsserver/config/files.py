"""Reading Corefiles and what they import (coredns-compat.md, section 1.4)."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from dnsserver.config.errors import ConfigError

#: Octets. One configuration file: sixteen times the size limit of a ConfigMap (1 MiB).
MAX_FILE_OCTETS = 16 << 20
#: Directory entries that one glob may look at; a mistyped pattern in a huge directory shall not delay the start.
MAX_GLOB_ENTRIES = 100_000


class UnreadableError(Exception):
    """The file gives no text; the message is the reason."""


def read_text(path: Path, *, regular_only: bool) -> str:
    """The text of *path*. With *regular_only*, pipes and devices are refused, as reading them may never end."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise UnreadableError("is a directory")
        if regular_only and not stat.S_ISREG(mode):
            raise UnreadableError("is not a regular file")
        with path.open("rb") as file:
            data = file.read(MAX_FILE_OCTETS + 1)
    except OSError as error:
        raise UnreadableError(error.strerror or str(error)) from error
    except ValueError as error:
        raise UnreadableError("is not a possible file name") from error
    if len(data) > MAX_FILE_OCTETS:
        raise UnreadableError(f"is larger than {MAX_FILE_OCTETS} octets")
    return _decoded(data, path)


def _decoded(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}:{line} - Error during parsing: octet 0x{data[error.start]:02x} is not UTF-8; "
            f"save the file as UTF-8"
        ) from error


def has_wildcard(pattern: str) -> bool:
    """True if *pattern* may stand for no file at all without being an error."""
    return any(char in pattern for char in "*?[]")


def glob(pattern: str) -> list[Path]:
    """The absolute paths that match *pattern*, in lexical order.

    As in Go, a wildcard also matches a leading dot, and directories that cannot be read match nothing.
    """
    try:
        whole = Path(pattern).absolute()
    except OSError as error:
        raise UnreadableError(f"the working directory is gone ({error.strerror})") from error
    paths = [whole.anchor]
    for part in whole.parts[1:]:
        if "*" in part or "?" in part:
            paths = [found for path in paths for found in _matching(Path(path), part)]
        else:
            paths = [str(Path(path, part)) for path in paths]
    return [path for path in map(Path, paths) if _exists(path)]


def _matching(directory: Path, part: str) -> list[str]:
    wildcards = {"*": ".*", "?": "."}
    wanted = re.compile("".join(wildcards.get(char, re.escape(char)) for char in part), re.DOTALL)
    try:
        names = []
        for number, entry in enumerate(directory.iterdir()):
            if number >= MAX_GLOB_ENTRIES:
                raise UnreadableError(f"{directory} has more than {MAX_GLOB_ENTRIES} entries")
            names.append(entry.name)
    except (OSError, ValueError):
        return []
    return [str(directory / name) for name in sorted(names) if wanted.fullmatch(name)]


def _exists(path: Path) -> bool:
    try:
        path.lstat()
    except (OSError, ValueError):
        return False
    return True
