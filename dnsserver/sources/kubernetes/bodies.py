"""What the API server sends, octets to values: list pages, watch lines, Status bodies [msgspec]."""

from typing import NamedTuple

import msgspec

from dnsserver.sources.structs import UNREADABLE, ObjectError, Struct, wrong

#: Octets. Longest watch line that is read: etcd takes objects of 1.5 MiB, JSON may need several times that.
MAX_LINE = 16 * 1024 * 1024


class Lines:
    """Split a watch's octet stream into lines; what follows the last line end waits for more."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that *data* completes; ObjectError when a line grows beyond MAX_LINE."""
        if b"\n" not in data:
            self._buffer += data
            if len(self._buffer) > MAX_LINE:
                raise ObjectError(f"watch event: no end after {MAX_LINE} octets")
            return []
        *lines, rest = data.split(b"\n")
        lines[0] = bytes(self._buffer) + lines[0]
        self._buffer = bytearray(rest)
        return [line for line in lines if line.strip()]


class Page(NamedTuple):
    """One page of a list; `items` are undecoded, so that one bad object spoils none of the others."""

    items: tuple[msgspec.Raw, ...]
    resource_version: str
    continue_token: str


class WatchEvent(NamedTuple):
    """One line of a watch. `type` is ADDED, MODIFIED, DELETED, BOOKMARK or ERROR."""

    type: str
    object: msgspec.Raw


class Status(Struct):
    """metav1.Status: what the API sends with an error."""

    code: int | None = None
    reason: str | None = None
    message: str | None = None


class _ListMeta(Struct):
    resource_version: str | None = None
    continue_: str | None = msgspec.field(default=None, name="continue")


class _List(Struct):
    items: list[msgspec.Raw] | None = None
    metadata: _ListMeta | None = None


class _Event(Struct):
    type: str
    object: msgspec.Raw


_LIST = msgspec.json.Decoder(_List)
_EVENT = msgspec.json.Decoder(_Event)
_STATUS = msgspec.json.Decoder(Status)


def read_page(body: bytes) -> Page:
    """A list body to its undecoded items; ObjectError when it is no list (half a body, an HTML page)."""
    try:
        found = _LIST.decode(body)
    except UNREADABLE as error:
        raise ObjectError(f"list: {wrong(error)}") from error
    meta = found.metadata or _ListMeta()
    if not meta.resource_version:
        raise ObjectError("list: metadata.resourceVersion: missing, so this is no answer of an API server")
    return Page(tuple(found.items or ()), meta.resource_version, meta.continue_ or "")


def read_event(line: bytes) -> WatchEvent:
    """A watch line to its type and undecoded object; ObjectError when it is none (half an object)."""
    try:
        found = _EVENT.decode(line)
    except UNREADABLE as error:
        raise ObjectError(f"watch event: {wrong(error)}") from error
    return WatchEvent(found.type, found.object)


def read_status(raw: bytes | msgspec.Raw) -> Status:
    """A Status body; an empty one when it cannot be read (proxies answer in HTML)."""
    try:
        return _STATUS.decode(raw)
    except UNREADABLE:
        return Status()
