"""What stands out in a look-up, and what to do about it: artefacts of search lists and of each library."""

from collections.abc import Iterator

from dnsserver.stubs.libraries import Library
from dnsserver.stubs.outcome import Lookup
from dnsserver.stubs.resolvconf import MUSL_LINE_MAX, SERVERS_MAX, ResolvConf
from dnsserver.stubs.transcript import Exchange, Transcript
from dnsserver.wire import names
from dnsserver.wire.codes import Flag, Rcode, rcode_name

#: Seconds. A wait that somebody notices; answers of a healthy server take milliseconds.
NOTICED_S = 0.5


def advice(library: Library, lookup: Lookup, resolv_conf: str, transcript: Transcript) -> tuple[str, ...]:
    """Sentences for people, the weightiest first."""
    conf = library.read(resolv_conf)
    found = (
        _waited(library, transcript),
        _without_end(transcript),
        _search_misses(lookup, conf, transcript),
        _stopped_by_musl(library, lookup, conf, transcript),
        _no_search(library, lookup, conf, transcript),
        _ignored_lines(library, resolv_conf),
    )
    return tuple(sentence for sentences in found for sentence in sentences)


def _search_misses(lookup: Lookup, conf: ResolvConf, transcript: Transcript) -> Iterator[str]:
    """Queries for names that the search list made, and nobody has."""
    if lookup.name.endswith(".") or "." not in lookup.name:
        return
    whole = f"{lookup.name}."
    missed = [
        item for item in transcript.exchanges if _name(item) != whole and _rcode(item) == Rcode.NXDOMAIN
    ]
    as_written = [item for item in transcript.exchanges if _name(item) == whole]
    if missed and as_written and lookup.name.count(".") < conf.ndots:
        yield (
            f"{len(missed)} of {len(transcript.exchanges)} queries asked for names of the search list that do not"
            f" exist: {lookup.name} has fewer dots than ndots:{conf.ndots}. With a final dot ({whole}) it is asked"
            f" as it is; or set ndots to {lookup.name.count('.')} in the pod's dnsConfig."
        )


def _waited(library: Library, transcript: Transcript) -> Iterator[str]:
    """Time-outs, and what each library takes for one."""
    if not transcript.seconds or transcript.seconds < NOTICED_S:
        return
    silent = [item for item in transcript.exchanges if not item.reply and not item.broken]
    ignored = [
        item for item in transcript.exchanges if _rcode(item) not in (None, Rcode.NOERROR, Rcode.NXDOMAIN)
    ]
    if silent:
        yield (
            f"{len(silent)} of {len(transcript.exchanges)} queries had no answer from"
            f" {_listed(item.server for item in silent)}: the server is gone or too slow, or packets are lost on"
            " the way (network policy, conntrack)."
        )
    if ignored and library.name.startswith("musl"):
        rcodes = _listed(rcode_name(rcode) for item in ignored if (rcode := _rcode(item)) is not None)
        yield f"musl takes {rcodes} for no answer, and asks again until its time-out: mend the server's upstream."


def _without_end(transcript: Transcript) -> Iterator[str]:
    if transcript.seconds is None:
        yield "The library waits for an answer by TCP without a time-out: this look-up never ends."


def _stopped_by_musl(
    library: Library, lookup: Lookup, conf: ResolvConf, transcript: Transcript
) -> Iterator[str]:
    last = transcript.exchanges[-1] if transcript.exchanges else None
    if not library.name.startswith("musl") or last is None or transcript.outcome.addresses:
        return
    stopped = _name(last) != f"{lookup.name.rstrip('.')}."
    if last.answer is not None and last.answer.has(Flag.TC):
        yield f"musl 1.2.3 does not ask by TCP: of {_name(last)} it has what fitted into 512 octets."
    elif stopped and _rcode(last) == Rcode.NOERROR:
        yield (
            f"musl ends the search at the first name that exists: {_name(last)} does, without addresses of the family"
            " that was asked for. glibc and Go go on."
        )
    elif stopped and _rcode(last) not in (Rcode.NXDOMAIN, Rcode.NOERROR):
        yield f"musl ends the search at the first failure, which was {_name(last)}. glibc and Go go on."
    elif lookup.name.count(".") >= conf.ndots and conf.search and not lookup.name.endswith("."):
        yield f"musl does not use the search list for a name with {conf.ndots} dots or more (ndots:{conf.ndots})."


def _no_search(library: Library, lookup: Lookup, conf: ResolvConf, transcript: Transcript) -> Iterator[str]:
    if (
        lookup.name.endswith(".")
        and conf.search
        and not transcript.outcome.addresses
        and transcript.exchanges
    ):
        yield f"The final dot keeps {library.name} from the search list: {lookup.name} was asked as it is, and no more."


def _ignored_lines(library: Library, resolv_conf: str) -> Iterator[str]:
    """What the file says in vain."""
    lines = resolv_conf.split("\n")
    servers = [line for line in lines if line.split()[:1] == ["nameserver"]]
    if len(servers) > SERVERS_MAX:
        yield f"{len(servers)} name servers are named; the first {SERVERS_MAX} are asked."
    if library.name.startswith("musl"):
        for line in lines:
            if len(line.encode()) >= MUSL_LINE_MAX:
                yield (
                    f"musl passes over a line of more than {MUSL_LINE_MAX} octets: '{line[:30]}...', {len(line)} long."
                )


def _name(exchange: Exchange) -> str:
    return names.to_text(exchange.question[0])


def _rcode(exchange: Exchange) -> int | None:
    return exchange.answer.rcode if exchange.answer else None


def _listed(words: Iterator[str]) -> str:
    return ", ".join(dict.fromkeys(words))
