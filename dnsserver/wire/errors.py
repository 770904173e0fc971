"""What is wrong with octets from the network, and the RCODE that they deserve."""

from dnsserver.wire.codes import Rcode


class WireError(ValueError):
    """The octets are no DNS message; *rcode* is the answer that they deserve."""

    def __init__(self, reason: str, rcode: int = Rcode.FORMERR) -> None:
        super().__init__(reason)
        self.rcode = rcode


class NameTextError(ValueError):
    """A text is no domain name (RFC 1035 section 2.3.4: labels up to 63 octets, names up to 255)."""
