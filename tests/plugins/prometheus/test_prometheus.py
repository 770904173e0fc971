"""prometheus: exact counts after known queries over real sockets."""

import asyncio
import socket
from dataclasses import fields
from pathlib import Path

import pytest

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.config import ServerBlock, ServerKey
from dnsserver.observability.counters import DROPPED, QueryCounters
from dnsserver.plugins.plugin import Handler, Plugin, chain
from dnsserver.plugins.prometheus.transports import METRICS
from dnsserver.plugins.whoami.handler import Whoami
from dnsserver.runtime.dispatch import Dispatcher
from dnsserver.runtime.sites import BuiltListener, BuiltSite
from dnsserver.transports.limits import TransportCounters
from dnsserver.wire.arrival import Arrival
from tests.plugins.helpers import query
from tests.plugins.prometheus.scraping import ask_with_do, scrape
from tests.runtime.helpers import ask, eventually, rcode, server_of
from tests.support.process import free_port

SERVICE = "kind: Service\napiVersion: v1\nmetadata: {{name: {0}}}\nspec: {{clusterIP: {1}, ports: [{{port: 80}}]}}\n"


def put(path: Path, text: str) -> None:
    """Write all of the file at once, so that it is read once."""
    other = path.with_suffix(".new")
    other.write_text(text)
    other.replace(path)


async def test_queries_are_counted_exactly() -> None:
    port, http = free_port(), free_port()
    text = (
        f"example.test:{port} other.test:{port} {{\nbind 127.0.0.1\nprometheus 127.0.0.1:{http}\nwhoami\n}}\n"
    )
    server = f"dns://127.0.0.1:{port}"
    async with server_of(text):
        for _ in range(3):
            await ask(port, "a.example.test")
        await ask(port, "a.example.test", "AAAA", tcp=True)
        await ask(port, "A.Other.Test", "SSHFP", edns=True)
        await ask_with_do(port, "a.example.test")
        assert rcode(await ask(port, "elsewhere.test", tcp=True)) == "REFUSED"
        assert rcode(await ask(port, "a.other.test", "TXT", rclass="CH")) == "REFUSED"
        found = await scrape(http)
    assert found.series("coredns_dns_requests_total", server=server, family="1") == {
        "proto=udp type=A zone=example.test.": 4,
        "proto=tcp type=AAAA zone=example.test.": 1,
        "proto=udp type=other zone=other.test.": 1,
        "proto=tcp type=A zone=dropped": 1,
        "proto=udp type=TXT zone=dropped": 1,
    }
    assert found.series("coredns_dns_responses_total", server=server) == {
        "plugin=whoami rcode=NOERROR zone=example.test.": 5,
        "plugin=whoami rcode=NOERROR zone=other.test.": 1,
        "plugin= rcode=REFUSED zone=dropped": 2,
    }
    assert found.series("coredns_dns_request_duration_seconds_count", server=server) == {
        "zone=example.test.": 5,
        "zone=other.test.": 1,
        "zone=dropped": 2,
    }
    assert 0 < found.value("coredns_dns_request_duration_seconds_sum", zone="example.test.") < 1
    assert found.series("coredns_dns_do_requests_total", server=server) == {"zone=example.test.": 1}
    assert found.value("coredns_panics_total") == 0


async def test_sizes_are_those_of_the_messages() -> None:
    port, http = free_port(), free_port()
    text = f".:{port} {{\nbind 127.0.0.1\nprometheus 127.0.0.1:{http}\nwhoami\n}}\n"
    async with server_of(text):
        small = len((await ask(port, "a.test")).to_wire())
        large = len((await ask(port, f"{'long-label.' * 12}test")).to_wire())
        assert small <= 100 < large <= 511
        found = await scrape(http)
    assert found.value("coredns_dns_request_size_bytes_sum", proto="udp") == (12 + 8 + 4) + (12 + 138 + 4)
    assert found.value("coredns_dns_request_size_bytes_bucket", proto="udp", le="0") == 0
    assert found.value("coredns_dns_request_size_bytes_bucket", proto="udp", le="100") == 1
    assert found.value("coredns_dns_request_size_bytes_bucket", proto="udp", le="200") == 2
    assert found.value("coredns_dns_response_size_bytes_bucket", proto="udp", le="100") == 1
    assert found.value("coredns_dns_response_size_bytes_bucket", proto="udp", le="511") == 2
    assert found.value("coredns_dns_response_size_bytes_count", proto="udp") == 2


async def test_ipv6_and_every_address() -> None:
    port, http = free_port(), free_port()
    async with server_of(f".:{port} {{\nprometheus :{http}\nwhoami\n}}\n"):
        await ask(port, "a.test", host="::1")
        await ask(port, "a.test", host="127.0.0.1", tcp=True)
        found = await scrape(http, "::1")
    assert found.series("coredns_dns_requests_total", server=f"dns://:{port}", zone=".", type="A") == {
        "family=2 proto=udp": 1,
        "family=1 proto=tcp": 1,
    }


async def test_ipv6_address_in_the_label() -> None:
    port, http = free_port(), free_port()
    async with server_of(f".:{port} {{\nbind ::1\nprometheus 127.0.0.1:{http}\nwhoami\n}}\n"):
        await ask(port, "a.test", host="::1")
        found = await scrape(http)
    assert found.value("coredns_dns_requests_total", server=f"dns://[::1]:{port}", family="2") == 1


async def test_messages_that_are_no_queries() -> None:
    """What is answered with an error is `dropped`; what gets no answer has no response."""
    port, http = free_port(), free_port()
    async with server_of(f".:{port} {{\nbind 127.0.0.1\nprometheus 127.0.0.1:{http}\nwhoami\n}}\n") as server:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect(("127.0.0.1", port))
            sock.send(b"\x12\x34\x10\x00" + bytes(8))  # opcode STATUS
            sock.send(b"\x12\x34\x00\x00" + bytes(8))  # no question
            sock.send(b"\x12\x34\x80\x00" + bytes(8))  # a reply
            await eventually(lambda: asyncio.sleep(0, server.counters.udp_received), 3)
            await ask(port, "a.test")
        found = await scrape(http)
    assert found.series("coredns_dns_requests_total", zone=DROPPED) == {
        f"family=1 proto=udp server=dns://127.0.0.1:{port} type=other": 3
    }
    responses = found.series("coredns_dns_responses_total", zone=DROPPED, server=f"dns://127.0.0.1:{port}")
    assert responses == {"plugin= rcode=NOTIMP": 1, "plugin= rcode=FORMERR": 1}
    assert found.value("coredns_dns_response_size_bytes_count", zone=DROPPED) == 2


async def test_only_blocks_with_prometheus_are_counted() -> None:
    port, http = free_port(), free_port()
    text = (
        f"counted.test:{port} {{\nbind 127.0.0.1\nprometheus 127.0.0.1:{http}\nerrors\nwhoami\n}}\n"
        f"other.test:{port} {{\nbind 127.0.0.1\nwhoami\n}}\n"
    )
    async with server_of(text):
        for name in ("counted.test", "other.test", "a.counted.test", "third.test"):
            await ask(port, name)
        found = await scrape(http)
    assert found.series("coredns_dns_request_duration_seconds_count", server=f"dns://127.0.0.1:{port}") == {
        "zone=counted.test.": 2,
        "zone=dropped": 1,
    }
    assert found.series("coredns_plugin_enabled", server=f"dns://127.0.0.1:{port}") == {
        f"name={name} zone=counted.test.": 1 for name in ("prometheus", "errors", "whoami")
    }


async def test_panics(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: Whoami, __: Query) -> Reply:
        raise ValueError

    monkeypatch.setattr(Whoami, "__call__", broken)
    ports, http = (free_port(), free_port()), free_port()
    block = f"bind 127.0.0.1\nprometheus 127.0.0.1:{http}\nwhoami"
    async with server_of("".join(f".:{port} {{\n{block}\n}}\n" for port in ports)):
        for port in (*ports, *ports):
            assert rcode(await ask(port, "a.test")) == "SERVFAIL"
        found = await scrape(http)
    assert found.value("coredns_panics_total") == 4
    responses = found.series("coredns_dns_responses_total", zone=DROPPED, rcode="SERVFAIL", plugin="")
    assert responses == {f"server=dns://127.0.0.1:{port}": 2 for port in ports}


async def test_blocks_share_a_listener_and_its_numbers() -> None:
    first, second, http, other = (free_port() for _ in range(4))
    text = (
        f".:{first} {{\nbind 127.0.0.1\nprometheus 127.0.0.1:{http}\nwhoami\n}}\n"
        f".:{second} {{\nbind 127.0.0.1\nprometheus 127.0.0.1:{http} {{\nruntime_metrics\n}}\nwhoami\n}}\n"
        f"third.test:{second} {{\nbind 127.0.0.1\nprometheus 127.0.0.1:{other} {{\nruntime_metrics\n}}\nwhoami\n}}\n"
    )
    async with server_of(text):
        await ask(first, "a.test")
        await ask(second, "a.test")
        await ask(second, "third.test")
        scrapes = [await scrape(http), await scrape(other)]
    for found in scrapes:
        assert found.series("coredns_dns_requests_total", type="A", proto="udp", family="1") == {
            f"server=dns://127.0.0.1:{first} zone=.": 1,
            f"server=dns://127.0.0.1:{second} zone=.": 1,
            f"server=dns://127.0.0.1:{second} zone=third.test.": 1,
        }
        assert found.value("go_goroutines") > 3
        assert len(found.series("python_gc_collections_total")) == 3
        assert found.content_type == "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"


async def test_servers_in_one_process_count_for_themselves() -> None:
    ports = [(free_port(), free_port()) for _ in range(2)]
    texts = [f".:{dns} {{\nbind 127.0.0.1\nprometheus 127.0.0.1:{http}\nwhoami\n}}\n" for dns, http in ports]
    async with server_of(texts[0]), server_of(texts[1]):
        await ask(ports[0][0], "a.test")
        counts = [(await scrape(http)).value("coredns_dns_requests_total") for _, http in ports]
    assert counts == [1, 0]


async def test_build_info_and_no_interpreter_unless_asked_for() -> None:
    port, http = free_port(), free_port()
    async with server_of(f".:{port} {{\nbind 127.0.0.1\nprometheus 127.0.0.1:{http}\nwhoami\n}}\n"):
        found = await scrape(http)
    assert list(found.series("coredns_build_info").values()) == [1]
    assert not [name for name, _, _ in found if name.startswith(("go_", "python_"))]


async def test_cluster_and_manifests(tmp_path: Path) -> None:
    port, http = free_port(), free_port()
    path = tmp_path / "a.yaml"
    path.write_text(SERVICE.format("a", "10.9.0.1"))
    block = "kubernetes cluster.test in-addr.arpa {\nmanifests a.yaml\n}"
    text = f".:{port} {{\nbind 127.0.0.1\nprometheus 127.0.0.1:{http}\n{block}\n}}\n"
    zone = "cluster.test."

    async def reloads() -> tuple[float, float]:
        found = await scrape(http)
        return (
            found.value("dnsserver_manifest_reloads_total", zone=zone),
            found.value("dnsserver_manifest_errors_total", zone=zone),
        )

    async with server_of(text, tmp_path):
        found = await scrape(http)
        assert found.value("dnsserver_kubernetes_synced", zone=zone) == 1
        stale = found.series("dnsserver_kubernetes_feed_stale", zone=zone)
        assert stale == {"feed=services": 0, "feed=namespaces": 0, "feed=endpointslices": 0}
        assert found.value("dnsserver_kubernetes_objects", zone=zone, feed="services") == 1
        assert await reloads() == (0, 0)
        put(path, SERVICE.format("b", "10.9.0.2"))
        await eventually(reloads, (1, 0))
        put(path, "kind: [")
        await eventually(reloads, (1, 1))
        await ask(port, "b.default.svc.cluster.test")
        found = await scrape(http)
    assert found.value("coredns_dns_responses_total", plugin="kubernetes", rcode="NOERROR", zone=".") == 1


async def test_transports() -> None:
    port, http = free_port(), free_port()
    async with server_of(f".:{port} {{\nbind 127.0.0.1\nprometheus 127.0.0.1:{http}\nwhoami\n}}\n"):
        await ask(port, "a.test")
        await ask(port, "a.test")
        await ask(port, "a.test", tcp=True)
        found = await scrape(http)
    assert found.series("dnsserver_transport_received_total") == {"proto=udp": 2, "proto=tcp": 1}
    assert found.series("dnsserver_transport_sent_total") == {"proto=udp": 2, "proto=tcp": 1}
    assert found.value("dnsserver_transport_tcp_connections_total") == 1


def test_every_counter_of_the_transports_is_shown_once() -> None:
    shown = [name for metric in METRICS for name in metric.fields]
    counters = {field.name for field in fields(TransportCounters)} - {
        "https_responses"
    }  # by label and status
    assert sorted(shown) == sorted(counters)


# What no known plugin does, or not in time.


def counting(handler: Handler) -> tuple[Dispatcher, QueryCounters]:
    """A block whose queries are counted, and *handler* answers."""
    plugins = (Plugin(name="prometheus", counted=True), Plugin(name="handled", wrap=lambda _: handler))
    block = ServerBlock((ServerKey("dns", ".", 53, "."),), (), "Corefile", 1)
    listener = BuiltListener("", 53, {b"\0": BuiltSite(block, plugins, chain(plugins), ())})
    counters = QueryCounters()
    return Dispatcher(listener.sites, listener.meter(counters)), counters


def arrival() -> Arrival:
    return query().arrival


async def test_an_exception_is_a_dropped_query() -> None:
    async def broken(_: Query) -> Reply:
        raise ValueError

    dispatcher, counters = counting(broken)
    assert await dispatcher.respond(query(rtype="AAAA").octets, arrival()) is not None
    assert dispatcher.panics == 1
    assert counters.zone("dns://:53", DROPPED).exchanges == {("udp", False, 28, 2, "", False): 1}
    assert counters.zone("dns://:53", ".").exchanges == {}


@pytest.mark.parametrize("late", [False, True])
async def test_no_reply_is_no_response(late: bool) -> None:
    async def silent(_: Query) -> None:
        await asyncio.sleep(60 if late else 0)

    dispatcher, counters = counting(silent)
    asked = asyncio.create_task(dispatcher.respond(query().octets, arrival()))
    await asyncio.wait((asked,), timeout=0.05)
    asked.cancel()
    await asyncio.wait((asked,))
    zone = counters.zone("dns://:53", ".")
    assert zone.exchanges == {("udp", False, 1, -1, "", False): 1}
    assert sum(zone.seconds.counts) == sum(zone.asked["udp"].counts) == 1
    assert sum(zone.sent["udp"].counts) == 0


async def test_types_cannot_make_ever_more_series() -> None:
    async def answer(_: Query) -> Reply:
        return Reply()

    dispatcher, counters = counting(answer)
    for number in range(1000, 1100):
        await dispatcher.respond(query(rtype=f"TYPE{number}").octets, arrival())
    assert counters.zone("dns://:53", ".").exchanges == {("udp", False, 0, 0, "", False): 100}
