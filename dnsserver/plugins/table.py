"""All plugins, in the order in which they see a query (coredns-compat.md, section 1.7: the order of 1.14.7).

The order is data: a Corefile cannot change it, and no plugin registers itself. A plugin is imported when a Corefile has
it: all of them, with their libraries, would double the time of a start and the memory of each process.
"""

import importlib
from collections.abc import Callable, Mapping

from dnsserver.config import Directive
from dnsserver.plugins.plugin import Plugin, Site

#: Sets a plugin up for a server block. Raises ConfigError.
Setup = Callable[[Directive, Site], Plugin]

#: Every directive that CoreDNS 1.14.7 knows, and ours behind them. Those that SETUPS lacks are refused by name.
ORDER = (
    "root metadata geoip cancel proxyproto quic grpc_server https https3 timeouts multisocket reload nsid bufsize"
    " bind debug trace ready health pprof shed prometheus errors log dnstap local dns64 any chaos loadbalance tsig"
    " rewrite autopath acl cache header dnssec tls minimal template transfer hosts route53 azure clouddns"
    " k8s_external kubernetes file auto secondary etcd loop forward grpc erratic whoami on sign view nomad"
    " offline"  # ours
).split()

#: Those that there are: each is a package beside this file, with a function `setup`.
SERVED = (
    "root metadata cancel https timeouts multisocket reload nsid bufsize bind debug trace ready health"
    " pprof prometheus errors log local dns64 any chaos loadbalance rewrite autopath acl cache header"
    " dnssec tls minimal template transfer hosts k8s_external kubernetes file auto secondary loop forward"
    " erratic whoami sign view offline"
).split()


def _setup(name: str) -> Setup:
    def setup(directive: Directive, site: Site) -> Plugin:
        plugin: Plugin = importlib.import_module(f"dnsserver.plugins.{name}").setup(directive, site)
        return plugin

    return setup


SETUPS: Mapping[str, Setup] = {name: _setup(name) for name in SERVED}
