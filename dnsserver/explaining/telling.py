"""All that is known of a question and its answer, to an explanation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from dnsserver.explaining import fields
from dnsserver.explaining.cause import Cause, Rule
from dnsserver.explaining.chain import another_block, not_served, of_cache, of_chain, of_elsewhere
from dnsserver.explaining.cluster import Subject, of_cluster, of_standing, service_of, subject_of, wanted_of
from dnsserver.explaining.evidence import Evidence, Wanted, Whole
from dnsserver.explaining.explanation import Attempt, Explanation
from dnsserver.explaining.misread import another_zone, incomplete, of_another_zone, parts
from dnsserver.explaining.ports import target_port_missing
from dnsserver.explaining.rules import rule_of
from dnsserver.explaining.served import Served
from dnsserver.explaining.services import endpoints_missing, is_external, is_headless
from dnsserver.explaining.verdict import Block, Did, Step, Verdict
from dnsserver.wire import names
from dnsserver.wire.codes import Type, type_name
from dnsserver.wire.question import Question

CLUSTER_PLUGIN = "kubernetes"
#: Causes that say less than others: of several names of a search list, the one with another cause is told of.
GENERIC = frozenset(
    {
        "no-such-namespace",
        "no-such-service",
        "not-a-cluster-name",
        "offline",
        "search-list-suffix",
        "too-many-labels",
        "unexplained",
        "upstream-nxdomain",
    }
)


@dataclass(frozen=True, kw_only=True)
class Known:
    """One question and what came of it. `dotted`: it was written with a final dot. `block` is None when no server block
    takes it, or where nothing is known of them (`traced` is false then: only the answer is known); `zones` are those of
    all blocks. `other` is the block with the cluster, where another one answers. `served` is None without a cluster."""

    question: Question
    dotted: bool
    client: str
    verdict: Verdict
    traced: bool = True
    steps: tuple[Step, ...] = ()
    block: Block | None = None
    other: Block | None = None
    zones: tuple[str, ...] = ()
    served: Served | None = None
    evidence: Evidence = field(default_factory=Evidence)

    @property
    def name(self) -> str:
        return names.to_text(self.question.name)

    @property
    def subject(self) -> Subject | None:
        return None if self.served is None else subject_of(self.question, self.served)

    @property
    def reached(self) -> bool:
        """Whether the cluster's plugin had the question, as far as is known."""
        return not self.traced or any(
            step.plugin == CLUSTER_PLUGIN and step.depth == 0 for step in self.steps
        )


def wanted(question: Question, served: Served) -> Wanted:
    """The evidence that it takes to explain *question*."""
    subject = subject_of(question, served)
    if subject is not None:
        return wanted_of(subject)
    found = parts(question.name) or of_another_zone(question.name)
    return Wanted() if found is None else Wanted(found[1], found[0])


def alias_of(question: Question, served: Served, evidence: Evidence) -> Whole | None:
    """The ExternalName Service whose own name *question* asks for."""
    subject = subject_of(question, served)
    service = None if subject is None else service_of(subject, evidence)
    return service if service is not None and is_external(service) else None


def told(known: Known) -> Explanation:
    """The explanation of one question."""
    resolves = known.verdict.resolves
    return Explanation(
        name=known.name,
        rtype=type_name(known.question.rtype),
        client=known.client,
        verdict=known.verdict,
        block=known.block,
        steps=known.steps,
        rule=_rule(known) if resolves else None,
        causes=() if resolves else tuple(_causes(known)),
        notes=tuple(_notes(known)) if resolves else (),
        unseen=known.evidence.unseen,
    )


def chosen(found: Sequence[Explanation]) -> Explanation:
    """Of the names that a search list led to: the one that has what is asked for, or else the one whose cause says
    most; with all of them as attempts."""
    attempts = tuple(Attempt(each.name, each.verdict.rcode, each.verdict.data) for each in found)
    telling = [each for each in found if not each.causes or each.causes[0].code not in GENERIC]
    best = found[-1] if found[-1].resolves else (telling or found)[0]
    return replace(best, attempts=attempts if len(found) > 1 else ())


def _rule(known: Known) -> Rule | None:
    plugin = known.verdict.plugin
    if known.subject is not None and known.served is not None and known.reached:
        found = rule_of(known.subject, known.evidence, known.served)
        if found is not None:
            return found
    if known.block is None:
        return None
    where = f"the server block at {known.block.where} (zone {known.block.zone})"
    return Rule("another-plugin", f"Plugin {plugin or 'of'} of {where} answered.")


def _causes(known: Known) -> Iterator[Cause]:
    found = [*_found(known)]
    if not found:
        found.append(_unexplained(known))
    yield from found


def _found(known: Known) -> Iterator[Cause]:
    if known.traced and known.block is None:
        yield not_served(known.name, known.zones)
        return
    if not known.traced:
        yield from _of_words(known)
    subject, served = known.subject, known.served
    standing = [] if served is None or subject is None else of_standing(served)
    if served is not None and served.waiting_for:
        yield from standing
    if served is not None and subject is None:
        name = known.question.name
        hint = incomplete(name, served.primary, known.evidence, dotted=known.dotted)
        hint = hint or another_zone(name, served.primary, known.evidence)
        if hint is not None:
            yield hint
    if subject is not None and served is not None:
        yield from _of_zone(known, subject, served)
    if known.block is not None:
        yield from of_chain(known.verdict, known.steps, known.block)
    if served is None or not served.waiting_for:
        yield from standing


def _of_zone(known: Known, subject: Subject, served: Served) -> Iterator[Cause]:
    """Of a name in a zone of the cluster."""
    if not known.reached:
        if known.other is not None and known.block is not None:
            yield another_block(known.name, known.block, known.other)
    elif known.traced and known.verdict.rcode == "REFUSED":
        yield from _of_words(known)  # a transfer, or another class: not for want of a name
    else:
        found = of_cluster(subject, known.evidence, served)
        yield from found
        if not found:
            yield from _of_target(known, alias_of(known.question, served, known.evidence))


def _of_words(known: Known) -> Iterator[Cause]:
    """What a server that was asked by DNS says of its answer itself."""
    if not known.verdict.rcode:
        yield Cause(
            "no-answer",
            f"The server sent nothing that can be used: {known.verdict.error}.",
            advice="See that it is up, and that packets get there and back by UDP and TCP.",
        )
    for text in known.verdict.extended:
        yield Cause(
            "said-by-server",
            f"The server says with its answer: {text}.",
            advice="The number is an INFO-CODE of RFC 8914.",
        )


def _of_target(known: Known, alias: Whole | None) -> Iterator[Cause]:
    """The target of an ExternalName Service, where it is another server's, and the server asked for it."""
    inner = next(
        (step for step in reversed(known.steps) if step.depth > 0 and step.did is not Did.PASSED), None
    )
    if alias is None or not (known.verdict.answer or inner):
        return
    target = fields.text(alias.value, "spec", "externalName")
    cause = of_elsewhere(inner) if inner is not None else None
    yield Cause(
        "external-name-target-missing",
        f"{alias.place} is an alias of {target}, which has no records of type {type_name(known.question.rtype)} that"
        f" this server could get. {cause.sentence if cause else ''}".rstrip(),
        (alias.place,),
        f"Ask for {target} by itself: {cause.code if cause else 'it may not exist'}.",
    )
    if cause is not None:
        yield cause


def _unexplained(known: Known) -> Cause:
    return Cause(
        "unexplained",
        f"{known.verdict.rcode or 'Silence'} for {known.name}, and none of the known causes holds.",
        advice="See the trace for the plugin that answered, and its part of the Corefile."
        if known.traced
        else "Give the manifests or the Corefile of the server too, or ask it at its admin address.",
    )


def _notes(known: Known) -> Iterator[Cause]:
    """What matters though the name resolves."""
    subject, served = known.subject, known.served
    own = [step for step in known.steps if step.depth == 0]
    if any(step.plugin == "cache" and step.did is Did.ANSWERED for step in own):
        yield of_cache(known.verdict)
    if subject is None or served is None:
        return
    yield from of_standing(served)
    service = service_of(subject, known.evidence)
    if service is None or is_external(service) or subject.clusterset:
        return
    if known.question.rtype in (Type.A, Type.AAAA, Type.SRV):
        empty = None if is_headless(service) else endpoints_missing(service, known.evidence, served)
        if empty is not None:
            yield empty
        port = target_port_missing(service, known.evidence)
        if port is not None:
            yield port
