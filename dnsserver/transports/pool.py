"""What the TCP connections of a server share: how many there may be, and how much they may hold."""

import itertools
from collections import Counter, OrderedDict
from typing import Protocol

from dnsserver.transports.files import connections_max, tls_connections_max
from dnsserver.transports.limits import DEFAULT_LIMITS, TransportCounters, TransportLimits

#: Connections looked at to find an idle one, from the one that was longest without a question.
_IDLE_SCAN = 256


class Pooled(Protocol):
    """What the pool needs of a connection."""

    @property
    def idle(self) -> bool: ...
    def replace(self) -> None: ...
    def pump(self) -> None: ...


class ConnectionPool:
    """Connections by their last activity, and the sums that bound them."""

    def __init__(
        self, limits: TransportLimits, counters: TransportCounters, *, capacity: int | None = None
    ) -> None:
        """*counters* may be those of several pools; *capacity* is how many connections may be open, by default as many
        as *limits* and the open files of the process let."""
        self.limits = limits
        self.counters = counters
        self.capacity = connections_max(limits) if capacity is None else capacity
        self.held = 0
        self._open = 0
        self._clients: Counter[str] = Counter()
        self._by_activity: OrderedDict[Pooled, None] = OrderedDict()
        self._waiting: OrderedDict[Pooled, None] = OrderedDict()
        self._in_flight = 0
        self._pumping = False

    def __repr__(self) -> str:
        return f"<ConnectionPool connections={self._open} in_flight={self._in_flight} held={self.held}>"

    def admit(self, client: str) -> bool:
        """Count a new connection in, or refuse it. Each admission needs its `leave`."""
        counters = self.counters
        if self._clients[client] >= self.limits.tcp_connections_per_client:
            counters.tcp_refused_per_client += 1
            return False
        if self._open >= self.capacity and not self.replace_one():
            counters.tcp_refused += 1
            return False
        self._clients[client] += 1
        self._open += 1
        counters.tcp_connections += 1
        counters.tcp_connections_now += 1
        return True

    def leave(self, client: str) -> None:
        self._open -= 1
        self.counters.tcp_connections_now -= 1
        self._clients[client] -= 1
        if self._clients[client] <= 0:
            del self._clients[client]

    def replace_one(self) -> bool:
        """Close the longest idle connection, if one is found among those longest without a question."""
        for connection in itertools.islice(self._by_activity, _IDLE_SCAN):
            if connection.idle:
                self.forget(connection)
                self.counters.tcp_replaced += 1
                connection.replace()
                return True
        return False

    def active(self, connection: Pooled) -> None:
        self._by_activity[connection] = None
        self._by_activity.move_to_end(connection)

    def forget(self, connection: Pooled) -> None:
        self._by_activity.pop(connection, None)

    def begin(self, connection: Pooled) -> bool:
        """Take a place for one more question; without one, *connection* is pumped when a place is free."""
        if self._in_flight < self.limits.tcp_in_flight:
            self._in_flight += 1
            self.counters.tcp_now += 1
            return True
        self._waiting[connection] = None
        return False

    def end(self) -> None:
        self._in_flight -= 1
        self.counters.tcp_now -= 1
        if self._pumping:  # called by a connection that we pump, and that gave its place back at once
            return
        self._pumping = True
        try:
            while self._waiting and self._in_flight < self.limits.tcp_in_flight:
                self._waiting.popitem(last=False)[0].pump()
        finally:
            self._pumping = False

    def overloaded(self, held: int) -> bool:
        """Whether a connection that holds *held* octets must go, so that the others can stay."""
        return self.held > self.limits.tcp_held_octets and held > self.limits.tcp_held_free


class Pools:
    """Those of a server: of TCP clients, and of clients that come encrypted, so that neither can take the others'
    places."""

    def __init__(
        self, counters: TransportCounters, *, encrypted: bool, limits: TransportLimits = DEFAULT_LIMITS
    ) -> None:
        """*encrypted*: whether there are listeners for the latter."""
        share = tls_connections_max(limits) if encrypted else 0
        self._counters = counters
        self._limits = limits
        self._share = share
        self._plain = ConnectionPool(limits, counters, capacity=connections_max(limits) - share)
        self._encrypted = ConnectionPool(limits, counters, capacity=share)

    def of(self, scheme: str, most: int = 0) -> ConnectionPool:
        """The pool of a listener; where it may only have *most* connections, one of its own."""
        if scheme == "dns":
            return self._plain
        if not most:
            return self._encrypted
        return ConnectionPool(self._limits, self._counters, capacity=min(most, self._share))
