"""The three kinds of patches."""

from typing import Any

import pytest

from dnsserver.testing.kube_api.errors import ApiError
from dnsserver.testing.kube_api.patching import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, patched

Obj = dict[str, Any]

CASES: tuple[tuple[str, str, Obj, Any, Obj], ...] = (
    ("merge: a field", MERGE_PATCH, {"a": 1, "b": {"c": 2}}, {"b": {"d": 3}}, {"a": 1, "b": {"c": 2, "d": 3}}),
    ("merge: null removes", MERGE_PATCH, {"a": 1, "b": {"c": 2}}, {"a": None, "b": {"c": None}}, {"b": {}}),
    ("merge: lists are replaced", MERGE_PATCH, {"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
    ("strategic: items by their key", STRATEGIC_PATCH,
     {"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "y"}]},
     {"containers": [{"name": "b", "image": "z"}, {"name": "c"}]},
     {"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "z"}, {"name": "c"}]}),
    ("strategic: ports of a Service", STRATEGIC_PATCH,
     {"ports": [{"port": 80, "name": "http"}]}, {"ports": [{"port": 80, "name": "web"}]},
     {"ports": [{"port": 80, "name": "web"}]}),
    ("strategic: delete an item", STRATEGIC_PATCH,
     {"env": [{"name": "A", "value": "1"}, {"name": "B"}]}, {"env": [{"name": "A", "$patch": "delete"}]},
     {"env": [{"name": "B"}]}),
    ("strategic: replace a list", STRATEGIC_PATCH,
     {"env": [{"name": "A"}]}, {"env": [{"$patch": "replace"}, {"name": "B"}]}, {"env": [{"name": "B"}]}),
    ("strategic: replace a mapping", STRATEGIC_PATCH,
     {"labels": {"a": "1"}}, {"labels": {"$patch": "replace", "b": "2"}}, {"labels": {"b": "2"}}),
    ("strategic: other lists are replaced", STRATEGIC_PATCH, {"args": ["a", "b"]}, {"args": ["c"]}, {"args": ["c"]}),
    ("strategic: finalizers are put together", STRATEGIC_PATCH,
     {"finalizers": ["a"]}, {"finalizers": ["a", "b"]}, {"finalizers": ["a", "b"]}),
    ("strategic: taken out of a set", STRATEGIC_PATCH,
     {"finalizers": ["a", "b"]}, {"$deleteFromPrimitiveList/finalizers": ["a"]}, {"finalizers": ["b"]}),
    ("JSON: replace, add, remove", JSON_PATCH, {"a": 1, "b": 2},
     [{"op": "replace", "path": "/a", "value": 3}, {"op": "add", "path": "/c", "value": 4},
      {"op": "remove", "path": "/b"}],
     {"a": 3, "c": 4}),
)  # fmt: skip

REFUSED: tuple[tuple[str, str, Any, int], ...] = (
    ("JSON: test fails", JSON_PATCH, [{"op": "test", "path": "/a", "value": 9}], 422),
    ("JSON: no such place", JSON_PATCH, [{"op": "remove", "path": "/x/y"}], 422),
    ("JSON: no list", JSON_PATCH, {"a": 1}, 422),
    ("JSON: no object left", JSON_PATCH, [{"op": "replace", "path": "", "value": 3}], 400),
    ("merge: no object", MERGE_PATCH, [1], 400),
    ("strategic: an item without its key", STRATEGIC_PATCH, {"env": [{"name": "A"}, {"value": "1"}]}, 400),
)


@pytest.mark.parametrize(
    ("kind", "obj", "patch", "wanted"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_patch(kind: str, obj: Obj, patch: Any, wanted: Obj) -> None:
    before = repr(obj)
    assert patched(obj, patch, kind) == wanted
    assert repr(obj) == before


@pytest.mark.parametrize(
    ("kind", "patch", "code"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_patch_that_is_refused(kind: str, patch: Any, code: int) -> None:
    with pytest.raises(ApiError) as found:
        patched({"a": 1}, patch, kind)
    assert found.value.code == code
