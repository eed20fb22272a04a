"""`python pretended_system.py windows autograder.cli check 11`: a command where our modules are on another system.

Only our own modules see it: the standard library and the packages go on as they are, and so do files and processes.
What the system lacks is an error when it is used; `open` without an encoding is one too.
"""

import builtins
import os
import runpy
import signal
import sys
import warnings
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
OURS = ("autograder", "cnnviz", "cnnviz_ref", "isolated_run")
_LINUX = "eventfd memfd_create pidfd_open posix_fadvise sched_getaffinity sched_setaffinity setns unshare O_PATH"
_UNIX = """chown chroot fchdir fchmod fchown fork forkpty getegid geteuid getgid getgroups getloadavg getpgid getpgrp
    getpriority getresuid getsid getuid killpg lchown lockf mkfifo mknod nice openpty posix_fallocate posix_spawn pread
    preadv pwrite pwritev readv register_at_fork sendfile setegid seteuid setgid setgroups setpgid setpriority setsid
    setuid statvfs sync sysconf ttyname uname wait wait3 wait4 waitid writev WNOHANG EX_OK O_CLOEXEC O_DIRECTORY
    O_NOCTTY O_NOFOLLOW O_NONBLOCK O_SYNC"""
_SIGNALS = "SIGABRT SIGFPE SIGILL SIGINT SIGSEGV SIGTERM SIG_DFL SIG_IGN Signals signal getsignal raise_signal"
SYSTEMS = {
    "windows": {"platform": "win32", "name": "nt", "os": f"{_LINUX} {_UNIX}",
                "modules": "fcntl resource pwd grp termios tty pty curses readline syslog",
                "socket": "AF_UNIX SOCK_SEQPACKET send_fds recv_fds", "select": "poll epoll kqueue"},
    "macos": {"platform": "darwin", "name": "posix", "os": _LINUX, "modules": "", "socket": "SOCK_SEQPACKET",
              "select": "epoll"},
}  # fmt: skip


class _Sys(ModuleType):
    """The one `sys`, which says that it is another system."""

    def __getattr__(self, name):
        return getattr(sys, name)

    def __setattr__(self, name, value):
        setattr(sys, name, value)


def pretend(system: str) -> None:
    """From now on our modules that are not loaded yet are on this system."""
    lacks = SYSTEMS[system]
    seen = {name: _without(name, lacks[name]) for name in ("os", "socket", "select")}
    seen["os"].name = lacks["name"]
    seen["sys"] = _Sys("sys")
    vars(seen["sys"])["platform"] = lacks["platform"]
    if system == "windows":
        _as_on_windows(seen["os"])
        seen["signal"] = ModuleType("signal")
        vars(seen["signal"]).update({name: getattr(signal, name) for name in _SIGNALS.split()})
    missing, plain = lacks["modules"].split(), builtins.__import__

    def imported(name, globals=None, locals=None, fromlist=(), level=0):
        if level == 0 and str((globals or {}).get("__name__")).partition(".")[0] in OURS:
            if name in missing:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            if name in seen:
                return seen[name]
        return plain(name, globals, locals, fromlist, level)

    builtins.__import__ = imported
    warnings.filterwarnings("ignore", category=EncodingWarning)
    warnings.filterwarnings("error", category=EncodingWarning, module="|".join(OURS))


def _without(name: str, missing: str) -> ModuleType:
    real, found = __import__(name), ModuleType(name)
    vars(found).update({key: value for key, value in vars(real).items() if key not in missing.split()})
    return found


def _as_on_windows(seen: ModuleType) -> None:
    """Folders cannot be opened, nor anything found in one that is open; a file is not renamed over another."""

    def opened(path, flags, mode=0o777, *, dir_fd=None):
        if os.path.isdir(path):
            raise PermissionError(13, "Permission denied", path)
        return _no_folder(os.open, dir_fd)(path, flags, mode)

    def renamed(source, target, *, src_dir_fd=None, dst_dir_fd=None):
        if os.path.exists(target):
            raise FileExistsError(17, "File exists", target)
        return _no_folder(_no_folder(os.rename, src_dir_fd), dst_dir_fd)(source, target)

    seen.open, seen.rename = opened, renamed
    for name in ("stat", "unlink", "mkdir", "rmdir", "chmod"):
        plain = getattr(os, name)
        setattr(seen, name, lambda path, *a, dir_fd=None, plain=plain, **k: _no_folder(plain, dir_fd)(path, *a, **k))


def _no_folder(plain, dir_fd):
    if dir_fd is not None:
        raise NotImplementedError("dir_fd unavailable on this platform")
    return plain


def main(system: str, module: str, *arguments: str) -> None:
    """What `python -m` does, there; "child" is the isolated program, which is started in the same way."""
    pretend(system)
    sys.argv[:] = [module, *arguments]
    if module == "child":
        runpy.run_path(str(ROOT / "autograder" / "isolated" / "child.py"), run_name="__main__")
    from autograder.isolated import servers

    plain = servers._command

    def command(*given):
        *python, program, mode, config = plain(*given)
        assert program == servers._CHILD
        return [*python, __file__, system, "child", mode, config]

    servers._command = command
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
