"""The servers that are compared, all on the same names, and whether they answer them alike."""

import contextlib
import os
import pwd
import shutil
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.client import Client, until_right
from bench.cluster import SERVICES, Ask, cluster_ip, service_name, zone_files
from bench.load import Cores
from bench.results import COREDNS, KNOT, NSD, Results
from bench.subject import Running, Server, coredns, free_port, process, running, servers

#: CoreDNS as it comes: nothing tells it to use one core.
COREDNS_ALL = f"{COREDNS}, all cores"

KNOT_CONF = """\
server:
    rundir: {home}
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    user: {user}
log:
  - target: stdout
    any: warning
database:
    storage: {home}
template:
  - id: default
    storage: {home}
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
zone:
{zones}"""

#: Its limit of replies to one address is for the Internet, and the name servers in every reply say nothing here.
NSD_CONF = """\
server:
    server-count: 1
    ip-address: 127.0.0.1@{port}
    username: ""
    chroot: ""
    database: ""
    zonesdir: "{home}"
    pidfile: "{home}/nsd.pid"
    zonelistfile: "{home}/zone.list"
    xfrdfile: "{home}/xfrd.state"
    xfrdir: "{home}"
    rrl-ratelimit: 0
    rrl-whitelist-ratelimit: 0
    minimal-responses: yes
remote-control:
    control-enable: no
{zones}"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where servers run, and what they follow. `folder` is for them alone."""

    api_url: str
    folder: Path
    cores: Cores
    services: int = SERVICES


def system_program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


def remark_missing(results: Results) -> None:
    """One line for each program that is not there."""
    if coredns() is None:
        results.remark("coredns is missing (on PATH, or named by COREDNS): no comparison with it.")
    for program, package in (("knotd", "knot"), ("nsd", "nsd")):
        if system_program(program) is None:
            results.remark(f"{program} is missing (Debian package {package}): no comparison with it.")
    if Cores.found().server is None:
        results.remark("No second core, or no taskset: servers and load share what there is.")


@contextlib.asynccontextmanager
async def all_running(place: Place, *, coredns_all: bool = False) -> AsyncIterator[dict[str, Running]]:
    """By name, each ready to answer. With *coredns_all* there is one more CoreDNS, on all cores."""
    place.folder.mkdir(exist_ok=True)
    found: dict[str, Running] = {}
    async with contextlib.AsyncExitStack() as stack:
        for server in servers():
            found[server.name] = await stack.enter_async_context(
                running(server, place.api_url, place.folder, place.cores.one)
            )
        program = coredns()
        if coredns_all and program and place.cores.both:
            unbound = Server(COREDNS_ALL, (program, "-conf"))
            found[COREDNS_ALL] = await stack.enter_async_context(
                running(unbound, place.api_url, place.folder, place.cores.both)
            )
        if program := system_program("knotd"):
            found[KNOT] = await stack.enter_async_context(_knot(program, place))
        if program := system_program("nsd"):
            found[NSD] = await stack.enter_async_context(_nsd(program, place))
        for subject in found.values():
            await ready(subject, place.services)
        yield found


async def ready(subject: Running, services: int = SERVICES) -> float:
    """Wait until the last Service is answered: the seconds since the start."""
    return await until_right(subject, service_name(services - 1), cluster_ip(services - 1))


def _knot(program: str, place: Place) -> contextlib.AbstractAsyncContextManager[Running]:
    home, port = _home(place, KNOT), free_port()
    files = zone_files(home, place.services)
    zones = "".join(f"  - domain: {zone}\n    file: {path}\n" for zone, path in files.items())
    config = home / "knot.conf"
    # Our own user, so that nothing changes hands.
    user = pwd.getpwuid(os.getuid()).pw_name
    config.write_text(KNOT_CONF.format(home=home, port=port, user=user, zones=zones))
    return process(KNOT, (program, "--config", str(config)), port, place.folder, place.cores.one)


def _nsd(program: str, place: Place) -> contextlib.AbstractAsyncContextManager[Running]:
    home = _home(place, NSD)
    return nsd(program, NSD, home, zone_files(home, place.services), place.folder, place.cores.one)


def nsd(
    program: str, name: str, home: Path, files: Mapping[str, Path], folder: Path, cpus: str | None
) -> contextlib.AbstractAsyncContextManager[Running]:
    """NSD on the zones of *files*; *home* is for it alone, *folder* for its log."""
    port = free_port()
    zones = "".join(f'zone:\n    name: "{zone}"\n    zonefile: "{path}"\n' for zone, path in files.items())
    config = home / "nsd.conf"
    config.write_text(NSD_CONF.format(home=home, port=port, zones=zones))
    return process(name, (program, "-d", "-c", str(config)), port, folder, cpus)


def _home(place: Place, name: str) -> Path:
    home = place.folder / name
    home.mkdir(exist_ok=True)
    return home


async def check(name: str, subject: Running, asks: Iterable[Ask]) -> None:
    """A server that answers wrongly is not worth measuring: RuntimeError."""
    client = await Client.connect(subject.port)
    for ask in asks:
        reply = await client.ask(ask.octets())
        if not ask.fits(reply):
            raise RuntimeError(f"{name} answers {ask} with {reply!r}")
    client.close()
