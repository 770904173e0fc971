"""Settings, limits and the one exception of the manifests source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal, get_args

from dnsserver.sources.objects import ALL_PARTS, SliceParts
from dnsserver.sources.selectors import SelectorError, parse
from dnsserver.zone.objects import Feed

Family = Literal["IPv4", "IPv6"]

#: Manifests in memory: YAML (or JSON) text, or objects as `yaml.safe_load` gives them.
Documents = str | Sequence[Mapping[str, Any]]

#: Octets. A dump of a whole cluster of 5,000 nodes has some 10^8; more is a mistake, and would not fit in memory.
MAX_FILE_OCTETS = 512 * 1024 * 1024
#: Levels of mappings and lists in a document. The deepest that clusters hold, schemas in CRDs, have about 60.
MAX_NESTING = 200
#: Values that all aliases (`*name`) of a file may stand for in sum. Ten lines of a YAML bomb stand for 10^9.
MAX_ALIASED_VALUES = 1_000_000
#: Pods that one workload may ask for: the most that Kubernetes supports in a whole cluster
#: (kubernetes.io/docs/setup/best-practices/cluster-large).
MAX_REPLICAS = 150_000

#: Namespace of objects that name none (kubectl's default).
DEFAULT_NAMESPACE = "default"
#: Namespaces that every cluster has from the start (Kubernetes documentation, "Initial namespaces").
INITIAL_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")

#: Where the addresses come from that manifests leave open: the usual ranges of kubeadm and flannel, and a unique
#: local prefix (RFC 4193) that reads like them.
POD_RANGES = ("10.244.0.0/16", "fd00:10:244::/64")
SERVICE_RANGES = ("10.96.0.0/16", "fd00:10:96::/112")

#: What messages call manifests that came from memory, and a problem of all manifests together.
DOCUMENTS_PATH, ALL_PATHS = Path("<documents>"), Path("<all manifests>")


class ManifestError(ValueError):
    """Manifests that cannot be used. Each problem names file, line, object, what is wrong and what to do."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestSettings:
    """Where the manifests are, and the cluster that is assumed around them."""

    paths: tuple[Path, ...] = ()
    """Files and folders. Folders are read with all below them; later changes are followed."""

    documents: Documents | None = None
    """Manifests in memory, besides or instead of `paths`; `ManifestSource.set_documents` changes them."""

    feeds: frozenset[Feed] = frozenset(Feed)
    """What is fed to the state. Leave Feed.PODS out unless pods are verified: it costs memory for every pod."""

    parts: SliceParts = ALL_PARTS
    """What is kept of EndpointSlices."""

    label_selector: str = ""
    """Services, ServiceImports, slices and pods that do not match are not served (option `labels`)."""

    namespace_selector: str = ""
    """Namespaces that do not match are not served (option `namespace_labels`)."""

    families: tuple[Family, ...] = ("IPv4",)
    """IP families of the cluster, the first one first. Two of them make it dual stack (`PreferDualStack`)."""

    pod_ranges: tuple[str, ...] = POD_RANGES
    """One range for each family, in any order: addresses of pods whose manifest states none."""

    service_ranges: tuple[str, ...] = SERVICE_RANGES
    """One range for each family, in any order: addresses of Services whose manifest states none."""

    nodes: int = 1
    """Pods that a DaemonSet has."""

    @classmethod
    def of(cls, manifests: Path | Documents, **options: Any) -> "ManifestSettings":
        """Settings for a path, YAML text, or a list of objects: whatever a test has at hand."""
        if isinstance(manifests, Path):
            return cls(paths=(manifests,), **options)
        return cls(documents=manifests, **options)

    def __post_init__(self) -> None:
        problems = [*_range_problems("pod_ranges", self.pod_ranges)]
        problems += _range_problems("service_ranges", self.service_ranges)
        if not {*self.families} <= {*get_args(Family)}:
            problems.append(f"families: {self.families!r}: give one or both of {get_args(Family)}")
        elif not self.families or len(set(self.families)) != len(self.families):
            problems.append(f"families: {self.families!r} is neither one family nor two different ones")
        if not isinstance(self.nodes, int) or not 0 <= self.nodes <= MAX_REPLICAS:
            problems.append(f"nodes: {self.nodes!r} is not in 0...{MAX_REPLICAS}")
        for selector in filter(str.strip, (self.label_selector, self.namespace_selector)):
            try:
                parse(selector)
            except SelectorError as error:
                problems.append(str(error))
        if problems:
            raise ManifestError(problems)


def _range_problems(name: str, ranges: tuple[str, ...]) -> list[str]:
    versions = []
    for text in ranges:
        try:
            versions.append(ip_network(text).version)
        except ValueError as error:
            return [f"{name}: {error}"]
    if sorted(versions) != [4, 6]:
        return [f"{name}: {', '.join(ranges)}: state one IPv4 and one IPv6 range"]
    return []
