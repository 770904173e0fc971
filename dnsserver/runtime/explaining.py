"""Why a server answers a question as it does: the answer, its way through the plugins, and the cluster's objects."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from ipaddress import ip_address

from dnsserver.answering.reply import Reply
from dnsserver.explaining.below import target_of
from dnsserver.explaining.cluster import subject_of
from dnsserver.explaining.evidence import Evidence, Wanted, Whole
from dnsserver.explaining.explanation import Explanation
from dnsserver.explaining.served import Served
from dnsserver.explaining.telling import Known, alias_of, chosen, told, wanted
from dnsserver.explaining.verdict import Block, Did, Step, Verdict
from dnsserver.plugins.plugin import Witness
from dnsserver.runtime.rehearsing import Rehearsal, Rehearsed, chained
from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.runtime.sites import BuiltSite
from dnsserver.runtime.tracing import Note
from dnsserver.sources.zonefile.printing import rdata_text
from dnsserver.stubs.pods import Cluster, PodDnsError, address_of, pod_files
from dnsserver.stubs.resolvconf import ResolvConf, read_by_glibc
from dnsserver.wire import names
from dnsserver.wire.codes import OPTION_EDE, Flag, Type, rcode_name, type_name, type_number
from dnsserver.wire.errors import NameTextError
from dnsserver.wire.message import Message
from dnsserver.wire.question import Question
from dnsserver.wire.records import Record
from dnsserver.zone.addresses import packed
from dnsserver.zone.reverse import reverse_name

#: A client that is not said: whoever sits at the server's host.
LOCAL_CLIENT = "127.0.0.1"
#: Names of one search list that are asked for at most, and aliases that evidence is gathered along.
NAMES_MAX, ALIASES_MAX = 40, 4
#: Records of one section that are told of.
RECORDS_MAX = 100


class AskedError(ValueError):
    """What is asked for cannot be explained; the text says what to write instead."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A name in presentation format, a type's mnemonic, and who asks: "" (this host), an IP address, or NS/POD."""

    name: str
    rtype: str = "A"
    client: str = ""


@dataclass(frozen=True, slots=True)
class _Client:
    address: str
    conf: ResolvConf = field(default_factory=ResolvConf)


class Explainer:
    """Of one server, which has to be entered, or `opened`."""

    def __init__(
        self, server: ClusterDnsServer, ask: Callable[[Question], Awaitable[Verdict]] | None = None
    ) -> None:
        """*ask* gets the answers of another server, which *server* has the cluster of."""
        self._ask = ask
        self._server = server
        self._rehearsal = Rehearsal(server)
        # Where several listen, DNS itself is what is meant.
        self._listener = min(server.built, key=lambda built: built.scheme != "dns")

    async def explain(self, asking: Asking) -> Explanation:
        """Raises AskedError."""
        asking, rtype = _meant(asking)
        client = await self._client(asking.client)
        found: list[Explanation] = []
        for name in client.conf.names(asking.name)[:NAMES_MAX]:
            try:
                question = Question(names.from_text(name), rtype)
            except NameTextError as error:
                raise AskedError(str(error)) from None
            found.append(await self._one(question, client.address, dotted=asking.name.endswith(".")))
            if found[-1].resolves:
                break
        return chosen(found)

    # Who asks.

    async def _client(self, text: str) -> _Client:
        if not text:
            return _Client(LOCAL_CLIENT)
        if "/" in text:
            return await self._pod(text)
        try:
            address = str(ip_address(text))
        except ValueError:
            raise AskedError(f"{text!r} is neither an IP address nor NAMESPACE/POD") from None
        for _, witness in self._witnesses():
            evidence = await witness.evidence(Wanted(address=address))
            pod = next((each for each in evidence.of("Pod") if address_of(each.value) == address), None)
            if pod is not None:
                return _Client(address, _conf_of(pod, witness))
        return _Client(address)

    async def _pod(self, text: str) -> _Client:
        namespace, _, name = text.partition("/")
        unseen = ""
        for _, witness in self._witnesses():
            evidence = await witness.evidence(Wanted(namespace))
            pod = evidence.get("Pod", namespace, name)
            if pod is not None:
                return _Client(address_of(pod.value) or LOCAL_CLIENT, _conf_of(pod, witness))
            unseen = evidence.unseen.get("Pod", unseen)
        if unseen:
            raise AskedError(f"pod {text} cannot be looked for ({unseen}): give its IP address")
        raise AskedError(f"there is no pod {text}")

    # What is answered.

    async def _one(self, question: Question, client: str, *, dotted: bool) -> Explanation:
        if self._ask is not None:
            return await self._of_another(question, client, await self._ask(question), dotted=dotted)
        rehearsed = await self._rehearsal.ask(question, client, self._listener)
        verdict = _verdict(question, rehearsed)
        steps = tuple(map(_step, rehearsed.trace.notes))
        asked = _asked_of_cluster(question, rehearsed, verdict)
        own = None if rehearsed.site is None else _witness(rehearsed.site)
        site, witness = self._witness_for(asked) if own is None else (rehearsed.site, own)
        served = witness.served if witness is not None else None
        known = Known(
            question=question,
            dotted=dotted,
            client=client,
            verdict=verdict,
            steps=steps,
            block=None if rehearsed.site is None else self._block(rehearsed.site),
            other=self._block(site) if site is not None and site is not rehearsed.site else None,
            zones=tuple(dict.fromkeys(names.to_text(key) for key in self._listener.sites)),
            served=served,
        )
        if witness is None or served is None:
            return told(known)
        evidence = await _gathered(asked, witness, served)
        explained = told(replace(known, question=asked, evidence=evidence))
        return replace(explained, name=known.name)

    async def _of_another(
        self, question: Question, client: str, verdict: Verdict, *, dotted: bool
    ) -> Explanation:
        _, witness = self._witness_for(question)
        known = Known(question=question, dotted=dotted, client=client, verdict=verdict, traced=False)
        if witness is None:
            return told(known)
        served = witness.served
        evidence = await _gathered(question, witness, served)
        return told(replace(known, served=served, evidence=evidence))

    def _witnesses(self) -> list[tuple[BuiltSite, Witness]]:
        found = ((site, _witness(site)) for site in self._server.sites)
        return [(site, witness) for site, witness in found if witness is not None]

    def _witness_for(self, question: Question) -> tuple[BuiltSite | None, Witness | None]:
        """Of another block that has a cluster: the one with the name, or else any."""
        found = self._witnesses()
        for site, witness in found:
            if subject_of(question, witness.served) is not None:
                return site, witness
        return found[0] if found else (None, None)

    def _block(self, site: BuiltSite) -> Block:
        zones = " ".join(dict.fromkeys(key.zone for key in site.block.keys))
        where = f"{site.block.file}:{site.block.line}"
        return Block(zones, self._listener.label, where, chained(site.plugins))


def _meant(asking: Asking) -> tuple[Asking, int]:
    """With the number of the type. An address is asked for as `dig -x` does: no library looks it up as a name.

    Raises AskedError.
    """
    rtype = type_number(asking.rtype)
    if rtype is None:
        raise AskedError(
            f"{asking.rtype!r} is no type of records: write A, AAAA, SRV, PTR, TYPE65 or the like"
        )
    if not asking.name:
        raise AskedError("there is no name: write . for the root")
    address = packed(asking.name)
    if address is None:
        return asking, rtype
    if rtype not in (Type.A, Type.PTR):
        raise AskedError(f"{asking.name} is an address, which has PTR records: ask for those, or for a name")
    return replace(asking, name=names.to_text(reverse_name(address))), Type.PTR


def _conf_of(pod: Whole, witness: Witness) -> ResolvConf:
    zone = names.to_text(witness.served.primary)
    try:
        return read_by_glibc(pod_files(pod.value, Cluster(zone=zone)).resolv_conf)
    except PodDnsError:
        return ResolvConf()  # it has that of its node, which is not known here


def _witness(site: BuiltSite) -> Witness | None:
    return next((plugin.witness() for plugin in site.plugins if plugin.witness is not None), None)


async def _gathered(question: Question, witness: Witness, served: Served) -> Evidence:
    """What is to be known of *question*, and of the targets of aliases on its way."""
    evidence = Evidence()
    for _ in range(ALIASES_MAX):
        evidence = evidence.joined(await witness.evidence(wanted(question, served)))
        alias = alias_of(question, served, evidence)
        target = None if alias is None else target_of(alias)
        if target is None or wanted(Question(target, question.rtype), served) == Wanted():
            break
        question = Question(target, question.rtype)
    return evidence


def _asked_of_cluster(question: Question, rehearsed: Rehearsed, verdict: Verdict) -> Question:
    """The question as the cluster's plugin had it: others in front may have asked another one."""
    asked = [note.asked for note in rehearsed.trace.notes if note.plugin == "kubernetes" and note.depth == 0]
    if not asked:
        return question
    return asked[-1] if verdict.resolves else asked[0]


def _verdict(question: Question, rehearsed: Rehearsed) -> Verdict:
    reply = rehearsed.reply
    if reply is None:
        return Verdict("", error=rehearsed.error)
    return Verdict(
        rcode_name(reply.rcode),
        tuple(map(record_text, reply.answer[:RECORDS_MAX])),
        tuple(map(record_text, reply.authority[:RECORDS_MAX])),
        _has_data(question, reply.answer),
        reply.authoritative,
        reply.truncated,
        reply.plugin,
        reply.error or rehearsed.error,
        tuple(_extended_texts(reply.options)),
    )


def verdict_of_message(question: Question, message: Message) -> Verdict:
    """What a server said by DNS."""
    return Verdict(
        rcode_name(message.rcode),
        tuple(map(record_text, message.answer[:RECORDS_MAX])),
        tuple(map(record_text, message.authority[:RECORDS_MAX])),
        _has_data(question, message.answer),
        bool(message.header.flags & Flag.AA),
        bool(message.header.flags & Flag.TC),
        extended=tuple(_extended_texts(message.edns.options if message.edns else ())),
    )


def _has_data(question: Question, answer: tuple[Record, ...]) -> bool:
    return any(record.rtype == question.rtype or question.rtype == Type.ANY for record in answer)


def _extended_texts(options: tuple[tuple[int, bytes], ...]) -> list[str]:
    """Extended DNS Errors as `CODE TEXT` (RFC 8914 section 2)."""
    return [
        f"{int.from_bytes(data[:2], 'big')} {data[2:].decode('utf-8', 'replace')}".rstrip()
        for code, data in options
        if code == OPTION_EDE
    ]


def record_text(record: Record) -> str:
    """As a master file has it."""
    rdata = rdata_text(record.rtype, record.rdata)
    return f"{names.to_text(record.owner)} {record.ttl} IN {type_name(record.rtype)} {rdata}"


def _step(note: Note) -> Step:
    asked, passed = note.asked, note.passed
    changed = passed is not None and (passed.name.lower(), passed.rtype) != (asked.name.lower(), asked.rtype)
    return Step(
        note.plugin,
        names.to_text(asked.name),
        type_name(asked.rtype),
        _did(note, changed=changed),
        f"{names.to_text(passed.name)} {type_name(passed.rtype)}" if changed and passed is not None else "",
        "" if note.gave is None else rcode_name(note.gave.rcode),
        note.depth,
        "" if note.gave is None else note.gave.error,
    )


def _did(note: Note, *, changed: bool) -> Did:
    if note.gave is None and (note.passed is None or note.got is not None):
        return Did.SILENT
    if note.passed is None:
        return Did.ANSWERED
    if changed:
        return Did.REWROTE
    return Did.PASSED if _same(note.got, note.gave) else Did.CHANGED


def _same(got: Reply | None, gave: Reply | None) -> bool:
    """Whether a client could not tell them apart, but for TTLs and the order of records."""
    if got is None or gave is None:
        return got is gave
    return (got.rcode, _data(got)) == (gave.rcode, _data(gave))


def _data(reply: Reply) -> frozenset[tuple[bytes, int, object]]:
    return frozenset((record.owner.lower(), record.rtype, record.rdata) for record in reply.answer)
