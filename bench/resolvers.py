"""Servers that ask others: ours and CoreDNS with `forward` and `cache`, unbound and dnsmasq, and whom they all ask."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from bench.client import until_right
from bench.cluster import cluster_ip, service_name
from bench.peers import Place, nsd, system_program
from bench.results import DNSMASQ, UNBOUND, Results
from bench.subject import Running, free_port, process, running, servers

#: What the upstream says of every name below `com`, for an hour.
OUTSIDE_ZONE, OUTSIDE_ADDRESS = "com", "192.0.2.80"
_ZONE_FILE = f"""\
$ORIGIN {OUTSIDE_ZONE}.
$TTL 3600
@ SOA ns hostmaster 1 7200 1800 86400 3600
@ NS ns
ns A 127.0.0.1
* A {OUTSIDE_ADDRESS}
"""
#: One thread, no validation; entries as many as the others keep.
_UNBOUND_CONF = """\
server:
    interface: 127.0.0.1
    port: {port}
    username: ""
    chroot: ""
    directory: "{home}"
    pidfile: "{home}/unbound.pid"
    use-syslog: no
    num-threads: 1
    do-not-query-localhost: no
    module-config: "iterator"
    outgoing-range: 4096
    num-queries-per-thread: 2048
    so-reuseport: no
remote-control:
    control-enable: no
forward-zone:
    name: "."
    forward-addr: 127.0.0.1@{upstream}
"""
_PACKAGES = {"nsd": "nsd", "unbound": "unbound", "dnsmasq": "dnsmasq-base"}


def remark_missing_resolvers(results: Results) -> bool:
    """One line for each program that is not there; whether there is an upstream."""
    for program, package in _PACKAGES.items():
        if system_program(program) is None:
            results.remark(
                f"{program} is missing (Debian package {package}): nothing forwarded is compared with it."
            )
    return system_program("nsd") is not None


@contextlib.asynccontextmanager
async def resolvers(place: Place) -> AsyncIterator[dict[str, Running]]:
    """By name, each ready; they ask one NSD, which runs on the core of the load."""
    program = system_program("nsd")
    assert program is not None
    load_core = None if place.cores.load is None else str(place.cores.load)
    home = place.folder / "upstream"
    home.mkdir(parents=True)
    zone_file = home / "outside.zone"
    zone_file.write_text(_ZONE_FILE)
    files = {OUTSIDE_ZONE: zone_file}
    found: dict[str, Running] = {}
    async with contextlib.AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(
            nsd(program, "upstream", home, files, place.folder, load_core)
        )
        await until_right(upstream, f"start.{OUTSIDE_ZONE}", OUTSIDE_ADDRESS)
        for server in servers():
            found[server.name] = subject = await stack.enter_async_context(
                running(server, place.api_url, place.folder, place.cores.one, upstream=upstream.port)
            )
            await until_right(subject, service_name(place.services - 1), cluster_ip(place.services - 1))
        if program := system_program("unbound"):
            found[UNBOUND] = await stack.enter_async_context(_unbound(program, place, upstream.port))
        if program := system_program("dnsmasq"):
            found[DNSMASQ] = await stack.enter_async_context(_dnsmasq(program, place, upstream.port))
        for subject in found.values():
            await until_right(subject, f"start.{OUTSIDE_ZONE}", OUTSIDE_ADDRESS)
        yield found


def _unbound(program: str, place: Place, upstream: int) -> contextlib.AbstractAsyncContextManager[Running]:
    home, port = place.folder / UNBOUND, free_port()
    home.mkdir()
    config = home / "unbound.conf"
    config.write_text(_UNBOUND_CONF.format(port=port, home=home, upstream=upstream))
    command = (program, "-d", "-c", str(config))
    return process(UNBOUND, command, port, place.folder, place.cores.one)


def _dnsmasq(program: str, place: Place, upstream: int) -> contextlib.AbstractAsyncContextManager[Running]:
    port = free_port()
    options = (
        "--keep-in-foreground",
        f"--conf-file={_empty(place.folder)}",
        "--no-resolv",
        "--no-hosts",
        "--user=",
        "--group=",
        "--pid-file=",
        "--log-facility=-",
        "--bind-interfaces",
        "--listen-address=127.0.0.1",
        f"--port={port}",
        f"--server=127.0.0.1#{upstream}",
        "--cache-size=10000",
        "--dns-forward-max=2000",
    )
    return process(DNSMASQ, (program, *options), port, place.folder, place.cores.one)


def _empty(folder: Path) -> Path:
    path = folder / "dnsmasq.conf"
    path.write_text("")
    return path
