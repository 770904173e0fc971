"""What clients ask before anything else: which groups, versions and resources there are."""

from collections.abc import Iterable
from typing import Any

from dnsserver.testing.kube_api.resources import Resource

VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
#: What `GET /version` says: the API whose behaviour is followed.
VERSION = {"major": "1", "minor": "34", "gitVersion": "v1.34.0", "platform": "linux/amd64"}
PROBES = ("/healthz", "/livez", "/readyz")


def document(path: str, resources: Iterable[Resource]) -> dict[str, Any] | None:
    """The discovery document at *path*; None where there is none."""
    parts = [part for part in path.split("/") if part]
    known = list(resources)
    match parts:
        case ["version"]:
            return VERSION
        case ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        case ["api", "v1"]:
            return _resources("v1", (each for each in known if not each.group))
        case ["apis"]:
            groups = dict.fromkeys(each.group for each in known if each.group)
            return {
                "kind": "APIGroupList",
                "apiVersion": "v1",
                "groups": [_group(each, known) for each in groups],
            }
        case ["apis", group] if any(each.group == group for each in known):
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(group, known)}
        case ["apis", group, version]:
            found = [each for each in known if (each.group, each.version) == (group, version)]
            return _resources(f"{group}/{version}", found) if found else None
    return None


def _group(group: str, resources: Iterable[Resource]) -> dict[str, Any]:
    versions = dict.fromkeys(each.version for each in resources if each.group == group)
    listed = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"name": group, "versions": listed, "preferredVersion": listed[0]}


def _resources(api_version: str, resources: Iterable[Resource]) -> dict[str, Any]:
    found: list[dict[str, Any]] = []
    for each in resources:
        common = {"singularName": each.kind.lower(), "namespaced": each.namespaced, "kind": each.kind}
        found.append({"name": each.plural, **common, "verbs": VERBS, "shortNames": list(each.short)})
        if each.status:
            found.append({"name": f"{each.plural}/status", **common, "verbs": ["get", "patch", "update"]})
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": found}
