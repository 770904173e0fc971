"""TLS between a socket and a connection: octets of records in and out, by memory alone (RFC 8446, RFC 5246).

The event loop has a TLS of its own. It keeps 256 KiB per connection and time limits apart from ours, and cannot tell a
client that has ended its questions from one that has gone.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from typing import cast

from dnsserver.transports.limits import TransportCounters


class TlsTransport(asyncio.BufferedProtocol, asyncio.Transport):
    """The protocol of a socket, and the transport of *inner*, which reads into *buffer*.

    *inner* has this transport from the beginning, so its time for the first question includes the handshake.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        inner: asyncio.BufferedProtocol,
        buffer: memoryview,
        counters: TransportCounters,
    ) -> None:
        super().__init__()
        self._inner = inner
        self._buffer = buffer
        self._counters = counters
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._socket: asyncio.Transport | None = None
        self._shaken = False
        self._paused = False
        self._input_ended = False

    def __repr__(self) -> str:
        return f"<TlsTransport {self._tls.version()} paused={self._paused}>"

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket = cast(asyncio.Transport, transport)
        self._inner.connection_made(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._socket = None
        self._inner.connection_lost(exc)

    def get_buffer(self, _sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._incoming.write(self._buffer[:nbytes])
        self._advance()

    def eof_received(self) -> bool:
        """The way to the client stays open, as it may have its last answers to come."""
        self._incoming.write_eof()
        self._advance()
        return True

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    # What the connection calls.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._shaken:
            self._guarded(lambda: self._tls.write(data))

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        if self._socket is not None:
            self._socket.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        return 0 if self._socket is None else self._socket.get_write_buffer_size()

    def pause_reading(self) -> None:
        self._paused = True
        if self._socket is not None:
            self._socket.pause_reading()

    def resume_reading(self) -> None:
        """What has been taken from the socket meanwhile comes in the next round of the event loop."""
        self._paused = False
        if self._socket is not None:
            self._socket.resume_reading()
            asyncio.get_running_loop().call_soon(self._advance)

    def is_closing(self) -> bool:
        return self._socket is None or self._socket.is_closing()

    def close(self) -> None:
        """Say so (RFC 8446 §6.1), and close once all is written; the client's goodbye is not waited for."""
        if self._socket is None or self._socket.is_closing():
            return
        if self._shaken:
            with contextlib.suppress(ssl.SSLError):  # it waits for the client's, or the client broke off
                self._tls.unwrap()
            self._flush()
        self._socket.close()

    def abort(self) -> None:
        if self._socket is not None:
            self._socket.abort()

    # The rest.

    def _advance(self) -> None:
        if not self.is_closing() and not self._input_ended:
            self._guarded(self._read)

    def _read(self) -> None:
        if not self._shaken:
            self._tls.do_handshake()
            self._shaken = True
        while not self._paused and not self.is_closing():
            try:
                count = cast(int, self._tls.read(len(self._buffer), self._buffer))
            except ssl.SSLEOFError:  # the client closed its side without a word
                count = 0
            if not count:
                self._input_ended = True
                self._flush()
                self._inner.eof_received()
                return
            self._inner.buffer_updated(count)

    def _guarded(self, step: Callable[[], object]) -> None:
        """Do *step*, and send what TLS has to say to it; a client that breaks the rules of TLS hears why."""
        failed = False
        try:
            step()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            failed = True
            self._counters.tls_failed += not isinstance(error, ssl.SSLEOFError)
        self._flush()
        if failed and self._socket is not None:
            self._socket.close()

    def _flush(self) -> None:
        if self._outgoing.pending and self._socket is not None and not self._socket.is_closing():
            self._socket.write(self._outgoing.read())
