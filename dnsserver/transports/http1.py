"""DNS questions in HTTP/1.1, one after another (RFC 9112) [h11]."""

import time
from collections.abc import Callable

import h11

from dnsserver.transports.conversation import Asked, Octets
from dnsserver.transports.doh import HEAD_MAX, REASONS, HttpReply, HttpRequest, answer, refusal


class Http1:
    """A `Conversation`; *count* is told the status of every reply."""

    unsent = 0

    def __init__(self, count: Callable[[int], None]) -> None:
        self._count = count
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_MAX)
        self._out = bytearray()
        self._request: HttpRequest | None = None
        self._last = False
        self._owed = False
        self._without_body = False
        self.more = False
        self.ended = False
        self.malformed = False

    @property
    def buffered(self) -> int:
        if self.ended:
            return 0
        begun = 0 if self._request is None else 1 + len(self._request.body)
        return begun + len(self._http.trailing_data[0])

    def feed(self, data: Octets) -> list[Asked]:
        asked: list[Asked] = []
        self.more = False
        try:
            if data:
                self._http.receive_data(bytes(data))
            while not self.ended:
                event = self._http.next_event()
                if event is h11.NEED_DATA or event is h11.PAUSED:
                    self.more = event is h11.PAUSED and bool(self._http.trailing_data[0])
                    break
                self._on(event, asked)
        except h11.RemoteProtocolError as error:
            self.ended = self.malformed = self._last = True
            self._request = None
            # A question that came before has its reply yet; what stood behind it gets none.
            if not self._owed and self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                self._send(refusal(error.error_status_hint), last=True)
        return asked

    def output(self) -> bytes:
        out = bytes(self._out)
        self._out.clear()
        return out

    def reply(self, _place: int, message: bytes | None) -> bytes:
        self._owed = False
        self._send(answer(message))
        return self.output()

    def goodbye(self) -> bytes:
        """The next reply is the last."""
        self._last = True
        return b""

    def _on(self, event: object, asked: list[Asked]) -> None:
        if isinstance(event, h11.Request):
            target, method = event.target.decode("latin-1"), event.method.decode("latin-1")
            self._request = HttpRequest.of(method, target, event.headers)
            self._without_body = method == "HEAD"
            if self._http.they_are_waiting_for_100_continue and not self._request.refused:
                go_on = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
                self._out += self._http.send(go_on) or b""
            return
        request = self._request
        if request is None:
            return
        if isinstance(event, h11.Data):
            request.add(bytes(event.data))
            if request.endless:
                self._refuse(request.refused, last=True)
        elif isinstance(event, h11.EndOfMessage):
            found = request.question()
            if isinstance(found, int):
                self._refuse(found)
            else:
                self._request, self._owed = None, True
                asked.append((found, 0))

    def _refuse(self, status: int, *, last: bool = False) -> None:
        self._request = None
        self._send(refusal(status), last=last)

    def _send(self, reply: HttpReply, *, last: bool = False) -> None:
        headers = [*reply.headers, ("date", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()))]
        if last or self._last:
            headers.append(("connection", "close"))
        reason = REASONS.get(reply.status, "").encode()
        head = h11.Response(status_code=reply.status, headers=headers, reason=reason)
        body = b"" if self._without_body else reply.body
        self._without_body = False
        for event in (head, h11.Data(data=body), h11.EndOfMessage()):
            self._out += self._http.send(event) or b""
        self._count(reply.status)
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        else:
            self.ended = True
