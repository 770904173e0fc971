"""Questions to the cluster of `cluster.yaml`, and which objects it has, for the tests of causes."""

from pathlib import Path

from dnsserver.explaining.cluster import of_cluster, subject_of
from dnsserver.explaining.evidence import Evidence
from dnsserver.explaining.served import Served
from dnsserver.sources.manifests.evidence import manifest_evidence
from dnsserver.sources.manifests.settings import ManifestSettings
from dnsserver.wire import names
from dnsserver.wire.codes import type_number
from dnsserver.wire.question import Question

CLUSTER = Path(__file__).parent / "cluster.yaml"
ZONES = tuple(map(names.from_text, ("cluster.local.", "in-addr.arpa.", "ip6.arpa.")))


def evidence() -> Evidence:
    return manifest_evidence(ManifestSettings(paths=(CLUSTER,)))


def served(**options: object) -> Served:
    return Served(zones=ZONES, primary=ZONES[0], **options)  # type: ignore[arg-type]


def question(text: str) -> Question:
    """`NAME TYPE`; names without final dot get the cluster's zone."""
    name, rtype = text.split()
    number = type_number(rtype)
    assert number is not None
    return Question(names.from_text(name if name.endswith(".") else f"{name}.cluster.local."), number)


def explained(text: str, known: Evidence, how: Served) -> list[str]:
    """Codes, each with the objects: `code: Kind ns/name, Kind ns/name`."""
    subject = subject_of(question(text), how)
    assert subject is not None
    return [
        f"{cause.code}: {', '.join(map(str, cause.objects))}".rstrip(": ")
        for cause in of_cluster(subject, known, how)
    ]
