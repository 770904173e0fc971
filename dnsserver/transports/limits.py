"""What a transport grants its clients, and what it counts."""

from dataclasses import dataclass, field, replace

#: Octets. No UDP payload is longer (RFC 768: 16 bits of length, header included).
DATAGRAM_MAX = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportLimits:
    """Every bound of the transports. Times in seconds; the defaults suit a cluster's resolver."""

    answer_s: float = 10.0
    """Longest life of one question. Clients give up after 5 s (resolv.conf(5), `timeout`); twice that."""

    udp_in_flight: int = 4096
    """Datagrams being answered per socket; one more is dropped, as a full socket buffer would do. About 4 KiB
    each, so 16 MiB at most."""
    udp_batch: int = 64
    """Datagrams taken per wake-up of the event loop (wildcard sockets): some 2 ms, then others have their turn."""
    udp_socket_buffer: int = 4 << 20
    """Octets of kernel buffer to ask for, each way; Linux grants up to net.core.rmem_max and wmem_max, and all of it
    to who has NET_ADMIN. A small query takes 768 octets of what is granted, which Linux doubles: 10,000 of them."""

    tcp_connections: int = 10_000
    """Open connections of one `ConnectionPool`, which all listeners of a server share. One more takes the place of
    the longest idle one (RFC 7766 §6.2.3 lets a server close an idle connection at any time); with none idle the
    new one is closed. Its share of the process's open files goes before this number (`files.py`)."""
    tcp_connections_per_client: int = 1_000
    """Open connections of one client address; one more is closed at once. High, because a whole node can stand
    behind one address (SNAT, node-local cache)."""
    tcp_in_flight: int = 4096
    """Questions being answered over all connections of one pool; further ones wait, unread."""
    tcp_in_flight_per_connection: int = 32
    """Questions being answered per connection; further ones wait, unread (RFC 7766 §6.2.1.1 has no number)."""
    tcp_first_read_s: float = 3.0
    """From the connection to the end of its first question: CoreDNS's read limit."""
    tcp_message_s: float = 3.0
    """From the first octet of a later question to its last: the same limit, so trickling gains nothing."""
    tcp_idle_s: float = 10.0
    """Between an answer and the next question: CoreDNS's idle limit ("a few seconds", RFC 7766 §6.2.3)."""
    tcp_write_s: float = 5.0
    """For the client to take everything that was written: CoreDNS's write limit."""
    tcp_questions: int = 0
    """Questions per connection, after which it is closed; 0: any number, as CoreDNS."""
    tls_connections: int = 2_000
    """Open connections of all encrypted listeners together, besides those of `tcp_connections`. One that is idle takes
    some 20 KiB, and up to 50 KiB while the TLS library has the half of a record."""
    tcp_held_octets: int = 64 << 20
    """Half-read questions, waiting questions and unread answers over all connections of one pool. Beyond it, a
    connection that adds to it and holds more than `tcp_held_free` is cut."""
    tcp_held_free: int = 1024
    """Octets that a connection may hold however full the server is: an ordinary question."""
    tcp_backlog: int = 4096
    """Connections that wait for accept(); Linux cuts it to net.core.somaxconn (4096 since 5.4)."""
    tcp_accept_batch: int = 64
    """Connections accepted per wake-up of the event loop."""
    accept_pause_s: float = 0.1
    """Rest after accept() failed for want of files or memory: it would fail again at once."""
    tcp_last_question_s: float = 0.1
    """At the end, for the question of a client that has connected and not asked yet: some round trips in a cluster."""

    upstream_exchanges: int = 2048
    """Questions to other servers under way at a time: half as many as datagrams of one socket may be in flight, so that
    clients beyond it hear SERVFAIL, and not nothing. Each is an open file; its share of these goes before this number
    (`files.py`)."""
    spare_files: int = 64
    """Open files kept back from TCP clients and upstream exchanges, for probes, the store and configuration."""


DEFAULT_LIMITS = TransportLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamTimeouts:
    """What a server block changes of the limits of TCP, and of all that is spoken over it. Seconds; None: no change.

    `questions` is as TransportLimits.tcp_questions.
    """

    read_s: float | None = None
    write_s: float | None = None
    idle_s: float | None = None
    questions: int | None = None

    def over(self, limits: TransportLimits) -> TransportLimits:
        """*limits* with these in their place."""
        if self.read_s is not None:
            limits = replace(limits, tcp_first_read_s=self.read_s, tcp_message_s=self.read_s)
        if self.write_s is not None:
            limits = replace(limits, tcp_write_s=self.write_s)
        if self.idle_s is not None:
            limits = replace(limits, tcp_idle_s=self.idle_s)
        if self.questions is not None:
            limits = replace(limits, tcp_questions=self.questions)
        return limits


@dataclass(slots=True)
class TransportCounters:
    """What happened since the start. Those named `*_now` go down again."""

    udp_received: int = 0
    udp_sent: int = 0
    udp_now: int = 0
    udp_dropped: int = 0
    """Datagrams beyond `udp_in_flight`."""
    udp_receive_errors: int = 0
    udp_send_errors: int = 0
    udp_reopened: int = 0
    """Times that the event loop had given up a socket of ours and we opened it again."""

    tcp_received: int = 0
    tcp_sent: int = 0
    tcp_now: int = 0
    tcp_connections: int = 0
    tcp_connections_now: int = 0
    tcp_refused: int = 0
    """Connections beyond `tcp_connections` with no idle one to replace."""
    tcp_refused_per_client: int = 0
    tcp_replaced: int = 0
    """Idle connections closed to make room for another."""
    tcp_idle: int = 0
    tcp_slow: int = 0
    """No question, or not all of one, within the limit."""
    tcp_unread: int = 0
    """Cut for not reading its answers."""
    tcp_malformed: int = 0
    """Closed for a message shorter than a header, or ended inside a message."""
    tcp_overload: int = 0
    """Cut because of `tcp_held_octets`."""
    tls_failed: int = 0
    """Cut because what came is no TLS, or no TLS that we speak."""
    https_responses: dict[tuple[str, int], int] = field(default_factory=dict)
    """Replies by HTTP, by the listener's label (`https://:443`) and status code."""
    tcp_accept_errors: int = 0

    answers_failed: int = 0
    """The responder raised, or gave something that cannot be sent."""
    answers_late: int = 0
    """The responder took longer than `answer_s`."""

    def count_https(self, label: str, status: int) -> None:
        """One more reply by HTTP from the listener *label*."""
        key = label, status
        self.https_responses[key] = self.https_responses.get(key, 0) + 1
