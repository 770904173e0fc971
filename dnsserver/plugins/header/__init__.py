"""Sets and clears bits of headers."""

from dnsserver.answering.reply import Reply
from dnsserver.config import Directive
from dnsserver.plugins.header.handler import HeaderBits, changed
from dnsserver.plugins.header.settings import HeaderSettings
from dnsserver.plugins.plugin import Handler, Plugin, Repeats, Site
from dnsserver.wire.question import Question


def setup(directive: Directive, site: Site) -> Plugin:  # noqa: ARG001 - the same shape for every plugin
    settings = HeaderSettings.from_directive(directive)

    def wrap(following: Handler) -> Handler:
        return HeaderBits(following, settings)

    def alters(question: Question, reply: Reply) -> Reply:  # noqa: ARG001 - of every name
        return changed(reply, settings.response)

    return Plugin(name="header", wrap=wrap, repeats=Repeats.ALTERED, alters=alters)
