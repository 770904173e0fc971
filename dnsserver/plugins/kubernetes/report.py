"""What a `kubernetes` block serves, for people: `dnsserver check`, and names to try."""

from collections.abc import Iterator

from dnsserver.plugins.kubernetes.feeding import loaded_manifests
from dnsserver.plugins.kubernetes.settings import KubernetesSettings
from dnsserver.wire import names
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import Service, ServiceType

#: Services that examples are taken from.
EXAMPLES_MAX = 8


async def check_lines(settings: KubernetesSettings, state: ClusterState) -> list[str]:
    """Zones, and where the objects come from; manifests are loaded. Raises ConfigError."""
    lines = ["zones " + " ".join(names.to_text(zone) for zone in settings.zones)]
    if not settings.manifests:
        return [*lines, f"objects from {api_server(settings)}"]
    await loaded_manifests(state, settings, lambda: 0.0)
    counts = ", ".join(
        f"{state.count(feed)} {feed.value}" for feed in sorted(state.feeds, key=lambda f: f.value)
    )
    return [*lines, f"objects from manifests {' '.join(map(str, settings.manifests))}: {counts}"]


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
    """Names and types that have answers, one of each kind of Service."""
    zone = names.to_text(settings.primary).rstrip(".")
    found: list[tuple[str, str]] = []
    kinds: set[tuple[ServiceType, bool]] = set()
    for service in sorted(state.services(), key=lambda service: service.key):
        kind = (service.type, service.headless)
        if kind not in kinds and len(kinds) < EXAMPLES_MAX:
            kinds.add(kind)
            found.extend(_examples_of(service, zone, state))
    return found


def _examples_of(service: Service, zone: str, state: ClusterState) -> Iterator[tuple[str, str]]:
    name = f"{service.key.name}.{service.key.namespace}.svc.{zone}"
    if service.type is ServiceType.EXTERNAL_NAME:
        yield name, "CNAME"
        return
    slices = state.slices_of(service.key)
    if service.headless and not any(slice_.endpoints for slice_ in slices):
        return
    yield name, "A"
    ports = service.ports or (slices[0].ports if slices else ())
    named = next((port for port in ports if port.name), None)
    if named is not None:
        yield f"_{named.name}._{named.protocol}.{name}", "SRV"
