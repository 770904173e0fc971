"""Create, update, patch and delete by the Kubernetes project's own Python client, as operators do."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from typing import Any

import kubernetes
import pytest
from kubernetes.client.exceptions import ApiException

from dnsserver.testing.kube_api import KubeApi, service

Obj = dict[str, Any]
#: Its types know models where it takes mappings too, as its documentation shows.
CLIENT: Any = kubernetes

WIDGETS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.org"},
    "spec": {
        "group": "example.org",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "shortNames": ["w"]},
        "versions": [
            {"name": "v1", "served": True, "storage": True, "subresources": {"status": {}}, "schema": {}}
        ],
    },
}
WIDGET = {"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "one"}, "spec": {"size": 1}}


@pytest.fixture
async def api() -> AsyncIterator[KubeApi]:
    async with KubeApi() as running:
        running.namespace("default")
        yield running


@pytest.fixture
def client(api: KubeApi) -> kubernetes.client.ApiClient:
    settings = kubernetes.client.Configuration(host=api.url)
    return kubernetes.client.ApiClient(settings)


@pytest.fixture
def core(client: kubernetes.client.ApiClient) -> kubernetes.client.CoreV1Api:
    return kubernetes.client.CoreV1Api(client)


async def call(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    return await asyncio.to_thread(lambda: function(*arguments, **named))


async def code_of(function: Callable[..., Any], *arguments: Any, **named: Any) -> tuple[int, str]:
    """HTTP status and reason of the Status in the body."""
    with pytest.raises(ApiException) as found:
        await call(function, *arguments, **named)
    return found.value.status, json.loads(found.value.body or "")["reason"]


def web(**spec: Any) -> Obj:
    return {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}], **spec}}


async def test_a_service_from_birth_to_death(core: Any) -> None:
    made = await call(core.create_namespaced_service, "default", web())
    assert made.spec.cluster_ip.startswith("10.96.")
    assert (made.spec.type, made.spec.ports[0].protocol) == ("ClusterIP", "TCP")
    assert made.metadata.uid
    assert made.metadata.creation_timestamp is not None
    found = await call(core.read_namespaced_service, "web", "default")
    assert found == made
    changed = await call(
        core.patch_namespaced_service, "web", "default", {"metadata": {"labels": {"a": "b"}}}
    )
    assert changed.metadata.labels == {"a": "b"}
    assert int(changed.metadata.resource_version) > int(made.metadata.resource_version)
    replaced = await call(core.replace_namespaced_service, "web", "default", web(ports=[{"port": 81}]))
    assert replaced.spec.ports[0].port == 81
    assert replaced.spec.cluster_ip == made.spec.cluster_ip  # for life
    assert replaced.metadata.uid == made.metadata.uid
    gone = await call(core.delete_namespaced_service, "web", "default")
    assert gone.metadata.uid == made.metadata.uid
    assert await code_of(core.read_namespaced_service, "web", "default") == (404, "NotFound")


async def test_what_watches_see(api: KubeApi, core: Any) -> None:
    def watched() -> list[tuple[str, str]]:
        stream = CLIENT.watch.Watch().stream(core.list_namespaced_service, "default", timeout_seconds=1)
        return [(event["type"], event["object"].metadata.name) for event in stream]

    watching = asyncio.create_task(call(watched))
    while not api.watching("services"):  # noqa: ASYNC110 - the server has no event for it
        await asyncio.sleep(0.01)
    await call(core.create_namespaced_service, "default", web())
    await call(core.patch_namespaced_service, "web", "default", {"metadata": {"labels": {"a": "b"}}})
    await call(core.patch_namespaced_service, "web", "default", {"metadata": {"labels": {"a": "b"}}})
    await call(core.delete_namespaced_service, "web", "default")
    assert await watching == [("ADDED", "web"), ("MODIFIED", "web"), ("DELETED", "web")]


async def test_lists_are_of_one_namespace(api: KubeApi, core: Any) -> None:
    api.namespace("shop")
    api.add(service("a", namespace="default"), service("b", namespace="shop", labels={"x": "y"}))

    async def names(function: Callable[..., Any], *words: str, **named: str) -> list[str]:
        return [item.metadata.name for item in (await call(function, *words, **named)).items]

    assert await names(core.list_service_for_all_namespaces) == ["a", "b"]
    assert await names(core.list_namespaced_service, "shop") == ["b"]
    assert await names(core.list_service_for_all_namespaces, label_selector="x=y") == ["b"]
    assert await names(core.list_service_for_all_namespaces, field_selector="metadata.name=a") == ["a"]
    await call(core.delete_collection_namespaced_service, "shop")
    assert await names(core.list_service_for_all_namespaces) == ["a"]


async def test_status_is_a_subresource(core: Any) -> None:
    pod = {
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
        "status": {"phase": "Running"},
    }
    made = await call(core.create_namespaced_pod, "default", pod)
    assert made.status is None
    status = {"status": {"phase": "Running", "podIP": "10.244.0.9"}, "spec": {"nodeName": "x"}}
    changed = await call(core.patch_namespaced_pod_status, "p", "default", status)
    assert (changed.status.pod_ip, changed.spec.node_name) == ("10.244.0.9", None)
    again = await call(core.patch_namespaced_pod, "p", "default", {"status": {"podIP": "10.0.0.1"}})
    assert again.status.pod_ip == "10.244.0.9"


async def test_finalizers_hold_an_object(core: Any) -> None:
    held = {"metadata": {"name": "held", "finalizers": ["example.org/f"]}, "data": {"a": "b"}}
    await call(core.create_namespaced_config_map, "default", held)
    await call(core.delete_namespaced_config_map, "held", "default")
    found = await call(core.read_namespaced_config_map, "held", "default")
    assert found.metadata.deletion_timestamp is not None
    released = [{"op": "remove", "path": "/metadata/finalizers"}]
    await call(core.patch_namespaced_config_map, "held", "default", released)
    assert await code_of(core.read_namespaced_config_map, "held", "default") == (404, "NotFound")


async def test_what_is_refused(core: Any) -> None:
    await call(core.create_namespaced_service, "default", web())
    create, replace = core.create_namespaced_service, core.replace_namespaced_service
    assert await code_of(create, "default", web()) == (409, "AlreadyExists")
    assert await code_of(create, "nowhere", web()) == (404, "NotFound")
    assert await code_of(create, "default", {"metadata": {"name": "Upper"}}) == (422, "Invalid")
    assert await code_of(create, "default", {"metadata": {}}) == (422, "Invalid")
    assert await code_of(create, "default", {"kind": "Pod", "metadata": {"name": "x"}}) == (400, "BadRequest")
    assert await code_of(create, "default", {"metadata": {"name": "x", "namespace": "shop"}}) == (
        400,
        "BadRequest",
    )
    assert await code_of(create, "default", web(), dry_run="All") == (400, "BadRequest")
    stale = {"metadata": {"name": "web", "resourceVersion": "1"}, "spec": {}}
    assert await code_of(replace, "web", "default", stale) == (409, "Conflict")
    assert await code_of(replace, "none", "default", web()) == (404, "NotFound")
    options = {"preconditions": {"uid": "another"}}
    assert await code_of(core.delete_namespaced_service, "web", "default", body=options) == (409, "Conflict")
    assert await code_of(core.list_namespaced_pod, "default", field_selector="spec.restartPolicy=Never") == (
        400,
        "BadRequest",
    )
    assert await code_of(core.read_namespaced_pod_log, "p", "default") == (404, "NotFound")


async def test_custom_resources(api: KubeApi, client: Any) -> None:
    definitions = CLIENT.client.ApiextensionsV1Api(client)
    custom = CLIENT.client.CustomObjectsApi(client)
    place = ("example.org", "v1", "default", "widgets")
    assert await code_of(custom.list_namespaced_custom_object, *place) == (404, "NotFound")
    made = await call(definitions.create_custom_resource_definition, WIDGETS)
    assert {each.type for each in made.status.conditions} == {"NamesAccepted", "Established"}
    widget = await call(custom.create_namespaced_custom_object, *place, WIDGET)
    assert widget["metadata"]["generation"] == 1
    status = {"status": {"ready": True}, "spec": {"size": 5}}
    found = await call(custom.patch_namespaced_custom_object_status, *place, "one", status)
    assert (found["status"], found["spec"], found["metadata"]["generation"]) == (
        {"ready": True},
        {"size": 1},
        1,
    )
    found = await call(custom.patch_namespaced_custom_object, *place, "one", {"spec": {"size": 2}})
    assert (found["spec"]["size"], found["status"], found["metadata"]["generation"]) == (
        2,
        {"ready": True},
        2,
    )
    api.add({**WIDGET, "metadata": {"name": "two", "namespace": "default"}})
    listed = await call(custom.list_namespaced_custom_object, *place)
    assert [item["metadata"]["name"] for item in listed["items"]] == ["one", "two"]
    await call(definitions.delete_custom_resource_definition, "widgets.example.org")
    assert await code_of(custom.list_namespaced_custom_object, *place) == (404, "NotFound")


async def test_the_dynamic_client_finds_its_way(api: KubeApi, client: Any) -> None:
    """It asks for all groups and resources first."""
    api.add(WIDGETS)

    def work() -> list[str]:
        dynamic = CLIENT.dynamic.DynamicClient(client)
        widgets = dynamic.resources.get(api_version="example.org/v1", kind="Widget")
        widgets.create(body=WIDGET, namespace="default")
        services = dynamic.resources.get(api_version="v1", kind="Service")
        services.create(body=web(), namespace="default")
        found = [*widgets.get(namespace="default").items, *services.get(namespace="default").items]
        return [item.metadata.name for item in found]

    assert await call(work) == ["one", "web"]


@pytest.mark.parametrize(
    ("method", "path", "kind", "body", "code"),
    [
        ("PATCH", "/api/v1/namespaces/default/services/web", "application/apply-patch+yaml", b"{}", 415),
        ("PATCH", "/api/v1/namespaces/default/services/web", "text/plain", b"{}", 415),
        ("POST", "/api/v1/namespaces/default/services", "application/vnd.kubernetes.protobuf", b"k8s", 415),
        ("POST", "/api/v1/namespaces/default/services", "application/json", b"{", 400),
        ("POST", "/api/v1/namespaces/default/services", "application/json", b"[]", 400),
        (
            "POST",
            "/api/v1/namespaces/default/services",
            "application/json",
            b'{"metadata":{"name":"x"},"spec":7}',
            400,
        ),
        (
            "POST",
            "/api/v1/namespaces/default/services",
            "application/json",
            b'{"metadata":{"name":"x"},"spec":{"clusterIP":"1.2"}}',
            400,
        ),
        (
            "POST",
            "/api/v1/namespaces/default/pods",
            "application/json",
            b'{"metadata":{"name":"x","labels":[]}}',
            400,
        ),
        ("POST", "/api/v1/namespaces/default/services/web", "application/json", b"{}", 405),
        ("PUT", "/api/v1/namespaces/default/services", "application/json", b"{}", 405),
        ("POST", "/api/v1/services", "application/json", b"{}", 400),
        ("POST", "/api/v1/unknown", "application/json", b"{}", 404),
        ("POST", "/version", "application/json", b"{}", 404),
        ("GET", "/api/v1/namespaces/default/services/web/proxy", "", None, 404),
        ("GET", "/apis/apps/v1beta1/deployments", "", None, 404),
        ("GET", "/openapi/v2", "", None, 404),
        ("GET", "/api/v1/a/b/c/d/e/f", "", None, 404),
        ("GET", "/readyz", "", None, 200),
        ("GET", "/version", "", None, 200),
    ],
    ids=lambda value: value.decode() if isinstance(value, bytes) else str(value),
)
async def test_what_is_not_served_is_said_so(
    api: KubeApi, method: str, path: str, kind: str, body: bytes | None, code: int
) -> None:
    def send() -> tuple[int, str]:
        request = urllib.request.Request(
            api.url + path, body, {"Content-Type": kind} if kind else {}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return reply.status, ""
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)["kind"]

    assert await call(send) == (code, "Status" if code >= 400 else "")
