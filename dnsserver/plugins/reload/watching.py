"""The looks at the Corefile, and what is told of them."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator

from dnsserver.config import ConfigError
from dnsserver.observability.families import AnyFamily, Family, Kind
from dnsserver.plugins.plugin import Server

LOG = logging.getLogger("dnsserver.plugin.reload")


class Watch:
    """One in each block that says `reload`; that of the last block is the one that looks."""

    def __init__(self, server: Server, period_s: float) -> None:
        self._server = server
        self._period_s = period_s

    @property
    def _counts(self) -> bool:
        return [plugin for plugin in self._server.plugins() if plugin.name == "reload"][
            -1
        ].running == self.tell

    def tell(self) -> None:
        """Say which configuration runs."""
        if self._counts:
            LOG.info("Running configuration SHA512 = %s", self._server.reloading.digest)

    @contextlib.asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        if not self._counts:
            yield
            return
        looking = asyncio.create_task(self._look_on(), name="reload")
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.wait((looking,))

    async def _look_on(self) -> None:
        reloading = self._server.reloading
        while True:
            await asyncio.sleep(self._period_s)
            if self._server.stopping():
                return
            try:
                digest = await asyncio.to_thread(reloading.look)
            except ConfigError as error:
                LOG.warning("Corefile parse failed: %s", error)
                continue
            if digest != reloading.tried:
                reloading.begin(digest)

    def families(self) -> Iterator[AnyFamily]:
        """Nothing where the configuration cannot change: in workers, and embedded."""
        reloading = self._server.reloading
        if reloading.digest and self._counts:
            yield Family(
                "coredns_reload_failed_total",
                Kind.COUNTER,
                "Counter of the number of failed reload attempts.",
                (),
                (((), float(reloading.failures)),),
                max,
            )
            yield Family(
                "coredns_reload_version_info",
                Kind.GAUGE,
                "1; labelled by hash, and the value of it: of the last Corefile that was tried.",
                ("hash", "value"),
                ((("sha512", reloading.tried), 1.0),),
                max,
            )
