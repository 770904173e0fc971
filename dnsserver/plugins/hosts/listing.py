"""The names of `hosts`, for people."""

from collections.abc import Iterator

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

    def listed() -> Iterator[Listed]:
        for owner, rtype, in_file in known.owners():
            name = reverse_name(owner) if rtype is Type.PTR else owner
            reply = answers.reply(Question(name, rtype))
            if reply is not None and reply.answer:  # else it has gone meanwhile
                zone = longest(name, settings.zones) or names.ROOT
                yield Listed(zone, reply.answer, place=settings.file if in_file else where)

    return Listing(
        listed,
        answers=lambda question: answers.reply(question) is not None,
        read=known.lifespan,
    )
