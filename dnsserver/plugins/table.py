"""All plugins, in the order in which they see a query (coredns-compat.md, section 1.7: the order of 1.14.7).

The order is data: a Corefile cannot change it, and no plugin registers itself.
"""

from collections.abc import Callable, Mapping

from dnsserver.config import Directive
from dnsserver.plugins import (
    acl,
    auto,
    autopath,
    bind,
    bufsize,
    cache,
    cancel,
    chaos,
    debug,
    dns64,
    dnssec,
    erratic,
    errors,
    file,
    forward,
    header,
    health,
    hosts,
    https,
    k8s_external,
    kubernetes,
    loadbalance,
    local,
    log,
    loop,
    metadata,
    minimal,
    multisocket,
    nsid,
    offline,
    pprof,
    prometheus,
    ready,
    reload,
    rewrite,
    root,
    secondary,
    sign,
    template,
    timeouts,
    tls,
    trace,
    transfer,
    view,
    whoami,
)
from dnsserver.plugins import (
    any as any_,
)
from dnsserver.plugins.plugin import Plugin, Site

#: Every directive that CoreDNS 1.14.7 knows, and ours behind them. Those that SETUPS lacks are refused by name.
ORDER = (
    "root metadata geoip cancel proxyproto quic grpc_server https https3 timeouts multisocket reload nsid bufsize"
    " bind debug trace ready health pprof shed prometheus errors log dnstap local dns64 any chaos loadbalance tsig"
    " rewrite autopath acl cache header dnssec tls minimal template transfer hosts route53 azure clouddns"
    " k8s_external kubernetes file auto secondary etcd loop forward grpc erratic whoami on sign view nomad"
    " offline"  # ours
).split()

SETUPS: Mapping[str, Callable[[Directive, Site], Plugin]] = {
    "metadata": metadata.setup,
    "root": root.setup,
    "cancel": cancel.setup,
    "https": https.setup,
    "timeouts": timeouts.setup,
    "multisocket": multisocket.setup,
    "reload": reload.setup,
    "nsid": nsid.setup,
    "bufsize": bufsize.setup,
    "bind": bind.setup,
    "debug": debug.setup,
    "trace": trace.setup,
    "ready": ready.setup,
    "health": health.setup,
    "pprof": pprof.setup,
    "prometheus": prometheus.setup,
    "errors": errors.setup,
    "log": log.setup,
    "local": local.setup,
    "dns64": dns64.setup,
    "any": any_.setup,
    "chaos": chaos.setup,
    "loadbalance": loadbalance.setup,
    "rewrite": rewrite.setup,
    "autopath": autopath.setup,
    "acl": acl.setup,
    "cache": cache.setup,
    "header": header.setup,
    "dnssec": dnssec.setup,
    "tls": tls.setup,
    "minimal": minimal.setup,
    "template": template.setup,
    "transfer": transfer.setup,
    "hosts": hosts.setup,
    "k8s_external": k8s_external.setup,
    "kubernetes": kubernetes.setup,
    "file": file.setup,
    "auto": auto.setup,
    "secondary": secondary.setup,
    "loop": loop.setup,
    "forward": forward.setup,
    "erratic": erratic.setup,
    "whoami": whoami.setup,
    "sign": sign.setup,
    "view": view.setup,
    "offline": offline.setup,
}
