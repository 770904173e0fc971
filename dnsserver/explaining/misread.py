"""Names that are put together wrongly: labels that are missing, or those of a search list."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from dnsserver.explaining.cause import Cause
from dnsserver.explaining.evidence import Evidence, Whole
from dnsserver.wire import names

#: Last labels by which a name of the world outside is known: the oldest top-level domains and those that are most
#: used (IANA, "Root Zone Database"). A name that ends otherwise is not taken for one.
OUTSIDE = frozenset(
    "com org net edu gov mil int arpa io dev app cloud ai co info biz me tv xyz online tech"
    " at au be br ca ch cn cz de dk es eu fi fr ie in it jp kr mx nl no nz pl pt ru se sg tw uk us za".split()
)


class _Subject(Protocol):
    @property
    def zone(self) -> bytes: ...

    @property
    def relative(self) -> tuple[bytes, ...]: ...


def search_list(subject: _Subject, evidence: Evidence) -> Cause | None:
    """The name is another one, with a suffix that a pod's search list put behind it."""
    whole = [names.label_text(label) for label in subject.relative]
    zone = [names.label_text(label) for label in names.labels(subject.zone)]
    for rest, suffix in _split(whole, zone, evidence):
        inside = rest[-len(zone) :] == zone and len(rest) > len(zone)
        if inside or (len(rest) > 1 and rest[-1] in OUTSIDE):
            name = ".".join(rest)
            return Cause(
                "search-list-suffix",
                f"{name}. with the suffix {suffix} of a pod's search list: resolvers try the list first for names with"
                " fewer dots than option ndots says (5 in pods), and go on with the next suffix after this answer.",
                advice=f"No matter by itself: the name is asked for without suffix too. To save the questions, write"
                f" {name}. with a final dot, or lower ndots in the pod's dnsConfig.",
            )
    return None


def _split(whole: list[str], zone: list[str], evidence: Evidence) -> Iterator[tuple[list[str], str]]:
    """What may stand left of each suffix that a pod's search list can have, the longest first."""
    below = ".".join(zone)
    if len(whole) > 2 and whole[-1] == "svc":
        namespace, service = whole[-2], whole[-3]
        if not evidence.get("Namespace", "", namespace):
            yield whole[:-1], f"svc.{below}."
        elif not evidence.get("Service", namespace, service):
            yield whole[:-2], f"{namespace}.svc.{below}."
    if whole and whole[-1] not in ("svc", "pod"):
        yield whole, f"{below}."


def of_strange_labels(relative: Sequence[bytes], zone: bytes, evidence: Evidence) -> Iterator[Cause]:
    """Of labels that are of no name of a cluster."""
    labels = [names.label_text(label) for label in relative]
    text = names.to_text(zone)
    if labels[-1] in ("svc", "pod"):
        form = "_PORT._PROTOCOL.SERVICE.NAMESPACE.svc" if labels[-1] == "svc" else "ADDRESS.NAMESPACE.pod"
        yield Cause(
            "too-many-labels",
            f"{len(labels)} labels stand left of {text}, more than any name of the cluster has.",
            advice=f"The longest form is {form}.{text}",
        )
        return
    service = evidence.get("Service", labels[-1], labels[-2]) if len(labels) > 1 else None
    if service is not None:
        yield Cause(
            "svc-label-missing",
            f"{service.place} exists, but the label svc is missing in front of {text}",
            (service.place,),
            f"Ask for {'.'.join(labels)}.svc.{text}",
        )
        return
    yield Cause(
        "not-a-cluster-name",
        f"Names in {text} end in svc or pod left of the zone, and this one in {labels[-1]}.",
        advice=f"Ask for SERVICE.NAMESPACE.svc.{text}",
    )


def parts(name: bytes) -> tuple[str, str] | None:
    """Service and namespace ("": any) of a name that a search list would complete: `web`, `web.default`,
    `web.default.svc`; None for others."""
    labels = [names.label_text(label) for label in names.labels(name.lower())]
    if len(labels) == 3 and labels[2] == "svc":
        labels.pop()
    if not 1 <= len(labels) <= 2:
        return None
    return labels[0], labels[1] if len(labels) == 2 else ""


def completed(name: bytes, evidence: Evidence) -> list[Whole]:
    """The Services whose names a search list would make of *name*."""
    found = parts(name)
    if found is None:
        return []
    return [each for each in evidence.named("Service", found[0]) if found[1] in ("", each.namespace)]


def of_another_zone(name: bytes) -> tuple[str, str] | None:
    """Service and namespace, where *name* is in the form of a cluster's names, `[…] SERVICE.NAMESPACE.svc.ZONE`."""
    labels = [names.label_text(label) for label in names.labels(name.lower())]
    place = labels.index("svc") if "svc" in labels else 0
    return (labels[place - 2], labels[place - 1]) if 2 <= place < len(labels) - 1 else None


def another_zone(name: bytes, zone: bytes, evidence: Evidence) -> Cause | None:
    """*name* is that of a Service there is, with the zone of another cluster than this, which has *zone*."""
    found = of_another_zone(name)
    service = evidence.get("Service", found[1], found[0]) if found else None
    if service is None:
        return None
    own = f"{service.name}.{service.namespace}.svc.{names.to_text(zone)}"
    return Cause(
        "another-zone",
        f"{names.to_text(name)} would be {service.place}, but the zone of the cluster is {names.to_text(zone)}",
        (service.place,),
        f"Ask for {own} (the zone is the clusterDomain of kubelets, and stands in the Corefile).",
    )


def incomplete(name: bytes, zone: bytes, evidence: Evidence, *, dotted: bool) -> Cause | None:
    """The name is in no zone of the cluster, but a search list would make one of it. *dotted*: it was written with a
    final dot, which keeps search lists away."""
    meant = completed(name, evidence)
    if not meant:
        return None
    whole = f"{meant[0].name}.{meant[0].namespace}.svc.{names.to_text(zone)}"
    places = tuple(each.place for each in meant)
    if dotted:
        return Cause(
            "final-dot",
            f"The final dot says that {names.to_text(name)} is complete, so no search list is used, and it is not the"
            f" name of {meant[0].place}.",
            places,
            f"Leave the dot out, or ask for {whole}",
        )
    return Cause(
        "name-not-complete",
        f"{names.to_text(name)} is not the whole name of {meant[0].place}: pods complete it by their search list, and"
        " most programs outside of pods do not.",
        places,
        f"Ask for {whole} (or see what a pod finds: --from {meant[0].namespace}/POD).",
    )
