"""Who asks: names as a resolver completes them, and the address of a pod."""

from collections.abc import Iterator
from dataclasses import dataclass

from dnsserver.explaining import fields
from dnsserver.explaining.evidence import Whole


@dataclass(frozen=True, slots=True)
class SearchList:
    """`suffixes` in order; names with `ndots` dots or more are asked for as they are first (resolv.conf(5))."""

    suffixes: tuple[str, ...] = ()
    ndots: int = 1

    def names(self, name: str) -> Iterator[str]:
        """What a resolver asks for, one after another, all with a final dot. As glibc does: a name with a final dot as
        it is; one with fewer dots than `ndots` with each suffix first."""
        if name.endswith("."):
            yield name
            return
        first = name.count(".") >= self.ndots
        if first:
            yield f"{name}."
        yield from (f"{name}.{suffix.rstrip('.')}." for suffix in self.suffixes)
        if not first:
            yield f"{name}."


def address_of(pod: Whole) -> str:
    """status.podIP; "" for a pod that has none."""
    return fields.text(pod.value, "status", "podIP")
