"""The counters of the sockets as metrics."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from dnsserver.observability.families import Family, Kind, LabelValues
from dnsserver.transports.limits import TransportCounters


@dataclass(frozen=True, slots=True, kw_only=True)
class _Metric:
    """`fields` are attributes of TransportCounters, each with the values of the labels."""

    name: str
    kind: Kind = Kind.COUNTER
    help: str
    labels: tuple[str, ...] = ()
    fields: dict[str, LabelValues] = field(default_factory=dict)


METRICS = (
    _Metric(
        name="received_total",
        help="Datagrams, and questions of TCP connections, that came in.",
        labels=("proto",),
        fields={"udp_received": ("udp",), "tcp_received": ("tcp",)},
    ),
    _Metric(
        name="sent_total",
        help="Replies that went out.",
        labels=("proto",),
        fields={"udp_sent": ("udp",), "tcp_sent": ("tcp",)},
    ),
    _Metric(
        name="in_flight",
        kind=Kind.GAUGE,
        help="Questions that are being answered.",
        labels=("proto",),
        fields={"udp_now": ("udp",), "tcp_now": ("tcp",)},
    ),
    _Metric(
        name="unanswered_total",
        help="Questions that got no reply: too many at once, an error of ours, not answered in time.",
        labels=("reason",),
        fields={"udp_dropped": ("overload",), "answers_failed": ("failed",), "answers_late": ("late",)},
    ),
    _Metric(
        name="udp_errors_total",
        help="Errors of UDP sockets.",
        labels=("kind",),
        fields={
            "udp_receive_errors": ("receive",),
            "udp_send_errors": ("send",),
            "udp_reopened": ("reopened",),
        },
    ),
    _Metric(
        name="tcp_connections_total",
        help="TCP connections that were taken.",
        fields={"tcp_connections": ()},
    ),
    _Metric(
        name="tcp_connections_open",
        kind=Kind.GAUGE,
        help="TCP connections that are open.",
        fields={"tcp_connections_now": ()},
    ),
    _Metric(
        name="tcp_refused_total",
        help="TCP connections that were not taken.",
        labels=("reason",),
        fields={
            "tcp_refused": ("full",),
            "tcp_refused_per_client": ("client",),
            "tcp_accept_errors": ("error",),
        },
    ),
    _Metric(
        name="tcp_closed_total",
        help="TCP connections that the server closed before the client did.",
        labels=("reason",),
        fields={
            "tcp_idle": ("idle",),
            "tcp_replaced": ("replaced",),
            "tcp_slow": ("slow",),
            "tcp_unread": ("unread",),
            "tcp_malformed": ("malformed",),
            "tcp_overload": ("overload",),
            "tls_failed": ("tls",),
        },
    ),
)


def transport_families(counters: TransportCounters) -> Iterator[Family]:
    yield Family(
        "coredns_dns_https_responses_total",
        Kind.COUNTER,
        "Replies by HTTP.",
        ("server", "status"),
        tuple(
            ((label, str(status)), float(count))
            for (label, status), count in counters.https_responses.items()
        ),
    )
    for metric in METRICS:
        samples = tuple((values, float(getattr(counters, name))) for name, values in metric.fields.items())
        yield Family(f"dnsserver_transport_{metric.name}", metric.kind, metric.help, metric.labels, samples)
