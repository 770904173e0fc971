"""Certificates and clients of TLS for tests."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.kube_api.pki import Pki

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def client_context(pki: Pki, *protocols: str, certificate: bool = False) -> ssl.SSLContext:
    """Of a client that trusts the CA, offers *protocols*, and has a certificate of its own or none."""
    context = ssl.create_default_context(cafile=str(pki.ca.cert))
    if protocols:
        context.set_alpn_protocols(protocols)
    if certificate:
        context.load_cert_chain(pki.client.cert, pki.client.key)
    return context


@asynccontextmanager
async def tls_client(port: int, context: ssl.SSLContext) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.wait_for(
        asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost"), 10
    )
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)
