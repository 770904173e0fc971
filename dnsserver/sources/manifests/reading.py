"""A manifest file, or manifests in memory, to what they state."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dnsserver.sources.manifests.fields import FieldError, shown
from dnsserver.sources.manifests.kinds import read_object
from dnsserver.sources.manifests.settings import (
    DEFAULT_NAMESPACE,
    DOCUMENTS_PATH,
    MAX_FILE_OCTETS,
    MAX_NESTING,
    Documents,
)
from dnsserver.sources.manifests.stated import Content, Stated
from dnsserver.sources.structs import ObjectError
from dnsserver.sources.texts import is_label
from dnsserver.zone.objects import Identity

#: Entries of a "kind: List" may be lists themselves.
_LIST = "List"
#: What an unrendered chart shows.
_TEMPLATE_SIGN = "{{"


@dataclass(frozen=True, slots=True)
class Entry:
    """One parsed object, and the line where it starts."""

    line: int
    value: Any


class BrokenError(ValueError):
    """A file that cannot be used; the text names file, line, object and what is wrong."""


def read_file(path: Path) -> Content:
    """What the file states, or a BrokenError for the first thing that is wrong with it."""
    return read_text(path, file_text(path))


def read_text(path: Path, text: str) -> Content:
    """*text* is JSON when *path* ends in .json, else YAML."""
    return content_of(path, entries(path, text))


def read_documents(documents: Documents) -> Content:
    """What manifests in memory state; lines count from the start of the text, or are the numbers of the objects."""
    return content_of(DOCUMENTS_PATH, document_entries(documents))


def file_text(path: Path) -> str:
    """Raises BrokenError."""
    try:
        size = path.stat().st_size
        if size > MAX_FILE_OCTETS:
            raise BrokenError(
                f"{path}: {size} octets are more than the {MAX_FILE_OCTETS} that a file may have"
            )
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BrokenError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BrokenError(f"{path}: not UTF-8 (octet {error.start}): save it as UTF-8") from error


def entries(path: Path, text: str) -> Iterator[Entry]:
    """Every object in *text*, those of lists one by one, unchecked. Raises BrokenError for text that is no YAML or,
    when *path* ends in .json, no JSON."""
    from dnsserver.sources.manifests import jsontext, yamltext  # on first use: embedding need not have YAML

    parser = jsontext if path.suffix.lower() == ".json" else yamltext
    try:
        for document in parser.documents(text):
            yield from _lined(document.line, document.value, document.item_lines)
    except yamltext.TextError as error:
        hint = "; render the chart first (helm template)" if _TEMPLATE_SIGN in text else ""
        raise BrokenError(f"{path}:{error.line}: {error}{hint}") from error


def document_entries(documents: Documents) -> Iterator[Entry]:
    """The same of manifests in memory."""
    if isinstance(documents, str):
        yield from entries(DOCUMENTS_PATH, documents)
        return
    for number, value in enumerate(documents, 1):
        yield from _lined(number, value, ())


def content_of(path: Path, found: Iterable[Entry]) -> Content:
    """What the objects state. Raises BrokenError."""
    reader = _Reader(path)
    for entry in found:
        reader.take(entry)
    return reader.content()


def _lined(line: int, value: Any, item_lines: tuple[int, ...]) -> Iterator[Entry]:
    for place, item in enumerate(_flat(value, 0)):
        yield Entry(item_lines[place] if len(item_lines) > place and _is_list(value) else line, item)


@dataclass(slots=True)
class _Reader:
    path: Path
    objects: dict[Identity, Stated] = field(default_factory=dict)
    lines: dict[Identity, int] = field(default_factory=dict)
    namespaces: set[str] = field(default_factory=set)
    ignored: Counter[str] = field(default_factory=Counter)

    def content(self) -> Content:
        return Content(self.path, self.objects, self.lines, frozenset(self.namespaces), self.ignored)

    def take(self, entry: Entry) -> None:
        try:
            self._object(entry.line, entry.value)
        except (FieldError, ObjectError, UnicodeEncodeError) as error:
            where = f"{self.path}:{entry.line}: {_title(entry.value)}"
            raise BrokenError(f"{where}: {_reason(error)}") from error

    def _object(self, line: int, value: Any) -> None:
        if not isinstance(value, Mapping):
            raise FieldError(f"an object with apiVersion and kind is expected, not {shown(value)}")
        stated = read_object(value, DEFAULT_NAMESPACE)
        if stated is None:
            self.ignored[str(value.get("kind"))] += 1
            self._name_namespace(value)
            return
        if stated.identity in self.objects:
            first = self.lines[stated.identity]
            raise FieldError(f"stands twice, first in line {first}; remove one of the two")
        self.objects[stated.identity] = stated
        self.lines[stated.identity] = line
        if stated.identity.key.namespace:
            self.namespaces.add(stated.identity.key.namespace)

    def _name_namespace(self, value: Mapping[str, Any]) -> None:
        metadata = value.get("metadata")
        namespace = metadata.get("namespace") if isinstance(metadata, Mapping) else None
        if isinstance(namespace, str) and is_label(namespace):
            self.namespaces.add(namespace)


def _is_list(value: Any) -> bool:
    """`kind: List`, or ServiceList and the like, which the API itself sends."""
    return (
        isinstance(value, Mapping)
        and str(value.get("kind") or "").endswith(_LIST)
        and isinstance(value.get("items"), list)
    )


def _flat(value: Any, depth: int) -> Iterator[Any]:
    """The objects in a document; the items of a ServiceList need not say again what they are."""
    if not _is_list(value) or depth > MAX_NESTING:
        yield value
        return
    inherited = {}
    if value["kind"] != _LIST:
        inherited = {"apiVersion": value.get("apiVersion"), "kind": value["kind"].removesuffix(_LIST)}
    for item in value["items"]:
        whole = {**inherited, **item} if inherited and isinstance(item, Mapping) else item
        yield from _flat(whole, depth + 1)


def _title(value: Any) -> str:
    """Kind and name of an object as far as they can be made out."""
    if not isinstance(value, Mapping):
        return "document"
    metadata = value.get("metadata")
    names = metadata if isinstance(metadata, Mapping) else {}
    name = "/".join(str(names[part]) for part in ("namespace", "name") if names.get(part) is not None)
    if names.get("namespace") is None and name and value.get("kind") != "Namespace":
        name = f"{DEFAULT_NAMESPACE}/{name}"
    return " ".join(filter(None, (str(value.get("kind") or "object"), name)))


def _reason(error: FieldError | ObjectError | UnicodeEncodeError) -> str:
    """An ObjectError names the object itself; once is enough."""
    if isinstance(error, UnicodeEncodeError):
        return f"{error.object!r} holds half a character (a lone surrogate)"
    return str(error).partition(": ")[2] if isinstance(error, ObjectError) else str(error)
