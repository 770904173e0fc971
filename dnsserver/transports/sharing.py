"""Sockets on addresses where another server of this user answers at the same time: the one that is replaced, or its
successor (SO_REUSEPORT in socket(7)). Linux only."""

import contextlib
import ctypes
import socket
import struct

#: IP_FREEBIND and IPV6_FREEBIND (ip(7), linux/in6.h), without names in Python: an address may be bound before an
#: interface has it.
_FREEBIND = {socket.AF_INET: (socket.IPPROTO_IP, 15), socket.AF_INET6: (socket.IPPROTO_IPV6, 78)}
#: SO_ATTACH_REUSEPORT_CBPF (socket(7)).
_ATTACH_REUSEPORT_CBPF = 51
#: One instruction of classic BPF (linux/filter.h): code, two jumps, operand; and the code of `return OPERAND`.
_INSTRUCTION = struct.Struct("=HBBI")
_RETURN = 0x06
#: struct sock_fprog: the number of instructions, and where they are.
_PROGRAM = struct.Struct("@HP")
#: Seconds in which handshakes that have begun end. Within a host one takes some 0.1 ms.
HANDSHAKE_S = 0.05


def share(sock: socket.socket) -> None:
    """Let others of this user bind what *sock* is about to bind, which need not be there yet. Raises OSError."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    level, option = _FREEBIND[sock.family]
    sock.setsockopt(level, option, 1)


def is_shared(sock: socket.socket) -> bool:
    return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT))


def leave_to_successor(sock: socket.socket) -> None:
    """Have the kernel give new connections to the server that came after this one, if there is one.

    Sockets on one address and port stand in the order in which they came, and a program of one instruction names the
    second. Where there is no second the kernel goes on as without a program, and so does the next pair: when this
    socket is closed, the successor's is the first.
    """
    instruction = ctypes.create_string_buffer(_INSTRUCTION.pack(_RETURN, 0, 0, 1))
    program = _PROGRAM.pack(1, ctypes.addressof(instruction))
    with contextlib.suppress(
        OSError
    ):  # a filter of system calls: some connections will have to be opened again
        sock.setsockopt(socket.SOL_SOCKET, _ATTACH_REUSEPORT_CBPF, program)
