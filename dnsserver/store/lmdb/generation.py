"""The number of the last committed generation, in a file that readers have mapped: looking at it costs no call."""

import mmap
import os
from pathlib import Path

FILE = "generation"
SIZE = 8
#: Any greater number has not been counted but damaged.
GREATEST = 1 << 62


class MappedGeneration:
    """`view[0]` is the number. A reader may see it torn: it says that there is something new, and no more."""

    def __init__(self, folder: Path, *, write: bool) -> None:
        """Raises OSError, and ValueError when the file is not whole."""
        flags = (os.O_RDWR | os.O_CREAT if write else os.O_RDONLY) | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(folder / FILE, flags, 0o600)
        try:
            if write and os.fstat(descriptor).st_size != SIZE:
                # Written, not truncated to size: a hole in a full memory file system kills whoever touches it.
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, bytes(SIZE), 0)
            self.inode = os.fstat(descriptor).st_ino
            access = mmap.ACCESS_WRITE if write else mmap.ACCESS_READ
            self._mapped = mmap.mmap(descriptor, SIZE, access=access)
        finally:
            os.close(descriptor)
        self.view = memoryview(self._mapped).cast("Q")

    def close(self) -> None:
        self.view.release()
        self._mapped.close()
