"""The names of `hosts`, for people."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from dnsserver.plugins.hosts.handler import HostsAnswers
from dnsserver.plugins.plugin import Listing
from dnsserver.plugins.zone_names import longest
from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.question import Question
from dnsserver.zone.listing import Listed
from dnsserver.zone.reverse import reverse_name


def listing_of(answers: HostsAnswers, where: str) -> Listing:
    """*where*: the directive, as `FILE:LINE`."""
    settings, known = answers.settings, answers.known
    file = str(Path(settings.file).absolute())

    def listed() -> Iterator[Listed]:
        for owner, rtype, in_file in known.owners():
            name = reverse_name(owner) if rtype is Type.PTR else owner
            reply = answers.reply(Question(name, rtype))
            if reply is not None and reply.answer:  # else it has gone meanwhile
                zone = longest(name, settings.zones) or names.ROOT
                yield Listed(zone, reply.answer, place=file if in_file else where)

    @contextlib.asynccontextmanager
    async def read() -> AsyncIterator[None]:
        async with known.warned(), known.lifespan():
            yield

    return Listing(
        listed,
        tuple,
        answers=lambda question: answers.reply(question) is not None,
        read=read,
        by_answering=True,
    )
