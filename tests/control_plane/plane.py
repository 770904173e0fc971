"""A control plane that scenarios are played on: an API server as a process, spoken to over HTTPS by its administrator.

`FakePlane` is the API server for tests; `RealPlane` is kube-apiserver with etcd.
"""

import http.client
import json
import ssl
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from tests.support.kube_api.pki import Pki
from tests.support.kube_api.real import ADMIN_TOKEN, RealKubeApi, collection_path, object_path
from tests.support.process import REPOSITORY, environment, free_port, wait_until

#: Seconds. What does not come in this time does not come, also where other tests have the CPUs. A feed's pause is up to
#: 30 s; kube-apiserver remembers for ten that a token is good.
PATIENCE_S = 90.0


class Refused(Exception):
    """The API server's Status; *code* is that of HTTP."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Client:
    """One connection to the API server, with one token."""

    def __init__(self, port: int, token: str, ca: Path) -> None:
        context = ssl.create_default_context(cafile=str(ca))
        self._connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=context)
        self._token = token

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def send(self, method: str, path: str, obj: Any = None) -> Any:
        """The reply's JSON. Raises Refused, OSError."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        body = None if obj is None else json.dumps(obj)
        try:
            self._connection.request(method, path, body, headers)
            reply = self._connection.getresponse()
            text = reply.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        if reply.status >= 400:
            raise Refused(reply.status, text.decode())
        return json.loads(text) if text[:1] == b"{" else text.decode()


class Plane(ABC):
    """`begin`, then `end`; in between the API server may be stopped and started."""

    def __init__(self, folder: Path, pki: Pki, port: int) -> None:
        self.folder = folder
        self.pki = pki
        self.port = port

    @abstractmethod
    def begin(self) -> None: ...
    @abstractmethod
    def end(self) -> None: ...
    @abstractmethod
    def stop(self) -> None:
        """The API server ends; what it holds stays."""

    @abstractmethod
    def start(self) -> None:
        """It is there again, and ready."""

    # The administrator's work.

    def client(self, token: str = ADMIN_TOKEN) -> Client:
        return Client(self.port, token, self.pki.ca.cert)

    def create(self, *objects: Mapping[str, Any]) -> None:
        with self.client() as client:
            for obj in objects:
                client.send("POST", collection_path(obj), obj)

    def delete(self, *objects: Mapping[str, Any]) -> None:
        with self.client() as client:
            for obj in objects:
                client.send("DELETE", object_path(obj))

    def issue(self, namespace: str, account: str, secret: str) -> str:
        """A token of the ServiceAccount, good for as long as *secret* is there, which is made for it."""
        bound = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": secret, "namespace": namespace}}
        self.create(bound)
        spec = {
            "audiences": ["https://kubernetes.default.svc"],
            "expirationSeconds": 3600,
            "boundObjectRef": {"apiVersion": "v1", "kind": "Secret", "name": secret},
        }
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        with self.client() as client:
            return str(client.send("POST", path, request)["status"]["token"])

    def expire(self, namespace: str, secret: str, token: str) -> None:
        """The token that hangs on *secret* is good no longer."""
        self.delete(
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": secret, "namespace": namespace}}
        )
        wait_until(
            lambda: self.code(token, "/api/v1/services") == 401, lambda: "the token is still good", PATIENCE_S
        )

    def code(self, token: str, path: str, method: str = "GET") -> int:
        """The status that a request with *token* gets; 200 for any success."""
        try:
            with self.client(token) as client:
                client.send(method, path, None if method == "GET" else {})
        except Refused as error:
            return error.code
        return 200

    def kubeconfig(self) -> Path:
        """The administrator's, for kubectl."""
        cluster = {"server": f"https://127.0.0.1:{self.port}", "certificate-authority": str(self.pki.ca.cert)}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "admin",
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": {"token": ADMIN_TOKEN}}],
            "contexts": [{"name": "admin", "context": {"cluster": "c", "user": "u"}}],
        }
        path = self.folder / "admin.kubeconfig"
        path.write_text(json.dumps(content))
        return path


class FakePlane(Plane):
    def __init__(self, folder: Path, pki: Pki) -> None:
        super().__init__(folder, pki, free_port())
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        self.start()

    def start(self) -> None:
        words = ["--port", self.port, "--admin-token", ADMIN_TOKEN, "--state", self.folder / "state.json"]
        words += ["--cert", self.pki.server.cert, "--key", self.pki.server.key]
        with (self.folder / "kube_api.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "dnsserver.testing.kube_api", *map(str, words)],
                cwd=REPOSITORY,
                env=environment(),
                stdout=log,
                stderr=log,
            )
        wait_until(self._ready, lambda: (self.folder / "kube_api.log").read_text(), PATIENCE_S)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE_S)

    def end(self) -> None:
        self.stop()

    def _ready(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.send("GET", "/readyz") == "ok")
        except OSError:
            return False


class RealPlane(Plane):
    def __init__(self, folder: Path, pki: Pki, assets: Path) -> None:
        self._server = RealKubeApi(assets, folder, pki.server)
        super().__init__(folder, pki, self._server.port)

    def begin(self) -> None:
        self._server.begin()

    def start(self) -> None:
        self._server.begin_server()

    def stop(self) -> None:
        self._server.crash_server()

    def end(self) -> None:
        self._server.end()
