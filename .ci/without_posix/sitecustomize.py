"""Let Python on Linux lack what Windows lacks: for the engine, the module, and their processes.

Python imports this file first if its folder is in ``PYTHONPATH``. Files of this repository then see
Windows: no `HIDDEN_MODULES`, no `HIDDEN` names, other values for `SHOWN`. The standard library and
packages keep the real modules. For all code, the system calls refuse what Windows refuses: links,
names of devices, names with forbidden characters, and to rename or remove files that this process
has open.

Not imitated: paths with backslashes, drives and network shares; folders that ignore case (put
``TMPDIR`` on a volume mounted with ``lowntfs-3g -o ignore_case,windows_names`` for these); files
that another process has open; paths over 260 characters; a default encoding of text other than
UTF-8.
"""

from __future__ import annotations

import builtins
import errno
import fcntl
import os
import re
import signal
import sys
from pathlib import PurePath
from types import ModuleType
from typing import Any

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HIDDEN_MODULES = frozenset(("fcntl", "resource", "pwd", "grp", "termios", "pty", "tty", "syslog"))
OS_NAMES = """O_NOFOLLOW O_NONBLOCK O_CLOEXEC O_DIRECTORY O_SYNC fork forkpty killpg getpgid setsid
    mkfifo mknod getuid geteuid getgid getegid fchmod fchown chown sysconf uname getloadavg
    sched_getaffinity sched_setaffinity statvfs pread pwrite posix_spawn wait4 nice"""
SIGNAL_NAMES = """SIGKILL SIGHUP SIGSTOP SIGCONT SIGUSR1 SIGUSR2 SIGALRM SIGPIPE SIGCHLD alarm
    setitimer pthread_kill pthread_sigmask"""
HIDDEN = {
    "os": frozenset(OS_NAMES.split()),
    "signal": frozenset(SIGNAL_NAMES.split()),
    "sys": frozenset(),
}
#: What Windows does not take in a name, and the devices that it sees in any folder.
FORBIDDEN = re.compile(r'[<>:"|?*\\\x00-\x1f]|[. ]$')
DEVICE = re.compile(r"(?i)(con|prn|aux|nul|(com|lpt)[0-9¹²³]) *(\.|$)")


class Shown(ModuleType):
    """A module of which some names are hidden and some have other values."""

    def __init__(self, real: ModuleType, hidden: frozenset[str], shown: dict[str, Any]) -> None:
        own = object.__getattribute__(self, "__dict__")
        own.update(_real=real, _hidden=hidden, _shown=shown)

    def __getattribute__(self, name: str) -> Any:
        own = object.__getattribute__(self, "__dict__")
        if name in own["_hidden"]:
            raise AttributeError(f"module '{own['_real'].__name__}' has no attribute '{name}'")
        return own["_shown"][name] if name in own["_shown"] else getattr(own["_real"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        own = object.__getattribute__(self, "__dict__")
        if name in own["_shown"]:
            own["_shown"][name] = value
        else:
            setattr(own["_real"], name, value)

    def __delattr__(self, name: str) -> None:
        delattr(object.__getattribute__(self, "__dict__")["_real"], name)


def open_file(path: Any, *arguments: Any, **options: Any) -> int:
    """Open a file as `os.open`; a folder cannot be opened."""
    if os.path.isdir(path):
        raise PermissionError(errno.EACCES, "Permission denied", path)
    return os.open(path, *arguments, **options)


def kill(process: int, number: int) -> None:
    """End a process as `os.kill`, which knows no other signals on Windows."""
    if number not in (signal.SIGTERM, signal.SIGINT):
        raise OSError(errno.EINVAL, "Invalid argument")
    os.kill(process, number)


def locking(descriptor: int, mode: int, count: int) -> None:
    """Lock a file as `msvcrt.locking`."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise PermissionError(errno.EACCES, "Permission denied") from None


def import_module(
    name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
) -> Any:
    """Import as `__import__`; files of this repository get what Windows has."""
    if level == 0 and _is_ours((globals or {}).get("__file__")):
        top = name.partition(".")[0]
        if top in HIDDEN_MODULES:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        if top in MODULES and (name == top or not fromlist):
            return MODULES[top]
    return _import(name, globals, locals, fromlist, level)


def _is_ours(file: Any) -> bool:
    return isinstance(file, str) and file.startswith(REPOSITORY) and "site-packages" not in file


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse what Windows refuses; Python calls this before each of its system calls."""
    if event == "os.symlink":
        error = OSError(errno.EPERM, "A required privilege is not held by the client")
        error.winerror = 1314
        raise error
    makes_file = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_CREAT
    if makes_file or event == "os.mkdir":
        _check_name(arguments[0])
    elif event == "os.rename":
        _check_name(arguments[1])
        _check_closed(arguments[0], arguments[1])
    elif event == "os.remove":
        _check_closed(arguments[0])


def _check_name(path: Any) -> None:
    name = PurePath(os.fsdecode(path)).name if isinstance(path, (str, bytes, PurePath)) else ""
    if FORBIDDEN.search(name) or DEVICE.match(name):
        raise OSError(errno.EINVAL, "Invalid argument", path)


def _check_closed(*paths: Any) -> None:
    """Refuse files that this process has open or mapped, and folders with such files."""
    places = [os.path.realpath(os.fsdecode(path)) for path in paths if not isinstance(path, int)]
    for place in _open_files():
        if any(place == path or place.startswith(f"{path}/") for path in places):
            raise PermissionError(errno.EACCES, "The file is used by another process", paths[0])


def _open_files() -> list[str]:
    found = []
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        except OSError:  # the one that lists the folder
            continue
    with open("/proc/self/maps", encoding="utf-8") as lines:
        found += {line.split(None, 5)[5].rstrip() for line in lines if "/" in line}
    return found


_import = builtins.__import__
_msvcrt = ModuleType("msvcrt")
_msvcrt.__dict__.update(locking=locking, LK_NBLCK=2)
MODULES: dict[str, ModuleType] = {
    "os": Shown(os, HIDDEN["os"], {"name": "nt", "open": open_file, "kill": kill}),
    "signal": Shown(signal, HIDDEN["signal"], {}),
    "sys": Shown(sys, HIDDEN["sys"], {"platform": "win32"}),
    "msvcrt": _msvcrt,
}
builtins.__import__ = import_module
sys.addaudithook(refuse)
