"""The names of a running server, page by page: a large cluster has a million, and DNS goes on meanwhile."""

import secrets
from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice
from typing import Any

from dnsserver.runtime.listing import ServedName, ServedNames
from dnsserver.runtime.server import ClusterDnsServer

#: Names and types of one page: some milliseconds of work.
PAGE_MAX = 500
#: Lists that may be under way; one more ends the one that was asked for the longest time ago.
LISTS_MAX = 4


class NoSuchListError(Exception):
    """The list was ended: others were asked for, or the server has another configuration now."""


class NamePages:
    """Lists under way, by what their next pages are asked for with."""

    def __init__(self) -> None:
        self._lists: OrderedDict[str, tuple[ClusterDnsServer, Iterator[ServedName]]] = OrderedDict()

    def page(self, server: ClusterDnsServer, cursor: str) -> dict[str, Any]:
        """The first page (*cursor* ""), or that which follows the one that gave *cursor*; the last gives "". Names are
        as they are when their page is made. Raises NoSuchListError."""
        served = ServedNames(server)
        if cursor:
            owner, rows = self._lists.pop(cursor, (None, iter(())))
            if owner is not server:
                raise NoSuchListError("this list of names has ended: ask for a new one")
        else:
            rows = iter(served)
        found = list(islice(rows, PAGE_MAX))
        following = ""
        if len(found) == PAGE_MAX:
            following = secrets.token_hex(16)
            self._lists[following] = (server, rows)
            while len(self._lists) > LISTS_MAX:
                self._lists.popitem(last=False)
        return {"names": [row.as_json() for row in found], "beyond": list(served.beyond), "cursor": following}
