"""The open files of the process, of which every connection and every upstream exchange takes one."""

import resource

from dnsserver.transports.limits import TransportLimits

#: What both are granted however few files the process may open.
_LEAST = 16
#: Encrypted connections, where there are such, get one part of so many of those that connections get.
_TLS_PART = 4
#: Upstream exchanges get one part of so many of the files that are not kept back; connections get the rest.
_EXCHANGES_PART = 4


def connections_max(limits: TransportLimits) -> int:
    """TCP connections that clients may have open."""
    return min(limits.tcp_connections, max(_LEAST, _usable(limits) - exchanges_max(limits)))


def tls_connections_max(limits: TransportLimits) -> int:
    """How many of the connections that clients may have open can be encrypted ones."""
    return min(limits.tls_connections, max(_LEAST, connections_max(limits) // _TLS_PART))


def exchanges_max(limits: TransportLimits) -> int:
    """Exchanges with other servers that may be under way."""
    return min(limits.upstream_exchanges, max(_LEAST, _usable(limits) // _EXCHANGES_PART))


def _usable(limits: TransportLimits) -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return (soft if soft != resource.RLIM_INFINITY else 1 << 30) - limits.spare_files
