"""A system-call filter: no new process, no program, no socket but a local one, no signal to anyone else.

x86-64 and 64-bit Arm Linux; elsewhere nothing is filtered. Calls are answered "not permitted" and the program goes on.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NR, _ARCH, _ARG0 = 0, 4, 16
_CLONE_THREAD, _AF_UNIX, _X32 = 0x00010000, 1, 0x40000000

_TABLES: dict[str, tuple[int, dict[str, int]]] = {
    "x86_64": (
        0xC000003E,
        {
            "fork": 57,
            "vfork": 58,
            "execve": 59,
            "execveat": 322,
            "ptrace": 101,
            "unshare": 272,
            "setns": 308,
            "bpf": 321,
        }
        | {"readv": 310, "writev": 311, "mount": 165, "chroot": 161, "by_handle": 304, "uring": 425, "pidfd": 424}
        | {
            "keyctl": 250,
            "add_key": 248,
            "userfaultfd": 323,
            "perf": 298,
            "setpgid": 109,
            "tkill": 200,
            "pidfd_getfd": 438,
        }
        | {"sigqueue": 129, "clone": 56, "clone3": 435, "socket": 41, "kill": 62, "tgkill": 234, "tgsigqueue": 297},
    ),
    "aarch64": (
        0xC00000B7,
        {"execve": 221, "execveat": 281, "ptrace": 117, "unshare": 97, "setns": 268, "bpf": 280, "pidfd_getfd": 438}
        | {"readv": 270, "writev": 271, "mount": 40, "chroot": 51, "by_handle": 265, "uring": 425, "pidfd": 424}
        | {"keyctl": 219, "add_key": 217, "userfaultfd": 282, "perf": 241, "setpgid": 154, "tkill": 130}
        | {"sigqueue": 138, "clone": 220, "clone3": 435, "socket": 198, "kill": 129, "tgkill": 131, "tgsigqueue": 240},
    ),
}
_CHECKED = ("clone", "clone3", "socket", "kill", "tgkill", "tgsigqueue")


def restrict() -> bool:
    """Install the filter for this process; False where this machine has none. Needs PR_SET_NO_NEW_PRIVS."""
    if platform.system() != "Linux" or platform.machine() not in _TABLES or ctypes.sizeof(ctypes.c_void_p) != 8:
        return False
    arch, numbers = _TABLES[platform.machine()]
    program = b"".join(_program(arch, numbers, os.getpid()))
    buffer = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("=H6xQ", len(program) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.prctl(22, ctypes.c_ulong(2), ctypes.c_char_p(head), ctypes.c_ulong(0), ctypes.c_ulong(0)) == 0


def _program(arch: int, numbers: dict[str, int], pid: int) -> list[bytes]:
    """Classic BPF: straight-line tests, each answered at once."""
    denied = _ERRNO | errno.EPERM
    steps = [_step(_LOAD, _ARCH), _step(_EQUAL, arch, 1, 0), _step(_RETURN, _KILL), _step(_LOAD, _NR)]
    steps += [_step(_ANY_BIT, _X32, 0, 1), _step(_RETURN, denied)]
    for name, number in numbers.items():
        if name not in _CHECKED:
            steps += [_step(_EQUAL, number, 0, 1), _step(_RETURN, denied)]
    # glibc falls back to clone, whose flags can be read, when clone3 is unknown
    steps += [_step(_EQUAL, numbers["clone3"], 0, 1), _step(_RETURN, _ERRNO | errno.ENOSYS)]
    steps += _on_argument(numbers["clone"], _step(_ANY_BIT, _CLONE_THREAD, 1, 0), denied)
    steps += _on_argument(numbers["socket"], _step(_EQUAL, _AF_UNIX, 1, 0), denied)
    for name in ("kill", "tgkill", "tgsigqueue"):
        steps += _on_argument(numbers[name], _step(_EQUAL, pid, 1, 0), denied)
    return [*steps, _step(_RETURN, _ALLOW)]


def _on_argument(number: int, test: bytes, denied: int) -> list[bytes]:
    """Deny call `number` unless the test on its first argument jumps over the denial."""
    return [_step(_EQUAL, number, 0, 4), _step(_LOAD, _ARG0), test, _step(_RETURN, denied), _step(_RETURN, _ALLOW)]


def _step(code: int, value: int, true: int = 0, false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, true, false, value)
