"""Tokens and rights, as the API server for tests holds its clients to them; time is moved by hand."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from dnsserver.testing.kube_api import KubeApi, service
from dnsserver.testing.kube_api.access import Access
from dnsserver.testing.kube_api.store import Store
from tests.support.kube_api.real import collection_path

RBAC = "rbac.authorization.k8s.io"
ACCOUNT = {
    "apiVersion": "v1",
    "kind": "ServiceAccount",
    "metadata": {"name": "dns", "namespace": "kube-system"},
}
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "kube-system"}}
TOKEN_PATH = "/api/v1/namespaces/kube-system/serviceaccounts/dns/token"
SERVICES = "/api/v1/services"
WEB = "/api/v1/namespaces/default/services/web"


def role(*rules: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "r"},
        "rules": list(rules),
    }


def binding(**subject: str) -> dict[str, Any]:
    reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "r"}
    metadata = {"name": "b"}
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": metadata,
        "roleRef": reference,
        "subjects": [subject],
    }


READ = {"apiGroups": [""], "resources": ["services"], "verbs": ["list", "watch"]}
TO_ACCOUNT = binding(kind="ServiceAccount", name="dns", namespace="kube-system")


class Run:
    """A server whose clock the test moves, and requests to it."""

    def __init__(self, api: KubeApi, session: aiohttp.ClientSession, store: Store, access: Access) -> None:
        self.api, self.session, self.store, self.access = api, session, store, access
        self.now = 1_000.0

    async def send(self, method: str, path: str, token: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.session.request(method, self.api.url + path, json=body, headers=headers) as reply:
            return reply.status, await reply.json()

    async def add(self, *objects: dict[str, Any]) -> None:
        for obj in objects:
            status, body = await self.send("POST", collection_path(obj), "admin", obj)
            assert status == 201, body

    async def issued(self, **spec: Any) -> str:
        status, body = await self.send("POST", TOKEN_PATH, "admin", {"spec": spec})
        assert status == 201, body
        return str(body["status"]["token"])

    async def code(self, token: str, path: str = SERVICES, method: str = "GET") -> int:
        return (await self.send(method, path, token, None if method in ("GET", "DELETE") else {}))[0]


@asynccontextmanager
async def running() -> AsyncIterator[Run]:
    store = Store()
    access = Access(store, "admin", lambda: run.now)
    async with KubeApi(store=store, access=access) as api, aiohttp.ClientSession() as session:
        run = Run(api, session, store, access)
        api.namespace("kube-system")
        api.namespace("default")
        yield run


async def test_nobody_and_the_administrator() -> None:
    async with running() as run:
        assert await run.code("") == 401
        assert await run.code("wrong") == 401
        assert await run.code("admin") == 200
        await run.add(service("web", "10.96.0.7"))
        assert await run.code("admin", WEB) == 200
        async with run.session.get(run.api.url + "/readyz") as reply:
            assert reply.status == 200


async def test_a_role_gives_what_it_says_and_no_more() -> None:
    async with running() as run:
        await run.add(ACCOUNT, service("web", "10.96.0.7"))
        token = await run.issued()
        status, body = await run.send("GET", SERVICES, token)
        assert (status, body["reason"]) == (403, "Forbidden")
        assert body["message"] == (
            'services is forbidden: User "system:serviceaccount:kube-system:dns" cannot list resource "services" in API'
            ' group "" at the cluster scope'
        )
        await run.add(role(READ), TO_ACCOUNT)
        assert await run.code(token) == 200
        for method, path in (
            ("GET", WEB),
            ("PUT", WEB),
            ("DELETE", WEB),
            ("GET", "/api/v1/pods"),
            ("POST", TOKEN_PATH),
        ):
            assert await run.code(token, path, method) == 403


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (READ, 200),
        ({**READ, "verbs": ["*"]}, 200),
        ({**READ, "verbs": ["watch"]}, 403),
        ({**READ, "resources": ["*"]}, 200),
        ({**READ, "resources": ["services/status"]}, 403),
        ({**READ, "apiGroups": ["apps"]}, 403),
        ({**READ, "resourceNames": ["web"]}, 403),
    ],
)
async def test_rules(rule: dict[str, Any], code: int) -> None:
    async with running() as run:
        await run.add(ACCOUNT, role(rule), TO_ACCOUNT)
        assert await run.code(await run.issued()) == code


@pytest.mark.parametrize(
    ("subject", "code"),
    [
        ({"kind": "User", "name": "system:serviceaccount:kube-system:dns"}, 200),
        ({"kind": "Group", "name": "system:serviceaccounts:kube-system"}, 200),
        ({"kind": "Group", "name": "system:masters"}, 403),
        ({"kind": "ServiceAccount", "name": "dns", "namespace": "default"}, 403),
    ],
)
async def test_subjects(subject: dict[str, str], code: int) -> None:
    async with running() as run:
        await run.add(ACCOUNT, role(READ), binding(**subject))
        assert await run.code(await run.issued()) == code


async def test_tokens_end() -> None:
    async with running() as run:
        await run.add(ACCOUNT, SECRET, role(READ), TO_ACCOUNT)
        plain = await run.issued(expirationSeconds=600)
        bound = await run.issued(boundObjectRef={"kind": "Secret", "apiVersion": "v1", "name": "s"})
        assert (await run.code(plain), await run.code(bound)) == (200, 200)
        run.now += 600
        assert (await run.code(plain), await run.code(bound)) == (401, 200)
        await run.send("DELETE", "/api/v1/namespaces/kube-system/secrets/s", "admin")
        assert await run.code(bound) == 401
        another = await run.issued()
        assert await run.code(another) == 200
        await run.send("DELETE", TOKEN_PATH.removesuffix("/token"), "admin")
        assert await run.code(another) == 401


async def test_tokens_that_are_not_given() -> None:
    async with running() as run:
        assert (await run.send("POST", TOKEN_PATH, "admin", {}))[0] == 404
        await run.add(ACCOUNT)
        status, body = await run.send("POST", TOKEN_PATH, "admin", {"spec": {"expirationSeconds": 599}})
        assert (status, "may not specify a duration less than 10 minutes" in body["message"]) == (422, True)


async def test_another_server_goes_on_from_what_was_saved() -> None:
    async with running() as run:
        await run.add(ACCOUNT, role(READ), TO_ACCOUNT, service("web", "10.96.0.7"))
        token = await run.issued()
        saved, tokens, version = run.store.saved(), run.access.saved(), run.store.version
    store = Store()
    store.restore(saved)
    access = Access(store, "admin", lambda: 1_001.0)
    access.restore(tokens)
    async with KubeApi(store=store, access=access) as api, aiohttp.ClientSession() as session:
        again = Run(api, session, store, access)
        status, body = await again.send("GET", SERVICES, token)
        assert (status, [item["metadata"]["name"] for item in body["items"]]) == (200, ["web"])
        assert body["metadata"]["resourceVersion"] == str(version)
