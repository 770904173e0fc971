"""Fields of parsed manifests, read with the types that the API demands; a wrong one is told with its place."""

from collections.abc import Mapping
from typing import Any


class FieldError(ValueError):
    """A field that the API would refuse; the text names the field and what is wrong with it."""


#: How messages call what YAML gave.
_KINDS = {
    bool: "a truth value",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "a mapping",
}


def shown(value: object) -> str:
    """What *value* is, with the usual remedy where there is one."""
    kind = _KINDS.get(type(value), type(value).__name__)
    if isinstance(value, bool | int | float):
        return f"{kind} ({value}); put it in quotes if text is meant"
    return f"{kind} ({value!r})" if isinstance(value, str) else kind


class Fields:
    """A mapping and its place in the object. What is absent or null reads as empty, as in the API."""

    __slots__ = ("_values", "place")

    def __init__(self, value: Any, place: str = "") -> None:
        self.place = place
        if value is not None and not isinstance(value, Mapping):
            raise FieldError(f"{place or 'the document'}: a mapping is expected, not {shown(value)}")
        self._values: Mapping[str, Any] = value or {}

    def __bool__(self) -> bool:
        return bool(self._values)

    def has(self, name: str) -> bool:
        return self._values.get(name) is not None

    def child(self, name: str) -> "Fields":
        return Fields(self._values.get(name), self._at(name))

    def text(self, name: str, default: str = "") -> str:
        value = self._values.get(name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise FieldError(f"{self._at(name)}: text is expected, not {shown(value)}")
        return value or default

    def flag(self, name: str) -> bool:
        value = self._values.get(name)
        if value is not None and not isinstance(value, bool):
            raise FieldError(f"{self._at(name)}: true or false is expected, not {shown(value)}")
        return bool(value)

    def number(self, name: str, low: int, high: int) -> int | None:
        """A whole number in *low*...*high*, None when absent."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            raise FieldError(f"{self._at(name)}: a whole number is expected, not {_plainly(value)}")
        if not low <= value <= high:
            raise FieldError(f"{self._at(name)}: {value} is not in {low}...{high}")
        return value

    def number_or_text(self, name: str, low: int, high: int) -> int | str | None:
        value = self._values.get(name)
        return self.text(name) if isinstance(value, str) else self.number(name, low, high)

    def texts(self, name: str) -> dict[str, str]:
        """A mapping of text to text: labels, selectors. A null value reads as empty text."""
        found = {}
        for key, value in self.child(name)._values.items():
            if value is not None and not isinstance(value, str):
                raise FieldError(f"{self._at(name)}.{key}: text is expected, not {shown(value)}")
            found[key] = value or ""
        return found

    def strings(self, name: str) -> list[str]:
        found = []
        for place, value in enumerate(self._list(name)):
            if not isinstance(value, str):
                raise FieldError(f"{self._at(name)}[{place}]: text is expected, not {shown(value)}")
            found.append(value)
        return found

    def children(self, name: str) -> list["Fields"]:
        return [
            Fields(value, f"{self._at(name)}[{place}]")
            for place, value in enumerate(self._list(name))
            if value is not None
        ]

    def _list(self, name: str) -> list[Any]:
        value = self._values.get(name)
        if value is not None and not isinstance(value, list | tuple):
            raise FieldError(f"{self._at(name)}: a list is expected, not {shown(value)}")
        return list(value or ())

    def _at(self, name: str) -> str:
        return f"{self.place}.{name}" if self.place else name


def _plainly(value: object) -> str:
    return shown(value).partition(";")[0]
