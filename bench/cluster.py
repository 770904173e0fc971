"""The cluster that servers are asked about: its objects, its zone files, and what clients ask of it."""

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from dnsserver.testing.kube_api import namespace, service, slice_of

#: Services with a ClusterIP, and headless ones with ENDPOINTS endpoints each.
SERVICES, HEADLESS, ENDPOINTS = 10_000, 100, 5
#: Endpoints of the headless Service BIG, over slices of SLICE_SIZE as Kubernetes makes them.
BIG, BIG_ENDPOINTS, SLICE_SIZE = "big", 1_000, 100
#: Services with a ClusterIP that nobody asks for; their endpoints change in the scene `churn`.
UNASKED = 500
#: Names outside of the cluster that pods look up, and what their resolvers append first (`ndots:5`).
OUTSIDE = 500
SEARCH = ("default.svc.cluster.local", "svc.cluster.local", "cluster.local")
#: Queries in one file, which is asked over and over; and in one where every name comes equally often.
QUERIES, QUERIES_OF_ALL = 50_000, 100_000

ZONE, REVERSE = "cluster.local", "in-addr.arpa"
A, PTR, AAAA, SRV = 1, 12, 28, 33
NOERROR, NXDOMAIN = 0, 3
#: An OPT record that offers 1232 octets, as resolvers send it.
OPT = b"\0\0\x29\x04\xd0\0\0\0\0\0\0"


@dataclass(frozen=True, slots=True)
class Ask:
    """A query, and what a right answer to it has."""

    name: str
    rtype: int
    rcode: int = NOERROR
    answers: int = 1
    edns: bool = False

    def octets(self) -> bytes:
        labels = b"".join(bytes((len(label),)) + label.encode() for label in self.name.split("."))
        header = struct.pack(">6H", 0, 0x0100, 1, 0, 0, self.edns)
        return header + labels + struct.pack(">BHH", 0, self.rtype, 1) + (OPT if self.edns else b"")

    def fits(self, reply: bytes) -> bool:
        rcode, answers = reply[3] & 15, int.from_bytes(reply[6:8], "big")
        return (rcode, answers) == (self.rcode, self.answers)


def cluster_ip(number: int) -> str:
    return _address(96, number)


def endpoints(number: int, generation: int = 0) -> list[str]:
    """The addresses of the headless Service *number*; each generation has another last one."""
    first = number * ENDPOINTS
    kept = [_address(200, place) for place in range(first, first + ENDPOINTS - 1)]
    return [*kept, _address(210, first + generation * HEADLESS * ENDPOINTS)]


def _address(second: int, number: int) -> str:
    """The address after 10.*second*.1.0 by *number*."""
    number += 256
    return f"10.{second + (number >> 16)}.{number >> 8 & 255}.{number & 255}"


def big_endpoints() -> list[str]:
    return [_address(244, place) for place in range(BIG_ENDPOINTS)]


def objects(services: int = SERVICES) -> Iterator[dict[str, Any]]:
    yield namespace("default")
    for number in range(services):
        yield service(f"svc-{number}", cluster_ip(number))
    for number in range(HEADLESS):
        yield service(f"hl-{number}")
        yield slice_of(f"hl-{number}", endpoints(number))
    for number in range(UNASKED):
        yield service(f"other-{number}", cluster_ip(services + number))
        yield slice_of(f"other-{number}", [_address(220, number)])
    yield service(BIG)
    addresses = big_endpoints()
    for first in range(0, BIG_ENDPOINTS, SLICE_SIZE):
        yield slice_of(BIG, addresses[first : first + SLICE_SIZE], name=f"{BIG}-{first}")


def zone_files(folder: Path, services: int = SERVICES) -> dict[str, Path]:
    """The same names as zone files, by zone."""
    found = {}
    for zone, lines in ((ZONE, _forward(services)), (REVERSE, _backward(services))):
        found[zone] = folder / f"{zone}.zone"
        head = f"$ORIGIN {zone}.\n$TTL 5\n@ SOA ns.dns.{ZONE}. hostmaster.{ZONE}. 1 7200 1800 86400 5\n"
        found[zone].write_text(head + f"@ NS ns.dns.{ZONE}.\n" + "".join(f"{line}\n" for line in lines))
    return found


def _forward(services: int) -> Iterator[str]:
    yield "ns.dns A 127.0.0.1"
    plain = [(f"svc-{number}", cluster_ip(number)) for number in range(services)]
    plain += [(f"other-{number}", cluster_ip(services + number)) for number in range(UNASKED)]
    for name, address in plain:
        yield f"{name}.default.svc A {address}"
        yield f"_http._tcp.{name}.default.svc SRV 0 100 80 {name}.default.svc"
    several = {f"hl-{number}": endpoints(number) for number in range(HEADLESS)}
    for name, addresses in {**several, BIG: big_endpoints()}.items():
        owner = f"{name}.default.svc"
        for address in addresses:
            target = f"{address.replace('.', '-')}.{owner}"
            yield f"{owner} A {address}"
            yield f"{target} A {address}"
            yield f"_http._tcp.{owner} SRV 0 {max(1, 100 // len(addresses))} 8080 {target}"


def _backward(services: int) -> Iterator[str]:
    for number in range(services):
        yield f"{backwards(cluster_ip(number))} PTR {service_name(number)}."


def backwards(address: str) -> str:
    return ".".join(reversed(address.split(".")))


def service_name(number: int) -> str:
    return f"svc-{number}.default.svc.{ZONE}"


def _name(rng: Random) -> str:
    return service_name(rng.randrange(SERVICES))


def a_hit(rng: Random) -> Ask:
    return Ask(_name(rng), A)


def headless(rng: Random) -> Ask:
    return Ask(f"hl-{rng.randrange(HEADLESS)}.default.svc.{ZONE}", A, answers=ENDPOINTS)


def nodata(rng: Random) -> Ask:
    return Ask(_name(rng), AAAA, answers=0)


def search_miss(rng: Random) -> Ask:
    name = f"www.example{rng.randrange(OUTSIDE)}.com.{rng.choice(SEARCH)}"
    return Ask(name, rng.choice((A, AAAA)), NXDOMAIN, answers=0)


def srv(rng: Random) -> Ask:
    return Ask(f"_http._tcp.{_name(rng)}", SRV)


def ptr(rng: Random) -> Ask:
    return Ask(f"{backwards(cluster_ip(rng.randrange(SERVICES)))}.{REVERSE}", PTR)


@dataclass(frozen=True, slots=True)
class Mix:
    """Kinds of queries with their shares in percent; half of each kind has EDNS."""

    name: str
    kinds: Sequence[tuple[int, Callable[[Random], Ask]]]

    def asks(self, count: int) -> Iterator[Ask]:
        rng = Random(self.name)
        shares, makers = zip(*self.kinds, strict=True)
        for make in rng.choices(makers, shares, k=count):
            yield replace(make(rng), edns=rng.random() < 0.5)


HITS = Mix("A hits", ((100, a_hit),))
CLUSTER = Mix(
    "A hits 35 %, AAAA without data 20 %, misses of the search list 30 %, SRV 5 %, PTR 5 %, headless 5 %",
    ((35, a_hit), (20, nodata), (30, search_miss), (5, srv), (5, ptr), (5, headless)),
)
HITS_AND_HEADLESS = Mix("A hits, a tenth headless", ((90, a_hit), (10, headless)))


def hits_of_all(services: int) -> Iterator[Ask]:
    """The A record of every Service, all equally often, in random order; half of the queries have EDNS."""
    rng = Random(services)
    numbers = list(range(services)) * (QUERIES_OF_ALL // services)
    rng.shuffle(numbers)
    for number in numbers:
        yield Ask(service_name(number), A, edns=rng.random() < 0.5)


def write_queries(path: Path, asks: Iterable[Ask]) -> None:
    """As dnsperf reads them with -B: messages, each after its length."""
    messages = [ask.octets() for ask in asks]
    path.write_bytes(b"".join(struct.pack(">H", len(message)) + message for message in messages))
