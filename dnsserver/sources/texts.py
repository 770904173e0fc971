"""Whether a text is what a name of DNS can be made of, or an address."""

import socket

#: Octets. Longest label of a name (RFC 1035 §2.3.4).
MAX_LABEL = 63

_LABEL_OCTETS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")


def is_address(text: str) -> bool:
    """Whether *text* is an IPv4 or IPv6 address as the API writes them: no zone, no leading zeros."""
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except (OSError, ValueError):
        return False
    return True


def is_label(text: str) -> bool:
    """Whether *text* is one label of a host name (RFC 1123 §2.1), in any case."""
    return (
        0 < len(text) <= MAX_LABEL and _LABEL_OCTETS.issuperset(text) and text[0] != "-" and text[-1] != "-"
    )


def is_port_name(text: str) -> bool:
    """Whether *text* can be asked for as `_NAME` (RFC 6335 §5.1): as a label, and with underscores, which the API does
    not take but DNS does."""
    return is_label(text.replace("_", "x"))


def is_host_name(text: str) -> bool:
    """Whether *text* is labels with dots between them."""
    return all(map(is_label, text.split(".")))
