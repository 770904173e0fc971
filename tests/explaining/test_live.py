"""Explanations of a live cluster: whole objects from its API server, in one process and in several."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from dnsserver.explaining.explanation import Explanation
from dnsserver.runtime.explaining import Asking, Explainer
from dnsserver.runtime.rehearsing import opened
from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.runtime.standalone import given
from dnsserver.testing.kube_api import KubeApi, forbidden, namespace, pod, service, slice_of
from tests.explaining.situation import CLUSTER
from tests.support.process import ServerProcess, command_line, environment, free_port

WEB = "web.default.svc.cluster.local."


def waiting_pod() -> dict[str, Any]:
    found = pod("web-0", "10.1.0.7")
    found["metadata"]["labels"] = {"app": "web"}
    found["status"]["conditions"] = [{"type": "Ready", "status": "False", "message": "no such luck"}]
    return found


def unready() -> dict[str, Any]:
    found = slice_of("web", ["10.1.0.7"])
    found["endpoints"][0]["conditions"] = {"ready": False}
    return found


OBJECTS: tuple[Mapping[str, Any], ...] = (
    namespace("default"),
    namespace("other"),
    service("web", selector={"app": "web"}),
    service("db", "10.0.0.5", namespace="other"),
    waiting_pod(),
    unready(),
)


def corefile(api: KubeApi, port: int = 0, *options: str) -> str:
    lines = (f"endpoint {api.url}", *options)
    body = "\n".join(lines)
    return f".:{port} {{\nbind 127.0.0.1\nkubernetes cluster.local in-addr.arpa {{\n{body}\n}}\n}}\n"


@asynccontextmanager
async def cluster(*options: str) -> AsyncIterator[tuple[KubeApi, Explainer]]:
    async with KubeApi() as api:
        api.add(*OBJECTS)
        server = ClusterDnsServer(given(corefile(api, 0, *options)).read(), Path())
        async with opened(server, follows=True):
            yield api, Explainer(server)


def codes(found: Explanation) -> list[str]:
    return [cause.code for cause in found.causes]


async def test_objects_of_the_api() -> None:
    async with cluster() as (_, explainer):
        found = await explainer.explain(Asking(WEB))
        elsewhere = await explainer.explain(Asking("db.default.svc.cluster.local."))
    assert codes(found) == ["no-ready-endpoint"]
    assert [str(each) for each in found.causes[0].objects] == ["Service default/web", "Pod default/web-0"]
    assert "no such luck" in found.causes[0].sentence
    assert all(each.resource_version for each in found.causes[0].objects)
    assert codes(elsewhere) == ["service-in-another-namespace"]
    assert "StatefulSet" in found.unseen


async def test_what_it_may_not_list_is_said() -> None:
    """Without the right to list pods the cause is told as far as the EndpointSlices say it."""
    async with cluster() as (api, explainer):
        api.fail(forbidden("pods", "list"))
        found = await explainer.explain(Asking(WEB))
    assert codes(found) == ["no-ready-endpoint"]
    assert found.unseen["Pod"] == "not allowed to list pods"
    assert str(found.causes[0].objects[0]) == "EndpointSlice default/web-x1"


async def test_api_server_that_is_gone() -> None:
    """Then what the server knows is the evidence, and it says that it may be out of date."""
    async with cluster() as (api, explainer):
        await api.stop()
        found = await explainer.explain(Asking("wbe.default.svc.cluster.local."))
        resolved = await explainer.explain(Asking("db.other.svc.cluster.local."))
    assert codes(found)[0] == "no-such-service"
    assert str(found.causes[0].objects[0]) == "Service default/web"
    assert "Pod" in found.unseen
    assert resolved.resolves
    assert resolved.rule is not None
    assert resolved.rule.code == "cluster-ip"


async def test_hidden_by_labels() -> None:
    async with cluster("labels shown=yes") as (_, explainer):
        assert codes(await explainer.explain(Asking(WEB))) == ["service-hidden"]


async def test_rights_are_those_that_the_server_has() -> None:
    """Nothing but lists of what it watches anyway, and pods."""
    async with cluster() as (api, explainer):
        await explainer.explain(Asking(WEB))
        await explainer.explain(Asking("5.0.0.10.in-addr.arpa.", "PTR"))
        asked = {(request.verb, request.resource) for request in api.asked()}
    assert asked <= {
        (verb, resource)
        for verb in ("list", "watch")
        for resource in ("services", "endpointslices", "namespaces", "pods")
    }


async def explain(*words: str) -> tuple[int, str, str]:
    """Exit code and output of the command."""
    process = await asyncio.create_subprocess_exec(
        *command_line(("explain", *words)),
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_several_processes(tmp_path: Path) -> None:
    """The control process explains what workers answer, before and after a change of the cluster."""
    port, admin = free_port(), f"127.0.0.1:{free_port()}"
    async with KubeApi() as api:
        api.add(*OBJECTS)
        (tmp_path / "Corefile").write_text(corefile(api, port))
        arguments = ("-conf", tmp_path / "Corefile", "--workers", "2", "--admin", admin)
        server = ServerProcess(*arguments)
        await asyncio.to_thread(server.__enter__)
        try:
            await asyncio.to_thread(server.wait_for, "dnsserver-")
            code, out, err = await explain(WEB, "--server", admin)
            assert (code, err) == (1, ""), server.told()
            assert "no-ready-endpoint" in out
            assert "Pod default/web-0" in out
            api.update(slice_of("web", ["10.1.0.7"]))
            async with asyncio.timeout(20):
                while (await explain(WEB, "--server", admin))[0] != 0:
                    pass
            found = json.loads((await explain(WEB, "--json", "--server", admin))[1])
            assert found["rule"]["code"] == "headless"
            assert found["answer"]["records"] == [f"{WEB} 5 IN A 10.1.0.7"]
        finally:
            await asyncio.to_thread(server.__exit__, None, None, None)
    assert (await explain(WEB, "--server", admin))[0] == 2


async def test_modules_are_imported_when_first_asked(tmp_path: Path) -> None:
    """A server that explains nothing does without them."""
    code = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from dnsserver.runtime.standalone import given, standalone_text\n"
        "from dnsserver.runtime.serving import serve_until_signal\n"
        "from dnsserver.runtime.several import serve_by_processes\n"
        "found = [name for name in sys.modules if name.startswith('dnsserver.explaining.')]\n"
        "print(*sorted(found))\n"
    )
    process = await asyncio.create_subprocess_exec(
        command_line(())[0], "-c", code, env=environment(), stdout=asyncio.subprocess.PIPE, cwd=tmp_path
    )
    out, _ = await process.communicate()
    allowed = {"dnsserver.explaining.cause", "dnsserver.explaining.evidence", "dnsserver.explaining.fields"}
    assert set(out.decode().split()) <= allowed


async def test_server_that_is_asked_by_dns_alone() -> None:
    """Such as a CoreDNS: its answer, with what manifests say that it should know; or with what it says itself."""
    port = free_port()
    arguments = ("serve", "--port", str(port), "--admin", "off", CLUSTER)
    server = ServerProcess(*arguments)
    await asyncio.to_thread(server.__enter__)
    try:
        await asyncio.to_thread(server.wait_for, "Stop with Ctrl-C")
        address = f"dns://127.0.0.1:{port}"
        code, out, err = await explain("typo.default.svc.cluster.local", "--server", address, str(CLUSTER))
        assert (code, err) == (1, ""), server.told()
        assert "selector-matches-nothing" in out
        assert (await explain("web.default.svc.cluster.local", "--server", address, str(CLUSTER)))[0] == 0
        assert "unexplained" in (await explain("www.example.org", "--server", address))[1]
    finally:
        await asyncio.to_thread(server.__exit__, None, None, None)
    code, out, _ = await explain("www.example.org", "--server", f"dns://127.0.0.1:{free_port()}")
    assert code == 1
    assert "no-answer" in out
