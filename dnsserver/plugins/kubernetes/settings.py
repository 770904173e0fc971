"""Options of the `kubernetes` directive (cluster-dns-behaviour.md, section 14)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from dnsserver.config import Directive, Occurrence, Property
from dnsserver.plugins.zone_names import wire_zones
from dnsserver.sources.kubernetes.settings import LiveSettings, TlsFiles, url_problem, with_scheme
from dnsserver.sources.manifests.settings import POD_RANGES, SERVICE_RANGES, Family
from dnsserver.sources.selectors import Selector, SelectorError
from dnsserver.sources.selectors import parse as parse_selector
from dnsserver.wire import names
from dnsserver.zone.policy import DEFAULT_TTL, PodMode
from dnsserver.zone.reverse import is_reverse

#: Seconds. The highest TTL that `ttl` accepts.
TTL_MAX = 3600
#: Seconds. How long the start waits for the first full lists.
STARTUP_TIMEOUT_S = 5.0
#: Access to the API server of the cluster that this runs in.
IN_CLUSTER = LiveSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesSettings:
    """One `kubernetes` block. Zones are wire names in lower case; the first that is not reverse is the primary."""

    zones: tuple[bytes, ...]
    access: LiveSettings = IN_CLUSTER
    manifests: tuple[Path, ...] = ()
    """Files and folders to serve instead of an API server (an extension)."""
    service_ranges: tuple[str, ...] = SERVICE_RANGES
    pod_ranges: tuple[str, ...] = POD_RANGES
    ip_families: tuple[Family, ...] = ("IPv4",)
    """What the assumed cluster hands out to manifests that leave addresses open."""
    namespaces: frozenset[str] = frozenset()
    namespace_labels: Selector | None = None
    labels: Selector | None = None
    pods: PodMode = PodMode.DISABLED
    endpoint_pod_names: bool = False
    ttl: int = DEFAULT_TTL
    endpoints: bool = True
    """False by `noendpoints`: no EndpointSlices are watched."""
    fallthrough: tuple[bytes, ...] | None = None
    """Zones below which a name that does not exist goes to the next plugin; None: nowhere."""
    ignore_empty_service: bool = False
    multicluster: tuple[bytes, ...] = ()
    """Zones of the names of ServiceImports, with all zones below them."""
    zonal: bool = False
    """Names with a topology zone are served."""
    startup_timeout_s: float = STARTUP_TIMEOUT_S

    @property
    def primary(self) -> bytes:
        forward = [zone for zone in self.zones if not is_reverse(zone)]
        return next((zone for zone in forward if zone not in self.clustersets), forward[0])

    @property
    def clustersets(self) -> tuple[bytes, ...]:
        """The zones whose names are those of ServiceImports."""
        forward = (zone for zone in self.zones if not is_reverse(zone))
        return tuple(
            zone for zone in forward if any(names.is_below(zone, each) for each in self.multicluster)
        )

    @classmethod
    def from_directive(
        cls, directive: Directive, zones: tuple[str, ...], directory: Path
    ) -> "KubernetesSettings":
        """Raises ConfigError. `zones` are the block's own, for a directive that names none."""
        occurrence = directive.once()
        settings = cls(zones=wire_zones(occurrence, occurrence.zones(zones)))
        if all(is_reverse(zone) for zone in settings.zones):
            raise occurrence.error(
                "non-reverse zone name must be used: name the cluster's own zone too, such as cluster.local"
            )
        for line in occurrence.properties:
            settings = _option(settings, line, directory)
        return _checked(settings, occurrence)


def _option(settings: KubernetesSettings, line: Property, directory: Path) -> KubernetesSettings:
    access = _ACCESS_OPTIONS.get(line.text)
    if access is not None:
        return replace(settings, access=access(settings.access, line))
    if line.text == "manifests":
        paths = tuple(directory / token.text for token in line.at_least(1))
        return replace(settings, manifests=settings.manifests + paths)
    option = _OPTIONS.get(line.text)
    if option is None:
        raise line.unknown()
    return option(settings, line)


def _checked(settings: KubernetesSettings, occurrence: Occurrence) -> KubernetesSettings:
    if settings.namespaces and settings.namespace_labels is not None:
        raise occurrence.error("namespaces and namespace_labels cannot both be set")
    if settings.manifests and (settings.access.endpoint or settings.access.kubeconfig):
        raise occurrence.error("manifests cannot be combined with endpoint or kubeconfig: choose one source")
    for zone in settings.multicluster:
        if zone not in settings.zones:
            listed = " ".join(map(names.to_text, settings.zones))
            text = f"is not authoritative for the multicluster zone {names.to_text(zone)}"
            raise occurrence.error(f"{text} (authoritative zones: [{listed}])")
    if settings.zonal and not settings.endpoints:
        raise occurrence.error("zonal requires the endpoint cache; remove noendpoints")
    return settings


def _endpoint(access: LiveSettings, line: Property) -> LiveSettings:
    token = line.at_least(1)[0]
    problem = url_problem(with_scheme(token.text, None))
    if problem:
        raise line.error(f"endpoint {token.text!r} is no URL of an API server: {problem}", token)
    return replace(access, endpoint=token.text)


def _tls(access: LiveSettings, line: Property) -> LiveSettings:
    cert, key, ca = (Path(token.text) for token in line.exactly(3))
    return replace(access, tls=TlsFiles(cert, key, ca))


def _kubeconfig(access: LiveSettings, line: Property) -> LiveSettings:
    texts = [token.text for token in line.between(1, 2)]
    return replace(access, kubeconfig=Path(texts[0]), context=texts[1] if len(texts) == 2 else "")


def _qps(access: LiveSettings, line: Property) -> LiveSettings:
    token = line.one()
    try:
        qps = float(token.text)
    except ValueError:
        raise line.error(f'strconv.ParseFloat: parsing "{token.text}": invalid syntax', token) from None
    if not 0 <= qps < float("inf"):
        raise line.error(f"apiserver_qps must be a non-negative number: {token.text}", token)
    return replace(access, qps=qps)


def _burst(access: LiveSettings, line: Property) -> LiveSettings:
    return replace(access, burst=line.integer(line.one(), 0))


def _max_inflight(access: LiveSettings, line: Property) -> LiveSettings:
    return replace(access, max_inflight=line.integer(line.one(), 0))


def _namespaces(settings: KubernetesSettings, line: Property) -> KubernetesSettings:
    listed = frozenset(token.text for token in line.at_least(1))
    return replace(settings, namespaces=settings.namespaces | listed)


def _selector(line: Property) -> Selector:
    text = " ".join(token.text for token in line.at_least(1))
    try:
        return parse_selector(text)
    except SelectorError as error:
        raise line.error(f"unable to parse {line.text}: {error}") from None


def _namespace_labels(settings: KubernetesSettings, line: Property) -> KubernetesSettings:
    return replace(settings, namespace_labels=_selector(line))


def _labels(settings: KubernetesSettings, line: Property) -> KubernetesSettings:
    return replace(settings, labels=_selector(line))


def _pods(settings: KubernetesSettings, line: Property) -> KubernetesSettings:
    token = line.one()
    try:
        return replace(settings, pods=PodMode(token.text))
    except ValueError:
        modes = "disabled, insecure, verified"
        raise line.error(f"wrong value for pods: '{token.text}', must be one of: {modes}", token) from None


def _ttl(settings: KubernetesSettings, line: Property) -> KubernetesSettings:
    token = line.at_least(1)[0]
    ttl = line.integer(token)
    if not 0 <= ttl <= TTL_MAX:
        raise line.error(f"ttl must be in range [0, {TTL_MAX}]: {ttl}", token)
    return replace(settings, ttl=ttl)


def _endpoint_pod_names(settings: KubernetesSettings, line: Property) -> KubernetesSettings:
    line.no_arguments()
    return replace(settings, endpoint_pod_names=True)


def _noendpoints(settings: KubernetesSettings, line: Property) -> KubernetesSettings:
    line.no_arguments()
    return replace(settings, endpoints=False)


def _fallthrough(settings: KubernetesSettings, line: Property) -> KubernetesSettings:
    return replace(settings, fallthrough=wire_zones(line, line.zones((".",))))


def _ignore(settings: KubernetesSettings, line: Property) -> KubernetesSettings:
    token = line.one()
    if token.text != "empty_service":
        raise line.error(f"unable to parse ignore value: '{token.text}'", token)
    return replace(settings, ignore_empty_service=True)


def _multicluster(settings: KubernetesSettings, line: Property) -> KubernetesSettings:
    return replace(settings, multicluster=wire_zones(line, line.zones(())))


def _zonal(settings: KubernetesSettings, line: Property) -> KubernetesSettings:
    line.no_arguments()
    return replace(settings, zonal=True)


def _startup_timeout(settings: KubernetesSettings, line: Property) -> KubernetesSettings:
    return replace(settings, startup_timeout_s=line.duration(line.one()))


def _service_range(settings: KubernetesSettings, line: Property) -> KubernetesSettings:
    return replace(settings, service_ranges=tuple(token.text for token in line.between(1, 2)))


def _pod_range(settings: KubernetesSettings, line: Property) -> KubernetesSettings:
    return replace(settings, pod_ranges=tuple(token.text for token in line.between(1, 2)))


def _ip_families(settings: KubernetesSettings, line: Property) -> KubernetesSettings:
    families: list[Family] = []
    for token in line.between(1, 2):
        if token.text != "IPv4" and token.text != "IPv6":
            raise line.error(f"ip_families must be IPv4, IPv6 or both: '{token.text}'", token)
        families.append("IPv4" if token.text == "IPv4" else "IPv6")
    return replace(settings, ip_families=tuple(families))


_ACCESS_OPTIONS: Mapping[str, Callable[[LiveSettings, Property], LiveSettings]] = {
    "endpoint": _endpoint,
    "tls": _tls,
    "kubeconfig": _kubeconfig,
    "apiserver_qps": _qps,
    "apiserver_burst": _burst,
    "apiserver_max_inflight": _max_inflight,
}
_OPTIONS: Mapping[str, Callable[[KubernetesSettings, Property], KubernetesSettings]] = {
    "namespaces": _namespaces,
    "namespace_labels": _namespace_labels,
    "labels": _labels,
    "pods": _pods,
    "endpoint_pod_names": _endpoint_pod_names,
    "ttl": _ttl,
    "noendpoints": _noendpoints,
    "fallthrough": _fallthrough,
    "ignore": _ignore,
    "multicluster": _multicluster,
    "zonal": _zonal,
    "startup_timeout": _startup_timeout,
    "service_range": _service_range,
    "pod_range": _pod_range,
    "ip_families": _ip_families,
}
