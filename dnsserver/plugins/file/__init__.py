"""Zones from master files."""

import contextlib
from collections.abc import AsyncIterator

from dnsserver.config import ConfigError, Directive
from dnsserver.config.gotext import duration_text
from dnsserver.observability.logs import plugin_logger
from dnsserver.plugins.file.settings import FileSettings
from dnsserver.plugins.plugin import Handler, Plugin, Site
from dnsserver.plugins.static_listing import listing_of
from dnsserver.plugins.static_zones import (
    Reach,
    StaticReplies,
    StaticZoneHandler,
    ZoneTable,
    notified_secondaries,
)
from dnsserver.plugins.zone_files import ZoneFiles, open_error
from dnsserver.sources.zonefile import ZoneFileError
from dnsserver.transports.tasks import TaskHome
from dnsserver.wire import names

_log = plugin_logger("file")


def setup(directive: Directive, site: Site) -> Plugin:
    """Raises ConfigError, also when a file is no zone."""
    settings = FileSettings.from_directive(directive, site.zones, site.directory)
    table = ZoneTable()
    reach = Reach(table, settings.fallthrough)
    paths = {file.origin: str(file.path.absolute()) for file in settings.files}

    def changed(origin: bytes) -> None:
        site.server.forget()
        notified_secondaries(site.block(), origin)

    files = ZoneFiles("file", table, changed)
    missing = _read(settings, table, files)

    @contextlib.asynccontextmanager
    async def warned() -> AsyncIterator[None]:
        for error, reload_s in missing.items():
            _log.warning('Failed to open "%s": trying again in %s', error, duration_text(reload_s))
        yield

    @contextlib.asynccontextmanager
    async def kept() -> AsyncIterator[None]:
        tasks = TaskHome("file")
        await tasks.open()
        async with warned(), files.running():
            for file in settings.files:
                tasks.spawn(files.keep(file), f"file: {file.path}")
                notified_secondaries(site.block(), file.origin)
            try:
                yield
            finally:
                await tasks.close()

    def unknown(origin: bytes) -> str:
        return f"file {names.to_text(origin)}: {paths[origin]} could not be read, so its names are not known."

    def wrap(following: Handler) -> Handler:
        return StaticZoneHandler("file", reach, following, site.server.resolve)

    return Plugin(
        name="file",
        wrap=wrap,
        lifespan=kept,
        remembers=StaticReplies("file", reach, site.server.now),
        leaves_alone=reach.leaves_alone,
        zone_copy=table.copy,
        listing=listing_of(reach, lambda origin: paths[origin], unknown, warned),
    )


def _read(settings: FileSettings, table: ZoneTable, files: ZoneFiles) -> dict[str, float]:
    """Read every file once. What could not be opened, with the seconds until another look."""
    missing: dict[str, float] = {}
    for file in settings.files:
        table.put(file.origin, None)
        try:
            files.read(file)
        except ZoneFileError as error:
            raise ConfigError(f"plugin/file: {error}") from None
        except OSError as error:
            if file.reload_s <= 0:
                raise ConfigError(f"plugin/file: {open_error(file.path, error)}") from None
            missing[open_error(file.path, error)] = file.reload_s
    return missing
