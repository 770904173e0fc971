"""glibc's getaddrinfo(3): the search list, the queries, and what becomes of their answers.

Sources: `resolv/res_query.c`, `resolv/nss_dns/dns-host.c`, `nss/getaddrinfo.c` (glibc 2.42), and their state at 2.36.
nsswitch.conf is taken to say `files dns`, as images have it; nscd, HOSTALIASES, LOCALDOMAIN and RES_OPTIONS are not
there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

from dnsserver.stubs.glibc_sending import Errno, Sending, Sent, ThreadState
from dnsserver.stubs.hosts import Hosts
from dnsserver.stubs.machine import Stub
from dnsserver.stubs.outcome import Family, Lookup, Outcome
from dnsserver.stubs.queries import Answer, queries
from dnsserver.stubs.resolvconf import ResolvConf
from dnsserver.wire import names
from dnsserver.wire.codes import Rcode, Type
from dnsserver.wire.errors import NameTextError

#: Octets that an OPT record offers with `options edns0` (resolv-internal.h, RESOLV_EDNS_BUFFER_SIZE).
EDNS_PAYLOAD = 1200

_TEXTS = {
    "EAI_NONAME": "Name or service not known",
    "EAI_NODATA": "No address associated with hostname",
    "EAI_AGAIN": "Temporary failure in name resolution",
}


class HostError(Enum):
    """h_errno after a search."""

    NONE = auto()
    HOST_NOT_FOUND = auto()
    TRY_AGAIN = auto()
    NO_RECOVERY = auto()
    NO_DATA = auto()


def getaddrinfo(
    lookup: Lookup,
    conf: ResolvConf,
    hosts: Hosts,
    idents: Iterator[int],
    *,
    recent: bool = True,
    offset: int = 0,
) -> Stub[Outcome]:
    """*recent*: 2.41 or later (`glibc_sending`). *offset*: the server that `options rotate` begins with."""
    literal = hosts.literal(lookup)
    if literal is not None:
        return (
            literal
            if literal.addresses
            else _failed("EAI_ADDRFAMILY", "Address family for hostname not supported")
        )
    stated = hosts.find(lookup)
    if stated:
        return Outcome(stated)
    if not _is_host_name(lookup.name):
        return _failed("EAI_NONAME")
    search = Search(lookup, conf, idents, recent, offset if "rotate" in conf else 0)
    answers = yield from search.run()
    if answers:
        return _from_answers(lookup, answers, recent)
    return _from_error(lookup.family, search)


def _failed(error: str, text: str = "") -> Outcome:
    return Outcome(error=error, text=text or _TEXTS[error])


def _is_host_name(name: str) -> bool:
    """res_hnok: letters, digits, '-' and '_', not beginning with '-'."""
    plain = all(char.isascii() and (char.isalnum() or char in "-_.") for char in name)
    return bool(name) and plain and not name.startswith("-")


@dataclass(slots=True)
class Search:
    """`__res_context_search`; `error`, `errno` and `now` say how it ended."""

    lookup: Lookup
    conf: ResolvConf
    idents: Iterator[int]
    recent: bool
    offset: int
    error: HostError = HostError.HOST_NOT_FOUND
    errno: Errno = Errno.NONE
    now: float = 0.0
    _state: ThreadState = field(default_factory=ThreadState)
    _rcode: int = Rcode.NOERROR

    def run(self) -> Stub[tuple[Answer, ...]]:
        """The answers that end the search, () when none does."""
        name = self.lookup.name
        trailing = name.endswith(".")
        first_error = None
        if name.count(".") >= self.conf.ndots or trailing:
            answers = yield from self._query(name)
            if answers or trailing:
                return answers
            first_error = self.error
        answers = yield from self._search(name, tried=first_error is not None)
        if first_error is not None and not answers:
            self.error = first_error
        return answers

    def _search(self, name: str, tried: bool) -> Stub[tuple[Answer, ...]]:
        no_data = failed = root = searched = False
        for domain in self.conf.search:
            domain = domain.removeprefix(".")
            searched, root = True, root or not domain
            answers = yield from self._query(f"{name}.{domain}")
            if answers:
                return answers
            if self.errno is Errno.REFUSED:
                self.error = HostError.TRY_AGAIN
                return ()
            servfail = self.error is HostError.TRY_AGAIN and self._rcode == Rcode.SERVFAIL
            no_data = no_data or self.error is HostError.NO_DATA
            failed = failed or servfail
            if not servfail and self.error not in (HostError.NO_DATA, HostError.HOST_NOT_FOUND):
                break
        single = "." not in name and searched and ("no-tld-query" in self.conf or "no_tld_query" in self.conf)
        if not (tried or root or single):
            answers = yield from self._query(name)
            if answers:
                return answers
        if no_data:
            self.error = HostError.NO_DATA
        elif failed:
            self.error = HostError.TRY_AGAIN
        return ()

    def _query(self, text: str) -> Stub[tuple[Answer, ...]]:
        """`__res_context_query`: the answers when one is positive, else () and an error."""
        self._rcode = Rcode.NOERROR
        types = self.lookup.family.types
        if "no-aaaa" in self.conf:
            types = tuple(rtype for rtype in types if rtype != Type.AAAA)
            if not types:
                self.error = HostError.NO_DATA
                return ()
        try:
            name = names.from_text(text)
        except NameTextError:
            self.error = HostError.NO_RECOVERY
            return ()
        payload = EDNS_PAYLOAD if "edns0" in self.conf else None
        asked = queries(name, types, self.idents, authentic="trust-ad" in self.conf, payload=payload)
        sending = Sending(self.conf, self._state, asked, self.now, self.recent)
        sent = yield from sending.run(self.offset)
        self.now, self.errno, self._rcode = sent.now, sent.errno, sent.rcode
        if not sent.answered:
            self.error = HostError.TRY_AGAIN
            return ()
        return self._judged(sent)

    def _judged(self, sent: Sent) -> tuple[Answer, ...]:
        answers = tuple(answer for answer in (sent.first, sent.second) if answer)
        if any(answer.positive for answer in answers):
            return answers
        rcode = next((answer.rcode for answer in answers if answer.rcode), Rcode.NOERROR)
        match rcode:
            case Rcode.NXDOMAIN:
                self.error = HostError.HOST_NOT_FOUND
            case Rcode.SERVFAIL:
                self.error = HostError.TRY_AGAIN
            case Rcode.NOERROR:
                self.error = HostError.NO_DATA
            case _:
                self.error = HostError.NO_RECOVERY
        return ()


def _from_answers(lookup: Lookup, answers: tuple[Answer, ...], recent: bool) -> Outcome:
    """gaih_getanswer: addresses at the name asked for, or where CNAMEs lead, in the order of the answers."""
    found: list[str] = []
    for answer in answers:
        if answer.message and answer.message.questions:
            question = answer.message.questions[0]
            found += answer.addresses(question.rtype, question.name)
    if found:
        canonical = next((answer.canonical for answer in answers if answer.canonical), "")
        return Outcome(tuple(found), canonical=canonical)
    # A CNAME alone. For IPv4 alone gethostbyname2_r is asked, which has another word for it since 2.36.
    return _failed("EAI_NODATA" if recent and lookup.family is Family.IPV4 else "EAI_NONAME")


def _from_error(family: Family, search: Search) -> Outcome:
    """What getaddrinfo makes of h_errno; for IPv4 alone it goes by gethostbyname2_r, which looks at errno too."""
    if search.error is HostError.NO_DATA:
        return _failed("EAI_NODATA")
    if search.error is HostError.TRY_AGAIN and (family is not Family.IPV4 or search.errno is not Errno.NONE):
        return _failed("EAI_AGAIN")
    return _failed("EAI_NONAME")
