"""Zone names and CIDRs as zones (coredns-compat.md, section 1.5)."""

from __future__ import annotations

import ipaddress
import re
import string

from dnsserver.config.errors import ConfigError
from dnsserver.config.lexer import shown

#: Octets. A zone name as it is written (CoreDNS) and as it is sent (RFC 1035 §2.3.4).
MAX_ZONE_OCTETS = 255
#: Octets. One label (RFC 1035 §2.3.4).
MAX_LABEL_OCTETS = 63
#: Bits. A reverse zone can only be cut between labels: an octet for IPv4, a nibble for IPv6 (RFC 1035 §3.5, RFC 3596).
IPV4_LABEL_BITS, IPV6_LABEL_BITS = 8, 4

_CIDR = re.compile(r"([0-9A-Fa-f.:]+)/([0-9]{1,3})")
#: A backslash with three digits or one other character stands for one octet (RFC 1035 §5.1).
_ESCAPE = re.compile(r"\\(?:[0-9]{3}|.)", re.DOTALL)
# DNS compares only ASCII letters without case (RFC 4343), so nothing else is changed.
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def fully_qualified(name: str) -> str:
    """*name* in lower case with a final dot."""
    name = name.translate(_LOWER)
    return name if _ends_with_dot(name) else name + "."


def _ends_with_dot(name: str) -> bool:
    return name.endswith(".") and not _is_escaped(name, len(name) - 1)


def _is_escaped(name: str, at: int) -> bool:
    """True if the character at *at* has an odd number of backslashes in front of it."""
    head = name[:at]
    return (len(head) - len(head.rstrip("\\"))) % 2 == 1


def is_domain_name(name: str) -> bool:
    """True if *name*, with or without final dot, is a name that DNS can carry."""
    if name == ".":
        return True
    if not name or _is_escaped(name, len(name)):
        return False
    name = name if _ends_with_dot(name) else name + "."
    plain = _ESCAPE.sub("x", name)
    if "\\" in plain:
        return False
    labels = plain.encode("utf-8", "surrogatepass").split(b".")[:-1]
    in_range = all(0 < len(label) <= MAX_LABEL_OCTETS for label in labels)
    return in_range and sum(len(label) + 1 for label in labels) + 1 <= MAX_ZONE_OCTETS


def reverse_zones(cidr: str) -> tuple[str, ...]:
    """The reverse zones that together are *cidr*; ValueError if it is none.

    A prefix between two labels gives all zones of the next longer label: `10.0.0.0/23` gives two.
    """
    parts = _CIDR.fullmatch(cidr)
    if parts is None:
        raise ValueError(f"invalid CIDR address: {cidr}")
    network = ipaddress.ip_network(cidr, strict=False)
    width = IPV4_LABEL_BITS if network.version == 4 else IPV6_LABEL_BITS
    prefix = -(-network.prefixlen // width) * width
    dropped = (network.max_prefixlen - prefix) // width
    subnets = network.subnets(new_prefix=prefix)
    return tuple(_without_labels(subnet.network_address.reverse_pointer, dropped) for subnet in subnets)


def _without_labels(name: str, count: int) -> str:
    return ".".join(name.split(".")[count:]) + "."


def split_port(text: str) -> tuple[str, str]:
    """*text* without `:PORT`, and the port's digits; no port if what follows the last colon is no number."""
    head, colon, tail = text.rpartition(":")
    if (not text) or (colon and not tail):
        raise ConfigError(f'expecting data after last colon: "{shown(text)}"')
    if colon and re.fullmatch(r"[+-]?[0-9]{1,18}", tail):
        return head, str(int(tail))
    return text, ""


def zones_of(name: str) -> tuple[str, ...]:
    """The zones of one name or CIDR without scheme and port; ConfigError with CoreDNS's text."""
    octets = len(name.encode("utf-8", "surrogatepass"))
    if octets > MAX_ZONE_OCTETS:
        raise ConfigError(f"specified zone is too long: {octets} > {MAX_ZONE_OCTETS}")
    if not is_domain_name(name):
        raise ConfigError(f"zone is not a valid domain name: {name}")
    try:
        zones = reverse_zones(name)
    except ValueError:
        return (fully_qualified(name),)
    if name[0] == ":" or (name[0] == "0" and ":" in name):
        raise ConfigError(f"invalid CIDR {name}")
    return zones
