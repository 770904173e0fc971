"""What a pod's container has in /etc/resolv.conf and /etc/hosts: the kubelet's rules.

Sources: `pkg/kubelet/network/dns/dns.go` (GetPodDNS, appendDNSConfig, formDNSConfigFitsLimits) and
`pkg/kubelet/kubelet_pods.go` (managedHostsFileContent) of Kubernetes 1.22 and later; limits since 1.28, where
ExpandedDNSConfig is for all (KEP-2595). The lines are in the order in which containerd writes them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dnsserver.explaining import fields

#: Servers, domains, characters (pkg/apis/core/validation, MaxDNSNameservers, MaxDNSSearchPaths, MaxDNSSearchListChars).
SERVERS_MAX, SEARCH_MAX, SEARCH_CHARACTERS_MAX = 3, 32, 2048
#: Characters. A longer domain of the search list is left out (dns.go: DNS1123SubdomainMaxLength).
DOMAIN_MAX = 253
#: Characters. A host name is cut to these (pkg/kubelet/util, hostname truncation).
HOST_NAME_MAX = 63
#: dns.go, defaultDNSOptions.
CLUSTER_OPTIONS = ("ndots:5",)

CLUSTER_FIRST, WITH_HOST_NET, DEFAULT, NONE = "ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"
_POLICIES = (CLUSTER_FIRST, WITH_HOST_NET, DEFAULT, NONE)
_LOCALHOST = """\
# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
"""


class PodDnsError(ValueError):
    """The pod has no resolv.conf that could be told; the text says why and how to mend it."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """What the kubelet is told: the cluster's zone, addresses of its DNS; `node`: the node's resolv.conf, if known."""

    zone: str = "cluster.local"
    dns: tuple[str, ...] = ("10.96.0.10",)
    node: str | None = None


@dataclass(frozen=True, slots=True)
class DnsConfig:
    """A resolv.conf in parts."""

    servers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"search {' '.join(self.search)}"] if self.search else []
        lines += [f"nameserver {server}" for server in self.servers]
        lines += [f"options {' '.join(self.options)}"] if self.options else []
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class PodFiles:
    """`policy` as it takes effect; `notes` say what the kubelet left out."""

    resolv_conf: str
    hosts: str
    policy: str
    notes: tuple[str, ...] = field(default=())


def pod_files(pod: Mapping[str, Any], cluster: Cluster) -> PodFiles:
    """The files of *pod*, an object of the API with metadata, spec and status. Raises PodDnsError."""
    spec = fields.mapping(pod, "spec")
    policy = _policy(spec)
    config = _merged(_base(pod, policy, cluster), fields.mapping(spec, "dnsConfig"))
    if policy == NONE and not config.servers:
        raise PodDnsError(
            "dnsPolicy None without dnsConfig.nameservers: the API refuses such a pod; name one"
        )
    fitting, notes = _within_limits(config)
    return PodFiles(str(fitting), _hosts(pod, cluster.zone), policy, notes)


def address_of(pod: Mapping[str, Any]) -> str:
    """status.podIP; "" while it has none."""
    return fields.text(pod, "status", "podIP")


def _policy(spec: Mapping[str, Any]) -> str:
    policy = fields.text(spec, "dnsPolicy") or CLUSTER_FIRST
    if policy not in _POLICIES:
        raise PodDnsError(f"spec.dnsPolicy: {policy!r} is not known; use {', '.join(_POLICIES)}")
    if policy == CLUSTER_FIRST and fields.flag(spec, "hostNetwork"):
        return DEFAULT
    return policy


def _base(pod: Mapping[str, Any], policy: str, cluster: Cluster) -> DnsConfig:
    if policy == NONE:
        return DnsConfig()
    if policy == DEFAULT:
        if cluster.node is None:
            raise PodDnsError(
                "the pod has the resolv.conf of its node (dnsPolicy Default), which is not known here"
            )
        return read_node(cluster.node)
    namespace = fields.text(pod, "metadata", "namespace") or "default"
    zone = cluster.zone.rstrip(".")
    own = (f"{namespace}.svc.{zone}", f"svc.{zone}", zone)
    node = read_node(cluster.node or "")
    return DnsConfig(cluster.dns, _once(own + node.search), CLUSTER_OPTIONS)


def read_node(text: str) -> DnsConfig:
    """A node's resolv.conf as the kubelet reads it (parseResolvConf): the last search and options lines count."""
    servers: list[str] = []
    search: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    for line in text.split("\n"):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        match words[0]:
            case "nameserver":
                servers += words[1:2]
            case "search":
                search = tuple(word.removesuffix(".") for word in words[1:])
            case "options":
                options = tuple(words[1:])
    return DnsConfig(tuple(servers), search, options)


def _merged(base: DnsConfig, config: Mapping[str, Any]) -> DnsConfig:
    """appendDNSConfig. Options keep their first place here; the kubelet's come in no order, and none matters."""
    options = dict(_option(text) for text in base.options)
    for item in fields.items(config, "options"):
        options[fields.text(item, "name")] = fields.text(item, "value")
    return DnsConfig(
        _once(base.servers + fields.texts(config, "nameservers")),
        _once(base.search + fields.texts(config, "searches")),
        tuple(f"{name}:{value}" if value else name for name, value in options.items()),
    )


def _option(text: str) -> tuple[str, str]:
    name, _, value = text.partition(":")
    return name, value


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _within_limits(config: DnsConfig) -> tuple[DnsConfig, tuple[str, ...]]:
    """*config* as far as the kubelet takes it over, and what it leaves out."""
    notes = [
        f"nameserver {server} is left out: {SERVERS_MAX} is the most"
        for server in config.servers[SERVERS_MAX:]
    ]
    kept = [domain for domain in config.search[:SEARCH_MAX] if len(domain) <= DOMAIN_MAX]
    while len(" ".join(kept)) > SEARCH_CHARACTERS_MAX:
        kept.pop()
    notes += [f"search domain {domain} is left out" for domain in config.search if domain not in kept]
    return DnsConfig(config.servers[:SERVERS_MAX], tuple(kept), config.options), tuple(notes)


def _hosts(pod: Mapping[str, Any], zone: str) -> str:
    """Of a pod in the network of its node the node's names are not known: nothing but hostAliases is told."""
    spec = fields.mapping(pod, "spec")
    metadata = fields.mapping(pod, "metadata")
    lines = []
    if not fields.flag(spec, "hostNetwork"):
        host = (fields.text(spec, "hostname") or fields.text(metadata, "name"))[:HOST_NAME_MAX]
        subdomain = fields.text(spec, "subdomain")
        namespace = fields.text(metadata, "namespace") or "default"
        names = [f"{host}.{subdomain}.{namespace}.svc.{zone.rstrip('.')}", host] if subdomain else [host]
        addresses = [fields.text(item, "ip") for item in fields.items(pod, "status", "podIPs")]
        lines = ["\t".join((address, *names)) for address in addresses if address and host]
    for alias in fields.items(spec, "hostAliases"):
        lines.append("\t".join((fields.text(alias, "ip"), *fields.texts(alias, "hostnames"))))
    return _LOCALHOST + "".join(f"{line}\n" for line in lines)
