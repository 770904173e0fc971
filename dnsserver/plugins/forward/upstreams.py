"""The upstreams of one `forward`: their health, and the order in which they are asked."""

import random
from collections.abc import Iterator

from dnsserver.plugins.forward.addresses import Address
from dnsserver.plugins.forward.settings import ForwardSettings

#: Failed exchanges per question and upstream; CoreDNS's, so that all are asked twice before the answer is SERVFAIL.
ROUNDS = 2


class Upstream:
    """One server, and how many health checks in a row it has failed."""

    def __init__(self, address: Address, max_fails: int) -> None:
        self.address = address
        self.fails = 0
        self.is_probed = False
        self._max_fails = max_fails

    def __repr__(self) -> str:
        return f"<Upstream {self.address} fails={self.fails}>"

    @property
    def is_down(self) -> bool:
        return 0 < self._max_fails < self.fails


class Upstreams:
    """Says whom to ask next."""

    def __init__(self, settings: ForwardSettings) -> None:
        self._all = [Upstream(address, settings.max_fails) for address in settings.upstreams]
        self._policy = settings.policy
        self._turn = 0

    def __repr__(self) -> str:
        return f"<Upstreams {self._policy} {self._all!r}>"

    def attempts(self) -> Iterator[Upstream]:
        """Whom to ask for one question, one after another as long as exchanges fail.

        Those that are down are passed over; when all are, health checks are no help, and any one is asked once.
        """
        order = self._order()
        left = ROUNDS * len(order)
        while left:
            up = [upstream for upstream in order if not upstream.is_down]
            if not up:
                yield random.choice(order)
                return
            for upstream in up[:left]:
                yield upstream
                left -= 1

    def _order(self) -> list[Upstream]:
        if self._policy == "random":
            return random.sample(self._all, len(self._all))
        if self._policy == "sequential":
            return self._all
        turn, self._turn = self._turn, (self._turn + 1) % len(self._all)
        return [self._all[turn], *self._all[:turn], *self._all[turn + 1 :]]
