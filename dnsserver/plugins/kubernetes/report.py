"""What a `kubernetes` block serves, for people: `dnsserver check`, and names to try."""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from itertools import islice

from dnsserver.plugins.kubernetes.feeding import loaded_manifests
from dnsserver.plugins.kubernetes.settings import KubernetesSettings
from dnsserver.wire import names
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import Service, ServiceType
from dnsserver.zone.policy import PodMode, RecordPolicy
from dnsserver.zone.slice_targets import endpoint_labels

#: Services that examples are taken from.
EXAMPLES_MAX = 8


async def check_lines(settings: KubernetesSettings, state: ClusterState) -> list[str]:
    """Zones, and where the objects come from; manifests are loaded. Raises ConfigError."""
    lines = [f"zones {_texts(settings.zones)}"]
    if settings.fallthrough is not None:
        lines.append(f"what does not exist below {_texts(settings.fallthrough)} is asked of the next plugin")
    if not settings.manifests:
        return [*lines, f"objects from {api_server(settings)}"]
    await loaded_manifests(state, settings, lambda: 0.0)
    counts = ", ".join(
        f"{state.count(feed)} {feed.value}" for feed in sorted(state.feeds, key=lambda f: f.value)
    )
    return [*lines, f"objects from manifests {' '.join(map(str, settings.manifests))}: {counts}"]


def _texts(zones: Iterable[bytes]) -> str:
    return " ".join(names.to_text(zone) for zone in zones)


def api_server(settings: KubernetesSettings) -> str:
    access = settings.access
    if access.kubeconfig is not None:
        context = f", context {access.context}" if access.context else ""
        return f"the API server of kubeconfig {access.kubeconfig}{context}"
    return (
        f"API server {access.endpoint}"
        if access.endpoint
        else "the API server of the cluster that this runs in"
    )


def examples(settings: KubernetesSettings, state: ClusterState) -> list[tuple[str, str]]:
    """Names and types that have answers: Services, and one SRV, endpoint and PTR record."""
    zone = names.to_text(settings.primary).rstrip(".")
    services = sorted(
        state.services(), key=lambda service: (service.key.namespace == "kube-system", service.key)
    )
    found = [example for service in services[:EXAMPLES_MAX] if (example := _own_name(service, zone, state))]
    ports = (example for service in services for example in _port_name(service, zone, state))
    found.extend(islice(ports, 1))
    policy = RecordPolicy(endpoint_pod_names=settings.endpoint_pod_names)
    endpoints = (example for service in services for example in _endpoint_names(service, zone, state, policy))
    found.extend(islice(endpoints, 2))
    return found


def beyond(settings: KubernetesSettings) -> tuple[str, ...]:
    """What answers besides the names that can be told in advance."""
    said = ["Port names answer without their underscores too: http.tcp.SVC.NS as _http._tcp.SVC.NS."]
    if settings.pods is PodMode.INSECURE:
        said.append(
            "pods insecure: 10-4-1-32.NS.pod answers for any address in any namespace; these names are not listed."
        )
    if settings.zonal:
        said.append("zonal: ZONE.prefer._zone.SVC.NS answers for any ZONE; those with endpoints are listed.")
    return tuple(said)


def _own_name(service: Service, zone: str, state: ClusterState) -> tuple[str, str] | None:
    name = f"{service.key.name}.{service.key.namespace}.svc.{zone}"
    if service.type is ServiceType.EXTERNAL_NAME:
        return name, "CNAME"
    empty = service.headless and not any(slice_.endpoints for slice_ in state.slices_of(service.key))
    return None if empty else (name, "A")


def _port_name(service: Service, zone: str, state: ClusterState) -> Iterator[tuple[str, str]]:
    ports = service.ports
    if service.headless:
        ports = tuple(
            port for slice_ in state.slices_of(service.key) if slice_.endpoints for port in slice_.ports
        )
    for port in ports:
        if port.name and port.number >= 0:
            yield (
                f"_{port.name}._{port.protocol}.{service.key.name}.{service.key.namespace}.svc.{zone}",
                "SRV",
            )


def _endpoint_names(
    service: Service, zone: str, state: ClusterState, policy: RecordPolicy
) -> Iterator[tuple[str, str]]:
    """The first endpoint of a headless Service, and its reverse name."""
    if not service.headless:
        return
    for slice_ in state.slices_of(service.key):
        for endpoint in slice_.endpoints:
            label = ".".join(names.label_text(part) for part in endpoint_labels(endpoint, policy))
            yield f"{label}.{service.key.name}.{service.key.namespace}.svc.{zone}", "A"
            yield ip_address(endpoint.address).reverse_pointer, "PTR"
