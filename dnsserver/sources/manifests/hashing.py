"""Values that look random and are the same each time: names and addresses hang on an object's identity alone."""

from hashlib import blake2b

#: What Kubernetes makes its random suffixes of: no vowels, so no words (apimachinery, util/rand).
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def number(*identity: str) -> int:
    """64 bits that depend on all parts of *identity* and on where one ends and the next starts."""
    return int.from_bytes(
        blake2b("\0".join(identity).encode(errors="surrogatepass"), digest_size=8).digest(), "big"
    )


def suffix(length: int, *identity: str) -> str:
    """*length* characters as in the names of generated pods."""
    rest = number(*identity)
    found = ""
    for _ in range(length):
        rest, place = divmod(rest, len(ALPHABET))
        found += ALPHABET[place]
    return found
