"""Zones that other servers have, transferred from them."""

import contextlib
from collections.abc import AsyncIterator

from dnsserver.answering.query import Query
from dnsserver.config import Directive
from dnsserver.observability.logs import plugin_logger
from dnsserver.plugins.plugin import Handler, Plugin, Site
from dnsserver.plugins.secondary.copies import ZoneFileCopy
from dnsserver.plugins.secondary.following import ZoneFollower
from dnsserver.plugins.secondary.reading import ZoneReader
from dnsserver.plugins.secondary.settings import SecondarySettings
from dnsserver.plugins.static_listing import listing_of
from dnsserver.plugins.static_zones import (
    Reach,
    StaticReplies,
    StaticZoneHandler,
    ZoneTable,
    notified_secondaries,
)
from dnsserver.plugins.transfer.settings import ipaddress_of
from dnsserver.transports.tasks import TaskHome
from dnsserver.wire import names

_log = plugin_logger("secondary")

#: Seconds. NOTIFY again within this time is not logged: a primary may send several, or somebody in its name.
SAME_NOTIFY_S = 1.0


def setup(directive: Directive, site: Site) -> Plugin:
    """Raises ConfigError."""
    settings = SecondarySettings.from_directive(directive, site.zones)
    table = ZoneTable()
    reach = Reach(table, settings.fallthrough)
    for origin in settings.primaries:
        table.put(origin, None)

    def copies() -> dict[bytes, ZoneFileCopy]:
        folder = site.server.folder()
        return {origin: ZoneFileCopy(folder, origin, some) for origin, some in settings.primaries.items()}

    def changed(origin: bytes) -> None:
        site.server.forget()
        if table[origin] is not None:
            notified_secondaries(site.block(), origin)

    def notified(query: Query, origin: bytes) -> bool:
        client = query.arrival.client_host
        known = any(ipaddress_of(each.host) == ipaddress_of(client) for each in settings.primaries[origin])
        if known:
            copy = copies()[origin]
            if site.server.now() - copy.marked() / 1e9 > SAME_NOTIFY_S:
                _log.info("Notify from %s for %s: checking transfer", client, names.to_text(origin))
            copy.mark()
        return known

    @contextlib.asynccontextmanager
    async def follow() -> AsyncIterator[None]:
        tasks = TaskHome("secondary")
        await tasks.open()
        for origin, copy in copies().items():
            tasks.spawn(ZoneFollower(copy).run(), f"secondary: {names.to_text(origin)}")
        try:
            yield
        finally:
            await tasks.close()

    def wrap(following: Handler) -> Handler:
        return StaticZoneHandler("secondary", reach, following, site.server.resolve, notified)

    def lifespan() -> contextlib.AbstractAsyncContextManager[None]:
        return ZoneReader(tuple(copies().values()), table, changed, site.server.now).kept()

    return Plugin(
        name="secondary",
        wrap=wrap,
        lifespan=lifespan,
        follow=follow,
        remembers=StaticReplies("secondary", reach, site.server.now),
        leaves_alone=reach.leaves_alone,
        zone_copy=table.copy,
        listing=listing_of(reach, lambda _origin: "", _unknown),
    )


def _unknown(origin: bytes) -> str:
    return f"secondary {names.to_text(origin)}: another server's names, which a running server lists once it has them."
