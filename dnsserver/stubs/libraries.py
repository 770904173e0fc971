"""The resolver libraries that can be emulated, by the names that the command line has for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from dnsserver.stubs import glibc, go, musl
from dnsserver.stubs.hosts import Hosts
from dnsserver.stubs.machine import Stub
from dnsserver.stubs.outcome import Lookup, Outcome
from dnsserver.stubs.resolvconf import ResolvConf, read_by_glibc, read_by_go, read_by_musl


@dataclass(frozen=True, slots=True)
class Library:
    """`title` says which versions it stands for."""

    name: str
    title: str

    def read(self, resolv_conf: str) -> ResolvConf:
        """resolv.conf(5) as this library reads it."""
        match self.name:
            case "go":
                return read_by_go(resolv_conf)
            case "musl" | "musl-1.2.3":
                return read_by_musl(resolv_conf)
            case _:
                return read_by_glibc(resolv_conf, recent=self.name == "glibc")

    def stub(
        self, lookup: Lookup, resolv_conf: str, hosts: str = "", seed: int | None = None
    ) -> Stub[Outcome]:
        """The look-up, ready to be run. *seed* makes query IDs, and the first server of `rotate`, come again."""
        conf, known = self.read(resolv_conf), Hosts(hosts, folded=not self.name.startswith("musl"))
        random = Random(seed)
        idents = _idents(random)
        match self.name:
            case "go":
                return go.lookup_ip(lookup, conf, known, idents)
            case "musl" | "musl-1.2.3":
                return musl.getaddrinfo(lookup, conf, known, idents, recent=self.name == "musl")
            case _:
                first = random.randrange(len(conf.servers))
                recent = self.name == "glibc"
                return glibc.getaddrinfo(lookup, conf, known, idents, recent=recent, offset=first)


def _idents(random: Random) -> Iterator[int]:
    while True:
        yield random.getrandbits(16)


LIBRARIES = {
    library.name: library
    for library in (
        Library("glibc", "glibc 2.41 and later, and 2.36 of Debian 12"),
        Library("glibc-2.31", "glibc 2.31 to 2.35, without later fixes (Debian 11)"),
        Library("musl", "musl 1.2.4 and later (Alpine 3.18 and later)"),
        Library("musl-1.2.3", "musl 1.2.3 (Alpine 3.17, Debian 12)"),
        Library("go", "Go's own resolver, 1.21 and later"),
    )
}
