"""What to do when there is no room: what was set aside goes first."""

import errno
import logging
import os
from pathlib import Path

import lmdb

from dnsserver.store.lmdb.databases import DATA_FILE

ASIDE = DATA_FILE + ".aside"
#: LMDB tells these by their text only. It calls a write an input/output error of which only a part had room.
_NO_ROOM = tuple(os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT, errno.EIO))

LOG = logging.getLogger("dnsserver.store")


def lacks_room(error: OSError | lmdb.Error | str) -> bool:
    """Whether the file system, or our share of it, seems to be full."""
    return any(text in str(error) for text in _NO_ROOM)


def make_room(folder: Path) -> bool:
    """Remove what was set aside in *folder*; whether there was something. Somebody might have looked into it, but what
    is to be written now is worth more."""
    aside = folder / ASIDE
    try:
        aside.unlink()
    except OSError:
        return False
    LOG.warning("%s: there is no room left, so %s is removed", folder, ASIDE)
    return True
