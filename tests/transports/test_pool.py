"""The places of connections and questions, without sockets."""

import sys

from dnsserver.transports.limits import TransportCounters, TransportLimits
from dnsserver.transports.pool import ConnectionPool


class Leaving:
    """A connection whose question has gone when its turn comes: the place is given back at once."""

    idle = False

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self.pumped = 0

    def replace(self) -> None:
        raise AssertionError

    def pump(self) -> None:
        self.pumped += 1
        assert self._pool.begin(self)
        self._pool.end()


def test_any_number_of_waiting_connections_may_give_their_place_back_at_once() -> None:
    pool = ConnectionPool(TransportLimits(tcp_in_flight=1), TransportCounters())
    connections = [Leaving(pool) for _ in range(2 * sys.getrecursionlimit())]
    assert pool.begin(connections[0])
    assert not any(pool.begin(connection) for connection in connections)
    pool.end()
    assert [connection.pumped for connection in connections] == [1] * len(connections)
    assert pool.counters.tcp_now == 0
