"""DNS over HTTPS (RFC 8484) by HTTP/2 [h2]: each question is a stream of a connection that they share."""

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

from dnsserver.transports.upstream.connection import Connection, ConnectionLost, Wait
from dnsserver.transports.upstream.peer import ExchangeError, Peer
from dnsserver.transports.upstream.tls import ALPN_HTTP2, ClientTls
from dnsserver.wire.limits import MESSAGE_MAX

#: Where servers answer (RFC 8484 section 4.1 leaves it open; CoreDNS has no other).
PATH = "/dns-query"
MEDIA_TYPE = "application/dns-message"
#: Octets of an ID, which is 0 here, so that equal questions are equal requests (RFC 8484 section 4.1).
_NO_IDENT = b"\0\0"


@dataclass(slots=True)
class _Response:
    """What has come of one response."""

    status: int = 0
    body: bytes = b""


class HttpsConnection(Connection):
    """HTTP/2. A response that is no DNS message fails its question alone."""

    #: Streams at a time, if the server grants as many; RFC 9113 section 5.1.2 asks servers to grant 100.
    most = 100

    def __init__(
        self,
        peer: Peer,
        tls: ClientTls | None,
        ended: Callable[[Connection], None],
        *,
        method: str = "POST",
        authority: str = "",
    ) -> None:
        """*method* is GET or POST, *authority* what the server is asked as; "" for its address."""
        super().__init__(peer, tls, ended)
        self._method = method
        self._authority = authority or str(peer)
        self._responses: dict[int, _Response] = {}
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding=None))

    def opened(self) -> None:
        tls = None if self._transport is None else self._transport.get_extra_info("ssl_object")
        if tls is None or tls.selected_alpn_protocol() != ALPN_HTTP2:
            raise ExchangeError(f"dial tcp {self._peer}: the server does not speak HTTP/2")
        self._h2.local_settings = h2.settings.Settings(
            client=True, initial_values={h2.settings.SettingCodes.ENABLE_PUSH: 0}
        )
        self._h2.initiate_connection()
        self.write(self._h2.data_to_send())

    def send(self, wait: Wait) -> int:
        message = _NO_IDENT + wait.octets[2:]
        path, body = PATH, message
        if self._method == "GET":
            path, body = f"{PATH}?dns={base64.urlsafe_b64encode(message).rstrip(b'=').decode()}", b""
        headers = [
            (":method", self._method),
            (":scheme", "https"),
            (":authority", self._authority),
            (":path", path),
            ("accept", MEDIA_TYPE),
        ]
        if body:
            headers += [("content-type", MEDIA_TYPE), ("content-length", str(len(body)))]
        try:
            stream = int(self._h2.get_next_available_stream_id())
            self._h2.send_headers(stream, headers, end_stream=not body)
            if body:
                self._h2.send_data(stream, body, end_stream=True)
        except h2.exceptions.H2Error as error:
            self.retired = True  # no more streams, or no room to send: the next connection has both
            raise ExchangeError(f"{self._read_stage}http2: {error}") from None
        self._responses[stream] = _Response()
        self.write(self._h2.data_to_send())
        return stream

    def given_up(self, wait: Wait) -> None:
        if self._responses.pop(wait.ident, None) is not None and self.is_open:
            try:
                self._h2.reset_stream(wait.ident, h2.errors.ErrorCodes.CANCEL)
            except h2.exceptions.H2Error:
                return  # the server has closed it already
            self.write(self._h2.data_to_send())

    def taken(self, data: bytes) -> None:
        try:
            events = self._h2.receive_data(data)
        except h2.exceptions.H2Error as error:
            self.write(self._h2.data_to_send())
            self.fail(f"{self._read_stage}http2: {error}")
            return
        for event in events:
            self._happened(event)
        self.write(self._h2.data_to_send())

    def _happened(self, event: object) -> None:
        match event:
            case h2.events.ResponseReceived(stream_id=int(stream), headers=headers):
                if (response := self._responses.get(stream)) is not None:
                    response.status = _status(headers)
            case h2.events.DataReceived(stream_id=int(stream), data=data, flow_controlled_length=size):
                self._h2.acknowledge_received_data(size, stream)
                self._add(stream, data or b"")
            case h2.events.StreamEnded(stream_id=int(stream)):
                self._finish(stream)
            case h2.events.StreamReset(stream_id=int(stream), error_code=code):
                self._refuse(stream, f"http2: stream reset by the server ({code!s})")
            case h2.events.ConnectionTerminated(last_stream_id=last):
                self._no_more(last or 0)
            case h2.events.RemoteSettingsChanged():
                self.most = min(HttpsConnection.most, self._h2.remote_settings.max_concurrent_streams)

    def _no_more(self, last: int) -> None:
        """The server closes: it has not looked at streams beyond *last* (RFC 9113 section 6.8)."""
        for stream, wait in self.waits.items():
            if stream > last and not wait.future.done():
                wait.future.set_exception(ConnectionLost(f"{self._read_stage}http2: server is going away"))
        self.retire()

    def _add(self, stream: int, data: bytes) -> None:
        response = self._responses.get(stream)
        if response is None:
            return
        response.body += data
        if len(response.body) > MESSAGE_MAX:
            self._refuse(stream, f"http: a body of more than {MESSAGE_MAX} octets")

    def _finish(self, stream: int) -> None:
        response = self._responses.pop(stream, None)
        wait = self.waits.get(stream)
        if response is None or wait is None or wait.future.done():
            return
        if response.status != 200:
            wait.future.set_exception(ExchangeError(f"{self._read_stage}http: status {response.status}"))
        elif not wait.accept(response.body):
            wait.future.set_exception(ExchangeError(f"{self._read_stage}http: no reply to this question"))
        else:
            wait.future.set_result(response.body)

    def _refuse(self, stream: int, text: str) -> None:
        wait = self.waits.get(stream)
        if wait is not None and not wait.future.done():
            wait.future.set_exception(ExchangeError(f"{self._read_stage}{text}"))


def _status(headers: Iterable[tuple[Any, Any]] | None) -> int:
    """The status of a response; 0 for one that is no number."""
    value = next((value for name, value in headers or () if name == b":status"), b"")
    return int(value) if value.isdigit() and len(value) == 3 else 0
