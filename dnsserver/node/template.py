"""From the Corefile of the ConfigMap to that of the node (coredns-compat.md, section 7.2)."""

import re
from collections.abc import Sequence

from dnsserver.node.errors import ErrorType, NodeError
from dnsserver.node.kube_dns import KubeDns
from dnsserver.node.settings import service_variable

LOCAL_DNS = "__PILLAR__LOCAL__DNS__"
DNS_SERVER = "__PILLAR__DNS__SERVER__"
CLUSTER_DNS = "__PILLAR__CLUSTER__DNS__"
UPSTREAM_SERVERS = "__PILLAR__UPSTREAM__SERVERS__"
#: What is left of a variable that nobody fills.
_UNFILLED = re.compile(r"__PILLAR__[A-Z_]*[A-Z]__")
#: Where names outside of the cluster go unless the ConfigMap kube-dns says otherwise.
NODE_SERVERS = "/etc/resolv.conf"
#: Servers of the ConfigMap are asked by UDP, even where the template says TCP, which is meant for the node's servers.
_BY_TCP = re.compile(rf"(\bforward[ \t]+\.[ \t]+{UPSTREAM_SERVERS})[ \t]*\{{\s*force_tcp\s*\}}")
#: Seconds that answers of stub domains are kept.
STUB_TTL_S = 30


def filled(
    base: str, kube_dns: KubeDns, *, addresses: Sequence[str], port: int, cluster_dns: str, service: str
) -> str:
    """The template *base* with its variables replaced, and a server block for each stub domain.

    *cluster_dns* is the address of the Service *service*, "" if it is not known. Raises NodeError when it is needed
    then, and for variables that do not exist.
    """
    local = " ".join(addresses)
    if CLUSTER_DNS in base and not cluster_dns:
        raise _wrong(
            f"{CLUSTER_DNS} has no value: {service_variable(service)} is not in the environment, as Service"
            f" {service!r} (-upstreamsvc) was not in this namespace when the pod started; create it, then the pod anew"
        )
    text = base
    if kube_dns.upstream_servers:
        text = _BY_TCP.sub(r"\1", text)
    servers = " ".join(kube_dns.upstream_servers) or NODE_SERVERS
    for variable, value in (
        (UPSTREAM_SERVERS, servers),
        (CLUSTER_DNS, cluster_dns),
        (LOCAL_DNS, local),
        (DNS_SERVER, ""),  # which the installer fills; -localip has it already
    ):
        text = text.replace(variable, value)
    unfilled = _UNFILLED.search(text)
    if unfilled:
        raise _wrong(f"{unfilled[0]} is for the installer to fill (docs/node-local.md, `Variables`)")
    return text + "".join(
        _STUB_DOMAIN.format(zone=zone, port=port, local=local, ttl=STUB_TTL_S, servers=" ".join(found))
        for zone, found in kube_dns.stub_domains
    )


_STUB_DOMAIN = """
{zone}:{port} {{
    errors
    cache {ttl}
    bind {local}
    forward . {servers}
}}
"""


def _wrong(text: str) -> NodeError:
    return NodeError(ErrorType.CONFIGMAP, f"template of the Corefile: {text}")
