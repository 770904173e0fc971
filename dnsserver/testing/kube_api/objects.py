"""Requests for one object, and those that write, over HTTP."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from dnsserver.testing.kube_api.errors import (
    bad_request,
    no_such_resource,
    not_allowed,
    not_found,
    unsupported_media,
)
from dnsserver.testing.kube_api.patching import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, patched
from dnsserver.testing.kube_api.reading import JSON_HEADERS, filter_of
from dnsserver.testing.kube_api.requests import Request
from dnsserver.testing.kube_api.resources import BUILT_IN
from dnsserver.testing.kube_api.store import Key, Store, Table
from dnsserver.testing.kube_api.writing import create, delete, delete_all, patch, update

#: What a request may ask for that the server would pass over; it refuses instead.
_UNSERVED = ("dryRun",)


async def answer_object(store: Store, table: Table, seen: Request, request: web.Request) -> web.Response:
    """The answer to any verb but list and watch. Raises ApiError."""
    for parameter in _UNSERVED:
        if parameter in seen.parameters:
            raise bad_request(f"{parameter} is not served by this API server")
    if seen.subresource not in ("", "status") or (seen.subresource and not table.resource.status):
        raise no_such_resource()
    key: Key = (seen.namespace, seen.name)
    match seen.verb:
        case "get":
            found = table.objects.get(key)
            if found is None:
                raise not_found(table.resource, seen.name)
            return _json(found.octets)
        case "create" if not seen.name:
            if table.resource.namespaced and not seen.namespace:
                raise bad_request("an empty namespace may not be set during creation")
            made = create(store, table, seen.namespace, await _body(request, "application/json"))
            return _json(made.octets, 201)
        case "update" if seen.name:
            body = await _body(request, "application/json")
            return _json(update(store, table, key, body, seen.subresource).octets)
        case "patch" if seen.name:
            return await _patched(store, table, seen, request)
        case "delete" if not seen.subresource:
            return await _deleted(store, table, seen, request)
        case "deletecollection":
            delete_all(store, table, filter_of(seen))
            return _success(table, seen.name)
    raise not_allowed("the server does not allow this method on the requested resource")


async def _patched(store: Store, table: Table, seen: Request, request: web.Request) -> web.Response:
    kind = request.content_type
    allowed = [JSON_PATCH, MERGE_PATCH]
    if table.resource in BUILT_IN:
        allowed.append(STRATEGIC_PATCH)  # custom resources have no Go types that would name the keys of lists
    if kind not in allowed:
        why = f"the body of the request was in an unsupported format ({kind})"
        raise unsupported_media(f"{why}: accepted media types include: {', '.join(allowed)}")
    change = await _body(request, kind)
    key = (seen.namespace, seen.name)
    return _json(patch(store, table, key, lambda obj: patched(obj, change, kind), seen.subresource).octets)


async def _deleted(store: Store, table: Table, seen: Request, request: web.Request) -> web.Response:
    options = await _body(request, "application/json") if request.can_read_body else {}
    last = delete(store, table, (seen.namespace, seen.name), options if isinstance(options, Mapping) else {})
    if table.resource.returned or (seen.namespace, seen.name) in table.objects:
        return _json(last)
    return _success(table, seen.name)


async def _body(request: web.Request, expected: str) -> Any:
    kind = request.content_type
    if expected == "application/json" and kind not in (expected, "application/octet-stream"):
        raise unsupported_media(f"the body of the request was in an unknown format ({kind}): send JSON")
    try:
        return json.loads(await request.read() or b"{}")
    except ValueError as error:
        raise bad_request(f"the body is no JSON: {error}") from None


def _json(octets: bytes, code: int = 200) -> web.Response:
    return web.Response(status=code, body=octets, headers=JSON_HEADERS)


def _success(table: Table, name: str) -> web.Response:
    resource = table.resource
    details = {"name": name, "group": resource.group, "kind": resource.plural}
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
    return web.json_response(body)
