"""A system-call filter: no new process, no program, no socket, no memory beyond the limit, no reach to others.

What tells which pages of a file are in memory is closed too: two calls could pass notes through it. So is what tells of
others' files (inotify), and what makes the kernel send them signals or leaves marks on a file by way of a descriptor.

x86-64 and 64-bit Arm Linux; elsewhere nothing is filtered. Calls are answered "not permitted" and the program goes on.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Sequence

_LOAD, _JUMP, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x05, 0x15, 0x45, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NR, _ARCH, _ARG0, _ARG1 = 0, 4, 16, 24
_CLONE_THREAD, _AF_UNIX, _NO_FAMILY, _X32 = 0x00010000, 1, 0xFFFF, 0x40000000

_DENIED_X86 = {
    **{"fork": 57, "vfork": 58, "execve": 59, "execveat": 322, "ptrace": 101, "process_vm_readv": 310},
    **{"process_vm_writev": 311, "pidfd_getfd": 438, "pidfd_send_signal": 424, "tkill": 200, "rt_sigqueueinfo": 129},
    **{"unshare": 272, "setns": 308, "mount": 165, "chroot": 161, "bpf": 321, "perf_event_open": 298, "setpgid": 109},
    **{"open_by_handle_at": 304, "io_uring_setup": 425, "userfaultfd": 323, "keyctl": 250, "add_key": 248},
    **{"shmget": 29, "msgget": 68, "semget": 64, "mq_open": 240},
}
_DENIED_X86 |= {
    "setpriority": 141,
    "sched_setparam": 142,
    "sched_setscheduler": 144,
    "sched_setattr": 314,
    "ioprio_set": 251,
}
_DENIED_X86 |= {"memfd_create": 319, "memfd_secret": 447, "socketpair": 53, "fadvise64": 221, "readahead": 187}
_DENIED_X86 |= {"mincore": 27, "preadv2": 327, "pwritev2": 328, "cachestat": 451, "kcmp": 312, "syslog": 103}
_DENIED_X86 |= {"inotify_init": 253, "inotify_init1": 294, "fanotify_init": 300, "move_pages": 279}
_DENIED_X86 |= {"migrate_pages": 256, "process_madvise": 440, "process_mrelease": 448}
_IGNORED_X86 = {
    **{"chmod": 90, "fchmod": 91, "chown": 92, "fchown": 93, "lchown": 94, "utime": 132, "setxattr": 188},
    **{"lsetxattr": 189, "fsetxattr": 190, "removexattr": 197, "lremovexattr": 198, "fremovexattr": 199, "utimes": 235},
    **{"fchownat": 260, "futimesat": 261, "fchmodat": 268, "utimensat": 280, "fchmodat2": 452, "setxattrat": 463},
    **{"removexattrat": 466},
}
"""Landlock does not govern the marks on a file: made outside, they would outlive the call. Answered "done"."""
_CHECKED_X86 = {"clone": 56, "clone3": 435, "socket": 41, "kill": 62, "tgkill": 234, "tgsigqueue": 297, "prlimit": 302}
_CHECKED_X86 |= {"sched_setaffinity": 203, "fcntl": 72, "ioctl": 16}
_DENIED_ARM = {
    **{"execve": 221, "execveat": 281, "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271},
    **{"pidfd_getfd": 438, "pidfd_send_signal": 424, "tkill": 130, "rt_sigqueueinfo": 138, "setpgid": 154},
    **{"unshare": 97, "setns": 268, "mount": 40, "chroot": 51, "bpf": 280, "perf_event_open": 241},
    **{"open_by_handle_at": 265, "io_uring_setup": 425, "userfaultfd": 282, "keyctl": 219, "add_key": 217},
    **{"shmget": 194, "msgget": 186, "semget": 190, "mq_open": 180},
}
_DENIED_ARM |= {
    "setpriority": 140,
    "sched_setparam": 118,
    "sched_setscheduler": 119,
    "sched_setattr": 274,
    "ioprio_set": 30,
}
_DENIED_ARM |= {"memfd_create": 279, "memfd_secret": 447, "socketpair": 199, "fadvise64": 223, "readahead": 213}
_DENIED_ARM |= {"mincore": 232, "preadv2": 286, "pwritev2": 287, "cachestat": 451, "kcmp": 272, "syslog": 116}
_DENIED_ARM |= {"inotify_init1": 26, "fanotify_init": 262, "move_pages": 239, "migrate_pages": 238}
_DENIED_ARM |= {"process_madvise": 440, "process_mrelease": 448}
_IGNORED_ARM = {
    **{"setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "removexattr": 14, "lremovexattr": 15, "fremovexattr": 16},
    **{"fchmod": 52, "fchmodat": 53, "fchownat": 54, "fchown": 55, "utimensat": 88, "fchmodat2": 452},
    **{"setxattrat": 463, "removexattrat": 466},
}
_CHECKED_ARM = {
    "clone": 220,
    "clone3": 435,
    "socket": 198,
    "kill": 129,
    "tgkill": 131,
    "tgsigqueue": 240,
    "prlimit": 261,
    "sched_setaffinity": 122,
    "fcntl": 25,
    "ioctl": 29,
}
_FCNTL = (*range(8), 9, 11, 16, *range(36, 39), 1025, 1027, 1030, 1032)
"""Copies of descriptors, their flags, locks, and what only asks; not whom to signal (F_SETOWN, F_SETSIG, F_NOTIFY), not
leases and sizes of pipes, which others of the same user would feel."""
_IOCTL = (0x5401, 0x802C542A, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS, TCGETS2, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX: what streams and terminals are asked."""
_NO_IOCTL = (0x8901, 0x8902, 0x5452, 0x5412, 0x541C, 0x5410, 0x540E, 0x40086602, 0x40087602, 0x401C5820)
"""Where a driver wants calls of its own: FIOSETOWN, SIOCSPGRP, FIOASYNC, TIOCSTI, TIOCLINUX, TIOCSPGRP, TIOCSCTTY, and
the marks on files FS_IOC_SETFLAGS, FS_IOC_SETVERSION and FS_IOC_FSSETXATTR are refused, and nothing else."""
_TABLES = {
    "x86_64": (0xC000003E, _DENIED_X86, _IGNORED_X86, _CHECKED_X86),
    "aarch64": (0xC00000B7, _DENIED_ARM, _IGNORED_ARM, _CHECKED_ARM),
}


def known() -> bool:
    """Whether this processor's calls can be filtered."""
    return platform.system() == "Linux" and platform.machine() in _TABLES and ctypes.sizeof(ctypes.c_void_p) == 8


def restrict(*, drivers: bool = False) -> bool:
    """Install the filter for this process; False where this machine has none. Needs PR_SET_NO_NEW_PRIVS.

    Args:
        drivers: whether a graphics card's driver is at work: it talks to its daemons through AF_UNIX and has ioctls of
            its own; nothing else here does.
    """
    if not known():
        return False
    program = b"".join(_program(*_TABLES[platform.machine()], os.getpid(), drivers))
    buffer = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("=H6xQ", len(program) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.prctl(22, ctypes.c_ulong(2), ctypes.c_char_p(head), ctypes.c_ulong(0), ctypes.c_ulong(0)) == 0


def _program(
    arch: int,
    denied: dict[str, int],
    ignored: dict[str, int],
    checked: dict[str, int],
    pid: int,
    drivers: bool,
) -> list[bytes]:
    """Classic BPF: straight-line tests, each answered at once."""
    no = _step(_RETURN, _ERRNO | errno.EPERM)
    steps = [_step(_LOAD, _ARCH), _step(_EQUAL, arch, 1, 0), _step(_RETURN, _KILL), _step(_LOAD, _NR)]
    steps += [_step(_ANY_BIT, _X32, 0, 1), no]
    for answer, numbers in ((no, denied), (_step(_RETURN, _ERRNO), ignored)):
        for number in numbers.values():
            steps += [_step(_EQUAL, number, 0, 1), answer]
    # glibc falls back to clone, whose flags can be read, when clone3 is unknown
    steps += [_step(_EQUAL, checked["clone3"], 0, 1), _step(_RETURN, _ERRNO | errno.ENOSYS)]
    steps += _on_argument(checked["clone"], [_step(_ANY_BIT, _CLONE_THREAD, 1, 0)], no)
    family = _AF_UNIX if drivers else _NO_FAMILY
    steps += _on_argument(checked["socket"], [_step(_EQUAL, family, 1, 0)], no)
    for name in ("prlimit", "sched_setaffinity"):
        steps += _on_argument(checked[name], [_step(_EQUAL, 0, 1, 0)], no)  # 0: this very process
    for name in ("kill", "tgkill", "tgsigqueue"):
        steps += _on_argument(checked[name], [_step(_EQUAL, pid, 1, 0)], no)
    steps += _on_argument(checked["fcntl"], _one_of(_FCNTL), no, place=_ARG1)
    ioctl = _none_of(_NO_IOCTL) if drivers else _one_of(_IOCTL)
    steps += _on_argument(checked["ioctl"], ioctl, no, place=_ARG1)
    return [*steps, _step(_RETURN, _ALLOW)]


def _on_argument(number: int, test: list[bytes], no: bytes, *, place: int = _ARG0) -> list[bytes]:
    """Denies call `number` unless the test of an argument jumps over the denial."""
    return [_step(_EQUAL, number, 0, len(test) + 3), _step(_LOAD, place), *test, no, _step(_RETURN, _ALLOW)]


def _one_of(values: Sequence[int]) -> list[bytes]:
    """Jumps over the denial that follows for these values, and for no other."""
    return [_step(_EQUAL, value, len(values) - n, 0) for n, value in enumerate(values)]


def _none_of(values: Sequence[int]) -> list[bytes]:
    """Jumps over the denial that follows for all but these values."""
    return [*(_step(_EQUAL, value, len(values) - n, 0) for n, value in enumerate(values)), _step(_JUMP, 1)]


def _step(code: int, value: int, true: int = 0, false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, true, false, value)
