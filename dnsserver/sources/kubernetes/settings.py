"""What a connection to the API server is made from, and what is asked of it."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from dnsserver.sources.objects import OWN_SLICES, SliceParts
from dnsserver.sources.selectors import Selector
from dnsserver.zone.objects import Feed

#: Requests per second when `apiserver_qps` is 0, and requests at once when `apiserver_burst` is 0: the kubelet's
#: (since 1.27). client-go's 5 and 10 would spread the pages of a first list of 50,000 objects over 18 seconds.
DEFAULT_QPS = 50.0
DEFAULT_BURST = 100
#: A host name as resolvers take it: with underscores, which some networks of containers have.
_HOST = re.compile(r"[\w-]{1,63}(\.[\w-]{1,63})*\.?")
_DOTTED_NUMBERS = re.compile(r"[0-9.]+")
#: Where the kubelet mounts the service account: files `token` and `ca.crt`.
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
#: Watched unless the Corefile says otherwise (cluster-dns-behaviour.md, section 13).
DEFAULT_FEEDS = frozenset((Feed.SERVICES, Feed.ENDPOINT_SLICES, Feed.NAMESPACES))


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files of `tls CERT KEY CACERT`."""

    cert: Path
    key: Path
    ca: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSettings:
    """How to reach the API server: `kubeconfig` wins over `endpoint`; with neither, the service account is used."""

    kubeconfig: Path | None = None
    context: str = ""
    """Context in the kubeconfig; "" is its current-context."""
    endpoint: str = ""
    """URL of the API server; without scheme, https when `tls` is set, else http (as client-go has it)."""
    tls: TlsFiles | None = None
    """For `endpoint`."""
    service_account: Path = SERVICE_ACCOUNT
    labels: Selector | None = None
    """Which Services, ServiceImports, EndpointSlices and Pods are watched; None: all."""
    namespace_labels: Selector | None = None
    """Which Namespaces are watched; None: all."""
    feeds: frozenset[Feed] = DEFAULT_FEEDS
    parts: SliceParts = OWN_SLICES
    """What is kept of EndpointSlices."""
    qps: float = 0
    """Requests per second over some time; 0: DEFAULT_QPS."""
    burst: int = 0
    """Requests at once before `qps` holds them back; 0: DEFAULT_BURST."""
    max_inflight: int = 0
    """Requests that wait for their reply at one time, an open watch not counted; 0: no limit."""


def with_scheme(endpoint: str, tls: TlsFiles | None) -> str:
    """The URL that *endpoint* stands for."""
    return endpoint if "://" in endpoint else f"{'https' if tls else 'http'}://{endpoint}"


def url_problem(url: str) -> str:
    """Why *url* cannot be that of an API server; "" when it can."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:  # a bracket that is not closed, a port that is no number or too large
        return str(error)
    if any(char.isspace() for char in url):
        return "there is white space in it"
    if parts.scheme not in ("http", "https"):
        return f"the scheme {parts.scheme!r} is neither http nor https"
    if port == 0:
        return "port 0 cannot be connected to"
    if parts.query or parts.fragment:
        return "it has more than scheme, host, port and path"
    return _host_problem(host)


def _host_problem(host: str) -> str:
    if not host:
        return "it has no host"
    if ":" in host or _DOTTED_NUMBERS.fullmatch(host):
        try:
            ip_address(host)
        except ValueError as error:
            return str(error)
        return ""
    try:
        host.encode("idna")  # as the resolver does
    except UnicodeError:
        return f"{host!r} is no host name"
    return "" if _HOST.fullmatch(host) else f"{host!r} is no host name"
