"""The API server in memory for tests of any kind: it runs in a thread of its own."""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

from dnsserver.sources.manifests import ManifestError
from dnsserver.sources.manifests.settings import DEFAULT_NAMESPACE, INITIAL_NAMESPACES
from dnsserver.testing.background import Background
from dnsserver.testing.documents import Manifests, objects_of
from dnsserver.testing.kube_api import Fault, KubeApi, Request
from dnsserver.testing.kube_api.resources import CRD_GROUP, DEFINITION_HINT, UNDEFINED, of_definition
from dnsserver.testing.kube_api.store import Store, Stored, key_of
from dnsserver.testing.kube_api.writing import timestamp

Result = TypeVar("Result")


class ThreadedKubeApi:
    """`KubeApi` (see `dnsserver.testing.kube_api`), for tests with and without an event loop of their own.

    It has the namespaces that every cluster begins with. It listens from `listen` on, until `stop`.
    """

    def __init__(self) -> None:
        self.background = Background("dnsserver test cluster")
        self._api = KubeApi()

    def __repr__(self) -> str:
        return f"<ThreadedKubeApi {self._api!r}>"

    def __enter__(self) -> Self:
        self.start()
        self.listen()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """The store, without a socket."""
        self.background.start()
        for name in INITIAL_NAMESPACES:
            self.background.call(lambda name=name: self._api.namespace(name))  # type: ignore[misc]

    def listen(self) -> None:
        """Serve over HTTP, at the same port as before when it did so before. May be repeated."""
        if not self._api.listening:
            self.background.run(self._api.start())

    def deaf(self) -> None:
        """Refuse connections and break those that are open, as a server that is down; `listen` ends that."""
        self.background.run(self._api.stop())

    def stop(self) -> None:
        """May be repeated."""
        if self.background.running:
            self.background.run(self._api.stop())
            self.background.stop()

    @property
    def store(self) -> Store:
        """To be used in the thread of `background` alone."""
        return self._api.store

    # For clients.

    @property
    def url(self) -> str:
        return self._api.url

    def kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig for this server to *path*, which is given back."""
        path.write_text(json.dumps(self._api.kubeconfig()))
        return path

    # What a test does to the cluster.

    def apply(self, *manifests: Manifests) -> None:
        """Create the objects, or put them in the place of those with the same kind, namespace and name.

        Objects that name no namespace are in `default`; objects of kinds that are not known are passed over. A status
        is taken as it is. Raises ManifestError, and then nothing has changed.
        """
        objects = objects_of(manifests)
        self._call(lambda: put_all(self.store, objects))

    def remove(self, *manifests: Manifests) -> None:
        """Remove the objects with the kinds, namespaces and names of these. LookupError when one is not there."""
        objects = objects_of(manifests)
        self._call(lambda: remove_all(self.store, objects))

    def objects(self, kind: str, namespace: str = "") -> list[dict[str, Any]]:
        """All objects of this kind as the API would give them, by namespace and name."""

        def found() -> list[bytes]:
            tables = [table for table in self.store.tables.values() if table.resource.kind == kind]
            items = sorted((key, item) for table in tables for key, item in table.objects.items())
            return [item.octets for key, item in items if namespace in ("", key[0])]

        return [json.loads(octets) for octets in self._call(found)]

    # What a test does to the server.

    def fail(self, fault: Fault) -> None:
        """Script *fault* (`dnsserver.testing.kube_api` has functions that make some)."""
        self._call(lambda: self._api.fail(fault))

    def heal(self) -> None:
        """Forget all faults."""
        self._call(self._api.heal)

    def drop_watches(self, resource: str = "") -> None:
        """Break the connections of the open watches of this plural, or of all."""
        self._call(lambda: self._api.drop_watches(resource))

    def compact(self, *, expire_watches: bool = False) -> None:
        """Forget the history: whoever goes on from before gets 410."""
        self._call(lambda: self._api.compact(expire_watches=expire_watches))

    def require_token(self, token: str) -> None:
        """Answer 401 to requests without this bearer token from now on; "" ends that."""
        self._api.token = token

    # What a test sees.

    def asked(self, verb: str = "", resource: str = "") -> list[Request]:
        """The requests received, oldest first."""
        return self._call(lambda: self._api.asked(verb, resource))

    def watching(self, resource: str = "") -> int:
        """Watches that are open now."""
        return self._call(lambda: self._api.watching(resource))

    def _call(self, function: Callable[[], Result]) -> Result:
        return self.background.call(function)


def put_all(store: Store, objects: list[dict[str, Any]]) -> None:
    """Create or replace. Raises ManifestError for what no API server would take, and then nothing has changed."""
    problems = [problem for obj in objects for problem in _problems(obj)]
    if problems:
        raise ManifestError(problems)
    for obj in objects:
        place = placed(store, obj)
        if place is not None:
            before = store.table_of(place).objects.get(key_of(place))
            store.put(_identified(place, before), must_exist=before is not None)


def _problems(obj: Mapping[str, Any]) -> Iterator[str]:
    """Of objects of all kinds, those too that DNS passes over."""
    metadata = obj.get("metadata")
    if not isinstance(metadata, Mapping):
        return
    called = f"{obj.get('kind')} {metadata.get('name')}"
    for field, sort in (("name", str), ("namespace", str), ("labels", Mapping), ("annotations", Mapping)):
        value = metadata.get(field)
        if value is not None and not isinstance(value, sort):
            yield f"{called}: metadata.{field}: {'text' if sort is str else 'a mapping'} is expected, not {value!r}"
    if str(obj.get("apiVersion")).startswith(f"{CRD_GROUP}/"):
        try:
            of_definition(obj)
        except UNDEFINED as error:
            yield f"{called}: {DEFINITION_HINT} ({error!r})"


def _identified(obj: dict[str, Any], before: Stored | None) -> dict[str, Any]:
    """*obj* with what the API server gives to each object; it keeps this for life."""
    old = json.loads(before.octets)["metadata"] if before is not None else {}
    uid = old.get("uid") or str(uuid.uuid4())
    made = {"uid": uid, "creationTimestamp": old.get("creationTimestamp") or timestamp(), "generation": 1}
    return {**obj, "metadata": {**made, **obj["metadata"]}}


def remove_all(store: Store, objects: list[dict[str, Any]]) -> None:
    """LookupError when one of them is not there; those before it are gone then."""
    for obj in objects:
        place = placed(store, obj)
        if place is None:
            continue
        table = store.table_of(place)
        if key_of(place) not in table.objects:
            raise LookupError(f"{place['kind']} {'/'.join(filter(None, key_of(place)))} is not there")
        store.delete(table, key_of(place))


def placed(store: Store, obj: Mapping[str, Any]) -> dict[str, Any] | None:
    """*obj* with the namespace that it is in; None for what no store can keep: an unknown kind, or no name."""
    metadata = obj.get("metadata")
    if not isinstance(metadata, Mapping) or not metadata.get("name") or not obj.get("apiVersion"):
        return None
    try:
        table = store.table_of(obj)
    except LookupError:
        return None
    namespace = metadata.get("namespace") or DEFAULT_NAMESPACE
    place = {"namespace": namespace} if table.resource.namespaced else {}
    return {**obj, "metadata": {**metadata, **place}}
