"""A node as far as its network goes: a pod, the node, and the cluster behind it, each in a network namespace.

    pod 10.244.1.2 -- 10.244.1.1 node 10.0.0.1 -- 10.0.0.2 cluster

The cluster's DNS is at 10.0.0.2. On the node, address translation like that of kube-proxy leads there from the
ClusterIPs of kube-dns and of kube-dns-upstream.
"""

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.end_to_end.clients import Told, dig_told
from tests.end_to_end.netns import Namespace, join
from tests.support.process import REPOSITORY, ServerProcess
from tests.support.tools import must_run, tool

LINK_LOCAL, KUBE_DNS, UPSTREAM = "169.254.20.10", "10.96.0.10", "10.96.0.11"
POD, NODE, CLUSTER = "10.244.1.2", "10.0.0.1", "10.0.0.2"
INTERFACE = "nodelocaldns"
#: What node-cache takes from the environment of its pod.
ENVIRONMENT = {"KUBE_DNS_UPSTREAM_SERVICE_HOST": UPSTREAM}
SETTLED = "set the 16 rules of table inet nodelocaldns"
#: As kube-proxy in its mode `nftables`: names, hooks and priorities; in the mode `iptables` the hooks are the same.
KUBE_PROXY = f"""\
table ip kube-proxy {{
    chain services {{
        ip daddr {{ {KUBE_DNS}, {UPSTREAM} }} udp dport 53 dnat to {CLUSTER}
        ip daddr {{ {KUBE_DNS}, {UPSTREAM} }} tcp dport 53 dnat to {CLUSTER}
    }}
    chain nat-prerouting {{
        type nat hook prerouting priority -100; policy accept;
        jump services
    }}
    chain nat-output {{
        type nat hook output priority -100; policy accept;
        jump services
    }}
}}
"""
#: The ConfigMap node-local-dns of the add-on, but for HINFO, which its `loop` asks.
BASE = """\
cluster.local:53 {
    errors
    cache {
            success 9984 30
            denial 9984 5
    }
    reload
    bind __PILLAR__LOCAL__DNS__ __PILLAR__DNS__SERVER__
    forward . __PILLAR__CLUSTER__DNS__ {
            force_tcp
    }
    prometheus :9253
    health 169.254.20.10:8080
    }
.:53 {
    errors
    cache 30
    reload
    bind __PILLAR__LOCAL__DNS__ __PILLAR__DNS__SERVER__
    forward . __PILLAR__UPSTREAM__SERVERS__
    prometheus :9253
    }
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {clusterIP: 10.96.7.7, ports: [{port: 80}]}
"""
WEB = "web.default.svc.cluster.local"
WEB_AT = ("10.96.7.7",)


@dataclass(frozen=True)
class Machine:
    """`cluster_dns` prints each query that comes to it."""

    pod: Namespace
    node: Namespace
    cluster_dns: ServerProcess
    folder: Path

    def asks(self, server: str, name: str, *flags: str, of: Namespace | None = None) -> Told:
        """What a pod is told; or the node itself, or whoever *of* is."""
        words = (tool("dig"), f"@{server}", "+time=2", "+tries=1", *flags, name, "A")
        return dig_told((of or self.pod).run(*words)[1])

    def tracked(self) -> set[str]:
        """What conntrack has of DNS with the pod or on the node's own addresses: both directions of each flow."""
        lines = self.node.run("cat", "/proc/net/nf_conntrack")[1].splitlines()
        own = (POD, LINK_LOCAL, KUBE_DNS)
        return {
            line[line.index("src=") : line.rindex("mark=")]
            for line in lines
            if "dport=53 " in line and any(f"={address} " in line for address in own)
        }

    def translate(self) -> None:
        file = self.folder / "kube-proxy.nft"
        file.write_text(KUBE_PROXY)
        must_run((*self.node.prefix, tool("nft"), "-f", file))

    def tables(self) -> list[str]:
        return self.node.run(tool("nft"), "list", "tables")[1].splitlines()

    def rules(self) -> list[str]:
        """Those of our table, in nft's words."""
        text = self.node.run(tool("nft"), "list", "table", "inet", INTERFACE)[1]
        return [line.strip() for line in text.splitlines() if "notrack" in line]

    def addresses(self) -> list[str]:
        """Of our interface; none if it is not there."""
        text = must_run((tool("ip"), "-n", self.node.name, "-j", "address", "show"))
        return [
            entry["local"]
            for link in json.loads(text)
            if link.get("ifname") == INTERFACE
            for entry in link["addr_info"]
        ]

    def interfaces(self) -> list[str]:
        text = must_run((tool("ip"), "-n", self.node.name, "-j", "link", "show"))
        return [link["ifname"] for link in json.loads(text)]

    def asked(self, name: str) -> list[str]:
        """The protocols by which the cluster's DNS was asked for *name*."""
        lines = [line for line in self.cluster_dns.stdout.splitlines() if f" IN {name}." in line]
        return [line.split(f" IN {name}. ")[1].split()[0] for line in lines]


@contextlib.contextmanager
def machine(folder: Path) -> Iterator[Machine]:
    (folder / "service.yaml").write_text(SERVICE)
    with Namespace() as pod, Namespace(CLUSTER) as node, Namespace() as cluster:
        near, far = join(pod, node)
        pod.address(near, (f"{POD}/24",))
        node.address(far, ("10.244.1.1/24",))
        pod.ip("route", "add", "default", "via", "10.244.1.1")
        near, far = join(node, cluster)
        node.address(near, (f"{NODE}/24",))
        cluster.address(far, (f"{CLUSTER}/24",))
        cluster.ip("route", "add", "default", "via", NODE)
        node.ip("route", "add", "10.96.0.0/12", "via", CLUSTER)
        node.run(tool("sh"), "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        serve = ("serve", folder / "service.yaml", "--address", CLUSTER, "--port", "53", "--log")
        with ServerProcess(*serve, prefix=cluster.prefix, cwd=REPOSITORY) as dns:
            dns.wait_for("Serving on")
            found = Machine(pod, node, dns, folder)
            found.translate()
            yield found


class NodeDns(ServerProcess):
    """`dnsserver node-cache` on that node, with its own folder for the ConfigMaps. *words* are more of its flags."""

    def __init__(
        self,
        place: Machine,
        *words: str,
        name: str = "first",
        base: str = BASE,
        addresses: str = f"{LINK_LOCAL},{KUBE_DNS}",
        prefix: Sequence[str] = (),
    ) -> None:
        self.config = place.folder / name
        self.kube_dns = place.folder / f"{name}-kube-dns"
        for each in (self.config, self.kube_dns):
            each.mkdir(exist_ok=True)
        self.base = self.config / "Corefile.base"
        self.base.write_text(base)
        super().__init__(
            *("node-cache", "-localip", addresses, "-upstreamsvc", "kube-dns-upstream"),
            *("-basecorefile", self.base, "-conf", self.config / "Corefile", "-kubednscm", self.kube_dns),
            *words,
            prefix=(
                *place.node.prefix,
                *prefix,
                "env",
                *(f"{key}={value}" for key, value in ENVIRONMENT.items()),
            ),
            cwd=place.folder,
        )

    def settled(self) -> Self:
        """Until interface, server and rules are there."""
        self.wait_for(SETTLED)
        return self

    def server(self) -> int:
        """The process that answers: the child of the one that manages the node."""
        pid = self.process.pid
        (server,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(server)
