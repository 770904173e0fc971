"""Fields of whole objects, as the API or a manifest has them, read without ever failing.

Evidence may hold what no API server would take: it is looked at to find out what is wrong.
"""

from collections.abc import Iterator, Mapping
from typing import Any

#: No fields.
NOTHING: Mapping[str, Any] = {}


def mapping(value: object, *path: str) -> Mapping[str, Any]:
    """The mapping at *path*; an empty one where there is none."""
    found = _at(value, path)
    return found if isinstance(found, Mapping) else NOTHING


def text(value: object, *path: str) -> str:
    """The text at *path*; "" where there is none."""
    found = _at(value, path)
    return found if isinstance(found, str) else ""


def flag(value: object, *path: str) -> bool:
    """Whether *path* leads to `true`."""
    return _at(value, path) is True


def number(value: object, *path: str) -> int | None:
    """The whole number at *path*; None where there is none."""
    found = _at(value, path)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def texts(value: object, *path: str) -> tuple[str, ...]:
    """The texts in the list at *path*."""
    found = _at(value, path)
    return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list | tuple) else ()


def items(value: object, *path: str) -> Iterator[Mapping[str, Any]]:
    """The mappings in the list at *path*."""
    found = _at(value, path)
    if isinstance(found, list | tuple):
        yield from (each for each in found if isinstance(each, Mapping))


def has(value: object, *path: str) -> bool:
    """Whether anything but null is at *path*."""
    return _at(value, path) is not None


def labels(value: object, *path: str) -> dict[str, str]:
    """The mapping of texts at *path*, such as metadata.labels; null reads as "", as in the API."""
    found = mapping(value, *path)
    return {
        str(key): each if isinstance(each, str) else ""
        for key, each in found.items()
        if each is None or isinstance(each, str)
    }


def _at(value: object, path: tuple[str, ...]) -> object:
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value
