"""What an unprivileged user needs to open port 53, and to manage a node's network (`dnsserver node-cache`), and how the
process gets it (capabilities(7)).

In the image the interpreter has the capabilities NET_BIND_SERVICE and NET_ADMIN as ones that are *permitted*, as far as
its container may have them: the second only where a manifest adds it. *Effective* ones would be there without any of
this, but then the kernel refuses to start the program at all in a container that may not have one of them, even if it
could do without: with another port, or with net.ipv4.ip_unprivileged_port_start=0, which container runtimes set. Where
a capability is not to be had, nothing is done, and what needs it tells. NET_ADMIN is made effective by `dnsserver
node-cache` only, and its process that answers the network gives it up before.
"""

import ctypes
import os
import struct
import sys
from enum import IntFlag


class Capability(IntFlag):
    """The bits of linux/capability.h."""

    NET_BIND_SERVICE = 1 << 10
    NET_ADMIN = 1 << 12


#: struct __user_cap_header_struct: _LINUX_CAPABILITY_VERSION_3 and the process, 0 for this one.
_HEADER = struct.pack("=Ii", 0x20080522, 0)
#: Two times struct __user_cap_data_struct, for the lower and the higher half: effective, permitted, inheritable.
_SETS = struct.Struct("=6I")
#: prctl(2).
_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 4, 38


def use_granted_privileges(wanted: Capability = Capability.NET_BIND_SERVICE) -> None:
    """Make those of *wanted* effective that are permitted.

    A program that its file has given a capability belongs to root as far as /proc goes, so the server could not count
    its own files and memory for its metrics. That is undone too: it has no secret from the user that it runs as.

    What a filter of system calls refuses is left as it is.
    """
    if sys.platform != "linux" or not os.geteuid():
        return
    library, sets = ctypes.CDLL(None), ctypes.create_string_buffer(_SETS.size)
    if library.capget(ctypes.create_string_buffer(_HEADER), sets):
        return
    effective, permitted, *others = _SETS.unpack(sets.raw)
    if permitted & wanted & ~effective:
        sets.raw = _SETS.pack(effective | permitted & wanted, permitted, *others)
        if not library.capset(ctypes.create_string_buffer(_HEADER), sets):
            library.prctl(_PR_SET_DUMPABLE, 1)


def give_up(unwanted: Capability) -> None:
    """Do without *unwanted* from now on, also as root, and whatever program is started next: no file gives it back."""
    if sys.platform != "linux":
        return
    library, sets = ctypes.CDLL(None), ctypes.create_string_buffer(_SETS.size)
    library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if library.capget(ctypes.create_string_buffer(_HEADER), sets):
        return
    lower, upper = _SETS.unpack(sets.raw)[:3], _SETS.unpack(sets.raw)[3:]
    sets.raw = _SETS.pack(*(held & ~unwanted for held in lower), *upper)
    library.capset(ctypes.create_string_buffer(_HEADER), sets)
