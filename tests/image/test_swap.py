"""The Deployment, rights and configuration of kubeadm, with another image and nothing else changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from dnsserver.testing.kube_api import namespace, service, slice_of
from tests.end_to_end.netns import Namespace, join
from tests.image.building import Image
from tests.image.node import ApiServer, config_map_volume, kubelet_files, manifests, replace_config_map
from tests.image.runtime import Constraints, Container, bundle, running
from tests.support.kube_api.pki import make_pki
from tests.support.process import ServerProcess, wait_until
from tests.support.tools import tool

pytestmark = [
    pytest.mark.tool("apt-get", "buildah", "debootstrap", "dig", "curl", "ip", "openssl", "runc"),
    pytest.mark.netns,
    pytest.mark.mount,
]
KUBEADM = Path(__file__).parent / "kubeadm"
POD, NODE = "192.0.2.1", "192.0.2.2"
#: What the node's name server knows.
OUTSIDE = """\
.:53 {{
    bind {node}
    hosts {{
        198.51.100.7 www.example.org
    }}
}}
"""
SERVICES = 500
#: Seconds. terminationGracePeriodSeconds where a manifest has none.
GRACE_S = 30
METRICS = "http://127.0.0.1:9153/metrics"
SHOWN = ("coredns_dns_requests_total", "coredns_plugin_enabled", "process_open_fds")
RIGHTS = {("", "services"), ("", "namespaces"), ("discovery.k8s.io", "endpointslices")}


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod of the Deployment, and the cluster around it."""

    container: Container
    net: Namespace
    server: ApiServer
    spec: dict[str, Any]
    volume: Path

    def dig(self, *words: str) -> list[str]:
        _, said = self.net.run(tool("dig"), "@127.0.0.1", "+short", "+time=2", "+tries=2", *words)
        return sorted(said.split("\n")[:-1])

    def probe(self, kind: str) -> tuple[int, str]:
        """What the kubelet sees: status and body; 0: no answer."""
        found = self.spec[kind]["httpGet"]
        ports = {port["name"]: port["containerPort"] for port in self.spec["ports"]}
        url = f"{found['scheme'].lower()}://127.0.0.1:{ports[found['port']]}{found['path']}"
        return self.get(url, self.spec[kind].get("timeoutSeconds", 1))

    def get(self, url: str, timeout_s: float = 5) -> tuple[int, str]:
        words = ("--silent", "--max-time", f"{timeout_s}", "--write-out", "\n%{http_code}", url)
        _, said = self.net.run(tool("curl"), *words)
        body, _, code = said.rpartition("\n")
        return int(code), body

    def until_ready(self) -> None:
        wait_until(lambda: self.probe("readinessProbe") == (200, "OK"), lambda: repr(self.container))


@pytest.fixture
def pod(image: Image, root: Path, tmp_path: Path) -> Iterator[Pod]:
    objects = manifests(KUBEADM)
    deployment, configuration, account = (
        next(obj for obj in objects if obj["kind"] == kind)
        for kind in ("Deployment", "ConfigMap", "ServiceAccount")
    )
    template = deployment["spec"]["template"]["spec"]
    (spec,) = template["containers"]
    pki = make_pki(tmp_path)
    rights = [obj for obj in objects if obj["apiVersion"].startswith("rbac")]
    server = ApiServer(pki, [*cluster(), account, *rights])
    files = kubelet_files(
        tmp_path,
        nameserver=NODE,
        token=server.token("kube-system", template["serviceAccountName"]),
        ca=pki.ca.cert,
    )
    volume = config_map_volume(tmp_path / "volume", configuration["data"])
    (mount,) = spec["volumeMounts"]
    with Namespace() as net, node(net, tmp_path), server.serving(net.name) as port:
        limits = replace(
            Constraints.of(spec, image),
            mounts={**files, mount["mountPath"]: volume},
            environment={"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(port)},
        )
        words = [*spec.get("command", image.config()["Entrypoint"]), *spec["args"]]
        with running(tmp_path / "bundle", bundle(root, words, limits, net.name)) as container:
            yield Pod(container, net, server, spec, volume)


def cluster() -> Iterator[dict[str, Any]]:
    for name in ("default", "kube-system"):
        yield namespace(name)
    for number in range(SERVICES):
        address = f"10.96.{number >> 8}.{number & 255}"
        yield service(f"service-{number}", address)
        yield slice_of(f"service-{number}", [address.replace("10.96", "10.244")])
    yield service("db")
    yield slice_of("db", ["10.244.100.1", "10.244.100.2"])


@contextmanager
def node(net: Namespace, folder: Path) -> Iterator[None]:
    """The node, with a name server on the other end of the pod's interface."""
    with Namespace() as other:
        near, far = join(net, other)
        net.address(near, [f"{POD}/24"])
        other.address(far, [f"{NODE}/24"])
        corefile = folder / "node.Corefile"
        corefile.write_text(OUTSIDE.format(node=NODE))
        with ServerProcess("--workers", "0", "-conf", corefile, prefix=other.prefix) as upstream:
            upstream.wait_for("linux/")
            yield


def test_it_serves(pod: Pod) -> None:
    pod.until_ready()
    assert pod.probe("livenessProbe") == (200, "OK")
    for protocol in ("+notcp", "+tcp"):
        assert pod.dig(protocol, "service-7.default.svc.cluster.local", "A") == ["10.96.0.7"]
        assert pod.dig(protocol, "db.default.svc.cluster.local", "A") == ["10.244.100.1", "10.244.100.2"]
        assert pod.dig(protocol, "-x", "10.96.0.7") == ["service-7.default.svc.cluster.local."]
        assert pod.dig(protocol, "www.example.org", "A") == ["198.51.100.7"]
    # Numbers of workers come some time after the answers that they count.
    wait_until(lambda: all(f"\n{name}" in pod.get(METRICS)[1] for name in SHOWN), lambda: pod.get(METRICS)[1])
    pod.server.change(lambda: pod.server.api.add(service("later", "10.96.9.9")))
    wait_until(
        lambda: pod.dig("later.default.svc.cluster.local", "A") == ["10.96.9.9"], lambda: repr(pod.container)
    )


def test_it_lives_under_the_constraints_of_the_manifest(pod: Pod) -> None:
    pod.until_ready()
    status = pod.container.status(pod.container.pid())
    assert status["Uid"].split() == ["65532"] * 4
    assert status["NoNewPrivs"] == "1"
    assert {status[name] for name in ("CapBnd", "CapPrm", "CapEff")} == {f"{1 << 10:016x}"}
    assert status["CapAmb"] == f"{0:016x}"
    inside = Path(f"/proc/{pod.container.pid()}/root")
    mounts = Path(f"/proc/{pod.container.pid()}/mounts").read_text().splitlines()
    assert mounts[0].split()[1] == "/"
    assert "ro" in mounts[0].split()[3].split(","), "the root file system"
    state = list((inside / "dev/shm/dnsserver").glob("cluster-0/data.mdb"))
    assert state, "the store lies where there is room, and lasts as long as the pod"


def test_it_asks_the_api_server_for_lists_and_watches_only(pod: Pod) -> None:
    pod.until_ready()
    requests = list(pod.server.api.requests)
    assert {(each.group, each.resource) for each in requests} == RIGHTS
    assert {each.verb for each in requests} == {"list", "watch"}
    assert [each.path for each in requests if each.name or each.namespace] == []
    assert "forbidden" not in pod.container.log


def test_its_memory(pod: Pod) -> None:
    """All that the kernel charges to the container, the store in /dev/shm too, through a reload."""
    pod.until_ready()
    volume = pod.volume
    replace_config_map(volume, {"Corefile": (volume / "Corefile").read_text().replace("ttl 30", "ttl 25")})
    pod.container.kill("USR1")
    pod.container.wait_for("Reloading complete")
    group = pod.container.memory()
    version_1 = (group / "memory.oom_control").exists()
    events = (group / ("memory.oom_control" if version_1 else "memory.events")).read_text()
    assert "oom_kill 0" in events.splitlines()
    limit = int((group / ("memory.limit_in_bytes" if version_1 else "memory.max")).read_text())
    assert limit == 170 << 20
    assert pod.dig("service-7.default.svc.cluster.local", "A") == ["10.96.0.7"]


def test_the_end(pod: Pod) -> None:
    """SIGTERM: not ready at once, answers for as long as lameduck lasts, and the end within the grace period."""
    pod.until_ready()
    pod.container.kill("TERM")
    wait_until(lambda: pod.probe("readinessProbe")[0] in (0, 503), lambda: repr(pod.container))
    assert pod.probe("livenessProbe") == (200, "OK")
    assert pod.dig("service-7.default.svc.cluster.local", "A") == ["10.96.0.7"]
    assert pod.container.process.wait(GRACE_S) == 0, repr(pod.container)


def test_process_1_waits_for_whoever_ends(pod: Pod) -> None:
    """A process that is left by its parent is process 1's: none stays as a zombie."""
    pod.until_ready()
    orphan = "import os\nif os.fork() == 0:\n os._exit(0)\nos._exit(0)"
    for _ in range(3):
        pod.container.execute("/usr/bin/python3", "-c", orphan)
    wait_until(lambda: pod.container.states().count("Z") == 0, lambda: repr(pod.container.states()))
