"""Thousands of Services that come while questions are asked."""

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dns.exception
import dns.message
import dns.query
import pytest

from dnsserver.testing.kube_api import service
from tests.control_plane.conftest import Cluster
from tests.control_plane.dns import Dns, serving
from tests.control_plane.plane import Plane
from tests.support.tools import must_run, tool

pytestmark = [
    pytest.mark.tool("dig", "curl", "helm", "openssl", "unshare", "mount"),
    pytest.mark.mount,
    pytest.mark.alone,
]
ZONE = "svc.cluster.local"
#: Services that are made while questions are asked.
MANY = 5_000
#: Names that one dig asks for.
BATCH = 1_000


class Load:
    """Questions for one name, one after another, from a thread, until it is stopped; `replies` counts what came."""

    def __init__(self, port: int, name: str) -> None:
        self.replies: Counter[str] = Counter()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask, args=(port, dns.message.make_query(name, "A")))

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _ask(self, port: int, query: dns.message.Message) -> None:
        while not self._ended.is_set():
            try:
                reply = dns.query.udp(query, "127.0.0.1", port=port, timeout=2)
            except dns.exception.Timeout:
                self.replies["none"] += 1
                continue
            self.replies[" ".join(record.to_text() for rrset in reply.answer for record in rrset)] += 1


def address(number: int) -> str:
    return f"10.96.{100 + number // 200}.{1 + number % 200}"


def create_many(plane: Plane, services: Iterable[dict[str, Any]]) -> None:
    """Over four connections."""
    shares: list[list[dict[str, Any]]] = [[], [], [], []]
    for number, obj in enumerate(services):
        shares[number % len(shares)].append(obj)
    with ThreadPoolExecutor(len(shares)) as pool:
        for done in [pool.submit(plane.create, *share) for share in shares]:
            done.result()


def asked(dns: Dns, names: Sequence[str], folder: Path) -> list[str]:
    """The addresses of *names*, in their order, by one dig."""
    batch = folder / "batch"
    batch.write_text("".join(f"{name} A\n" for name in names))
    return must_run(
        [tool("dig"), "@127.0.0.1", "-p", str(dns.port), "+short", "+time=2", "-f", batch]
    ).split()


def test_many_services_while_questions_are_asked(cluster: Cluster, tmp_path: Path) -> None:
    plane = cluster.plane
    plane.create(service("web", "10.96.7.1"))
    with serving(cluster.chart, cluster.account, cluster.state) as dns:
        with Load(dns.port, f"web.default.{ZONE}") as load:
            create_many(plane, (service(f"many-{number}", address(number)) for number in range(MANY)))
            dns.until([address(MANY - 1)], f"many-{MANY - 1}.default.{ZONE}", "A")
        assert set(load.replies) == {"10.96.7.1"}
        assert load.replies.total() > 500
        names = [f"many-{number}.default.{ZONE}" for number in range(MANY)]
        found = [
            one
            for start in range(0, MANY, BATCH)
            for one in asked(dns, names[start : start + BATCH], tmp_path)
        ]
        assert found == [address(number) for number in range(MANY)]
