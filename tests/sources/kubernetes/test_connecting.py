"""How the API server is reached: service account, kubeconfig, endpoint and TLS; and how requests are paced."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest

from dnsserver.sources.kubernetes.client import ApiServer
from dnsserver.sources.kubernetes.credentials import SourceError
from dnsserver.sources.kubernetes.pacing import TokenBucket
from dnsserver.sources.kubernetes.settings import LiveSettings, TlsFiles
from dnsserver.testing.kube_api import KubeApi, ServerTls, service
from dnsserver.testing.kube_api.faults import slow
from dnsserver.zone.objects import ObjectKey
from tests.sources.kubernetes.conftest import HandTime, Starter, eventually
from tests.support.kube_api.pki import Pki, make_pki

WEB = ObjectKey("default", "web")


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


def service_account(folder: Path, pki: Pki, token: str) -> Path:
    (folder / "token").write_text(token)
    (folder / "ca.crt").write_text(pki.ca.cert.read_text())
    return folder


def in_cluster(api: KubeApi) -> dict[str, str]:
    return {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(api.port)}


def kubeconfig(path: Path, server: str, **user: Any) -> Path:
    """Two contexts; the current one leads nowhere. JSON is YAML."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "nowhere",
        "clusters": [
            {"name": "test", "cluster": {"server": server}},
            {"name": "nowhere", "cluster": {"server": "http://127.0.0.1:1"}},
        ],
        "users": [{"name": "dns", "user": user}],
        "contexts": [
            {"name": "test", "context": {"cluster": "test", "user": "dns"}},
            {"name": "nowhere", "context": {"cluster": "nowhere", "user": "dns"}},
        ],
    }
    path.write_text(json.dumps(content))
    return path


def exec_plugin(command: str) -> dict[str, object]:
    """One whose token is what *command* prints."""
    script = (
        'printf \'{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",'
        f'"status":{{"token":"%s"}}}}\' "$({command})"'
    )
    return {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "sh",
        "args": ["-c", script],
        "interactiveMode": "Never",
    }


async def test_service_account_and_token_rotation(pki: Pki, tmp_path: Path, start: Starter) -> None:
    """After 401 the token file is read again; watches that are open go on."""
    folder = service_account(tmp_path, pki, "first\n")
    tls = ServerTls(pki.server.cert, pki.server.key)
    async with KubeApi(token="first", tls=tls) as api:
        run = await start(LiveSettings(service_account=folder), environ=in_cluster(api))
        await run.until(lambda: api.watching() == 3)
        api.token = "second"
        service_account(tmp_path, pki, "second")
        api.drop_watches("services")
        await run.until(lambda: run.source.api.loads == 2)
        await run.until(lambda: api.watching() == 3 and not run.state.stale)
        api.add(service("web", "10.96.0.10"))
        await run.until(lambda: run.state.service(WEB))
        assert len(api.asked("watch", "namespaces")) == 1
        assert run.said("does not accept the credentials (401 Unauthorized: Unauthorized)") == 1


async def test_new_token_is_used_at_once(pki: Pki, tmp_path: Path, start: Starter) -> None:
    """The 401 that shows that it is needed costs no pause, however long the last one was."""
    folder = service_account(tmp_path, pki, "first")
    tls = ServerTls(pki.server.cert, pki.server.key)
    async with KubeApi(token="first", tls=tls) as api:
        run = await start(LiveSettings(service_account=folder), environ=in_cluster(api))
        await run.until(lambda: api.watching() == 3)
        api.token = "second"
        run.time.hold = True
        api.drop_watches()
        await run.until(lambda: run.time.sleepers == 3)  # nothing new to try
        service_account(tmp_path, pki, "second")
        run.time.wake()  # three requests with the old token, whose 401 has the new one read
        await run.until(lambda: api.watching() == 3 and not run.state.stale)
        assert len(run.time.slept) == 3


async def test_new_tokens_that_are_never_good_are_tried_ever_more_rarely(
    tmp_path: Path, start: Starter
) -> None:
    """An exec plugin gives another one each time that it is run."""
    async with KubeApi(token="good") as api:
        path = kubeconfig(tmp_path / "config", api.url, exec=exec_plugin("date +%N"))
        run = await start(LiveSettings(kubeconfig=path, context="test"), time=HandTime(hold=True))
        await run.until(lambda: run.time.sleepers == 3)
        assert len(api.asked("list")) == 6  # each resource once more, and then not before its pause is over


async def test_token_file_that_is_empty_for_a_while(pki: Pki, tmp_path: Path, start: Starter) -> None:
    folder = service_account(tmp_path, pki, "first")
    tls = ServerTls(pki.server.cert, pki.server.key)
    async with KubeApi(token="first", tls=tls) as api:
        run = await start(LiveSettings(service_account=folder), environ=in_cluster(api))
        await run.until(lambda: api.watching() == 3)
        api.token = "second"
        (folder / "token").write_text("")
        api.drop_watches()
        await run.until(lambda: run.said("Token file exists but empty") >= 1 and len(run.state.stale) == 3)
        (folder / "token").write_text("second")
        await run.until(lambda: api.watching() == 3 and not run.state.stale)
        assert not run.task.done()


async def test_endpoint_with_tls(pki: Pki, start: Starter) -> None:
    tls = ServerTls(pki.server.cert, pki.server.key, client_ca=pki.ca.cert)
    async with KubeApi(tls=tls) as api:
        api.add(service("web", "10.96.0.10"))
        files = TlsFiles(pki.client.cert, pki.client.key, pki.ca.cert)
        run = await start(LiveSettings(endpoint=f"127.0.0.1:{api.port}", tls=files))
        await run.synced()
        assert run.state.service(WEB)


async def test_wrong_ca_is_said_and_tried_again(pki: Pki, tmp_path: Path, start: Starter) -> None:
    other = make_pki(tmp_path)
    async with KubeApi(tls=ServerTls(pki.server.cert, pki.server.key)) as api:
        files = TlsFiles(pki.client.cert, pki.client.key, other.ca.cert)
        run = await start(LiveSettings(endpoint=api.url, tls=files))
        await run.until(lambda: run.said("CERTIFICATE_VERIFY_FAILED") == 3)
        assert len(run.state.stale) == 3


async def test_kubeconfig_with_context(pki: Pki, tmp_path: Path, start: Starter) -> None:
    async with KubeApi(token="t0ken", tls=ServerTls(pki.server.cert, pki.server.key)) as api:
        path = kubeconfig(tmp_path / "config", api.url, token="t0ken")
        content = json.loads(path.read_text())
        ca = base64.b64encode(pki.ca.cert.read_bytes()).decode()
        content["clusters"][0]["cluster"]["certificate-authority-data"] = ca
        path.write_text(json.dumps(content))
        run = await start(LiveSettings(kubeconfig=path, context="test", endpoint="http://127.0.0.1:2"))
        await run.synced()
        assert "credentials read 1 times" in repr(run.source)


async def test_kubeconfig_current_context(tmp_path: Path, start: Starter) -> None:
    run = await start(LiveSettings(kubeconfig=kubeconfig(tmp_path / "config", "http://127.0.0.1:2")))
    await run.until(lambda: run.said("127.0.0.1:1") >= 3)


async def test_exec_plugin_is_run_again_after_401(tmp_path: Path, start: Starter) -> None:
    """The plugin prints the token that a file holds."""
    async with KubeApi(token="first") as api:
        (tmp_path / "token").write_text("first")
        path = kubeconfig(tmp_path / "config", api.url, exec=exec_plugin(f"cat {tmp_path}/token"))
        run = await start(LiveSettings(kubeconfig=path, context="test"))
        await run.until(lambda: api.watching() == 3)
        api.token = "second"
        (tmp_path / "token").write_text("second")
        api.drop_watches()
        await run.until(lambda: run.source.api.loads == 2)
        await run.until(lambda: api.watching() == 3 and not run.state.stale)


async def refusal(settings: LiveSettings, environ: dict[str, str] | None = None) -> str:
    api = ApiServer(settings, environ=environ or {})
    with pytest.raises(SourceError) as caught:
        await api.connect()
    return str(caught.value)


async def test_missing_kubeconfig(tmp_path: Path) -> None:
    path = tmp_path / "none"
    assert await refusal(LiveSettings(kubeconfig=path)) == (
        f"kubeconfig {path}: cannot be read: No such file or directory; "
        "correct the path after `kubeconfig` in the Corefile"
    )


@pytest.mark.parametrize("content", ["", "just words", "{", "- a\n- b", "contexts: 7", "contexts: [{}]"])
async def test_file_that_is_no_kubeconfig(content: str, tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(content)
    text = await refusal(LiveSettings(kubeconfig=path))
    assert text.startswith(f"kubeconfig {path}: ")
    assert "; " in text


async def test_missing_context(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path / "config", "http://127.0.0.1:2")
    assert await refusal(LiveSettings(kubeconfig=path, context="prod")) == (
        f"kubeconfig {path}: there is no context 'prod'; contexts in it: test, nowhere; "
        f"name one: `kubeconfig {path} CONTEXT`"
    )


async def test_kubeconfig_without_server(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path / "config", "")
    path.write_text(path.read_text().replace('"server": ""', '"x": 1'))
    assert "its cluster has no `server`" in await refusal(LiveSettings(kubeconfig=path, context="test"))


async def test_exec_plugin_that_fails(tmp_path: Path) -> None:
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "false"}
    path = kubeconfig(tmp_path / "config", "http://127.0.0.1:2", exec=plugin)
    assert await refusal(LiveSettings(kubeconfig=path, context="test")) == (
        f"kubeconfig {path}, context test: the exec plugin 'false' gave no credentials; "
        "run it by hand to see why"
    )


async def test_not_in_a_cluster(tmp_path: Path) -> None:
    text = await refusal(LiveSettings(service_account=tmp_path))
    assert text.startswith("not in a cluster: Service host/port is not set. (KUBERNETES_SERVICE_HOST")
    assert text.endswith("or name a `kubeconfig` or `endpoint`")
    there = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    assert "Service token file does not exist" in await refusal(LiveSettings(service_account=tmp_path), there)


async def test_bad_ca_file(pki: Pki, tmp_path: Path) -> None:
    bad = tmp_path / "ca.crt"
    bad.write_text("no certificate")
    files = TlsFiles(pki.client.cert, pki.client.key, bad)
    text = await refusal(LiveSettings(endpoint="https://127.0.0.1:1", tls=files))
    assert text.startswith(
        "endpoint https://127.0.0.1:1: TLS files cannot be used: NO_CERTIFICATE_OR_CRL_FOUND; "
    )
    assert str(bad) in text


async def test_missing_tls_file(pki: Pki, tmp_path: Path) -> None:
    files = TlsFiles(pki.client.cert, tmp_path / "none.key", pki.ca.cert)
    text = await refusal(LiveSettings(endpoint="https://127.0.0.1:1", tls=files))
    assert text == (
        f"tls {tmp_path}/none.key: cannot be read: No such file or directory; "
        "correct the paths after `tls` in the Corefile: CERT KEY CACERT"
    )


async def test_key_of_another_certificate(pki: Pki) -> None:
    files = TlsFiles(pki.client.cert, pki.server.key, pki.ca.cert)
    text = await refusal(LiveSettings(endpoint="https://127.0.0.1:1", tls=files))
    assert "KEY_VALUES_MISMATCH" in text


async def test_run_ends_with_the_error_when_the_settings_are_bad(tmp_path: Path, start: Starter) -> None:
    run = await start(LiveSettings(kubeconfig=tmp_path / "none"))
    await asyncio.wait([run.task])
    assert isinstance(run.task.exception(), SourceError)


async def test_qps_and_burst(api: KubeApi, start: Starter) -> None:
    """Two requests at once, then one every half second on the test's clock."""
    time = HandTime(hold=True)
    await start(LiveSettings(endpoint=api.url, qps=2, burst=2), time=time)
    await eventually(lambda: len(api.requests) >= 2 and len(time.slept) >= 3)
    assert len(api.requests) == 2
    assert time.slept[:3] == [0.5, 1.0, 1.5]


async def test_token_bucket_fills_up_to_the_burst() -> None:
    time = HandTime()
    bucket = TokenBucket(10, 3, time.timing)
    for _ in range(5):
        await bucket.take()
    assert time.slept == [pytest.approx(0.1), pytest.approx(0.1)]
    time.at += 60
    time.slept.clear()
    for _ in range(4):
        await bucket.take()
    assert time.slept == [pytest.approx(0.1)]


@pytest.mark.parametrize(("limit", "most"), [(1, 1), (0, 3)])
async def test_max_inflight(limit: int, most: int, api: KubeApi, start: Starter) -> None:
    """Open watches do not count: with one place, three of them stand."""
    api.add(*(service(f"svc-{place}", f"10.96.0.{place}") for place in range(5)))
    for resource in ("services", "endpointslices", "namespaces"):
        api.fail(slow(resource, piece=20, pause_s=0.005))
    run = await start(LiveSettings(endpoint=api.url, max_inflight=limit))
    await run.until(lambda: api.watching() == 3)
    assert api.most_inflight == most
