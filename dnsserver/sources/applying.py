"""Changes into the state in pieces, so that questions are answered in between."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import ClusterObject, EndpointSlice, Feed, ObjectKey

#: Work that is done before other tasks have their turn, in objects without endpoints: a millisecond or two. An endpoint
#: counts as one more object; a slice, whose endpoints are not known when it goes, as DROP_COST of them.
WORK_PER_TURN = 100
DROP_COST = 25


@dataclass(frozen=True, slots=True)
class Change:
    """`item` None: the object is gone."""

    feed: Feed
    key: ObjectKey
    item: ClusterObject | None

    @property
    def cost(self) -> int:
        """Against WORK_PER_TURN."""
        if self.feed is not Feed.ENDPOINT_SLICES:
            return 1
        return 1 + len(self.item.endpoints) if isinstance(self.item, EndpointSlice) else DROP_COST


async def apply(found: Iterable[Change], state: ClusterState, now: Callable[[], float]) -> None:
    """Bring *found* into *state* in pieces.

    Cancelled in between, it brings in the rest at once: half a change would be served for ever.
    """
    left = iter(found)
    while _piece(left, state, now()):
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            for change in left:
                _apply(change, state, now())
            raise


async def replace(
    feed: Feed,
    objects: Sequence[ClusterObject],
    held: Iterable[ObjectKey],
    state: ClusterState,
    now: Callable[[], float],
) -> None:
    """Make *feed* hold exactly *objects*, and count it as synced. *held* are the keys it is thought to hold.

    Nothing else may change the feed meanwhile.
    """
    wanted = {item.key for item in objects}
    puts = (Change(feed, item.key, item) for item in objects)
    drops = (Change(feed, key, None) for key in held if key not in wanted)
    await apply(chain(puts, drops), state, now)
    state.replace(feed, objects, now())


def _piece(left: Iterator[Change], state: ClusterState, now: float) -> bool:
    """Apply what one turn has time for; False when nothing was left."""
    cost = 0
    for change in left:
        _apply(change, state, now)
        cost += change.cost
        if cost >= WORK_PER_TURN:
            break
    return cost > 0


def _apply(change: Change, state: ClusterState, now: float) -> None:
    if change.item is None:
        state.drop(change.feed, change.key, now)
    else:
        state.put(change.feed, change.item, now)
