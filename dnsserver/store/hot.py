"""Hot answers: octets asked to what is answered, in memory, dropped by the change that could make them wrong.

A positive answer of a Service has a name of the cluster behind it, so there are as many as the cluster has. Negative
ones, and those of pod names (`pods insecure` answers every address), are as many as clients care to invent, so they
have a shelf of their own: inventing names drops no Service's answer.
"""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from dnsserver.zone.objects import ObjectKey

#: Octets. What an entry costs besides its key and its reply: its objects, and its places in the dictionaries.
ENTRY_OCTETS = 400
#: Octets. What each half of a shelf may hold: some 120,000 ordinary replies, and 14,000 that clients invent.
SERVICE_OCTETS_MAX = 64 << 20
OTHERS_OCTETS_MAX = 8 << 20

Value = TypeVar("Value")
#: The octets of the reply that a value has.
Size = Callable[[Value], int]


class Shelf(Generic[Value]):
    """Values by octets, in two halves: once the young one is full it becomes the old one, whose values are dropped.

    So there is no bookkeeping when a value is looked up, and none when one is dropped for want of room. `young` is
    another dictionary from time to time: ask for it each time.
    """

    def __init__(self, most: int, size: Size[Value]) -> None:
        """*most*: octets of each half; one that has them takes no further value."""
        self._most = most
        self._size = size
        self._used = 0
        self.young: dict[bytes, Value] = {}
        self._old: dict[bytes, Value] = {}
        self._keys: dict[ObjectKey | None, list[bytes]] = {}
        self._old_keys: dict[ObjectKey | None, list[bytes]] = {}

    def __len__(self) -> int:
        return len(self.young) + len(self._old)

    def get(self, key: bytes) -> Value | None:
        found = self.young.get(key)
        return self._old.get(key) if found is None else found

    def put(self, key: bytes, value: Value, service: ObjectKey | None) -> None:
        """*service*: whose change ends the value; None: any change. A *key* in the young half keeps the value it has:
        it is the same until it is dropped. One in the old half is young again."""
        if key in self.young:
            return
        if self._used >= self._most:
            self._old, self._old_keys = self.young, self._keys
            self.young, self._keys = {}, {}
            self._used = 0
        self._old.pop(key, None)
        self._used += self._cost(key, value)
        self.young[key] = value
        self._keys.setdefault(service, []).append(key)

    def revive(self, key: bytes, service: Callable[[Value], ObjectKey | None]) -> Value | None:
        """What is in the old half, which is young again then; *service* tells whose change ends it."""
        value = self._old.get(key)
        if value is not None:
            self.put(key, value, service(value))
        return value

    def forget(self, service: ObjectKey | None) -> None:
        for key in self._old_keys.pop(service, ()):
            self._old.pop(key, None)
        for key in self._keys.pop(service, ()):
            self._used -= self._cost(key, self.young.pop(key))

    def clear(self) -> None:
        for each in (self.young, self._old, self._keys, self._old_keys):
            each.clear()
        self._used = 0

    def _cost(self, key: bytes, value: Value) -> int:
        return ENTRY_OCTETS + len(key) + self._size(value)


class HotAnswers(Generic[Value]):
    """Values by octets, on two shelves: those of Services, and those that clients can ask for without end."""

    def __init__(self, size: Size[Value], room: float = 1.0) -> None:
        """*room*: the part of the usual octets that there is, for where memory is short."""
        self.of_services: Shelf[Value] = Shelf(int(SERVICE_OCTETS_MAX * room), size)
        self.others: Shelf[Value] = Shelf(int(OTHERS_OCTETS_MAX * room), size)

    def __len__(self) -> int:
        return len(self.of_services) + len(self.others)

    def get(self, key: bytes) -> Value | None:
        found = self.of_services.get(key)
        return self.others.get(key) if found is None else found

    def put(self, key: bytes, value: Value, service: ObjectKey | None, *, inventable: bool) -> None:
        """*inventable*: whether clients can ask for ever more such."""
        named = service is not None and service.namespace and not inventable
        (self.of_services if named else self.others).put(key, value, service)

    def revive(self, key: bytes, service: Callable[[Value], ObjectKey | None]) -> Value | None:
        """As of Shelf."""
        found = self.of_services.revive(key, service)
        return self.others.revive(key, service) if found is None else found

    def forget(self, services: Iterable[ObjectKey]) -> None:
        """These Services have changed."""
        for service in (*services, None):
            self.of_services.forget(service)
            self.others.forget(service)

    def clear(self) -> None:
        """Something has changed that many answers may depend on: namespaces, for one."""
        self.of_services.clear()
        self.others.clear()
