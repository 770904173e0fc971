"""The canonical order of names (RFC 4034 section 6.1), as octets that sort in it."""

from dnsserver.wire import names

_END = b"\0\0"


def sort_key(name: bytes) -> bytes:
    """Octets of *name*, which is in lower case, that compare as names do: label by label from the root."""
    parts = [label.replace(b"\0", b"\0\1") for label in reversed(names.labels(name))]
    return _END.join(parts) + _END if parts else b""


def name_of(key: bytes) -> bytes:
    """The name with this key."""
    parts = key.split(_END)[:-1] if b"\0\1" not in key else _split(key)
    return names.join(part.replace(b"\0\1", b"\0") for part in reversed(parts))


def _split(key: bytes) -> list[bytes]:
    """As `bytes.split`, for keys with zero octets in labels: those may stand before an end."""
    parts, place = [], 0
    while place < len(key):
        end = place
        while key[end : end + 2] != _END:
            end += 2 if key[end] == 0 else 1
        parts.append(key[place:end])
        place = end + 2
    return parts
