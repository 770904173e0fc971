"""Keeps replies for as long as they say."""

import functools

from dnsserver.answering.reply import Reply
from dnsserver.config import Directive
from dnsserver.plugins.cache.below import BelowNxDomain
from dnsserver.plugins.cache.claims import Claims
from dnsserver.plugins.cache.counts import CacheCounts
from dnsserver.plugins.cache.entry import PLUGIN
from dnsserver.plugins.cache.handler import Cache
from dnsserver.plugins.cache.lifetimes import levelled
from dnsserver.plugins.cache.memory import Memory
from dnsserver.plugins.cache.remembering import Remembered
from dnsserver.plugins.cache.renewing import Renewals
from dnsserver.plugins.cache.report import check_lines
from dnsserver.plugins.cache.settings import CacheSettings
from dnsserver.plugins.plugin import Handler, Plugin, Repeats, Site
from dnsserver.wire.question import Question


def setup(directive: Directive, site: Site) -> Plugin:
    """Raises ConfigError."""
    settings = CacheSettings.from_directive(directive, site.zones)

    @functools.cache
    def behind() -> tuple[Plugin, ...]:
        block = site.block()
        return block[[each.name for each in block].index(PLUGIN) + 1 :]

    memory = Memory(settings, BelowNxDomain(behind), Claims(behind))
    renewals = Renewals(memory, settings, site.server)
    counts = CacheCounts(memory, settings.label, site.view)

    async def check() -> list[str]:
        return check_lines(settings)

    def wrap(following: Handler) -> Handler:
        return Cache(following, settings, memory, renewals, counts, site.server)

    def alters(question: Question, reply: Reply) -> Reply:
        return levelled(question, reply, settings) if settings.covers(question) else reply

    return Plugin(
        name=PLUGIN,
        wrap=wrap,
        repeats=Repeats.ALTERED,
        alters=alters,
        leaves_alone=lambda question: not settings.covers(question),
        remembers=Remembered(settings, memory, counts, site.server),
        lifespan=renewals.lifespan,
        metrics=counts.families,
        check=check,
    )
