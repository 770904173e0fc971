"""A target to the changes that lead there."""

from collections.abc import Mapping

from dnsserver.sources.applying import Change
from dnsserver.sources.manifests.building import Target
from dnsserver.zone.objects import ClusterObject, Feed, ObjectKey

#: Order of changes, so that nothing is named before it is there: a namespace first, a Service before its slices.
FEED_ORDER = (Feed.NAMESPACES, Feed.SERVICES, Feed.SERVICE_IMPORTS, Feed.ENDPOINT_SLICES, Feed.PODS)


def changes(old: Target, new: Target) -> list[Change]:
    """What to put, then what to drop."""
    puts, drops = [], []
    for feed in FEED_ORDER:
        before: Mapping[ObjectKey, ClusterObject] = old.get(feed, {})
        after: Mapping[ObjectKey, ClusterObject] = new.get(feed, {})
        puts += [Change(feed, key, item) for key, item in after.items() if before.get(key) != item]
        drops += [Change(feed, key, None) for key in before if key not in after]
    return puts + list(reversed(drops))
