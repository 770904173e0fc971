"""The names of a running server, page by page: a large cluster has a million, and DNS goes on meanwhile."""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice
from typing import Any

from dnsserver.runtime.listing import ServedName, ServedNames
from dnsserver.runtime.server import ClusterDnsServer

#: Names and types of one page, those included that are not listed: some milliseconds of work.
PAGE_MAX = 500
#: Lists that may be under way; one more ends the one that was asked for the longest time ago.
LISTS_MAX = 4
#: Seconds. A list of which no page was asked for so long is over: it holds on to what there was when it began.
LIST_S = 60.0


class NoSuchListError(Exception):
    """The list was ended: others were asked for, or the server has another configuration now."""


class NamePages:
    """Lists under way, by what their next pages are asked for with."""

    def __init__(self, life_s: float = LIST_S) -> None:
        self._life_s = life_s
        self._lists: OrderedDict[str, tuple[ClusterDnsServer, Iterator[ServedName | None]]] = OrderedDict()

    def page(self, server: ClusterDnsServer, cursor: str) -> dict[str, Any]:
        """The first page (*cursor* ""), or that which follows the one that gave *cursor*; the last gives "". A page may
        have no names. They are as they are when their page is made. Raises NoSuchListError."""
        served = ServedNames(server)
        if cursor:
            owner, rows = self._lists.pop(cursor, (None, iter(())))
            if owner is not server:
                raise NoSuchListError("this list of names has ended: ask for a new one")
        else:
            rows = served.step_by_step()
        found = list(islice(rows, PAGE_MAX))
        following = self._kept(server, rows) if len(found) == PAGE_MAX else ""
        shown = [row.as_json() for row in found if row is not None]
        # Said once: it takes the longer, the more zones there are.
        beyond = [] if following else list(served.beyond)
        return {"names": shown, "beyond": beyond, "cursor": following}

    def _kept(self, server: ClusterDnsServer, rows: Iterator[ServedName | None]) -> str:
        """What the next page is asked for with."""
        cursor = secrets.token_hex(16)
        self._lists[cursor] = (server, rows)
        while len(self._lists) > LISTS_MAX:
            self._lists.popitem(last=False)
        asyncio.get_running_loop().call_later(self._life_s, self._lists.pop, cursor, None)
        return cursor
