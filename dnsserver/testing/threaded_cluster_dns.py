"""A cluster's DNS for tests of any kind: the server runs in a thread of its own, and is asked over real sockets."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

from dnsserver.explaining.text import lines
from dnsserver.faults import Fault, Faults, Transcript
from dnsserver.runtime.explaining import AskedError
from dnsserver.sources.manifests import ManifestError, ManifestSettings
from dnsserver.sources.manifests.settings import Family as IpFamily
from dnsserver.stubs import LIBRARIES, Family, Lookup, Servers, run_virtually
from dnsserver.stubs import Transcript as StubTranscript
from dnsserver.stubs.pods import address_of
from dnsserver.testing.answers import Answer
from dnsserver.testing.asking import TIMEOUT_S, Announce, Client, walked
from dnsserver.testing.cluster_dns import ClusterDNS
from dnsserver.testing.documents import Manifests, objects_of
from dnsserver.testing.expecting import Expected
from dnsserver.testing.standpoint import Standpoint, pods_of, standpoint
from dnsserver.testing.threaded_kube_api import ThreadedKubeApi, put_all, remove_all

#: Seconds. A change of the cluster that is not served by then never will be.
SETTLE_S = 10.0


class ThreadedClusterDNS:
    """The DNS of a cluster whose objects can be changed at any time; fixture `cluster_dns`.

    The objects are those of *kube_api*, or of a store of its own; *manifests* are added to them: a path, YAML text, an
    object, or a sequence of these. What a manifest leaves open is made as a cluster's controllers would make it (pods
    of Deployments, EndpointSlices, addresses). *options* are lines of the `kubernetes` block, or one; *faults* and
    *seed* are as in `dnsserver.faults`.

    All calls block, and may be made from async tests too: the server answers meanwhile. `aask` and the like are for
    those who want their event loop to go on (asyncio).
    """

    def __init__(
        self,
        manifests: Manifests = (),
        *,
        zone: str = "cluster.local",
        host: str = "127.0.0.1",
        options: str | Sequence[str] = (),
        families: tuple[IpFamily, ...] = ("IPv4",),
        nodes: int = 1,
        faults: str | Iterable[Fault] = (),
        seed: int = 0,
        kube_api: ThreadedKubeApi | None = None,
    ) -> None:
        """Raises ManifestError and FaultError."""
        self.zone = zone
        self._objects = objects_of(manifests)
        self._settings = ManifestSettings(families=families, nodes=nodes)
        self._api = kube_api or ThreadedKubeApi()
        self._own_api = kube_api is None
        self._seed = seed
        self._clients: dict[tuple[str, int], str] = {}
        self._faults = Faults(faults, seed=seed, clients=self._clients)
        self._dns = ClusterDNS(
            ManifestSettings(documents=[], families=families, nodes=nodes),
            zone=zone,
            host=host,
            options=options,
            faults=self._faults,
        )
        self._served = 0
        self._problem = ""
        self._caught_up = asyncio.Event()
        self._following: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<ThreadedClusterDNS {self.host}:{self.port} {self.zone}>"

    # Life.

    def __enter__(self) -> Self:
        """Raises ManifestError, ConfigError, StartError."""
        if self._own_api:
            self._api.start()
        try:
            self._run(self._begin())
        except BaseException:
            self._end_api()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._run(self._end())
        finally:
            self._end_api()

    def _end_api(self) -> None:
        if self._own_api:
            self._api.stop()

    async def _begin(self) -> None:
        put_all(self._api.store, self._objects)
        await self._dns.__aenter__()
        try:
            await self._serve()
        except ManifestError:
            await self._dns.__aexit__()
            raise
        self._following = asyncio.create_task(self._follow(), name=f"follow the objects of {self!r}")

    async def _end(self) -> None:
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following
        await self._dns.__aexit__()

    async def _follow(self) -> None:
        """Serve whatever the store has, as soon as it changes."""
        store = self._api.store
        while True:
            changed = store.changed
            if store.version == self._served:
                await changed.wait()
                continue
            with contextlib.suppress(ManifestError):
                await self._serve()

    async def _serve(self) -> None:
        version = self._api.store.version
        try:
            await self._dns.replace(self._documents())
            self._problem = ""
        except ManifestError as error:
            self._problem = str(error)
            raise
        finally:
            self._served = version
            self._caught_up.set()
            self._caught_up = asyncio.Event()

    def _documents(self) -> list[dict[str, Any]]:
        tables = self._api.store.tables.values()
        return [json.loads(item.octets) for table in tables for item in table.objects.values()]

    # Where it is, for the resolver under test.

    @property
    def host(self) -> str:
        return self._dns.host

    @property
    def port(self) -> int:
        """UDP and TCP."""
        return self._dns.port

    # What a test does to the cluster.

    def apply(self, *manifests: Manifests) -> None:
        """Create the objects, or put them in the place of those with the same names; live on return.

        See `ThreadedKubeApi.apply`. Raises ManifestError: for objects that cannot be, and then nothing has changed; and
        for a cluster that cannot be (too few addresses), and then DNS serves what it served before.
        """
        objects = objects_of(manifests)
        self._run(self._changed(lambda: put_all(self._api.store, objects)))

    def remove(self, *manifests: Manifests) -> None:
        """Remove the objects with these kinds, namespaces and names; live on return. LookupError for unknown ones."""
        objects = objects_of(manifests)
        self._run(self._changed(lambda: remove_all(self._api.store, objects)))

    def wait(self) -> None:
        """Until everything is served that the cluster has by now; for changes that came through the API.

        Raises ManifestError when the API has what DNS cannot serve.
        """
        self._run(self._changed(lambda: None))

    def set_faults(self, faults: str | Iterable[Fault] = (), *, seed: int = 0) -> None:
        """Other faults from now on, or none; questions are counted anew. Raises FaultError."""
        self._api.background.call(lambda: self._faults.set(faults, seed=seed))

    async def _changed(self, change: Callable[[], None]) -> None:
        change()
        wanted = self._api.store.version
        if self._following is not None and self._following.done():
            self._following.result()  # what ended it
        try:
            async with asyncio.timeout(SETTLE_S):
                while self._served < wanted:
                    await self._caught_up.wait()
        except TimeoutError:
            raise TimeoutError(
                f"{self!r}: a change of the cluster was not served within {SETTLE_S:g} s"
            ) from None
        if self._problem:
            raise ManifestError([self._problem])

    # What a test sees.

    @property
    def transcript(self) -> Transcript:
        """Every question that reached the server, by whomever, and what was sent."""
        return self._faults.transcript

    def pods(self) -> dict[str, str]:
        """The pods of the cluster, as NAMESPACE/NAME, and their addresses, those too that controllers would make."""
        return {name: address_of(pod) for name, pod in sorted(self._pods().items())}

    def ask(
        self,
        name: str,
        type: str = "A",
        *,
        from_pod: str = "",
        tcp: bool = False,
        timeout_s: float = TIMEOUT_S,
    ) -> Answer:
        """Ask one question, once all changes of the cluster are served; see `Answer`.

        *from_pod* is NAMESPACE/NAME: the name is tried with the search list and `ndots` of that pod, and the server
        takes its address for the client's. NAMESPACE/ is for a pod of which nothing but that matters. Without it the
        name is asked as it stands. Raises ValueError for what is no name or type, LookupError for no pod.
        """
        self.wait()
        place = self._standpoint(from_pod)
        with self._asking_as(place.address) as announce:
            client = Client(self.host, self.port, announce, timeout_s)
            return walked(client, name, type.upper(), place.names(name), tcp=tcp, who=from_pod)

    def expect(
        self,
        name: str,
        type: str = "A",
        values: Iterable[str] | None = None,
        *,
        rcode: str = "NOERROR",
        from_pod: str = "",
        tcp: bool = False,
        within_s: float = 0.0,
    ) -> Answer:
        """Ask, and AssertionError with all that is known unless the answer has this RCODE and these values.

        *values* are the data of the records of this type, in any order; [] for none, None for one or more (with an
        RCODE other than NOERROR: for none). The question is asked again for up to *within_s* seconds. Raises ValueError
        for what is no name, type, RCODE or collection of values, LookupError for no pod.
        """
        __tracebackhide__ = True
        expected = Expected.of(name, type, values, rcode)
        return expected.asked(
            lambda: self.ask(name, type, from_pod=from_pod, tcp=tcp), self.explain_answer, within_s
        )

    def explain(self, name: str, type: str = "A", *, from_pod: str = "") -> str:
        """Why the name is answered as it is, in lines for people: by which rule, of which objects; or what is wrong.

        *from_pod* as in `ask`, or an IP address. Raises AskedError for what is no name, type or client.
        """
        self.wait()
        explanation = self._run(self._dns.explain(name, type.upper(), from_pod))
        return "\n".join(lines(explanation))

    def explain_answer(self, answer: Answer) -> str:
        """Why it is so; of the first name that was asked, where who asked is not known by name. Never raises."""
        step = answer.transcript[answer.decided]
        name = step.name.rstrip(".").lower()
        for exchange in reversed([*self.transcript]):
            if (exchange.name, exchange.type, exchange.protocol) == (name, step.type, step.protocol):
                if exchange.faults:
                    return f"a fault of the test: {'; '.join(exchange.faults)}"
                break
        try:
            return self._explained(answer)
        except (AskedError, LookupError, ManifestError) as error:
            return f"cannot be told: {error}"

    def _explained(self, answer: Answer) -> str:
        if answer.from_pod and not answer.from_pod.endswith("/"):
            return self.explain(answer.name, answer.type, from_pod=answer.from_pod)
        return self.explain(f"{answer.transcript[0].name.rstrip('.')}.", answer.type)

    def resolve(
        self,
        name: str,
        *,
        from_pod: str,
        libc: str = "glibc",
        family: Family = Family.BOTH,
        resolv_conf: str = "",
    ) -> StubTranscript:
        """What `getaddrinfo` (or Go's resolver) of a pod asks for, packet by packet, and what it comes to.

        *libc* is one of `dnsserver.stubs.LIBRARIES`: the query sequence, the retries and the bugs are those of that
        library, with *resolv_conf* or what the kubelet writes for the pod. Time-outs are counted in
        `seconds` and not waited for. Raises ValueError for another *libc*, LookupError for no pod.
        """
        if libc not in LIBRARIES:
            raise ValueError(f"libc={libc!r}: give one of {', '.join(LIBRARIES)}")
        self.wait()
        place = self._standpoint(from_pod)
        text = resolv_conf or place.resolv_conf
        stub = LIBRARIES[libc].stub(Lookup(name, family), text, seed=self._seed)
        with self._asking_as(place.address) as announce:
            servers = Servers({}, default=(self.host, self.port), announce=announce)
            found: StubTranscript = self._run(run_virtually(stub, servers))
            return found

    @contextlib.contextmanager
    def _asking_as(self, address: str) -> Iterator[Announce]:
        """Queries from ports that are announced come from *address*, if it is one, as far as the server can tell."""
        sources: list[tuple[str, int]] = []

        def announce(protocol: str, port: int) -> None:
            if address:
                sources.append((protocol, port))
                self._clients[protocol, port] = address

        try:
            yield announce
        finally:
            for source in sources:
                self._clients.pop(source, None)

    def _standpoint(self, from_pod: str) -> Standpoint:
        return standpoint(from_pod, self.zone, self._pods() if from_pod else {})

    def _pods(self) -> dict[str, Mapping[str, Any]]:
        return pods_of(self._settings, self._api.background.call(self._documents))

    # The same for async tests whose event loop is to go on.

    async def aapply(self, *manifests: Manifests) -> None:
        await asyncio.to_thread(self.apply, *manifests)

    async def aremove(self, *manifests: Manifests) -> None:
        await asyncio.to_thread(self.remove, *manifests)

    async def await_changes(self) -> None:
        """`wait`."""
        await asyncio.to_thread(self.wait)

    async def aask(self, name: str, type: str = "A", **how: Any) -> Answer:
        return await asyncio.to_thread(lambda: self.ask(name, type, **how))

    async def aexpect(
        self, name: str, type: str = "A", values: Iterable[str] | None = None, **how: Any
    ) -> Answer:
        return await asyncio.to_thread(lambda: self.expect(name, type, values, **how))

    def _run(self, coroutine: Any) -> Any:
        return self._api.background.run(coroutine)
