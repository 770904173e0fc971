"""Whole objects from the API server, asked for when something is to be explained.

By lists of the resources that the server watches, so it takes no other rights: those of a namespace or of a name are
chosen by field selectors.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from dnsserver.explaining.evidence import SERVICE_NAME_LABEL, Evidence, Wanted, Whole, place_of
from dnsserver.sources.kubernetes.bodies import read_page
from dnsserver.sources.kubernetes.client import ApiServer, HttpError, SourceError, Unreachable
from dnsserver.sources.structs import UNREADABLE, ObjectError
from dnsserver.sources.texts import is_address, is_label

#: Objects of one page, as client-go's reflectors ask for; and pages of one list at most.
PAGE, PAGES_MAX = 500, 10
#: Seconds without a sign of the API server.
SILENCE_S = 5.0
#: Kinds that would tell more, and that the server has no rights for.
NOT_GRANTED = {"StatefulSet": "not allowed to look at StatefulSets: the server has no rights for them"}

#: Kind -> path of the list in all namespaces.
_PATHS = {
    "Namespace": "/api/v1/namespaces",
    "Service": "/api/v1/services",
    "EndpointSlice": "/apis/discovery.k8s.io/v1/endpointslices",
    "Pod": "/api/v1/pods",
    "ServiceImport": "/apis/multicluster.x-k8s.io/v1alpha1/serviceimports",
}


async def api_evidence(api: ApiServer, wanted: Wanted, *, imports: bool = False) -> Evidence:
    """What the API server has of *wanted*; *imports*: ServiceImports too."""
    objects: list[Whole] = []
    unseen = dict(NOT_GRANTED)
    for kind, parameters in _lists(wanted, imports=imports):
        if kind in unseen:
            continue
        try:
            objects += await _list(api, kind, parameters)
        except HttpError as error:
            what = f"not allowed to list {_plural(kind)}" if error.code in (401, 403) else str(error)
            unseen[kind] = what
        except (Unreachable, SourceError, ObjectError) as error:
            unseen[kind] = str(error)
    return Evidence(tuple(objects), unseen)


def _lists(wanted: Wanted, *, imports: bool) -> Iterator[tuple[str, dict[str, str]]]:
    """Names that no object can have are not asked for: they could say more than a name to the API."""
    yield "Namespace", {}
    wanted = Wanted(
        wanted.namespace if is_label(wanted.namespace) else "",
        wanted.name if is_label(wanted.name) else "",
        wanted.address if is_address(wanted.address) else "",
    )
    kinds = ("Service", "Pod", *(("ServiceImport",) if imports else ()))
    if wanted.namespace:
        for kind in kinds:
            yield kind, {"fieldSelector": f"metadata.namespace={wanted.namespace}"}
        slices = {"fieldSelector": f"metadata.namespace={wanted.namespace}"}
        if wanted.name:
            slices["labelSelector"] = f"{SERVICE_NAME_LABEL}={wanted.name}"
        yield "EndpointSlice", slices
    if wanted.name:
        yield "Service", {"fieldSelector": f"metadata.name={wanted.name}"}
    if wanted.address:
        yield "Pod", {"fieldSelector": f"status.podIP={wanted.address}"}


async def _list(api: ApiServer, kind: str, parameters: dict[str, str]) -> list[Whole]:
    """All pages. Raises HttpError, Unreachable, SourceError and ObjectError."""
    found: list[Whole] = []
    token = ""
    for _ in range(PAGES_MAX):
        more = {"continue": token} if token else {}
        body = await api.get(_PATHS[kind], {**parameters, **more, "limit": str(PAGE)}, SILENCE_S)
        page = read_page(body)
        found += [_whole(kind, item) for item in page.items]
        token = page.continue_token
        if not token:
            return found
    raise ObjectError(f"more than {PAGE * PAGES_MAX} {_plural(kind)}, which are too many to look at")


def _whole(kind: str, raw: msgspec.Raw) -> Whole:
    try:
        value: Any = msgspec.json.decode(raw)
    except UNREADABLE as error:
        raise ObjectError(f"{kind}: no JSON: {error}") from error
    if not isinstance(value, dict):
        raise ObjectError(f"{kind}: no object")
    return Whole(place_of(value, kind=kind), value)


def _plural(kind: str) -> str:
    return _PATHS[kind].rpartition("/")[2]
