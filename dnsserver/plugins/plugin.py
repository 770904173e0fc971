"""What a plugin is: a directive of one server block, turned into a handler around the next handler, and more.

Each plugin's package has `setup(directive, site) -> Plugin`; `table.py` names them all. A plugin never registers
itself, and never changes a query or a reply: both are frozen, and a plugin that wants another makes another.
"""

import ssl
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dnsserver.answering.query import Labels, Query
from dnsserver.answering.reply import Reply
from dnsserver.explaining.cause import SHORT
from dnsserver.observability.counters import QueryCounters
from dnsserver.observability.families import AnyFamily
from dnsserver.observability.http import HttpAnswer
from dnsserver.store.keeping import InMemory, Keep
from dnsserver.transports.certificates import Certificates
from dnsserver.transports.exchange import ExchangePlaces
from dnsserver.transports.limits import StreamTimeouts, TransportCounters
from dnsserver.wire.codes import Class, ExtendedError, Rcode
from dnsserver.wire.edns import told_cause
from dnsserver.wire.question import Question
from dnsserver.wire.records import Record
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.listing import Listed
from dnsserver.zone.objects import Feed, Identity, ObjectKey

if TYPE_CHECKING:
    from dnsserver.explaining.evidence import Evidence, Wanted
    from dnsserver.explaining.served import Served

#: Answers a query. None: send nothing at all.
Handler = Callable[[Query], Awaitable[Reply | None]]


class Source(Protocol):
    """Keeps a ClusterState equal to the cluster until it is cancelled."""

    async def run(self) -> None: ...


#: Makes the source of a cluster's objects. It may return when the first full lists are there, or before.
SourceFactory = Callable[[ClusterState, frozenset[Feed]], Awaitable[Source]]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a server counts by itself. `enabled` has the server blocks whose queries are counted: address as
    `dns://:53`, zone, view, plugin."""

    queries: QueryCounters
    transports: TransportCounters
    enabled: tuple[tuple[str, str, str, str], ...] = ()


class Repeats(Enum):
    """What becomes of another plugin's reply that passes this one."""

    AS_IT_IS = "the reply and nothing else matters: it may be given again without asking this plugin"
    SHUFFLED = "the order of addresses is changed each time"
    ALTERED = "the plugin's `alters` makes another of it, always the same"
    NEVER = "this plugin wants to see every query, but for those that it leaves alone"


class Repeatable(Protocol):
    """Replies that hang on nothing but a cluster's state."""

    @property
    def state(self) -> ClusterState: ...

    def repeatable(self, question: Question) -> tuple[Reply, ObjectKey | None] | None:
        """The reply, and the Service whose change can end it (None: any change); None when more than the state counts.

        A change of Namespaces may always end it.
        """
        ...


@dataclass(frozen=True, slots=True)
class Lasting:
    """A reply that may be given for some time. `second` is the Unix second in which it stands so, `until` the one from
    which it may not be given; `ages`: in between every TTL in it is one less with each second; `counted` is told how
    often it was given."""

    reply: Reply
    second: int
    until: int
    ages: bool
    counted: Callable[[int], None]


class Remembers(Protocol):
    """Replies that a plugin keeps for a time, such as those of other servers."""

    def lasting(self, question: Question, *, do: bool, cd: bool) -> Lasting | None:
        """The reply to *question* of clients that set DO and CD so, as it stands in this second; None when it has none,
        or wants to see the query. All TTLs of a reply that ages are the same."""
        ...


class Witness(Protocol):
    """What tells why the names of a cluster are answered as they are."""

    @property
    def served(self) -> "Served":
        """How the plugin is configured, and how it stands with the cluster at present."""
        ...

    async def evidence(self, wanted: "Wanted") -> "Evidence":
        """Whole objects, gathered now. Never raises for what cannot be looked at."""
        ...


class Reloading(Protocol):
    """The configuration that the server runs, and its way to another."""

    @property
    def digest(self) -> str:
        """The SHA-512, in hex, of the Corefile that runs (see Corefile)."""
        ...

    @property
    def tried(self) -> str:
        """That of the last one that the server was to go over to, be it that this failed; if none, of what runs."""
        ...

    @property
    def failures(self) -> int:
        """How often a change to which `begin` was called could not be served."""
        ...

    def look(self) -> str:
        """The digest of what is there now. Raises ConfigError. It reads files, and may be called in a thread."""
        ...

    def begin(self, digest: str) -> None:
        """Go over to what is there now, which has this *digest*. Returns at once; this process or this part of it may
        be told to end. When the new configuration cannot be served, the log says why, and all stays as it is."""
        ...


class Server(Protocol):
    """What a plugin may ask of the server that it is part of."""

    async def resolve(self, query: Query) -> Reply | None:
        """Put a query through the whole server, as if it had come in where *query* says it arrived."""
        ...

    def plugins(self) -> "tuple[Plugin, ...]":
        """Every plugin of every server block, once the server is built."""
        ...

    def forget(self) -> None:
        """Give no reply again that was given before: what they hang on has changed."""
        ...

    def now(self) -> float:
        """Unix seconds."""
        ...

    def stopping(self) -> bool:
        """Whether the server has been told to stop, and may only go on answering for a while."""
        ...

    @property
    def exchanges(self) -> ExchangePlaces:
        """The places for questions to other servers, of which the whole server has a limited number."""
        ...

    def measured(self) -> Measured:
        """What this process has counted so far."""
        ...

    def others(self) -> Iterable[AnyFamily]:
        """The metrics of the other processes of the server."""
        ...

    def folder(self) -> Path:
        """A folder for what plugins keep, the same for all processes of the server; it lasts beyond a restart where
        the store does."""
        ...

    def process(self) -> int:
        """The id of the process that, with its children, is the server."""
        ...

    def unmanned(self) -> str:
        """Why nobody answers queries at present; "" when somebody does."""
        ...

    @property
    def reloading(self) -> Reloading:
        """The way to another configuration."""
        ...


@dataclass(frozen=True, slots=True)
class Site:
    """The server block that a plugin is set up for.

    `zones` are the block's zones in presentation format, lower case, with final dot. Relative paths count from
    `directory`. `bound` are the addresses of the block's `bind` directive, empty for the wildcards. `source` is
    where cluster objects come from, in place of what the directive says: for embedding. `keep` is where their state
    is kept. `block` gives all plugins of the block, once they are set up. `view` is the name of the block's view,
    empty without one.
    """

    zones: tuple[str, ...]
    server: Server
    directory: Path
    bound: tuple[str, ...] = ()
    source: SourceFactory | None = None
    keep: Keep = InMemory
    block: "Callable[[], tuple[Plugin, ...]]" = tuple
    view: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """One path on an HTTP listener that belongs to the server, not to DNS. `host` is "" for all addresses.

    Blocks that name the same address and path share one route: their `mode`, which is the part of the settings that
    its answers hang on, must be the same. `where` is the directive's place in the Corefile. `tls`: by HTTPS only, which
    all routes of an address then must be.
    """

    host: str
    port: int
    path: str
    answer: Callable[[], HttpAnswer]
    mode: str = ""
    where: str = ""
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class ZoneCopy:
    """A zone at one moment, to be transferred. `records` begins anew with each call and gives all but the SOA record,
    one after another; the zone may change meanwhile, and they stay those of this moment."""

    soa: Record
    records: Callable[[], Iterator[Record]]

    @property
    def serial(self) -> int:
        return int.from_bytes(self.soa.rdata.tail[:4], "big")


@dataclass(frozen=True, slots=True)
class Listing:
    """The names that a plugin answers, for people: `names` begins anew with each call, and gives None for a step that
    finds nothing, so that none takes long. `zones` are the origins of those that have an apex. `beyond` says in
    sentences what else it answers, which cannot be told in advance, or not now. `places` are where objects stand, as
    `FILE:LINE`, if in files."""

    names: Callable[[], Iterator[Listed | None]]
    zones: Callable[[], Iterable[bytes]]
    beyond: Callable[[], Sequence[str]] = tuple
    places: Callable[[], Mapping[Identity, str]] = dict
    local: bool = True
    """What the names are made of is in files: nobody has to be asked for it."""
    answers: Callable[[Question], bool] | None = None
    """Whether the plugin itself answers a question of class IN now: what those behind it have is then not told of.
    None: they have nothing of the same name."""
    read: Callable[[], AbstractAsyncContextManager[None]] | None = None
    """Entered before names are told where nobody follows the cluster and no query is answered. None: what they are made
    of is there anyway, or cannot be had without others."""
    by_answering: bool = False
    """Where several processes serve, those that answer queries have what the names are made of (`Plugin.lifespan`), and
    the one that follows the cluster has not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """What one directive comes to. Every part but the name is optional."""

    name: str
    wrap: Callable[[Handler], Handler] | None = None
    """Makes this plugin's handler around the next one. May be called again, for a chain beside the one that answers
    clients: both handlers then share what the plugin keeps."""
    meet: "Callable[[tuple[Plugin, ...]], None] | None" = None
    """Called with all plugins of the block once they are set up, before the chain is made. Raises ConfigError."""
    repeats: Repeats = Repeats.NEVER
    """For plugins that wrap: what they do to replies of plugins behind them."""
    alters: Callable[[Question, Reply], Reply] | None = None
    """With Repeats.ALTERED: what the plugin makes of a reply that passes it. Hangs on both and nothing else."""
    leaves_alone: Callable[[Question], bool] | None = None
    """With Repeats.NEVER, and for plugins that remember: whether queries of a question (class IN) and their replies
    pass this plugin as they are, whoever asks. When that changes, `Server.forget` is to be called."""
    watches: Callable[[Question, Reply], bool] | None = None
    """For plugins that leave others' replies as they are: whether this one, to a question of class IN, is of those that
    it wants to see with their queries all the same. Hangs on both and nothing else."""
    claims: Callable[[Question], bool] | None = None
    """Whether this plugin answers a question (class IN) itself now, where it leaves it to those behind at other times:
    what they have answered before is then not to be given."""
    one_tree: bool = False
    """For plugins that answer: all names that reach it are in one tree of names, so that NXDOMAIN for one may be held
    against those below it (RFC 8020)."""
    reads_options: bool = False
    """EDNS options of a query matter to this plugin; else it treats queries with and without them alike."""
    remembers: Remembers | None = None
    """Replies that may be given again for some time: its own, or of plugins behind this one. Where it has none, the
    query takes the chain, unless the plugin leaves it alone."""
    repeatable: Repeatable | None = None
    """The replies of this plugin that may be given again."""
    lifespan: Callable[[], AbstractAsyncContextManager[None]] | None = None
    """Entered before the block's sockets are opened, left after they are closed, in each process that answers."""
    follow: Callable[[], AbstractAsyncContextManager[None]] | None = None
    """The same, before that, in the one process that follows the cluster."""
    modules: tuple[str, ...] = ()
    """Modules that `follow` imports. Where that runs in a child process they are imported before: so one that takes
    its place has them at once, and two share their memory while the server goes over from one to the other."""
    refresh: Callable[[], None] | None = None
    """Called with every batch of queries, before the first is answered."""
    waiting_for: Callable[[], str] | None = None
    """What has kept this plugin from ever being ready; "" when nothing does."""
    out_of_date: Callable[[], str] | None = None
    """What this plugin cannot follow at present, though it was ready once; "" when it is up to date."""
    bind: tuple[str, ...] = ()
    """Addresses that the block's listeners are bound to."""
    directory: Path | None = None
    """What relative paths count from, for the plugins behind this one."""
    labels: Callable[[Query], Labels] | None = None
    """The metadata that this plugin has of a query."""
    gathers: Callable[[Query], Query] | None = None
    """Gives a query the metadata of all plugins of the block."""
    takes: Callable[[Query], bool] | None = None
    """Whether the block takes a query; None: all of them."""
    certificates: Certificates | None = None
    """What the block's encrypted listeners show their clients."""
    timeouts: StreamTimeouts | None = None
    """What the block's listeners change of the limits of TCP connections."""
    https_connections: int | None = None
    """Clients that each of the block's HTTPS listeners may have at a time; 0 and None: no limit of its own."""
    routes: tuple[Route, ...] = ()
    debug: bool = False
    """Log at debug level, and show the stack of exceptions."""
    classes_beyond_in: bool = False
    """Queries of classes other than IN may reach the chain (section 15)."""
    lameduck_s: float = 0.0
    """Seconds to go on answering after the signal to stop."""
    workers: int = 0
    """How many processes are to answer, where the command line does not say; 0: no matter."""
    running: Callable[[], None] | None = None
    """Called once the whole server runs with this configuration, in one of its processes."""
    counted: bool = False
    """The queries of the block are counted."""
    metrics: Callable[[], Iterable[AnyFamily]] | None = None
    """This plugin's own numbers, as they are when asked for."""
    zone_copy: Callable[[bytes], ZoneCopy | None] | None = None
    """The zone with this origin (lower case) that this plugin has; None when it has none, or not yet."""
    listing: Listing | None = None
    """The names that this plugin answers."""
    notify: Callable[[bytes], None] | None = None
    """Tells other servers that the zone with this origin has changed (RFC 1996); returns at once."""
    check: Callable[[], Awaitable[Sequence[str]]] | None = None
    """For `dnsserver check`: tries what can be tried without the network, and says in lines what would be served.
    Raises ConfigError."""
    witness: Callable[[], Witness] | None = None
    """Tells why names of the cluster are answered as they are, in the process that follows the cluster."""
    examples: Callable[[], Sequence[tuple[str, str]]] | None = None
    """Names and types that a newcomer may ask for, once the server runs."""


_NOBODY = told_cause(ExtendedError.NOT_AUTHORITATIVE, SHORT["no-next-plugin"])
#: To names that are none of this server's.
NOT_AUTHORITATIVE = Reply(
    rcode=Rcode.REFUSED,
    options=(told_cause(ExtendedError.NOT_AUTHORITATIVE, SHORT["zone-not-served"]),),
)


def not_supported(query: Query) -> Reply:
    """REFUSED to a transfer, or to a class that has no zones here."""
    if query.question.rclass != Class.IN:
        text = "only names of class IN are served"
    else:
        text = "transfers of this zone are not served"
    return Reply(rcode=Rcode.REFUSED, options=(told_cause(ExtendedError.NOT_SUPPORTED, text),))


@dataclass(frozen=True, slots=True)
class NoNextPlugin:
    """The end of a chain: nobody answered (section 11.3). *last* is the plugin in front of it."""

    last: str = ""

    async def __call__(self, query: Query) -> Reply | None:  # noqa: ARG002 - a handler like the others
        error = "no next plugin found"
        return Reply(
            rcode=Rcode.SERVFAIL,
            options=(_NOBODY,),
            error=f"plugin/{self.last}: {error}" if self.last else error,
        )


no_next_plugin = NoNextPlugin()


def chain(plugins: tuple[Plugin, ...]) -> Handler:
    """The handler of a server block: *plugins* around each other, the first outermost."""
    wrapping = [(plugin.name, plugin.wrap) for plugin in plugins if plugin.wrap is not None]
    handler: Handler = NoNextPlugin(wrapping[-1][0]) if wrapping else no_next_plugin
    for _, wrap in reversed(wrapping):
        handler = wrap(handler)
    return handler
