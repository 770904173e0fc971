"""The upstreams of one `forward`: their health, and the order in which they are asked."""

import random
from collections.abc import Iterator, Sequence

from dnsserver.plugins.addresses import Address
from dnsserver.plugins.forward.addresses import HostName
from dnsserver.plugins.forward.counting import ForwardCounters
from dnsserver.plugins.forward.links import Link, Links
from dnsserver.plugins.forward.settings import ForwardSettings


class Upstream:
    """One server, and how many health checks in a row it has failed."""

    def __init__(self, address: Address, link: Link, max_fails: int) -> None:
        self.address = address
        self.name = str(address)
        self.link = link
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

    def __init__(self, settings: ForwardSettings, counters: ForwardCounters) -> None:
        self._settings = settings
        self._counters = counters
        self._links = Links(settings, counters)
        self._found: dict[HostName, Sequence[Address]] = {}
        self._all: list[Upstream] = []
        self._turn = 0
        self.trouble = "no healthy proxies"
        """Why nobody could be asked, when nobody could."""
        self._arrange()

    def __repr__(self) -> str:
        return f"<Upstreams {self._settings.policy} {self._all!r}>"

    def __len__(self) -> int:
        return len(self._all)

    def found(self, name: HostName, addresses: Sequence[Address]) -> None:
        """The upstream *name* is at *addresses*."""
        self._found[name] = addresses
        self._arrange()

    def attempts(self) -> Iterator[Upstream]:
        """Whom to ask for one question, one after another, round and round.

        Those that are down are passed over; when all are, health checks are no help, and any one is asked once, or
        none with `failfast_all_unhealthy_upstreams`.
        """
        order = self._order()
        while order:
            all_down = True
            for upstream in order:
                if not upstream.is_down:
                    all_down = False
                    yield upstream
            if all_down:
                self._counters.broken += 1
                if not self._settings.failfast:
                    yield random.choice(order)
                return

    def close(self) -> None:
        for upstream in self._all:
            upstream.link.close()

    def _arrange(self) -> None:
        """In the order of the Corefile, each address once; who was there before stays who it is."""
        known = {upstream.name: upstream for upstream in self._all}
        arranged: dict[str, Upstream] = {}
        for to in self._settings.upstreams:
            for address in (to,) if isinstance(to, Address) else self._found.get(to, ()):
                name = str(address)
                if name not in arranged:
                    arranged[name] = known.get(name) or self._made(address)
        self._all = list(arranged.values())

    def _made(self, address: Address) -> Upstream:
        return Upstream(address, self._links.to(address), self._settings.max_fails)

    def _order(self) -> list[Upstream]:
        if len(self._all) < 2 or self._settings.policy == "sequential":
            return self._all
        if self._settings.policy == "random":
            return random.sample(self._all, len(self._all))
        turn = self._turn % len(self._all)
        self._turn = turn + 1
        return [self._all[turn], *self._all[:turn], *self._all[turn + 1 :]]
