"""Zones from all master files of a folder."""

from dnsserver.config import Directive
from dnsserver.plugins.auto.folder import ZoneFolder
from dnsserver.plugins.auto.settings import AutoSettings
from dnsserver.plugins.plugin import Handler, Plugin, Site
from dnsserver.plugins.static_listing import listing_of
from dnsserver.plugins.static_zones import (
    Reach,
    StaticReplies,
    StaticZoneHandler,
    ZoneTable,
    notified_secondaries,
)


def setup(directive: Directive, site: Site) -> Plugin:
    """Raises ConfigError."""
    settings = AutoSettings.from_directive(directive, site.zones, site.directory)
    table = ZoneTable()
    reach = Reach(table, within=settings.zones)

    def changed(origin: bytes) -> None:
        site.server.forget()
        if table[origin] is not None:
            notified_secondaries(site.block(), origin)

    folder = ZoneFolder(settings, table, changed)

    def wrap(following: Handler) -> Handler:
        return StaticZoneHandler("auto", reach, following, site.server.resolve)

    return Plugin(
        name="auto",
        wrap=wrap,
        lifespan=folder.kept,
        remembers=StaticReplies("auto", reach, site.server.now),
        leaves_alone=reach.leaves_alone,
        zone_copy=table.copy,
        listing=listing_of(reach, folder.place, read=folder.kept),
    )
