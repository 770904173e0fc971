"""Entries, limited in number and octets; when there is no room, any of them goes."""

import random

from dnsserver.plugins.cache.entry import Entry, Key

#: Octets for each entry that there may be. An ordinary one takes 1 to 2 KiB; the rest is for the larger ones.
OCTETS_PER_ENTRY = 4_096


class BoundedEntries:
    """Half of a cache: at most *entries_max* entries, which together take no more than OCTETS_PER_ENTRY for each that
    there may be, whatever upstreams send. Which one has to go is left to chance, as in CoreDNS: no pattern of questions
    can aim at it."""

    def __init__(self, entries_max: int) -> None:
        self._entries_max = entries_max
        self._octets_max = entries_max * OCTETS_PER_ENTRY
        self._entries: dict[Key, Entry] = {}
        self._order: list[Key] = []
        self._places: dict[Key, int] = {}
        self.octets = 0
        self.evictions = 0

    def __len__(self) -> int:
        return len(self._order)

    def __repr__(self) -> str:
        return f"<BoundedEntries {len(self)} of {self._entries_max}, {self.octets} octets>"

    def get(self, key: Key) -> Entry | None:
        return self._entries.get(key)

    def put(self, key: Key, entry: Entry) -> bool:
        """Keep *entry* in place of what is there; False when it is larger than everything may be."""
        self.remove(key)
        if entry.octets > self._octets_max:
            return False
        while len(self._order) >= self._entries_max or self.octets + entry.octets > self._octets_max:
            self.remove(self._order[random.randrange(len(self._order))])
            self.evictions += 1
        self._entries[key] = entry
        self._places[key] = len(self._order)
        self._order.append(key)
        self.octets += entry.octets
        return True

    def remove(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        self.octets -= entry.octets
        place, last = self._places.pop(key), self._order.pop()
        if last != key:
            self._order[place] = last
            self._places[last] = place
