"""DNS questions in HTTP/2, many at a time (RFC 9113) [h2]."""

import contextlib
from collections.abc import Callable

import h2.events
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from hyperframe.frame import GoAwayFrame

from dnsserver.transports.conversation import Asked, Octets
from dnsserver.transports.doh import HEAD_MAX, HttpReply, HttpRequest, answer, refusal

#: Requests that a client may have open at a time (RFC 9113 section 6.5.2: no less than 100).
STREAMS_MAX = 100
#: What a client may do beside asking, such as PING, SETTINGS or taking a request back; a question that it lets be
#: answered gives some of it back. Honest ones need a few per question. (CVE-2019-9512 to 9518, CVE-2023-44487.)
IDLE_EVENTS_MAX, EVENTS_PER_QUESTION = 1_000, 20

_SETTINGS = {
    SettingCodes.MAX_CONCURRENT_STREAMS: STREAMS_MAX,
    SettingCodes.MAX_HEADER_LIST_SIZE: HEAD_MAX,
    SettingCodes.ENABLE_CONNECT_PROTOCOL: 0,
}


class Http2:
    """A `Conversation`; *count* is told the status of every reply.

    What a client sends in bodies is only acknowledged with the question in it, so that all bodies of a connection
    together are no more than its flow-control window of 64 KiB.
    """

    more = False

    def __init__(self, count: Callable[[int], None]) -> None:
        self._count = count
        self._http = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        self._http.local_settings = Settings(client=False, initial_values=_SETTINGS)
        self._http.initiate_connection()
        self._requests: dict[int, HttpRequest] = {}
        self._unacknowledged: dict[int, int] = {}
        self._waiting: dict[int, memoryview] = {}
        self._idle_events = 0
        self.unsent = 0
        self.ended = False
        self.malformed = False

    @property
    def buffered(self) -> int:
        return sum(1 + len(request.body) for request in self._requests.values())

    def feed(self, data: Octets) -> list[Asked]:
        asked: list[Asked] = []
        try:
            for event in self._http.receive_data(bytes(data)):
                self._on(event, asked)
        except ProtocolError:  # h2 has its GOAWAY ready
            self._end()
        if self._idle_events > IDLE_EVENTS_MAX and not self.ended:
            self._http.close_connection(ErrorCodes.ENHANCE_YOUR_CALM)
            self._end()
        return asked

    def output(self) -> bytes:
        return self._http.data_to_send()

    def reply(self, place: int, message: bytes | None) -> bytes:
        if self._send(place, answer(message)):
            self._idle_events = max(0, self._idle_events - EVENTS_PER_QUESTION)
        return self._http.data_to_send()

    def goodbye(self) -> bytes:
        """GOAWAY, while what has been asked is still answered (RFC 9113 section 6.8)."""
        if self.ended:
            return b""
        frame = GoAwayFrame(0)
        frame.last_stream_id = self._http.highest_inbound_stream_id
        return frame.serialize()

    def _end(self) -> None:
        self.ended = self.malformed = True
        self._requests.clear()
        self._waiting.clear()
        self.unsent = 0

    def _on(self, event: h2.events.Event, asked: list[Asked]) -> None:
        match event:
            case h2.events.RequestReceived():
                self._begin(event)
            case h2.events.DataReceived():
                self._idle_events += not event.data
                self._add(event)
            case h2.events.StreamEnded():
                self._complete(event.stream_id, asked)
            case h2.events.StreamReset():
                self._idle_events += EVENTS_PER_QUESTION
                self._forget(event.stream_id)
            case h2.events.WindowUpdated() | h2.events.RemoteSettingsChanged():
                self._idle_events += 1
                for stream in list(self._waiting):
                    self._send_waiting(stream)
            case h2.events.ConnectionTerminated():
                self.ended = True
            case _:
                self._idle_events += 1

    def _begin(self, event: h2.events.RequestReceived) -> None:
        found = dict(event.headers)
        method, target = found.get(b":method", b""), found.get(b":path", b"")
        self._requests[event.stream_id] = HttpRequest.of(
            method.decode("latin-1"), target.decode("latin-1"), found.items()
        )

    def _add(self, event: h2.events.DataReceived) -> None:
        request = self._requests.get(event.stream_id)
        size = event.flow_controlled_length
        if request is not None:
            request.add(event.data)
            if request.endless:
                self._refuse(event.stream_id, request.refused)
            elif not request.refused:
                self._unacknowledged[event.stream_id] = self._unacknowledged.get(event.stream_id, 0) + size
                return
        self._acknowledge(event.stream_id, size)

    def _complete(self, stream: int, asked: list[Asked]) -> None:
        request = self._requests.pop(stream, None)
        self._acknowledge(stream, self._unacknowledged.pop(stream, 0))
        if request is None:
            return
        found = request.question()
        if isinstance(found, int):
            self._idle_events += 1
            self._send(stream, refusal(found))
        else:
            asked.append((found, stream))

    def _refuse(self, stream: int, status: int) -> None:
        """Before the request has come to its end: the rest is not wanted (RFC 9113 section 8.1)."""
        self._requests.pop(stream, None)
        self._acknowledge(stream, self._unacknowledged.pop(stream, 0))
        self._send(stream, refusal(status))
        self._reset(stream)

    def _forget(self, stream: int) -> None:
        self._requests.pop(stream, None)
        self._acknowledge(stream, self._unacknowledged.pop(stream, 0))
        self.unsent -= len(self._waiting.pop(stream, b""))

    def _send(self, stream: int, reply: HttpReply) -> bool:
        """Head and body; neither, and False, where the client has gone or taken its request back."""
        try:
            self._http.send_headers(stream, [(":status", str(reply.status)), *reply.headers])
        except ProtocolError:
            return False
        self._count(reply.status)
        self._waiting[stream] = memoryview(reply.body)
        self.unsent += len(reply.body)
        self._send_waiting(stream)
        return True

    def _send_waiting(self, stream: int) -> None:
        """As much of a body as the client has made room for (RFC 9113 section 5.2)."""
        try:
            while body := self._waiting[stream]:
                window = self._http.local_flow_control_window(stream)
                part = body[: max(0, min(window, self._http.max_outbound_frame_size))]
                if not part:
                    return
                self._waiting[stream] = rest = body[len(part) :]
                self.unsent -= len(part)
                self._http.send_data(stream, part.tobytes(), end_stream=not rest)
            del self._waiting[stream]
        except ProtocolError:
            self._forget(stream)

    def _acknowledge(self, stream: int, size: int) -> None:
        """Room for as many octets more, on the stream and on the connection."""
        self._http.acknowledge_received_data(size, stream)

    def _reset(self, stream: int) -> None:
        if stream not in self._waiting:
            with contextlib.suppress(ProtocolError):  # the client was quicker
                self._http.reset_stream(stream, ErrorCodes.NO_ERROR)
