"""Lowers the size of replies over UDP."""

from dnsserver.answering.reply import Reply
from dnsserver.config import Directive
from dnsserver.plugins.bufsize.handler import Bufsize, limited
from dnsserver.plugins.bufsize.settings import BufsizeSettings
from dnsserver.plugins.plugin import Handler, Plugin, Repeats, Site
from dnsserver.wire.question import Question


def setup(directive: Directive, site: Site) -> Plugin:  # noqa: ARG001 - the same shape for every plugin
    settings = BufsizeSettings.from_directive(directive)

    def wrap(following: Handler) -> Handler:
        return Bufsize(following, settings.size)

    def alters(question: Question, reply: Reply) -> Reply:  # noqa: ARG001 - of every name
        return limited(reply, settings.size)

    return Plugin(name="bufsize", wrap=wrap, repeats=Repeats.ALTERED, alters=alters)
