"""The rendered command line and Corefile, started as the pod starts them: it serves, and its probes find it."""

import asyncio
from pathlib import Path

import pytest

from dnsserver.testing.kube_api import KubeApi, service
from tests.chart.rendering import Rendering, render
from tests.runtime.helpers import ask, get
from tests.support.process import ServerProcess, free_port

pytestmark = pytest.mark.tool("helm")

#: What has a port of its own in the pod.
PORTS = {"dns": 53, "metrics": 9153, "health": 8080, "ready": 8181}


def moved(rendering: Rendering, api_url: str, ports: dict[str, int]) -> str:
    """The Corefile at other ports of the loopback, with an API server that is no cluster's."""
    text = rendering.corefile
    for old, new in (
        (".:53 {", f".:{ports['dns']} {{\n    bind 127.0.0.1"),
        ("prometheus :9153", f"prometheus 127.0.0.1:{ports['metrics']}"),
        ("lameduck 10s", "lameduck 1ms"),
        ("health {", f"health 127.0.0.1:{ports['health']} {{"),
        ("ready\n", f"ready 127.0.0.1:{ports['ready']}\n"),
        ("pods insecure", f"pods insecure\n        endpoint {api_url}"),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


async def test_serves_and_answers_its_probes(tmp_path: Path) -> None:
    rendering, ports = render(), {name: free_port() for name in PORTS}
    volume = tmp_path / "volume"
    volume.mkdir()
    volume.chmod(0o777)  # as kubelet makes an emptyDir
    async with KubeApi() as api:
        api.namespace("default")
        api.add(service("kubernetes", "10.96.0.1"))
        (tmp_path / "Corefile").write_text(moved(rendering, api.url, ports))
        words = [
            word.replace("/etc/coredns", str(tmp_path)).replace("/var/lib/dnsserver", str(volume))
            for word in rendering.container["args"]
        ]
        with ServerProcess(*words) as process:
            await asyncio.to_thread(process.wait_for, "dnsserver-")
            found = await ask(ports["dns"], "kubernetes.default.svc.cluster.local")
            for probe in ("livenessProbe", "readinessProbe"):
                asked = rendering.container[probe]["httpGet"]
                (name,) = (key for key, port in PORTS.items() if port == asked["port"])
                assert await get(ports[name], asked["path"]) == (200, "OK")
            assert "coredns_build_info" in (await get(ports["metrics"], "/metrics"))[1]
    assert [record.address for rrset in found.answer for record in rrset] == ["10.96.0.1"]
    assert (volume / "state").is_dir()
