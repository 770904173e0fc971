"""A server with `prometheus`, and what it says of itself."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import dns.asyncquery
import dns.message
from prometheus_client.parser import text_string_to_metric_families

from tests.runtime.helpers import PATIENCE_S


@dataclass(frozen=True, slots=True)
class Scrape:
    """`samples` by name, then by their labels as `name="value",...`, those in alphabetical order."""

    content_type: str
    text: str

    def __iter__(self) -> Iterator[tuple[str, dict[str, str], float]]:
        for family in text_string_to_metric_families(self.text):
            for sample in family.samples:
                yield sample.name, sample.labels, sample.value

    def series(self, metric: str, **labels: str) -> dict[str, float]:
        """The samples of *metric* that have these labels, by their other labels; `view` is left out when empty."""
        found = {}
        for name, own, value in self:
            if name == metric and labels.items() <= own.items():
                rest = {
                    key: text
                    for key, text in own.items()
                    if key not in labels and (key, text) != ("view", "")
                }
                found[" ".join(f"{key}={text}" for key, text in sorted(rest.items()))] = value
        return found

    def value(self, metric: str, **labels: str) -> float:
        """The only sample of *metric* with these labels; 0 when there is none."""
        found = self.series(metric, **labels)
        assert len(found) <= 1, found
        return next(iter(found.values()), 0.0)


async def scrape(port: int, host: str = "127.0.0.1") -> Scrape:
    """One `GET /metrics`."""
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
    head, _, body = (await asyncio.wait_for(reader.read(), PATIENCE_S)).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    status, *headers = head.decode().split("\r\n")
    assert status.split()[1] == "200", status
    (content_type,) = (
        line.partition(": ")[2] for line in headers if line.lower().startswith("content-type:")
    )
    return Scrape(content_type, body.decode())


async def ask_with_do(port: int, name: str) -> None:
    """One question with the DO bit."""
    query = dns.message.make_query(name, "A", want_dnssec=True)
    await dns.asyncquery.udp(query, "127.0.0.1", timeout=PATIENCE_S, port=port)
