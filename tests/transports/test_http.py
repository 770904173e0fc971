"""HTTP/1.1 and HTTP/2 as conversations: octets in and out, whole, in pieces, and damaged."""

import random
from collections import Counter
from collections.abc import Callable

import h2.config
import h2.connection
import h2.errors
import h2.events
import h11
import pytest

from dnsserver.transports.conversation import Asked
from dnsserver.transports.http2 import IDLE_EVENTS_MAX, STREAMS_MAX
from dnsserver.transports.https import HttpConversation
from tests.transports.test_doh import QUESTION, TEXT

POST = (
    b"POST /dns-query HTTP/1.1\r\nHost: x\r\nContent-Type: application/dns-message\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(QUESTION), QUESTION)
)
GET = f"GET /dns-query?dns={TEXT} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
H2_GET = [
    (":method", "GET"),
    (":scheme", "https"),
    (":authority", "x"),
    (":path", f"/dns-query?dns={TEXT}"),
]
H2_POST = [
    (":method", "POST"),
    (":scheme", "https"),
    (":authority", "x"),
    (":path", "/dns-query"),
    ("content-type", "application/dns-message"),
]


class Counted:
    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()

    def __call__(self, status: int) -> None:
        self.statuses[status] += 1

    def conversation(self) -> HttpConversation:
        return HttpConversation(self)


def fed(talk: HttpConversation, octets: bytes, step: int) -> list[Asked]:
    """Everything that *octets* ask, given *step* octets at a time."""
    asked: list[Asked] = []
    for start in range(0, len(octets), step):
        if talk.ended:
            break
        asked += talk.feed(octets[start : start + step])
    return asked


def echoed(talk: HttpConversation, asked: list[Asked]) -> bytes:
    """What is sent when every question is its own answer, pipelined ones included."""
    sent = talk.output()
    waiting = list(asked)
    while waiting:
        message, place = waiting.pop(0)
        sent += talk.reply(place, message)
        if talk.more:
            waiting += talk.feed(b"")
            sent += talk.output()
    return sent


def responses(sent: bytes) -> list[tuple[int, bytes]]:
    """Status and body of HTTP/1.1 responses."""
    client = h11.Connection(h11.CLIENT)
    found: list[tuple[int, bytes]] = []
    client.receive_data(sent)
    while client.trailing_data[0]:
        client.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
        client.send(h11.EndOfMessage())
        status, body = 0, b""
        while not isinstance(event := client.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif not isinstance(event, h11.InformationalResponse):
                return [*found, (status, body)]
        found.append((status, body))
        if client.our_state is not h11.DONE or client.their_state is not h11.DONE:
            break
        client.start_next_cycle()
    return found


# HTTP/1.1.


@pytest.mark.parametrize("step", [1, 7, 10_000])
@pytest.mark.parametrize("request_", [GET, POST], ids=["GET", "POST"])
def test_http1(request_: bytes, step: int) -> None:
    counted = Counted()
    talk = counted.conversation()
    asked = fed(talk, request_, step)
    assert [message for message, _ in asked] == [QUESTION]
    assert responses(echoed(talk, asked)) == [(200, QUESTION)]
    assert (talk.buffered, talk.unsent, talk.more, talk.ended) == (0, 0, False, False)
    assert counted.statuses == {200: 1}


def test_http1_one_request_after_another() -> None:
    talk = Counted().conversation()
    for _ in range(3):
        assert responses(echoed(talk, talk.feed(GET))) == [(200, QUESTION)]


@pytest.mark.parametrize("step", [1, 50, 10_000])
def test_http1_pipelined(step: int) -> None:
    """The next is only looked at once the one before has its reply (RFC 9112 section 9.3.2)."""
    talk = Counted().conversation()
    octets = GET + POST + GET.replace(b"/dns-query?", b"/x?") + GET
    asked = fed(talk, octets, step)
    assert len(asked) == 1
    assert talk.more
    assert responses(echoed(talk, asked)) == [
        (200, QUESTION),
        (200, QUESTION),
        (404, b"404 Not Found\n"),
        (200, QUESTION),
    ]


def test_http1_waits_for_the_go_ahead() -> None:
    talk = Counted().conversation()
    head, _, _ = POST.partition(b"\r\n\r\n")
    assert talk.feed(head + b"\r\nExpect: 100-continue\r\n\r\n") == []
    assert talk.output().startswith(b"HTTP/1.1 100 ")
    assert len(talk.feed(QUESTION)) == 1


@pytest.mark.parametrize(
    ("octets", "status", "ends"),
    [
        (b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n", 404, False),
        (b"PUT /dns-query HTTP/1.1\r\nHost: x\r\n\r\n", 405, False),
        (b"POST /dns-query HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", 415, False),
        (POST.replace(b"Content-Length: 29", b"Content-Length: 70000") + bytes(70_000 - 29), 413, False),
        (POST.replace(b"Content-Length: 29", b"Content-Length: 9000000") + bytes(2_000_000), 413, True),
        (b"GET / HTTP/1.1\r\n\r\n", 400, True),
        (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400, True),
        (b"no HTTP at all\r\n\r\n", 400, True),
        (b"GET /dns-query?dns=" + b"A" * 20_000, 431, True),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 5_000, 431, True),
        (POST.replace(b"Content-Length: 29", b"Content-Length: -1"), 400, True),
        (POST.replace(b"Content-Length: 29", b"Transfer-Encoding: gzip"), 501, True),
    ],
)
def test_http1_refused(octets: bytes, status: int, ends: bool) -> None:
    counted = Counted()
    talk = counted.conversation()
    assert fed(talk, octets, 16_384) == []
    sent = talk.output()
    assert responses(sent)[0][0] == status
    assert counted.statuses == {status: 1}
    assert talk.ended is ends
    assert (b"connection: close" in sent.lower()) is ends
    assert talk.buffered < 20_000


def test_http1_goodbye_closes_after_the_next_reply() -> None:
    talk = Counted().conversation()
    asked = talk.feed(GET)
    assert talk.goodbye() == b""
    assert b"connection: close" in echoed(talk, asked)
    assert talk.ended


@pytest.mark.parametrize("path", ["/dns-query", "/x"])
def test_http1_head_has_no_body(path: str) -> None:
    """RFC 9110 section 9.3.2; a body would be read as the next response."""
    talk = Counted().conversation()
    assert talk.feed(f"HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()) == []
    head, _, body = talk.output().partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 404 ", b"HTTP/1.1 405 "))
    assert (body, talk.ended) == (b"", False)
    assert talk.feed(b"no HTTP at all\r\n\r\n") == []
    assert responses(talk.output()) == [(400, b"400 Bad Request\n")]


@pytest.mark.parametrize("behind", [GET, b"no HTTP at all\r\n\r\n"])
def test_http1_what_stands_behind_the_last_request_does_not_cost_its_reply(behind: bytes) -> None:
    talk = Counted().conversation()
    asked = talk.feed(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + behind)
    assert len(asked) == 1
    sent = echoed(talk, asked)
    assert responses(sent) == [(200, QUESTION)]
    assert b"connection: close" in sent.lower()
    assert talk.ended
    assert talk.buffered == 0


def test_no_answer_is_told() -> None:
    talk = Counted().conversation()
    talk.feed(GET)
    assert responses(talk.reply(0, None))[0][0] == 500


# HTTP/2.


class Client:
    """A client whose octets are carried to a conversation by hand."""

    def __init__(self) -> None:
        self.http = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding=None))
        self.http.initiate_connection()
        self.counted = Counted()
        self.talk = self.counted.conversation()
        self.statuses: dict[int, str] = {}
        self.bodies: Counter[int] = Counter()
        self.events: list[h2.events.Event] = []

    def ask(self, headers: list[tuple[str, str]], body: bytes = b"") -> int:
        stream = self.http.get_next_available_stream_id()
        self.http.send_headers(stream, headers, end_stream=not body)
        if body:
            self.http.send_data(stream, body, end_stream=True)
        return stream

    def carry(self, step: int = 16_384) -> list[Asked]:
        asked = fed(self.talk, self.http.data_to_send(), step)
        self.take(self.talk.output())
        return asked

    def take(self, sent: bytes) -> None:
        for event in self.http.receive_data(sent):
            self.events.append(event)
            if isinstance(event, h2.events.ResponseReceived):
                self.statuses[event.stream_id] = dict(event.headers)[b":status"].decode()
            elif isinstance(event, h2.events.DataReceived):
                self.bodies[event.stream_id] += len(event.data)

    def gone(self) -> h2.errors.ErrorCodes | int | None:
        found = [event for event in self.events if isinstance(event, h2.events.ConnectionTerminated)]
        return found[-1].error_code if found else None


@pytest.mark.parametrize("step", [1, 9, 16_384])
def test_http2_many_at_a_time(step: int) -> None:
    client = Client()
    streams = [client.ask(H2_GET) if number % 2 else client.ask(H2_POST, QUESTION) for number in range(20)]
    asked = client.carry(step)
    assert [message for message, _ in asked] == [QUESTION] * 20
    random.Random(1).shuffle(asked)
    for message, place in asked:
        client.take(client.talk.reply(place, message))
    assert client.statuses == dict.fromkeys(streams, "200")
    assert client.bodies == dict.fromkeys(streams, len(QUESTION))
    assert client.counted.statuses == {200: 20}
    assert (client.talk.buffered, client.talk.unsent) == (0, 0)


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ([(name, "/x" if name == ":path" else value) for name, value in H2_GET], b"", "404"),
        ([(name, "PUT" if name == ":method" else value) for name, value in H2_GET], b"", "405"),
        ([(name, "/dns-query" if name == ":path" else value) for name, value in H2_GET], b"", "400"),
        (H2_POST[:-1], QUESTION, "415"),
        (H2_POST, b"short", "400"),
        ([*H2_POST, ("content-length", "65536")], b"", "413"),
    ],
)
def test_http2_refused(headers: list[tuple[str, str]], body: bytes, status: str) -> None:
    client = Client()
    if status == "413":
        stream = client.http.get_next_available_stream_id()
        client.http.send_headers(stream, headers)
        client.carry()
        for _ in range(4):
            client.http.send_data(stream, bytes(16_384), end_stream=_ == 3)
            client.carry()
    else:
        stream = client.ask(headers, body)
        client.carry()
    assert client.statuses == {stream: status}
    assert not client.talk.ended
    assert client.talk.buffered == 0


def test_http2_waits_for_room() -> None:
    """A client that makes no room has only what its window lets through; then the rest (RFC 9113 section 5.2)."""
    client = Client()
    client.http.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 1_000})
    client.carry()
    client.http.receive_data(client.talk.output())
    stream = client.ask(H2_GET)
    ((_, place),) = client.carry()
    client.take(client.talk.reply(place, QUESTION + bytes(5_000)))
    assert client.bodies[stream] == 1_000
    assert client.talk.unsent == len(QUESTION) + 4_000
    client.http.increment_flow_control_window(10_000, stream)
    client.carry()
    assert client.bodies[stream] == len(QUESTION) + 5_000
    assert client.talk.unsent == 0


def test_http2_a_request_taken_back_gets_no_reply() -> None:
    client = Client()
    stream = client.ask(H2_GET)
    ((message, place),) = client.carry()
    client.http.reset_stream(stream)
    client.carry()
    assert client.talk.reply(place, message) == b""
    other = client.ask(H2_GET)
    ((message, place),) = client.carry()
    client.take(client.talk.reply(place, message))
    assert client.statuses == {other: "200"}


def test_http2_goodbye_lets_answers_finish() -> None:
    client = Client()
    stream = client.ask(H2_GET)
    ((message, place),) = client.carry()
    goodbye = client.talk.goodbye()
    reply = client.talk.reply(place, message)
    client.take(reply)
    client.take(goodbye)
    assert client.statuses == {stream: "200"}
    assert client.gone() == h2.errors.ErrorCodes.NO_ERROR


def flood_reset(client: Client) -> None:
    client.http.reset_stream(client.ask(H2_GET))


def flood_ping(client: Client) -> None:
    client.http.ping(bytes(8))


def flood_settings(client: Client) -> None:
    client.http.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 1_000})
    client.take(client.talk.output())


def flood_priority(client: Client) -> None:
    client.http.prioritize(1, weight=17)


def flood_not_found(client: Client) -> None:
    client.ask([(name, "/x" if name == ":path" else value) for name, value in H2_GET])


@pytest.mark.parametrize("flood", [flood_reset, flood_ping, flood_settings, flood_priority, flood_not_found])
def test_http2_floods_end(flood: Callable[[Client], None]) -> None:
    """Much ado without questions that are let be answered."""
    client = Client()
    client.ask(H2_GET)
    asked = client.carry()
    for _ in range(IDLE_EVENTS_MAX + 50):
        flood(client)
        asked += client.carry()
        if client.talk.ended:
            break
    assert client.talk.ended
    assert client.talk.malformed
    assert client.gone() == h2.errors.ErrorCodes.ENHANCE_YOUR_CALM
    assert len(asked) <= STREAMS_MAX
    assert client.talk.buffered == 0


def test_http2_a_request_taken_back_gives_nothing_back() -> None:
    """Nor when the server answers it all the same (CVE-2023-44487)."""
    client = Client()
    for _ in range(IDLE_EVENTS_MAX):
        client.http.reset_stream(client.ask(H2_GET))
        for message, place in client.carry():
            client.take(client.talk.reply(place, message))
        if client.talk.ended:
            break
    assert client.talk.ended
    assert client.gone() == h2.errors.ErrorCodes.ENHANCE_YOUR_CALM


def test_http2_a_busy_client_is_no_flood() -> None:
    client = Client()
    for _ in range(IDLE_EVENTS_MAX):
        client.ask(H2_GET)
        client.http.ping(bytes(8))
        for message, place in client.carry():
            client.take(client.talk.reply(place, message))
        client.http.increment_flow_control_window(100)
    assert not client.talk.ended
    assert client.counted.statuses == {200: IDLE_EVENTS_MAX}


def test_http2_too_many_streams() -> None:
    client = Client()
    client.carry()
    client.http.remote_settings.max_concurrent_streams = 10_000
    client.http.remote_settings.acknowledge()
    for _ in range(STREAMS_MAX + 1):
        client.ask(H2_GET)
    client.carry()
    assert client.talk.ended


def test_http2_bodies_are_bounded_by_the_window() -> None:
    """However many streams: what is not asked in full is not acknowledged."""
    client = Client()
    streams = []
    for _ in range(STREAMS_MAX - 1):
        stream = client.http.get_next_available_stream_id()
        client.http.send_headers(stream, H2_POST)
        streams.append(stream)
        client.carry()
    for stream in streams * 100:
        room = min(1_000, client.http.local_flow_control_window(stream))
        if room:
            client.http.send_data(stream, bytes(room))
            client.carry()
    assert 60_000 < client.talk.buffered < 70_000


def test_http2_header_bomb() -> None:
    """One indexed header, thousands of times: some octets become megabytes."""
    client = Client()
    client.carry()
    stream = client.http.get_next_available_stream_id()
    big = ("x", "y" * 3_000)
    client.http.send_headers(stream, [*H2_GET, *[big] * 5], end_stream=True)
    client.http.send_headers(stream + 2, [*H2_GET, *[big] * 500], end_stream=True)
    client.carry()
    assert client.talk.ended


# Octets that are none of both.


def seeds() -> list[bytes]:
    client = Client()
    for number in range(5):
        client.ask(H2_POST, QUESTION) if number % 2 else client.ask(H2_GET)
    client.http.ping(bytes(8))
    return [client.http.data_to_send(), GET + POST, POST + GET]


def test_any_octets_leave_a_conversation_that_can_go_on_or_has_ended() -> None:
    rng = random.Random(2)
    good = seeds()
    for _ in range(3_000):
        octets = bytearray(rng.choice(good))
        for _ in range(rng.randrange(1, 6)):
            match rng.randrange(3):
                case 0:
                    octets[rng.randrange(len(octets))] = rng.randrange(256)
                case 1:
                    del octets[(at := rng.randrange(len(octets) - 1)) : at + rng.randrange(1, 5)]
                case 2:
                    octets[(at := rng.randrange(len(octets))) : at] = rng.randbytes(rng.randrange(1, 5))
        talk = Counted().conversation()
        asked = fed(talk, bytes(octets), rng.choice((3, 40, 16_384)))
        echoed(talk, asked)
        assert talk.buffered <= len(octets) + 10
        talk.goodbye()
        talk.output()
