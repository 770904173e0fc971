"""What `chaos` is told in the Corefile."""

from dataclasses import dataclass

from dnsserver import __version__
from dnsserver.config import Directive

#: Octets. One string of a TXT record (RFC 1035 section 3.3).
STRING_MAX = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosSettings:
    """Texts are octets, cut to what one TXT string holds."""

    version: bytes = f"dnsserver-{__version__}".encode()
    """Told for version.bind and version.server; the program's own by default."""
    authors: tuple[bytes, ...] = ()
    """Told for authors.bind, each once; nobody by default."""

    @classmethod
    def from_directive(cls, directive: Directive) -> "ChaosSettings":
        occurrence = directive.once()
        if occurrence.properties:
            raise occurrence.properties[0].unknown()
        if not occurrence.texts:
            return cls()
        version, *authors = (text_string(text) for text in occurrence.texts)
        return cls(version=version, authors=tuple(sorted(set(authors))))


def text_string(text: str) -> bytes:
    """*text* as one TXT string, cut between characters."""
    octets = text.encode("utf-8", "surrogateescape")
    if len(octets) <= STRING_MAX:
        return octets
    return octets[:STRING_MAX].decode("utf-8", "ignore").encode()
