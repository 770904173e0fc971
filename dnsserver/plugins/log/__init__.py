"""Logs queries and their replies."""

from dnsserver.answering.reply import Reply
from dnsserver.config import Directive
from dnsserver.plugins.log.classes import CLASSES, may_be_of
from dnsserver.plugins.log.handler import Log
from dnsserver.plugins.log.settings import LogSettings
from dnsserver.plugins.plugin import Handler, Plugin, Site
from dnsserver.wire.question import Question


def setup(directive: Directive, site: Site) -> Plugin:
    settings = LogSettings.from_directive(directive)

    def wrap(following: Handler) -> Handler:
        return Log(following, settings, site.server.now)

    def leaves_alone(question: Question) -> bool:
        rule = settings.rule_for(question.name.lower())
        return rule is None or rule.classes != CLASSES

    def watches(question: Question, reply: Reply) -> bool:
        rule = settings.rule_for(question.name.lower())
        return rule is not None and may_be_of(rule.classes, question, reply)

    return Plugin(name="log", wrap=wrap, leaves_alone=leaves_alone, watches=watches)
