"""The API server as a process: `python -m dnsserver.testing.kube_api --port N --admin-token TEXT --state FILE`.

It ends by SIGTERM, and then leaves its objects and tokens in FILE, from which the next one goes on.
"""

import argparse
import asyncio
import json
import signal
from pathlib import Path

from dnsserver.sources.manifests.settings import INITIAL_NAMESPACES
from dnsserver.testing.kube_api.access import Access
from dnsserver.testing.kube_api.server import KubeApi, ServerTls
from dnsserver.testing.kube_api.store import Store


async def serve(api: KubeApi) -> None:
    """Until SIGTERM."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with api:
        await ended.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="kube_api", description="An API server for tests.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--admin-token", required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--cert", type=Path)
    parser.add_argument("--key", type=Path)
    options = parser.parse_args()
    tls = ServerTls(options.cert, options.key) if options.cert and options.key else None
    store = Store()
    access = Access(store, options.admin_token)
    if options.state.exists():
        saved = json.loads(options.state.read_text())
        store.restore(saved["store"])
        access.restore(saved["tokens"])
    api = KubeApi(tls=tls, store=store, access=access)
    if not options.state.exists():
        for name in INITIAL_NAMESPACES:
            api.namespace(name)
    api.port = options.port
    asyncio.run(serve(api))
    written = options.state.with_suffix(".new")
    written.write_text(json.dumps({"store": store.saved(), "tokens": access.saved()}))
    written.replace(options.state)


main()
