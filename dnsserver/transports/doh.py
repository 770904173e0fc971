"""DNS in HTTP requests and responses, whatever the version of HTTP (RFC 8484)."""

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from dnsserver.wire.codes import Flag, Rcode, Type
from dnsserver.wire.errors import WireError
from dnsserver.wire.limits import HEADER_SIZE, MESSAGE_MAX
from dnsserver.wire.message import Message

#: The only path that is served (coredns-compat.md, section 5.1).
PATH = "/dns-query"
MEDIA_TYPE = "application/dns-message"
#: Octets. Request line and headers, and so a query in them (GET): more than any resolver asks.
HEAD_MAX = 16_384
#: Octets. A body that nobody will read is taken as long as this, so that its sender hears why; most do not listen
#: before they have sent it.
DROPPED_MAX = 1 << 20
#: Digits of a Content-Length that are looked at: one more than a message needs.
LENGTH_DIGITS = 6
#: Parameters behind the `?` that are looked at.
PARAMETERS_MAX = 16
#: Seconds. For how long a reply may be kept: at most, and where it has no records or is an error (CoreDNS's numbers).
AGE_MAX, AGE_UNKNOWN = 3600, 5

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
#: The SOA record's MINIMUM is the last 32 bits of its RDATA (RFC 1035 section 3.3.13).
_MINIMUM = slice(-4, None)

REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
}


@dataclass(frozen=True, slots=True)
class HttpReply:
    status: int
    media_type: str
    body: bytes
    more: tuple[tuple[str, str], ...] = ()

    @property
    def headers(self) -> list[tuple[str, str]]:
        """In lower case, as HTTP/2 wants them (RFC 9113 section 8.2.1)."""
        return [("content-type", self.media_type), ("content-length", str(len(self.body))), *self.more]


@dataclass(slots=True)
class HttpRequest:
    """A request, as much of it as has come. `refused` is the status that it deserves, 0 while it may be a good one."""

    method: str
    target: str
    media_type: str = ""
    length: str = ""
    body: bytearray = field(default_factory=bytearray)
    refused: int = 0
    dropped: int = 0

    def __post_init__(self) -> None:
        if self._path() != PATH:
            self.refused = 404
        elif self.method not in ("GET", "POST"):
            self.refused = 405
        elif self.method == "POST" and self.media_type.partition(";")[0].strip().lower() != MEDIA_TYPE:
            self.refused = 415
        elif self.length.isdecimal() and int(self.length[:LENGTH_DIGITS]) > MESSAGE_MAX:
            self.refused = 413

    @classmethod
    def of(cls, method: str, target: str, headers: Iterable[tuple[bytes, bytes]]) -> "HttpRequest":
        """*headers* with their names in lower case."""
        found = {name: value.decode("latin-1") for name, value in headers}
        return cls(method, target, found.get(b"content-type", ""), found.get(b"content-length", ""))

    def add(self, data: bytes) -> None:
        """More of the body; what nobody will read is not kept."""
        if len(self.body) + len(data) > MESSAGE_MAX:
            self.refused = self.refused or 413
        if self.refused:
            self.body.clear()
            self.dropped += len(data)
        else:
            self.body += data

    @property
    def endless(self) -> bool:
        """Whether to wait for the end of the body no longer."""
        return self.dropped > DROPPED_MAX

    def question(self) -> bytes | int:
        """The DNS message that a whole request asks, or the status that it deserves."""
        if self.refused:
            return self.refused
        message = bytes(self.body) if self.method == "POST" else _message_of(self.target.partition("?")[2])
        # Nobody would answer what is no query, and a client of HTTP waits for its reply.
        if message is None or len(message) < HEADER_SIZE or message[2] & Flag.QR >> 8:
            return 400
        return message

    def _path(self) -> str:
        """The path; a proxy sends it with scheme and host (RFC 9112 section 3.2.2)."""
        path = self.target.partition("?")[0]
        if path.lower().startswith(("http://", "https://")):
            return "/" + path.partition("//")[2].partition("/")[2]
        return path


def refusal(status: int) -> HttpReply:
    """A reply that has no DNS message in it."""
    more = (("allow", "GET, POST"),) if status == 405 else ()
    return HttpReply(
        status, "text/plain; charset=utf-8", f"{status} {REASONS.get(status, '')}\n".encode(), more
    )


def answer(message: bytes | None) -> HttpReply:
    """The reply with *message*; None: there is no answer (RFC 8484 section 4.2.1)."""
    if message is None:
        return refusal(500)
    return HttpReply(200, MEDIA_TYPE, message, (("cache-control", f"max-age={age_s(message)}"),))


def age_s(message: bytes) -> int:
    """Seconds for which caches of HTTP may keep a reply: no longer than any of its records (RFC 8484 section 5.1), and
    one that says "no" as RFC 2308 section 5 has it."""
    try:
        found = Message.decode(message)
    except WireError:
        return AGE_UNKNOWN
    records = (*found.answer, *found.authority, *found.additional)
    if not records or found.rcode not in (Rcode.NOERROR, Rcode.NXDOMAIN):
        return AGE_UNKNOWN
    ages = [record.ttl for record in records]
    if not found.answer:
        soas = [record.rdata.tail for record in found.authority if record.rtype == Type.SOA]
        ages += [int.from_bytes(tail[_MINIMUM], "big") for tail in soas]
    return min(AGE_MAX, *ages)


def _message_of(query: str) -> bytes | None:
    """The message in the one parameter `dns`, in base64url without padding (RFC 8484 section 6)."""
    try:
        found = [
            value for name, value in parse_qsl(query, True, max_num_fields=PARAMETERS_MAX) if name == "dns"
        ]
    except ValueError:
        return None
    if len(found) != 1 or not _BASE64URL.fullmatch(found[0]) or len(found[0]) % 4 == 1:
        return None
    return base64.urlsafe_b64decode(found[0] + "=" * (-len(found[0]) % 4))
