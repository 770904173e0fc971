"""The names that `hosts` knows at present: those of the file, and those of the Corefile."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator

from dnsserver.observability.families import AnyFamily, Family, Kind
from dnsserver.observability.logs import plugin_logger
from dnsserver.plugins.hosts.file import HostsFileError, Loaded, Seen, load, look, settled
from dnsserver.plugins.hosts.settings import HostsSettings
from dnsserver.plugins.hosts.table import HostTable, parse_hosts
from dnsserver.transports.tasks import TaskHome
from dnsserver.wire.codes import Type

_log = plugin_logger("hosts")


class KnownHosts:
    """What the file said when it was last read, and what the Corefile says. *changed* is called when the file has come
    to say something else."""

    def __init__(self, settings: HostsSettings, changed: Callable[[], None]) -> None:
        self._settings = settings
        self._changed = changed
        self._zones = frozenset(settings.zones)
        lines = [line.encode("utf-8", "surrogateescape") for line in settings.lines]
        self._ignored: list[int] = []
        self._inline = parse_hosts(lines, self._zones, reverse=settings.reverse, unread=self._ignored.append)
        self._file = HostTable()
        self._seen: Seen | None = None
        self._trouble = ""

    def __repr__(self) -> str:
        return f"<KnownHosts {self._settings.file} entries={self.entries} trouble={self._trouble!r}>"

    @property
    def entries(self) -> int:
        return self._file.entries + self._inline.entries

    def addresses(self, name: bytes, rtype: Type) -> bytes:
        """The packed addresses of *name* (lower case) one behind the other: the file's, then the Corefile's."""
        return self._file.addresses(name, rtype) + self._inline.addresses(name, rtype)

    def has(self, name: bytes) -> bool:
        return bool(self.addresses(name, Type.A) or self.addresses(name, Type.AAAA))

    def names_of(self, address: bytes) -> bytes:
        """The names of a packed address one behind the other."""
        return self._file.names.get(address, b"") + self._inline.names.get(address, b"")

    def owners(self) -> Iterator[tuple[bytes, Type, bool]]:
        """Each name with a type that it has records of, and each packed address with PTR, as they are at the beginning;
        and whether the file has it, or the Corefile alone."""
        tables = ((self._file, True), (self._inline, False))
        found = [(rtype, owners, in_file) for table, in_file in tables for rtype, owners in table.owners()]
        for rtype, owners, in_file in found:
            for owner in owners:
                if in_file or not self._in_file(owner, rtype):
                    yield owner, rtype, in_file

    def _in_file(self, owner: bytes, rtype: Type) -> bool:
        if rtype is Type.PTR:
            return owner in self._file.names
        return owner in self._file.exact[rtype] or owner in self._file.wild[rtype]

    @contextlib.asynccontextmanager
    async def warned(self) -> AsyncIterator[None]:
        """For the one process that follows the cluster: say once what does not look right."""
        for number in self._ignored:
            _log.warning(
                "'%s' in the Corefile is neither an option nor an address with names",
                self._settings.lines[number - 1],
            )
        try:
            look(self._settings.file)
        except HostsFileError as error:
            _log.warning("%s is not read: %s", self._settings.file, error)
        yield

    async def check(self) -> list[str]:
        """For `dnsserver check`: what the file has."""
        settings = self._settings
        try:
            loaded = await asyncio.to_thread(load, settings.file, self._zones, reverse=settings.reverse)
        except HostsFileError as error:
            return [f"{settings.file} is not read: {error}"]
        return [f"{loaded.table.entries + self._inline.entries} entries of {settings.file} and the Corefile"]

    @contextlib.asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """The file is read before, and looked at meanwhile."""
        await self._read()
        if not self._settings.reload_s:
            yield
            return
        home = TaskHome("hosts")
        await home.open()
        home.spawn(self._follow(), f"look at {self._settings.file}")
        try:
            yield
        finally:
            await home.close()

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self._settings.reload_s)
            try:
                if look(self._settings.file) == self._seen:
                    continue
                if await settled(self._settings.file) == self._seen:
                    continue
            except HostsFileError as error:
                self._tell(str(error))
            else:
                await self._read()

    async def _read(self) -> None:
        """Take the file's names, in a thread; keep what there was when it cannot be read."""
        settings = self._settings
        try:
            loaded = await asyncio.to_thread(load, settings.file, self._zones, reverse=settings.reverse)
        except HostsFileError as error:
            self._tell(str(error))
            return
        before, self._file, self._seen = self._file, loaded.table, loaded.seen
        self._report(loaded)
        self._changed()
        await asyncio.to_thread(before.dismantle)

    def _report(self, loaded: Loaded) -> None:
        if self._trouble:
            _log.info("%s can be read again", self._settings.file)
        self._trouble = ""
        _log.debug("Parsed hosts file into %d entries", loaded.table.entries)
        if loaded.unread.count:
            _log.warning(
                "%s: lines that are not an address and names are left out: %s",
                self._settings.file,
                loaded.unread,
            )

    def _tell(self, trouble: str) -> None:
        """Once for each trouble. Before the file could be read for the first time there is nothing to keep."""
        if self._seen is not None and trouble != self._trouble:
            _log.warning("%s is not read, what it said before stays: %s", self._settings.file, trouble)
            self._trouble = trouble

    def families(self) -> Iterable[AnyFamily]:
        """Every process that answers reads the same file: the numbers are not added up."""
        yield Family(
            "coredns_hosts_entries",
            Kind.GAUGE,
            "The combined number of entries in hosts and Corefile.",
            ("hostsfile",),
            (((self._settings.file,), float(self.entries)),),
            together=max,
        )
        if self._seen is not None:
            yield Family(
                "coredns_hosts_reload_timestamp_seconds",
                Kind.GAUGE,
                "The timestamp of the last reload of hosts file.",
                (),
                (((), self._seen.mtime_ns / 1e9),),
                together=max,
            )
