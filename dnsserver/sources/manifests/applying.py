"""A target to the changes that lead there, and those into the state."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dnsserver.sources.manifests.building import Target
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import ClusterObject, Feed, ObjectKey

#: Objects put or dropped before other tasks have their turn: some milliseconds of work.
CHANGES_PER_TURN = 200

#: Order of changes, so that nothing is named before it is there: a namespace first, a Service before its slices.
FEED_ORDER = (Feed.NAMESPACES, Feed.SERVICES, Feed.ENDPOINT_SLICES, Feed.PODS)


@dataclass(frozen=True, slots=True)
class Change:
    """`item` None: the object is gone."""

    feed: Feed
    key: ObjectKey
    item: ClusterObject | None


def changes(old: Target, new: Target) -> list[Change]:
    """What to put, then what to drop."""
    puts, drops = [], []
    for feed in FEED_ORDER:
        before: Mapping[ObjectKey, ClusterObject] = old.get(feed, {})
        after: Mapping[ObjectKey, ClusterObject] = new.get(feed, {})
        puts += [Change(feed, key, item) for key, item in after.items() if before.get(key) != item]
        drops += [Change(feed, key, None) for key in before if key not in after]
    return puts + list(reversed(drops))


async def apply(found: list[Change], state: ClusterState, now: Callable[[], float]) -> None:
    """Bring *found* into *state* in pieces, so that questions are answered in between.

    Cancelled in between, it brings in the rest at once: half a change would be served for ever.
    """
    for start in range(0, len(found), CHANGES_PER_TURN):
        _apply(found[start : start + CHANGES_PER_TURN], state, now())
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            _apply(found[start + CHANGES_PER_TURN :], state, now())
            raise


def _apply(found: list[Change], state: ClusterState, now: float) -> None:
    for change in found:
        if change.item is None:
            state.drop(change.feed, change.key, now)
        else:
            state.put(change.feed, change.item, now)


def replace_all(target: Target, state: ClusterState, now: Callable[[], float]) -> None:
    """Make *state* hold exactly *target*, and count its feeds as synced."""
    for feed in FEED_ORDER:
        if feed in target:
            state.replace(feed, target[feed].values(), now())
