"""Slim objects and the store's own records to octets and back."""

from zlib import crc32

import msgspec

from dnsserver.store.lmdb.errors import DamagedError
from dnsserver.store.lmdb.keys import identified, identity
from dnsserver.zone.objects import (
    ClusterObject,
    Endpoint,
    EndpointSlice,
    Feed,
    Namespace,
    ObjectKey,
    Pod,
    Port,
    Service,
    ServiceImport,
    ServiceType,
)

#: Version of all that this folder writes. A store of another one is not read.
FORMAT = 2
#: Octets of the CRC-32 that leads each value.
CRC_SIZE = 4

_encode = msgspec.msgpack.Encoder().encode
# Fields of the same kind stand together: a list of texts is read far faster than one of small objects.
_Ports = tuple[list[str], list[str], list[int]]
_Texts = list[str]
_service = msgspec.msgpack.Decoder(tuple[bytes, ServiceType, _Texts, str, _Ports, _Texts, _Texts]).decode
_import = msgspec.msgpack.Decoder(tuple[bytes, bool, _Texts, _Ports]).decode
_slice = msgspec.msgpack.Decoder(tuple[bytes, str, _Texts, _Texts, _Texts, _Texts, _Ports, str, str]).decode
_pod = msgspec.msgpack.Decoder(tuple[bytes, str, bool]).decode
_namespace = msgspec.msgpack.Decoder(tuple[bytes]).decode

_SALTS = {name: crc32(name.encode()) for name in (*(feed.value for feed in Feed), "meta")}


def sealed(place: str, key: bytes, payload: bytes) -> bytes:
    """*payload* led by a CRC over it, its key, and *place*: a feed's value, or "meta"."""
    return crc32(payload, crc32(key, _SALTS[place])).to_bytes(CRC_SIZE, "big") + payload


def unsealed(place: str, key: bytes, value: bytes) -> bytes:
    """Raises DamagedError."""
    payload = value[CRC_SIZE:]
    if crc32(payload, crc32(key, _SALTS[place])) != int.from_bytes(value[:CRC_SIZE], "big"):
        raise DamagedError(f"the record {key!r} of {place} is damaged")
    return payload


def encoded(feed: Feed, item: ClusterObject) -> tuple[bytes, bytes]:
    """Key and value."""
    key, spelled = identity(item.key)
    return key, sealed(feed.value, key, _encode((spelled, *_fields(item))))


def decoded(feed: Feed, key: bytes, value: bytes) -> ClusterObject:
    """Raises DamagedError."""
    payload = unsealed(feed.value, key, value)
    try:
        return _object(feed, key, payload)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DamagedError(f"the record {key!r} of {feed.value} cannot be read: {error}") from None


def _fields(item: ClusterObject) -> tuple[object, ...]:
    match item:
        case Service():
            inside = item.type, item.cluster_ips, item.external_name, _columns(item.ports)
            return *inside, item.external_ips, item.external_hosts
        case ServiceImport():
            return item.headless, item.ips, _columns(item.ports)
        case EndpointSlice():
            hosts = [each.hostname for each in item.endpoints]
            pods = [each.pod_name for each in item.endpoints]
            zones = [each.zone for each in item.endpoints]
            addresses = [each.address for each in item.endpoints]
            columns = addresses, *map(_unless_empty, (hosts, pods, zones))
            return item.service, *columns, _columns(item.ports), item.imported, item.cluster
        case Pod():
            return item.ip, item.terminating
        case Namespace():
            return ()


def _object(feed: Feed, key: bytes, payload: bytes) -> ClusterObject:
    match feed:
        case Feed.SERVICES:
            spelled, kind, ips, external, ports, outer, ingress = _service(payload)
            own = identified(key, spelled)
            return Service(own, kind, tuple(ips), _ports(ports), external, tuple(outer), tuple(ingress))
        case Feed.SERVICE_IMPORTS:
            spelled, headless, ips, ports = _import(payload)
            return ServiceImport(identified(key, spelled), headless, tuple(ips), _ports(ports))
        case Feed.ENDPOINT_SLICES:
            spelled, service, addresses, hosts, pods, zones, ports, imported, cluster = _slice(payload)
            nothing = [""] * len(addresses)
            columns = (column or nothing for column in (hosts, pods, zones))
            endpoints = tuple(map(Endpoint, addresses, *columns))
            own = identified(key, spelled)
            return EndpointSlice(own, service, endpoints, _ports(ports), imported, cluster)
        case Feed.PODS:
            spelled, ip, terminating = _pod(payload)
            return Pod(identified(key, spelled), ip, terminating)
        case Feed.NAMESPACES:
            return Namespace(identified(key, _namespace(payload)[0]).name)


def _unless_empty(texts: list[str]) -> list[str]:
    return texts if any(texts) else []


def _columns(ports: tuple[Port, ...]) -> tuple[list[str], list[str], list[int]]:
    return (
        [port.name for port in ports],
        [port.protocol for port in ports],
        [port.number for port in ports],
    )


def _ports(columns: _Ports) -> tuple[Port, ...]:
    return tuple(map(Port, *columns))


class Meta(msgspec.Struct, frozen=True, array_like=True):
    """What is known of the content of one generation as a whole."""

    fingerprint: bytes
    """Of the configuration that says what is in the store."""
    generation: int
    serial: int
    fresh_at: int
    """Unix seconds at which all feeds were last known to be fresh; 0: never."""
    feeds: frozenset[Feed]
    synced: frozenset[Feed]
    restored: frozenset[Feed]
    stale: dict[Feed, str]
    counts: dict[str, int]
    """Entries by database."""
    index_sum: int
    """Sum of the CRCs of the index's entries, modulo 2**64."""


class LogEntry(msgspec.Struct, frozen=True, array_like=True):
    """What a generation has changed. `told` False: nothing that listeners are told of."""

    told: bool
    touched: list[tuple[str, str]] | None

    @property
    def keys(self) -> frozenset[ObjectKey] | None:
        return None if self.touched is None else frozenset(ObjectKey(*pair) for pair in self.touched)


META_KEY = b"meta"
FORMAT_KEY = b"format"
FORMAT_OCTETS = b"dnsserver store, format %d" % FORMAT
_meta = msgspec.msgpack.Decoder(Meta).decode
_entry = msgspec.msgpack.Decoder(LogEntry).decode


def log_key(generation: int) -> bytes:
    return b"log" + generation.to_bytes(8, "big")


def encoded_record(key: bytes, record: Meta | LogEntry) -> bytes:
    return sealed("meta", key, _encode(record))


def decoded_meta(value: bytes | None) -> Meta:
    """Raises DamagedError, also when there is none."""
    if value is None:
        raise DamagedError("the record of the store as a whole is missing")
    try:
        return _meta(unsealed("meta", META_KEY, value))
    except msgspec.MsgspecError as error:
        raise DamagedError(f"the record of the store as a whole cannot be read: {error}") from None


def decoded_entry(key: bytes, value: bytes) -> LogEntry:
    """Raises DamagedError."""
    try:
        return _entry(unsealed("meta", key, value))
    except msgspec.MsgspecError as error:
        raise DamagedError(f"the log's entry {key!r} cannot be read: {error}") from None
