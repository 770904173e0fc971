"""A cluster DNS server inside the test's own process, on a free loopback port."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from dnsserver.explaining.explanation import Explanation
from dnsserver.faults import Faults
from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.runtime.standalone import MemoryManifests, given, standalone_text
from dnsserver.runtime.surroundings import Surroundings
from dnsserver.sources.manifests import Documents, ManifestSettings


class ClusterDNS:
    """Serves the DNS of the cluster that *manifests* describe, for as long as the context lasts.

    *manifests*: a file or folder, YAML text, a list of objects as dictionaries, or settings for all of these. Changes
    of files are served within a second; `replace` changes text and objects at once. *options* are further lines of the
    `kubernetes` block, or one, such as `"pods verified"`. *faults* are what goes wrong, and note what was asked.

        async with ClusterDNS(manifests=Path("rendered")) as dns:
            ...  # ask dns.host, dns.port over UDP or TCP

    Nothing leaves the machine: names outside the cluster do not exist (NXDOMAIN).

    Raises ManifestError, ConfigError, StartError on entering.
    """

    def __init__(
        self,
        manifests: Path | Documents | ManifestSettings,
        *,
        zone: str = "cluster.local",
        host: str = "127.0.0.1",
        port: int = 0,
        options: str | Sequence[str] = (),
        faults: Faults | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.faults = faults
        settings = manifests if isinstance(manifests, ManifestSettings) else ManifestSettings.of(manifests)
        self._manifests = MemoryManifests(settings)
        self._zone = zone
        self._options = (options,) if isinstance(options, str) else options
        self._server: ClusterDnsServer | None = None

    def __repr__(self) -> str:
        return f"<ClusterDNS {self.host}:{self.port}>"

    async def __aenter__(self) -> Self:
        text = standalone_text(address=self.host, port=self.port, zone=self._zone, options=self._options)
        around = Surroundings(between=self.faults.around if self.faults else None)
        server = ClusterDnsServer(
            given(text).read(), Path(), source=self._manifests.factory, surroundings=around
        )
        await server.__aenter__()
        self._server = server
        self.port = server.endpoints[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.faults is not None:
            self.faults.end()
        if self._server is not None:
            await self._server.__aexit__()

    async def explain(self, name: str, rtype: str = "A", client: str = "") -> Explanation:
        """Why *name* is answered as it is; *client* is who asks: an IP address, NAMESPACE/POD, or "".

        Raises AskedError for what is no name, type or client.
        """
        if self._server is None:
            raise RuntimeError("explain() is for a running server: use it inside `async with`")
        # Imported here: most tests never ask.
        from dnsserver.runtime.explaining import Asking, Explainer

        return await Explainer(self._server).explain(Asking(name, rtype, client))

    async def replace(self, documents: Documents) -> None:
        """Serve *documents* in place of the text or objects given before; on return the answers are live.

        Raises ManifestError, and then nothing has changed.
        """
        source = self._manifests.source
        if source is None:
            raise RuntimeError("replace() is for a running server: use it inside `async with`")
        await source.set_documents(documents)
