"""The label `forward/upstream`: who answered a query."""

from dnsserver.answering.query import Labels, Query

UPSTREAM = "forward/upstream"


class UpstreamLabel:
    """Empty until an upstream has answered."""

    __slots__ = ("name",)

    def __init__(self) -> None:
        self.name = ""

    def __call__(self) -> str:
        return self.name


def labels(_: Query) -> Labels:
    """The label of one query, for `note` to fill in."""
    return {UPSTREAM: UpstreamLabel()}


def note(query: Query, upstream: str) -> None:
    """*upstream* has answered *query*, as `192.0.2.53:53`; "" for nobody."""
    label = query.labels.get(UPSTREAM)
    if upstream and isinstance(label, UpstreamLabel):
        label.name = upstream
