"""Whatever a client sends, it gets an answer of the API: never an error of the server's own."""

import json
from collections import Counter
from random import Random
from typing import Any

import aiohttp

from dnsserver.testing.kube_api import KubeApi
from dnsserver.testing.kube_api.resources import BUILT_IN

REQUESTS = 1_500
WORDS = ("", "a", "None", "10.96.0.1", "x" * 300, "ü", "a/b", "..", '{"a')
FIELDS = (
    "name labels metadata spec status ports port clusterIP type $patch op path value finalizers names group versions"
).split()
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
PLACES = ("", "/a", "/b", "/a/status", "/b/status", "/a/x/y", "/%2e%2e", "/" + "n" * 300)
QUERIES = (
    "",
    *("limit=1", "limit=x", "limit=-1", "continue=zz", "dryRun=All", "resourceVersion=abc"),
    *("labelSelector=a in (b", "labelSelector=,,=", "fieldSelector=metadata.name", "fieldSelector=x=y"),
    *("watch=1&timeoutSeconds=0", "watch=1&timeoutSeconds=x", "watch=1&resourceVersion=x"),
)
KINDS = ("json", "json-patch+json", "merge-patch+json", "strategic-merge-patch+json", "yaml")


def value(random: Random, depth: int = 0) -> Any:
    kind = random.randrange(7 if depth < 3 else 4)
    if kind < 3:
        return random.choice(WORDS)
    if kind == 3:
        return random.choice((None, 0, -1, 1.5, True, 10**30))
    if kind == 4:
        return [value(random, depth + 1) for _ in range(random.randrange(3))]
    return {random.choice(FIELDS): value(random, depth + 1) for _ in range(random.randrange(4))}


def body(random: Random) -> bytes:
    if random.random() < 0.1:
        return random.randbytes(random.randrange(30))
    metadata = random.choice(
        ({"name": "a"}, {"name": "b", "finalizers": ["f"]}, {"generateName": "g-"}, value(random))
    )
    whole = {"metadata": metadata, "spec": value(random), "status": value(random)}
    return json.dumps(whole if random.random() < 0.7 else value(random)).encode()


async def test_any_request() -> None:
    random, codes = Random(5), Counter[int]()
    async with KubeApi() as api, aiohttp.ClientSession() as session:
        api.namespace("default")
        for _ in range(REQUESTS):
            resource, method = random.choice(BUILT_IN), random.choice(METHODS)
            namespace = "default" if resource.namespaced and random.random() < 0.7 else ""
            url = f"{api.url}{resource.folder(namespace)}{random.choice(PLACES)}?{random.choice(QUERIES)}"
            headers = {"Content-Type": f"application/{random.choice(KINDS)}"}
            data = None if method in ("GET", "OPTIONS") else body(random)
            async with session.request(method, url, data=data, headers=headers) as reply:
                text = await reply.text()
                assert reply.status < 500, (method, url, data, text)
                if reply.status >= 400:
                    assert json.loads(text)["kind"] == "Status"
                codes[reply.status] += 1
    assert {200, 201, 400, 404, 405, 415} <= set(codes)
