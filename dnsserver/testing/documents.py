"""Whatever a test has its cluster in, to objects: files, folders, YAML text, mappings."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dnsserver.sources.manifests import ManifestError
from dnsserver.sources.manifests.files import scan
from dnsserver.sources.manifests.reading import BrokenError, read_documents, read_file

#: A file or folder, YAML or JSON text, an object, or any number of these.
Manifests = Path | str | Mapping[str, Any] | Sequence[Any]


def objects_of(manifests: Manifests, folder: Path = Path()) -> list[dict[str, Any]]:
    """All objects, in their order; relative paths count from *folder*.

    Raises ManifestError with file, line, object and reason.
    """
    if isinstance(manifests, Path):
        return _from_path(folder / manifests)
    if isinstance(manifests, str):
        _checked(manifests)
        return [dict(obj) for obj in _flat(_values(manifests, ".yaml"))]
    if isinstance(manifests, Mapping):
        _checked([manifests])
        return [dict(obj) for obj in _flat([manifests])]
    if not isinstance(manifests, Sequence):
        raise ManifestError(
            [f"{type(manifests).__name__} is no manifest: give a path, YAML text or a mapping"]
        )
    return [obj for item in manifests for obj in objects_of(item, folder)]


def _checked(documents: str | Sequence[Mapping[str, Any]]) -> None:
    try:
        read_documents(documents)
    except BrokenError as error:
        raise ManifestError([str(error)]) from None


def _from_path(path: Path) -> list[dict[str, Any]]:
    found = scan((path.absolute(),))
    problems = [f"{missing}: no such file or folder: correct the path" for missing in found.missing]
    problems += [f"{file}: {reason}" for file, reason in found.unreadable.items()]
    objects: list[dict[str, Any]] = []
    for file in found.files:
        try:
            read_file(file)
            values = _values(file.read_text(encoding="utf-8-sig"), file.suffix)
            objects += [dict(obj) for obj in _flat(values)]
        except BrokenError as error:
            problems.append(str(error))
    if problems:
        raise ManifestError(problems)
    return objects


def _values(text: str, suffix: str) -> Iterator[Any]:
    """*text* has been read without an error before."""
    from dnsserver.sources.manifests import jsontext, yamltext  # on first use: objects need no YAML

    parser = jsontext if suffix.lower() == ".json" else yamltext
    for document in parser.documents(text):
        yield document.value


def _flat(values: Any) -> Iterator[Mapping[str, Any]]:
    """The objects, those in lists too."""
    for value in values:
        kind = str(value.get("kind") or "")
        if not (kind.endswith("List") and isinstance(value.get("items"), list)):
            yield value
            continue
        item = {"apiVersion": value.get("apiVersion"), "kind": kind.removesuffix("List")}
        yield from _flat({**(item if kind != "List" else {}), **each} for each in value["items"])
