"""The client's side: the tills of a shop, by SRV records, with a second try."""

import asyncio

import dns.asyncresolver
import dns.resolver


async def tills(shop: str, namespace: str, server: tuple[str, int]) -> list[tuple[str, int]]:
    """Host names and ports. Raises dns.exception.DNSException."""
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [server[0]], server[1]
    resolver.timeout, resolver.lifetime = 0.3, 5
    name = f"_till._tcp.{shop}.{namespace}.svc.cluster.local"
    async with asyncio.timeout(10):
        answer = await resolver.resolve(name, "SRV")
    return sorted((record.target.to_text(), record.port) for record in answer)
