"""Whether a server is there at all: before the first question, and when it has fallen silent."""

from typing import Protocol

from dnsserver.comparing.seen import Seen
from dnsserver.transports.upstream.peer import ExchangeError
from dnsserver.wire.codes import Type
from dnsserver.wire.question import Question

#: Questions for the zone itself, one of which a server that is there answers.
GREETINGS = 3
#: Questions in a row without a reply after which a server is greeted: some it may drop on purpose, such as by `acl`.
SILENT_MOST = 100


class GoneError(Exception):
    """A server does not answer."""


class Answerer(Protocol):
    """A server that is compared."""

    async def ask(self, question: Question) -> Seen:
        """Raises ExchangeError."""


async def greet(server: Answerer, zone: bytes) -> None:
    """Raises GoneError for a server that does not answer at all."""
    for left in reversed(range(GREETINGS)):
        try:
            await server.ask(Question(zone, Type.SOA))
            return
        except ExchangeError as error:
            if not left:
                raise GoneError(f"{server} does not answer: {error}") from None


class Side:
    """One of both servers. `gone` says why it is asked no more, "" as long as it is."""

    def __init__(self, server: Answerer, zone: bytes) -> None:
        self.gone = ""
        self._server = server
        self._zone = zone
        self._silent = 0  # questions in a row

    async def asked(self, question: Question, replies: list[Seen]) -> str:
        """Add the reply to *replies*; why there is none, else ""."""
        try:
            replies.append(await self._server.ask(question))
        except ExchangeError as error:
            self._silent += 1
            if self._silent == SILENT_MOST:
                await self._greet()
            return str(error)
        self._silent = 0
        return ""

    async def _greet(self) -> None:
        try:
            await greet(self._server, self._zone)
        except GoneError as error:
            self.gone = str(error)
        self._silent = 0
