"""Certificates are renewed while the server runs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from dnsserver.observability.logs import plugin_logger
from dnsserver.transports.certificates import CertificateError, Certificates

_log = plugin_logger("tls")

#: Seconds between two looks at the files. They are replaced hours before the old certificate ends.
LOOK_S = 30.0


class Watch:
    """Reads certificates again when their files have changed: new connections get the new one."""

    def __init__(self, certificates: Certificates, look_s: float = LOOK_S) -> None:
        self._certificates = certificates
        self._look_s = look_s

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        files = self._certificates.files
        if files.keylog is not None:
            _log.warning('Writing TLS Key Log to "%s"', files.keylog)
        task = asyncio.create_task(self._run(), name=f"watch {files.cert}")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait((task,))

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._look_s)
            self.look()

    def look(self) -> None:
        """Files that are half written, or of which only one is new yet, are looked at again when they change."""
        certificates = self._certificates
        try:
            if certificates.refresh():
                _log.info("certificate %s was read again", certificates.files.cert)
        except CertificateError as error:
            _log.error("certificate not read again, connections have the one from before: %s", error)
