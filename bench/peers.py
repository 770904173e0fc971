"""The servers that are compared, all on the same names, and whether they answer them alike."""

import contextlib
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from bench.cluster import SERVICES, ZONE, Ask, cluster_ip, objects, zone_files
from bench.subject import AsyncAsk, Client, Running, Server, free_port, process, running, servers, wait_for

#: What stands around `kubernetes` in the Corefiles.
PLUGINS = ("errors", "loadbalance")


def knotd() -> str | None:
    return shutil.which("knotd") or shutil.which("knotd", path="/usr/sbin:/sbin")


def missing() -> list[str]:
    """One line for each server that is not there."""
    lines = []
    if knotd() is None:
        lines.append("knotd is missing (Debian package knot): no comparison with it.")
    if len(servers()) == 1:
        lines.append("coredns is missing (set COREDNS): no comparison with it.")
    return lines


def corefile_servers() -> list[Server]:
    named = {"dnsserver": "dnsserver -conf"}
    return [Server(named.get(one.name, one.name), one.command, PLUGINS) for one in servers()]


@contextlib.asynccontextmanager
async def all_running(api_url: str, folder: Path, core: int | None) -> AsyncIterator[dict[str, Running]]:
    """By name, each ready to answer."""
    async with contextlib.AsyncExitStack() as stack:
        found = {"dnsserver serve": await stack.enter_async_context(_serve(folder, core))}
        for server in corefile_servers():
            found[server.name] = await stack.enter_async_context(running(server, api_url, folder, core))
        if program := knotd():
            found["knot"] = await stack.enter_async_context(_knot(program, folder, core))
        for subject in found.values():
            await ready(subject)
        yield found


async def ready(subject: Running) -> None:
    """Wait until the last Service is answered."""
    client = await Client.connect(subject.port)
    name = f"svc-{SERVICES - 1}.default.svc.{ZONE}"
    await wait_for(subject, AsyncAsk(client, name), cluster_ip(SERVICES - 1))
    client.close()


def _serve(folder: Path, core: int | None) -> contextlib.AbstractAsyncContextManager[Running]:
    manifests = folder / "manifests.json"
    manifests.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects())}))
    port = free_port()
    command = (sys.executable, "-m", "dnsserver", "serve", str(manifests), "--port", str(port))
    return process("dnsserver serve", command, port, folder, core)


def _knot(program: str, folder: Path, core: int | None) -> contextlib.AbstractAsyncContextManager[Running]:
    home = folder / "knot"
    home.mkdir(exist_ok=True)
    port = free_port()
    zones = "".join(f"  - domain: {zone}\n    file: {path}\n" for zone, path in zone_files(home).items())
    config = home / "knot.conf"
    config.write_text(
        f"server:\n    rundir: {home}\n    listen: 127.0.0.1@{port}\n"
        "    udp-workers: 1\n    tcp-workers: 1\n    background-workers: 1\n"
        f"    user: {_user()}\n"
        "log:\n  - target: stdout\n    any: warning\n"
        f"database:\n    storage: {home}\n"
        f"template:\n  - id: default\n    storage: {home}\n    zonefile-sync: -1\n"
        "    zonefile-load: whole\n    journal-content: none\n"
        f"zone:\n{zones}"
    )
    return process("knot", (program, "--config", str(config)), port, folder, core)


def _user() -> str:
    """Ours, so that nothing changes hands."""
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name


async def check(name: str, subject: Running, asks: Iterable[Ask]) -> None:
    """A server that answers wrongly is not worth measuring: RuntimeError."""
    client = await Client.connect(subject.port)
    for ask in asks:
        reply = await client.ask(ask.octets())
        if not ask.fits(reply):
            raise RuntimeError(f"{name} answers {ask} with {reply!r}")
    client.close()
