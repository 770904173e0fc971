"""The scene `headless`: a Service with 1,000 endpoints, as a client gets it."""

from dataclasses import dataclass

from bench.client import Client, ask_tcp
from bench.cluster import BIG, BIG_ENDPOINTS, SRV, ZONE, A, Ask, write_queries
from bench.effort import Bench
from bench.load import Measured, median, told_others
from bench.queries import Subjects, by_turns, keep, on_one_core
from bench.results import Section
from bench.subject import Running
from bench.tools import Load

OWNER = f"{BIG}.default.svc.{ZONE}"
HEAD = (
    *(
        "server",
        "question",
        "CPU µs/query",
        "to knot",
        "to coredns",
        "queries/s",
        "average latency µs",
        "lost",
    ),
    *("reply octets", "answers", "complete"),
)
#: The scene that the figures of one lookup are kept under: the truncated reply, and the reply over TCP.
LOOKUP = "headless-lookup"


@dataclass(frozen=True, slots=True)
class Way:
    """One question, and the way that it goes."""

    scene: str
    title: str
    ask: Ask
    tcp: bool


WAYS = (
    Way("headless-a-udp", "A, UDP", Ask(OWNER, A, answers=BIG_ENDPOINTS, edns=True), tcp=False),
    Way("headless-a-tcp", "A, TCP", Ask(OWNER, A, answers=BIG_ENDPOINTS, edns=True), tcp=True),
    Way("headless-srv-udp", "SRV, UDP", Ask(f"_http._tcp.{OWNER}", SRV, edns=True), tcp=False),
    Way("headless-srv-tcp", "SRV, TCP", Ask(f"_http._tcp.{OWNER}", SRV, edns=True), tcp=True),
)


async def headless(bench: Bench, subjects: Subjects) -> None:
    subjects = on_one_core(subjects)
    rows, notes = [], []
    for way in WAYS:
        replies = {name: await _reply(name, subject, way) for name, subject in subjects.items()}
        file = bench.folder / "queries"
        write_queries(file, [way.ask])
        load = Load(file, bench.effort.most_s, new_connections=way.tcp)
        runs = await by_turns(bench, subjects, load, bench.effort.few)
        keep(bench.results, way.scene, runs)
        rows += [_row(bench, way, name, measured, replies[name]) for name, measured in runs.items()]
        notes.append(f"{way.title}: {told_others(runs.values())}")
    for name in subjects:
        costs = [bench.results.figures[way.scene, name, "cpu_us"] for way in WAYS if way.ask.rtype == A]
        bench.results.figures[LOOKUP, name, "cpu_us"] = sum(costs)
    rows += [_lookup(bench, name) for name in subjects]
    title = (
        f"`headless`: a Service with {BIG_ENDPOINTS:,} endpoints, with EDNS (1232 octets): the truncated reply over "
        f"UDP, and the reply over a new TCP connection for each question. Medians of {bench.effort.few} runs of "
        f"{bench.effort.most_s:g} s:"
    )
    bench.results.add(Section(title, HEAD, rows, notes))


async def _reply(name: str, subject: Running, way: Way) -> bytes:
    """One reply; RuntimeError when it is not what a client needs."""
    if way.tcp:
        reply = await ask_tcp(subject.port, way.ask.octets())
    else:
        client = await Client.connect(subject.port)
        reply = await client.ask(way.ask.octets())
        client.close()
    right = bool(reply) and (way.ask.fits(reply) or way.ask.rtype != A if way.tcp else _truncated(reply))
    if not right:
        raise RuntimeError(f"{name} answers {way.ask} ({way.title}) with {reply[:12]!r}, {len(reply)} octets")
    return reply


def _truncated(reply: bytes) -> bool:
    return bool(reply[2] & 2)


def _row(bench: Bench, way: Way, name: str, measured: list[Measured], reply: bytes) -> list[str]:
    return [
        *(name, way.title, f"{median(measured, 'cpu_us'):,.1f}", *bench.results.to_peers(way.scene, name)),
        *(f"{median(measured, 'rate'):,.0f}", f"{median(measured, 'average_us'):,.0f}"),
        str(sum(run.lost for run in measured)),
        *(
            f"{len(reply):,}",
            str(int.from_bytes(reply[6:8], "big")),
            "no (TC)" if _truncated(reply) else "yes",
        ),
    ]


def _lookup(bench: Bench, name: str) -> list[str]:
    cost = bench.results.figures[LOOKUP, name, "cpu_us"]
    return [name, "A, UDP and then TCP", f"{cost:,.1f}", *bench.results.to_peers(LOOKUP, name), *["–"] * 6]
