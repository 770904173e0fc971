"""A real kube-apiserver with its etcd, from the folder that KUBEBUILDER_ASSETS names.

It has the methods that a convergence test needs; the DNS server's user is bound to a ClusterRole with `list` and
`watch` on four resources and nothing else.
"""

import asyncio
import base64
import json
import os
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dnsserver.testing.kube_api.resources import BUILT_IN
from tests.support.kube_api.pki import Pair

#: Seconds until the API server must be ready.
START_S = 60.0
#: Seconds until a process must have ended after SIGTERM.
END_S = 20.0
ADMIN_TOKEN = "admin-token"
DNS_TOKEN = "dns-token"

ROLE = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "dnsserver"},
    "rules": [
        {"apiGroups": [""], "resources": ["services", "namespaces", "pods"], "verbs": ["list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    ],
}
BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "dnsserver"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "dnsserver"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "dnsserver"}],
}


class RealKubeApi:
    """Two processes, which `end` ends by their own handles."""

    def __init__(self, assets: Path, folder: Path, serving: Pair | None = None) -> None:
        """*serving*: certificate and key to show; without, the server makes its own."""
        self._assets = assets
        self._serving = serving
        self._folder = folder
        self._etcd_port, self._peer_port, self.port = _free_ports(3)
        self._etcd: subprocess.Popen[bytes] | None = None
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def begin(self) -> None:
        tokens = f"{ADMIN_TOKEN},admin,1,system:masters\n{DNS_TOKEN},dnsserver,2\n"
        (self._folder / "tokens.csv").write_text(tokens)
        key = str(self._folder / "service-account.key")
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        client, peer = (f"http://127.0.0.1:{port}" for port in (self._etcd_port, self._peer_port))
        self._etcd = self._process(
            "etcd",
            *("--data-dir", str(self._folder / "etcd"), "--unsafe-no-fsync"),
            *("--listen-client-urls", client, "--advertise-client-urls", client),
            *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
            *("--initial-cluster", f"default={peer}"),
        )
        self.begin_server()
        self._send("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", ROLE)
        self._send("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", BINDING)

    def begin_server(self) -> None:
        """Return once it is ready."""
        files = self._serving
        own = (
            ()
            if files is None
            else ("--tls-cert-file", str(files.cert), "--tls-private-key-file", str(files.key))
        )
        key = str(self._folder / "service-account.key")
        self._server = self._process(
            "kube-apiserver",
            *("--etcd-servers", f"http://127.0.0.1:{self._etcd_port}"),
            *own,
            *("--bind-address", "127.0.0.1", "--secure-port", str(self.port)),
            *(
                "--cert-dir",
                str(self._folder / "certs"),
                "--token-auth-file",
                str(self._folder / "tokens.csv"),
            ),
            *("--service-account-key-file", key, "--service-account-signing-key-file", key),
            *("--service-account-issuer", "https://kubernetes.default.svc"),
            *("--service-cluster-ip-range", "10.96.0.0/16", "--authorization-mode", "RBAC"),
            *("--disable-admission-plugins", "ServiceAccount", "--shutdown-send-retry-after=false"),
        )
        end = time.monotonic() + START_S
        while not self._ready():
            if time.monotonic() > end or self._server.poll() is not None:
                raise RuntimeError(f"kube-apiserver did not start; its log is in {self._folder}")
            time.sleep(0.1)

    def crash_server(self) -> None:
        """A graceful end would wait for the watches."""
        if self._server is not None:
            self._server.kill()
            self._server.wait(END_S)

    def end(self) -> None:
        self.crash_server()
        _end(self._etcd)

    def kubeconfig(self) -> Path:
        """A kubeconfig for the DNS server's user."""
        content = {
            "current-context": "dns",
            "clusters": [{"name": "c", "cluster": {"server": self.url, "insecure-skip-tls-verify": True}}],
            "users": [{"name": "u", "user": {"token": DNS_TOKEN}}],
            "contexts": [{"name": "dns", "context": {"cluster": "c", "user": "u"}}],
        }
        path = self._folder / "kubeconfig"
        path.write_text(json.dumps(content))
        return path

    async def add(self, *objects: Mapping[str, Any]) -> None:
        for obj in objects:
            await asyncio.to_thread(self._send, "POST", collection_path(obj), obj)
            if "status" in obj:
                await self.set_status(obj)

    async def update(self, *objects: Mapping[str, Any]) -> None:
        for obj in objects:
            kind = "application/merge-patch+json"
            await asyncio.to_thread(self._send, "PATCH", object_path(obj), obj, kind)

    async def set_status(self, obj: Mapping[str, Any]) -> None:
        kind = "application/merge-patch+json"
        wanted = {"status": obj["status"]}
        await asyncio.to_thread(self._send, "PATCH", f"{object_path(obj)}/status", wanted, kind)

    async def delete(self, *objects: Mapping[str, Any]) -> None:
        for obj in objects:
            options = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0}
            await asyncio.to_thread(self._send, "DELETE", object_path(obj), options)

    async def restart(self) -> None:
        """All watches end, and the new process's watch caches begin at the present."""
        await asyncio.to_thread(self.crash_server)
        await asyncio.to_thread(self.begin_server)

    async def compact(self) -> None:
        """Let etcd forget its history up to now."""
        base = f"http://127.0.0.1:{self._etcd_port}/v3/kv"
        key = base64.b64encode(b"none").decode()
        found = await asyncio.to_thread(_post, f"{base}/range", {"key": key})
        await asyncio.to_thread(_post, f"{base}/compaction", {"revision": found["header"]["revision"]})

    def _process(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self._folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen([self._assets / name, *arguments], stdout=log, stderr=log)

    def _ready(self) -> bool:
        try:
            self._send("GET", "/readyz", None)
        except OSError:
            return False
        return True

    def _send(self, method: str, path: str, obj: Any, kind: str = "application/json") -> None:
        body = None if obj is None else json.dumps(obj).encode()
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}", "Content-Type": kind}
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        context = ssl._create_unverified_context()
        try:
            with urllib.request.urlopen(request, timeout=30, context=context) as reply:
                reply.read()
        except urllib.error.HTTPError as error:
            with error:
                text = f"{method} {path}: {error.code} {error.read().decode()}"
            raise OSError(text) from error


def assets_folder() -> Path | None:
    """The folder with etcd and kube-apiserver, when the environment names one."""
    named = os.environ.get("KUBEBUILDER_ASSETS", "")
    return Path(named) if named else None


def _post(url: str, obj: Mapping[str, Any]) -> Any:
    request = urllib.request.Request(url, json.dumps(obj).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.load(reply)


def collection_path(obj: Mapping[str, Any]) -> str:
    resource = next(
        each for each in BUILT_IN if (each.api_version, each.kind) == (obj["apiVersion"], obj["kind"])
    )
    return resource.folder(obj["metadata"].get("namespace") or "")


def object_path(obj: Mapping[str, Any]) -> str:
    return f"{collection_path(obj)}/{obj['metadata']['name']}"


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [item.getsockname()[1] for item in sockets]
    for item in sockets:
        item.close()
    return ports


def _end(process: subprocess.Popen[bytes] | None) -> None:
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(END_S)
