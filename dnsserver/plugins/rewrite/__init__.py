"""Asks for something else than the client did, and answers as if it had not."""

from dnsserver.config import Directive
from dnsserver.plugins.plugin import Handler, Plugin, Site
from dnsserver.plugins.rewrite.handler import Rewrite
from dnsserver.plugins.rewrite.settings import RewriteSettings
from dnsserver.wire.question import Question


def setup(directive: Directive, site: Site) -> Plugin:
    """Raises ConfigError."""
    rules = RewriteSettings.from_directive(directive).rules

    def wrap(following: Handler) -> Handler:
        return Rewrite(following, rules, site.server.resolve)

    def leaves_alone(question: Question) -> bool:
        return not any(rule.may_apply(question) for rule in rules)

    return Plugin(name="rewrite", wrap=wrap, leaves_alone=leaves_alone)
