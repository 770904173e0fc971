"""A folder that goes with the process."""

import tempfile

#: Where the root file system is read-only and nothing else is mounted, as in a container, memory is left.
IN_MEMORY = "/dev/shm"


def temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """Raises OSError when there is no place for one."""
    try:
        return tempfile.TemporaryDirectory(prefix="dnsserver-")
    except FileNotFoundError:
        return tempfile.TemporaryDirectory(prefix="dnsserver-", dir=IN_MEMORY)
