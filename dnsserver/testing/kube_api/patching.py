"""The three kinds of patches that clients send: JSON patch, merge patch, strategic merge patch."""

from collections.abc import Mapping, Sequence
from typing import Any

from dnsserver.testing.kube_api.errors import ApiError, bad_request, unsupported_media

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"

#: Field of a list -> the fields that an item is known by (`patchMergeKey` in the API's Go types); the first that items
#: have. Lists that are not here are replaced as a whole.
MERGE_KEYS = {
    "conditions": ("type",),
    "containers": ("name",),
    "env": ("name",),
    "ephemeralContainers": ("name",),
    "hostAliases": ("ip",),
    "imagePullSecrets": ("name",),
    "initContainers": ("name",),
    "ownerReferences": ("uid",),
    "podIPs": ("ip",),
    "ports": ("containerPort", "port"),
    "secrets": ("name",),
    "topologySpreadConstraints": ("topologyKey",),
    "volumeDevices": ("devicePath",),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
}
#: Lists of plain values that are put together (`patchStrategy: merge`).
MERGED_SETS = frozenset({"finalizers"})
#: What says in a patch what else is to be done with a mapping or an item.
_DIRECTIVE = "$patch"


def patched(obj: Mapping[str, Any], patch: Any, kind: str) -> dict[str, Any]:
    """*obj* with *patch*, whose media type is *kind*. Raises ApiError."""
    if kind == JSON_PATCH:
        return _json_patched(obj, patch)
    if not isinstance(patch, Mapping):
        raise bad_request("the patch is no JSON object")
    found = merged(obj, patch) if kind == MERGE_PATCH else strategic(obj, patch)
    if not isinstance(found, dict):
        raise bad_request("the patch leaves no JSON object")
    return found


def _json_patched(obj: Mapping[str, Any], patch: Any) -> dict[str, Any]:
    """RFC 6902."""
    try:
        import jsonpatch  # of the extra `testing`: the server itself has no use for it
    except ImportError:
        raise unsupported_media("JSON patches need `pip install dnsserver[testing]`") from None
    try:
        found = jsonpatch.apply_patch(dict(obj), patch)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError) as error:
        text = f"the server rejected our request due to an error in our request: {error}"
        raise ApiError(422, "Invalid", text) from None
    if not isinstance(found, dict):
        raise bad_request("the patch leaves no JSON object")
    return found


def merged(target: Any, patch: Any) -> Any:
    """RFC 7396: null removes, mappings are merged, everything else is replaced."""
    if not isinstance(patch, Mapping):
        return patch
    found = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = merged(found.get(key), value)
    return found


def strategic(target: Any, patch: Mapping[str, Any]) -> Any:
    """The same, but for lists whose items have a key (`MERGE_KEYS`), and with `$patch` and `$deleteFromPrimitiveList`.

    `$setElementOrder` and `$retainKeys` are passed over: they say in which order kubectl would like items.
    """
    if patch.get(_DIRECTIVE) == "replace":
        return {key: value for key, value in patch.items() if key != _DIRECTIVE}
    if patch.get(_DIRECTIVE) == "delete":
        return {}
    found = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            field = key.partition("/")[2]
            found[field] = [item for item in found.get(field) or () if item not in value]
        elif key.startswith("$"):
            continue
        elif value is None:
            found.pop(key, None)
        elif isinstance(value, Mapping):
            found[key] = strategic(found.get(key), value)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            found[key] = _list(key, found.get(key) or [], value)
        else:
            found[key] = value
    return found


def _list(field: str, target: Sequence[Any], patch: Sequence[Any]) -> list[Any]:
    if field in MERGED_SETS:
        return [*target, *(item for item in patch if item not in target)]
    keys = MERGE_KEYS.get(field, ())
    key = next((key for key in keys if any(isinstance(item, Mapping) and key in item for item in patch)), "")
    directives = [item for item in patch if isinstance(item, Mapping) and item.get(_DIRECTIVE) == "replace"]
    if directives or (not key and patch):
        return [item for item in patch if item not in directives]
    found = {item.get(key): item for item in target if isinstance(item, Mapping)}
    for item in patch:
        if key not in item:
            raise bad_request(f"an item of {field} lacks {key!r}, which it is known by")
        if item.get(_DIRECTIVE) == "delete":
            found.pop(item[key], None)
        else:
            found[item[key]] = strategic(found.get(item[key]), item)
    return list(found.values())
