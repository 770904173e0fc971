"""A machine on which the Corefile of a distribution runs: its files below a folder, its addresses on the loopback."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.kube_api.pki import Pki
from tests.support.process import free_port

HERE = Path(__file__).parent
FOLDERS = sorted(path.parent.name for path in HERE.glob("*/Corefile"))
#: Those that load.
SERVED = tuple(folder for folder in FOLDERS if not (HERE / folder / "refused").exists())
#: Files that the machines have.
MACHINE = {
    "etc/resolv.conf": "search example.net\nnameserver 192.0.2.2\nnameserver 192.0.2.3\noptions ndots:5\n",
    "etc/hosts": "127.0.0.1 localhost\n192.0.2.9 machine.example\n",
    "etc/coredns/NodeHosts": "192.0.2.1 node-1\n192.0.2.2 node-2\n",
    "etc/coredns/hosts": "192.0.2.10 api.cluster.local\n",
    "rootfs/etc/hosts": "192.0.2.11 api.internal.k8s.local\n",
}
#: What the Corefiles listen on, and where that is here.
LISTENS = {
    "169.254.20.10": "127.0.0.2",
    "10.96.0.10": "127.0.0.3",
    "169.254.25.10": "127.0.0.2",
    "169.254.10.10": "127.0.0.2",
    "169.254.10.11": "127.0.0.3",
}
LOOPBACK = "127.0.0.1"
ENVIRONMENT = {"MY_HOST_IP": "192.0.2.1"}


@dataclass(frozen=True)
class Upstreams:
    """Ports of 127.0.0.1: that of the resolvers in resolv.conf, of a company's servers (`secure`: over TLS), and of the
    cluster's DNS as a node sees it."""

    internet: int
    company: int
    secure: int
    cluster: int

    def places(self) -> Mapping[str, str]:
        """What the Corefiles forward to, and where that is here."""
        internet, company, cluster = (
            f"{LOOPBACK}:{port}" for port in (self.internet, self.company, self.cluster)
        )
        secure = f"tls://{LOOPBACK}:{self.secure}"
        return {
            "/etc/resolv.conf": internet,
            **dict.fromkeys(("192.0.2.53", "168.63.129.16", "8.8.8.8", "8.8.4.4"), internet),
            **dict.fromkeys(("10.1.1.1", "10.1.1.2", "10.1.1.3"), company),
            **dict.fromkeys(("tls://10.1.1.1", "tls://10.1.1.2:8853"), secure),
            **dict.fromkeys(("10.0.0.10", "10.96.0.100", "10.233.0.3"), cluster),
        }


@dataclass(frozen=True)
class Machine:
    """`folder` has the Corefile; its blocks listen at `host` and more, port `dns`; the others are ports of HTTP."""

    folder: Path
    host: str
    dns: int
    health: int
    ready: int
    metrics: int

    @property
    def corefile(self) -> Path:
        return self.folder / "Corefile"

    def text(self) -> str:
        """Of the Corefile and of all that it imports."""
        return "".join(path.read_text() for path in _texts(self.folder))


def place_files(root: Path, folder: str, pki: Pki) -> Path:
    """Put the files of a machine and the Corefile of *folder* below *root*; the Corefile's own folder."""
    for name, text in {**MACHINE, "etc/coredns/ca.pem": pki.ca.cert.read_text()}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    work = root / "work"
    shutil.copytree(HERE / folder, work)
    if (work / "etc").exists():
        shutil.copytree(work / "etc", root / "etc", dirs_exist_ok=True)
    return work


def settle(root: Path, folder: str, pki: Pki, api: str, upstreams: Upstreams) -> Machine:
    """The Corefile of *folder* made to run here: files below *root*, addresses and ports replaced, the API server
    at the URL *api*, a lame-duck time of 0.2 s."""
    work = place_files(root, folder, pki)
    ports = [free_port() for _ in range(4)]
    machine = Machine(work, LOOPBACK, *ports)
    for path in _texts(root):
        text = _with_upstreams(path.read_text(), upstreams.places())
        text = re.sub(r"(?<= )/(etc|rootfs)/", rf"{root}/\1/", text)
        text = _with_addresses(text, machine)
        path.write_text(re.sub(r"(\bkubernetes .*\{)", rf"\1\n endpoint {api}", text))
    bound = re.search(r"\bbind (\S+)", machine.text())
    return machine if bound is None else Machine(work, bound[1], *ports)


def _texts(root: Path) -> list[Path]:
    """The Corefile and what may be imported, as far as it is below *root*."""
    return [*root.rglob("Corefile"), *root.rglob("*.override"), *root.rglob("*.server")]


def _with_upstreams(text: str, places: Mapping[str, str]) -> str:
    def to(match: re.Match[str]) -> str:
        zone, *targets = match[2].removesuffix(" {").split()
        found = " ".join([zone, *dict.fromkeys(places[target] for target in targets)])
        return f"{match[1]}forward {found}{' {' if match[2].endswith('{') else ''}"

    text = re.sub(r"(?m)^(\s+)forward (.+)$", to, text)
    return text.replace("tls_servername dns.corp.example", "tls_servername localhost")


def _with_addresses(text: str, machine: Machine) -> str:
    text = re.sub(r"(?m)(?<=\S):(53|5353|8053)(?= )", f":{machine.dns}", text)
    for name, port in (("health", machine.health), ("ready", machine.ready), ("prometheus", machine.metrics)):
        text = re.sub(rf"(?m)^(\s+){name}( \S*[\d.:}}]+)?(?= \{{|$)", rf"\1{name} {LOOPBACK}:{port}", text)
    for there, here in LISTENS.items():
        text = re.sub(rf"(?<![\d.]){re.escape(there)}(?![\d.])", here, text)
    return text.replace("lameduck", "lameduck 200ms #")
