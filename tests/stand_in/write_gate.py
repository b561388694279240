"""Have every write of a process and of its children, git's too, wait until `tests/faults/trees.py` lets it go on.

A filter of the kernel holds each call that changes a file, and asks who listens at a socket. Linux from 5.9 on.
"""

import ctypes
import os
import platform
import socket
import struct

NO_NEW_PRIVILEGES, SET_FILTER, NEW_LISTENER = 38, 1, 8
LOAD, EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06
ASK, ALLOW = 0x7FC00000, 0x7FFF0000
# Of what a filter sees: the number of the call, and the low half of its first argument.
NUMBER, ARGUMENT = 0, 16
TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
BUSY = 16
SECCOMP = {"x86_64": 317, "aarch64": 277}
# By the number of the call: which argument holds the flags.
OPEN = {"x86_64": {2: 1, 257: 2}, "aarch64": {56: 2}}
# The first argument is an open file.
WRITE = {"x86_64": (1, 18, 20, 77, 296, 326, 328), "aarch64": (46, 64, 66, 68, 70, 285, 287)}
# Which arguments are the open folder, None where there is none, and the path that is made, moved to or removed.
PLACES = {
    "x86_64": {
        **dict.fromkeys((2, 76, 83, 84, 87), (None, 0)),
        **dict.fromkeys((82, 86, 88), (None, 1)),
        **dict.fromkeys((257, 258, 263), (0, 1)),
        266: (1, 2),
        **dict.fromkeys((264, 265, 316), (2, 3)),
    },
    "aarch64": {
        **dict.fromkeys((34, 35, 56), (0, 1)),
        36: (1, 2),
        **dict.fromkeys((37, 38, 276), (2, 3)),
        45: (None, 0),
    },
}


def _program(machine):
    """Return the filter: ask for what writes, allow the rest."""
    steps = []

    def add(code, operand, *, otherwise=0):
        steps.append(struct.pack("HBBI", code, 0, otherwise, operand))

    for number, flags in OPEN[machine].items():
        add(LOAD, NUMBER)
        add(EQUAL, number, otherwise=4)
        add(LOAD, ARGUMENT + 8 * flags)
        add(ANY_BIT, TO_WRITE, otherwise=1)
        add(RETURN, ASK)
        add(RETURN, ALLOW)
    add(LOAD, NUMBER)
    for number in (*WRITE[machine], *PLACES[machine]):
        add(EQUAL, number, otherwise=1)
        add(RETURN, ASK)
    add(RETURN, ALLOW)
    return b"".join(steps)


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))


def join(address):
    """Let this process and its children ask at a socket; the child of one that asks does already."""
    libc, machine = ctypes.CDLL(None, use_errno=True), platform.machine()
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(address)
        steps = ctypes.create_string_buffer(_program(machine))
        chosen = _Filter(len(steps) // 8, ctypes.addressof(steps))
        libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        asks = libc.syscall(SECCOMP[machine], SET_FILTER, NEW_LISTENER, ctypes.byref(chosen))
        if asks >= 0:
            socket.send_fds(caller, [b"\0"], [asks])
            os.close(asks)
        elif ctypes.get_errno() != BUSY:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
