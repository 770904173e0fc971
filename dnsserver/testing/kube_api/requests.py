"""What a request asks for: verb, resource, namespace, name."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from dnsserver.testing.kube_api.store import Table

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as it came in. `verb` is as in RBAC: list, watch, get, create, update, patch, delete or
    deletecollection; or a method that the API does not have. `resource` is the plural, "" if it is not served."""

    verb: str
    resource: str
    path: str
    parameters: Mapping[str, str]
    user_agent: str
    group: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def parse(request: web.Request, tables: Mapping[tuple[str, str], Table]) -> Request:
    """`/api/v1/services` is all namespaces', `/api/v1/namespaces/x/services/y` one object."""
    parts = [part for part in request.path.split("/") if part]
    prefix, rest = (parts[:2], parts[2:]) if parts[:1] == ["api"] else (parts[:3], parts[3:])
    group = prefix[1] if prefix[:1] == ["apis"] and len(prefix) > 1 else ""
    namespace = ""
    if rest[:1] == ["namespaces"] and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    plural, name, subresource = (*rest, "", "", "")[:3] if len(rest) <= 3 else ("", "", "")
    table = tables.get((group, plural))
    known = (
        table is not None
        and parts[:1] in (["api"], ["apis"])
        and table.resource.version == prefix[-1]
        and (table.resource.namespaced if namespace else bool(not name or not table.resource.namespaced))
    )
    return Request(
        _verb(request, name),
        plural if known else "",
        request.path,
        dict(request.query),
        request.headers.get("User-Agent", ""),
        group,
        namespace,
        name,
        subresource,
    )


def _verb(request: web.Request, name: str) -> str:
    if request.method in _VERBS:
        return _VERBS[request.method]
    if request.method == "DELETE":
        return "delete" if name else "deletecollection"
    if request.method != "GET":
        return request.method.lower()
    if name:
        return "get"
    return "watch" if request.query.get("watch") in ("true", "1") else "list"
