"""TXT records of class CH (cluster-dns-behaviour.md, section 15)."""

import random
import socket
from dataclasses import dataclass

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.chaos.settings import ChaosSettings, text_string
from dnsserver.plugins.plugin import Handler
from dnsserver.wire import names
from dnsserver.wire.codes import Class, Type
from dnsserver.wire.records import Record, txt_rdata

_AUTHORS = names.from_text("authors.bind.")
_VERSIONS = frozenset(map(names.from_text, ("version.bind.", "version.server.")))
_HOSTS = frozenset(map(names.from_text, ("hostname.bind.", "id.server.")))


@dataclass(frozen=True, slots=True)
class Chaos:
    """Answers five names of class CH and type TXT; the rest goes to *next*."""

    next: Handler
    settings: ChaosSettings

    async def __call__(self, query: Query) -> Reply | None:
        question = query.question
        ours = question.rclass == Class.CH and question.rtype == Type.TXT
        texts = self._texts(query.name) if ours else None
        if texts is None:
            return await self.next(query)
        answer = tuple(Record(question.name, Type.TXT, 0, txt_rdata(text), Class.CH) for text in texts)
        return Reply(answer=answer, plugin="chaos")

    def _texts(self, name: bytes) -> tuple[bytes, ...] | None:
        """One text per record; None for names that are not ours."""
        if name in _VERSIONS:
            return (self.settings.version,)
        if name in _HOSTS:
            return (_host_name(),)
        if name == _AUTHORS:
            return tuple(random.sample(self.settings.authors, len(self.settings.authors)))
        return None


def _host_name() -> bytes:
    """The host's name now: it may change while the server runs."""
    try:
        return text_string(socket.gethostname())
    except OSError:
        return b"localhost"
