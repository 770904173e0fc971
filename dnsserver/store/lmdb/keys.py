"""Keys of the store: identities and index entries as octets that sort as the values do."""

from collections.abc import Iterable
from hashlib import blake2b

import msgspec

from dnsserver.zone.addresses import packed
from dnsserver.zone.objects import ClusterObject, EndpointSlice, ObjectKey, Pod
from dnsserver.zone.tables import AddressKind, addresses_of

#: Octets. Room for one part of a key of an index; LMDB's keys end at 511. The API's names stay far below: a Service
#: with its namespace has 127 octets (RFC 1123 labels), a slice or pod 317.
PART_MAX = 150
IDENTITY_MAX = 340
DIGEST_SIZE = 32
#: Leads a digest; no UTF-8 has it.
ODD = b"\xff"

SLICE_OF, SLICE_OF_IMPORT, POD_AT, BLOCK = b"s", b"t", b"p", b"b"
ADDRESS = {
    AddressKind.CLUSTER_IP: b"c",
    AddressKind.ENDPOINT: b"e",
    AddressKind.EXTERNAL: b"x",
    AddressKind.CLUSTERSET_IP: b"m",
}

#: Leading octets of an address, by its size, that name its block: a /16, a /64. The namespaces in each block are
#: counted, so that wide ranges need no walk over addresses of namespaces that do not show.
BLOCK_OCTETS = {4: 2, 16: 8}
COUNT_SIZE = 8

_encode = msgspec.msgpack.Encoder().encode
_pair = msgspec.msgpack.Decoder(tuple[str, str]).decode


def identity(key: ObjectKey) -> tuple[bytes, bytes]:
    """The octets that stand for *key* in a key of the store, and what must lie in the value for them to be read.

    That is nothing, but for names that no API server lets in: too long ones, and those with NUL. They sort last.
    """
    octets = f"{key.namespace}\0{key.name}".encode()
    if len(octets) <= IDENTITY_MAX and octets.count(0) == 1:
        return octets, b""
    spelled = _encode((key.namespace, key.name))
    return ODD + blake2b(spelled, digest_size=DIGEST_SIZE).digest(), spelled


def identified(octets: bytes, spelled: bytes) -> ObjectKey:
    """The inverse of `identity`."""
    if spelled:
        return ObjectKey(*_pair(spelled))
    namespace, _, name = octets.decode().partition("\0")
    return ObjectKey(namespace, name)


def slices_prefix(service: ObjectKey) -> bytes:
    return SLICE_OF + _part(f"{service.namespace}\0{service.name}")


def imported_prefix(service_import: ObjectKey) -> bytes:
    """Of the slices of a ServiceImport."""
    return SLICE_OF_IMPORT + _part(f"{service_import.namespace}\0{service_import.name}")


def pods_prefix(ip: str) -> bytes:
    return POD_AT + _part(ip)


def address_prefix(kind: bytes, octets: bytes) -> bytes:
    """*octets*: 4 or 16; addresses of one kind and family sort together."""
    return kind + bytes((len(octets),)) + octets


def block_key(entry: bytes, namespace: str) -> bytes | None:
    """Where the entries like *entry* of an object in *namespace* are counted; None for those without an address."""
    if entry[:1] not in ADDRESS.values():
        return None
    return block_prefix(entry[:1], entry[2 : 2 + entry[1]]) + _part(namespace)


def block_prefix(kind: bytes, octets: bytes) -> bytes:
    """Of the counts of the block of the address *octets*; those of one kind and family sort together."""
    return BLOCK + address_prefix(kind, octets)[: 2 + BLOCK_OCTETS[len(octets)]]


def whole_blocks(low: bytes, high: bytes) -> bool:
    """Whether [low, high] begins and ends with a block."""
    size = BLOCK_OCTETS[len(low)]
    return not any(low[size:]) and high[size:] == b"\xff" * (len(high) - size)


def block_count(number: int, namespace: str) -> bytes:
    """The value for so many entries, 1 or more."""
    return number.to_bytes(COUNT_SIZE, "big") + namespace.encode()


def counted_namespace(value: bytes) -> str:
    return value[COUNT_SIZE:].decode()


def counted_number(value: bytes) -> int:
    return int.from_bytes(value[:COUNT_SIZE], "big")


def index_entries(item: ClusterObject | None) -> dict[bytes, bytes]:
    """The entries by which *item* is found otherwise than by its key."""
    if item is None:
        return {}
    prefixes = [found for kind, texts in addresses_of(item) for found in _addresses(ADDRESS[kind], texts)]
    match item:
        case EndpointSlice():
            prefixes += [slices_prefix(item.service_key)] if item.service else []
            prefixes += [imported_prefix(item.import_key)] if item.imported else []
        case Pod():
            prefixes.append(pods_prefix(item.ip))
    own, spelled = identity(item.key)
    return {prefix + own: spelled for prefix in prefixes}


def _addresses(kind: bytes, texts: Iterable[str]) -> list[bytes]:
    """Text that is no address is passed over."""
    return [address_prefix(kind, octets) for text in texts if (octets := packed(text)) is not None]


def _part(text: str) -> bytes:
    """*text* such that no other's part begins with it."""
    octets = text.encode()
    if len(octets) > PART_MAX:
        octets = ODD + blake2b(octets, digest_size=DIGEST_SIZE).digest()
    return len(octets).to_bytes(1, "big") + octets
