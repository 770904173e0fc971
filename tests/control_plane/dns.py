"""The DNS server as the chart runs it: its Corefile, its ServiceAccount's token in the usual place, nothing else."""

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.chart.rendering import NAMESPACE, Rendering, render
from tests.control_plane.plane import PATIENCE_S, Plane
from tests.support.process import ServerProcess, free_port, wait_until
from tests.support.tools import must_run, tool
from tests.support.upstream import closed_port

RELEASE = "dns"
#: What the container of a pod has: the mounted ServiceAccount, and the API server's address in the environment. The
#: mount is seen by this process alone.
_POD = """\
set -e
mount -t tmpfs none /run
mkdir -p /run/secrets/kubernetes.io
ln -s "$1" /run/secrets/kubernetes.io/serviceaccount
export KUBERNETES_SERVICE_HOST=127.0.0.1 KUBERNETES_SERVICE_PORT="$2"
shift 2
exec "$@"
"""


class Account:
    """The folder that a kubelet would mount, and what it does with it."""

    def __init__(self, plane: Plane, name: str) -> None:
        self.plane = plane
        self.name = name
        self.folder = plane.folder / f"account-{name}"
        self.folder.mkdir(exist_ok=True)
        shutil.copy(plane.pki.ca.cert, self.folder / "ca.crt")
        (self.folder / "namespace").write_text(NAMESPACE)
        self.secret, self.token = "", ""

    def rotate(self, secret: str) -> None:
        """A new token takes the place of the old one in the file, which stays good until it is expired."""
        self.secret, self.token = secret, self.plane.issue(NAMESPACE, self.name, secret)
        new = self.folder / "token.new"
        new.write_text(self.token)
        new.replace(self.folder / "token")


def installed(plane: Plane) -> tuple[Rendering, Account]:
    """The chart's objects for the API server are there: ServiceAccount, ClusterRole and binding."""
    chart = render({"serviceAccount": {"create": True}}, release=RELEASE)
    objects = [chart.get(kind) for kind in ("ServiceAccount", "ClusterRole", "ClusterRoleBinding")]
    plane.create(*objects)
    account = Account(plane, objects[0]["metadata"]["name"])
    account.rotate("dns-token-1")
    return chart, account


class Dns:
    """A running server; `port` is for DNS, `ready_port` for its probe."""

    def __init__(self, server: ServerProcess, port: int, ready_port: int) -> None:
        self.server = server
        self.port = port
        self.ready_port = ready_port

    def dig(self, *words: str) -> list[str]:
        """The lines of `dig +short`, in order."""
        command = [tool("dig"), "@127.0.0.1", "-p", str(self.port), "+short", "+time=5", "+tries=1", *words]
        return sorted(must_run(command).split("\n")[:-1])

    def until(self, wanted: Sequence[str], *words: str) -> float:
        """Wait until dig shows *wanted*; the seconds that took."""
        found: list[str] = []

        def there() -> bool:
            found[:] = self.dig(*words)
            return found == sorted(wanted)

        return wait_until(there, lambda: f"{words}: {found}, not {wanted}\n{self.server.told()}", PATIENCE_S)

    def ready(self) -> bool:
        command = [
            tool("curl"),
            "-s",
            "-o",
            os.devnull,
            "-w",
            "%{http_code}",
            f"http://127.0.0.1:{self.ready_port}/ready",
        ]
        return must_run(command) == "200"


@contextmanager
def serving(chart: Rendering, account: Account, state: Path, *, synced: bool = True) -> Iterator[Dns]:
    """The chart's Corefile, on ports that are free; *synced*: returns once it is ready."""
    port, ready_port = free_port(), free_port()
    corefile = account.folder.parent / f"Corefile-{port}"
    corefile.write_text(_on_free_ports(chart.corefile, port, ready_port))
    shell = [tool("unshare"), "--mount", tool("sh"), "-c", _POD, "pod", account.folder, account.plane.port]
    arguments = ("-conf", corefile, "--workers", "1", "--state-dir", state)
    with ServerProcess(*arguments, prefix=[str(word) for word in shell]) as server:
        dns = Dns(server, port, ready_port)
        server.wait_for("dnsserver-")
        if synced:
            wait_until(dns.ready, server.told, PATIENCE_S)
        yield dns


def _on_free_ports(corefile: str, port: int, ready_port: int) -> str:
    """As rendered, but for the ports, the time that a stop takes, and servers outside, which are not asked."""
    for pattern, replacement in (
        (r"^(\S*\.):53 ", rf"\1:{port} "),
        (r"^(\s*ready)\b.*$", rf"\1 127.0.0.1:{ready_port}"),
        (r"^(\s*prometheus)\b.*$", rf"\1 127.0.0.1:{free_port()}"),
        (r"^(\s*health)\b[^{\n]*", rf"\1 127.0.0.1:{free_port()} "),
        (r"^\s*lameduck .*\n", ""),
        (r"^(\s*forward \S+) \S+", rf"\1 127.0.0.1:{closed_port()}"),
    ):
        corefile = re.sub(pattern, replacement, corefile, flags=re.MULTILINE)
    return corefile
