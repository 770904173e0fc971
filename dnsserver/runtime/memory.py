"""How much of the memory that there is hot answers may take."""

from dnsserver.runtime.processes.cpus import BASE_MEMORY, memory_limit

#: Octets for each listener of a worker with which hot answers have their usual room. They may fill it several times
#: over: young and old half, IP versions, less common ways to ask; but not more than half of this.
AMPLE_MEMORY = 1 << 30
#: The least part: some thousand names stay hot in the smallest container.
LEAST_ROOM = 1 / 64


def room(workers: int, listeners: int) -> float:
    """The part of the usual octets for each listener of each worker."""
    limit = memory_limit()
    if limit is None:
        return 1.0
    each = (limit - BASE_MEMORY) / max(1, workers) / max(1, listeners)
    return min(1.0, max(LEAST_ROOM, each / AMPLE_MEMORY))
