"""Hides from the program what Windows or macOS lacks, and emulates what Windows has instead.

Python imports this file when it starts, where the file's folder is on PYTHONPATH. Modules and files are hidden from the
program alone: other packages choose by the system's name, which stays the same.
"""

import asyncio  # noqa: F401  Before os.sysconf is hidden, which it reads; TensorFlow's packages import it.
import builtins
import ctypes
import errno
import fcntl
import os
import signal
import sys
from types import SimpleNamespace

import psutil

OWN = ("nst", "neural_art", "__main__", "__mp_main__")
HIDDEN_MODULES = ("fcntl", "resource", "pwd", "grp", "termios", "posix")
HIDDEN_FILES = ("/proc/", "/sys/", "/dev/")
HIDDEN = {
    os: ("sysconf", "sched_getaffinity", "fork", "wait4", "mkfifo", "getloadavg", "killpg"),
    signal: ("SIGHUP", "pthread_sigmask", "SIGKILL", "alarm"),
}


class Process(psutil.Process):
    """A process as psutil tells it on Windows."""

    def memory_info(self):
        """Return the bytes that the process holds and has held."""
        rss = super().memory_info().rss
        return SimpleNamespace(rss=rss, peak_wset=rss)


def locking(handle, mode, number_of_bytes):
    """Lock a file as Windows does."""
    try:
        fcntl.flock(handle, mode)
    except BlockingIOError as error:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from error


EMULATED = {
    "msvcrt": SimpleNamespace(locking=locking, LK_NBLCK=fcntl.LOCK_EX | fcntl.LOCK_NB),
    "psutil": SimpleNamespace(virtual_memory=psutil.virtual_memory, Process=Process),
}


def is_own(name):
    """Return whether a module is the program's."""
    return str(name).partition(".")[0] in OWN


def import_as_on_windows(name, names=None, *rest, **named):
    """Import a module, as __import__ does."""
    if is_own((names or {}).get("__name__")):
        if name in HIDDEN_MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        if name in EMULATED:
            return EMULATED[name]
    return real_import(name, names, *rest, **named)


def refuse_files(event, arguments):
    """Raise FileNotFoundError where the program opens a file that only Linux has."""
    if event != "open" or not str(arguments[0]).startswith(HIDDEN_FILES) or arguments[0] == os.devnull:
        return
    frame = sys._getframe(1)
    while frame and frame.f_globals["__name__"].partition(".")[0] in ("pathlib", "contextlib"):
        frame = frame.f_back
    if frame and is_own(frame.f_globals["__name__"]):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(arguments[0]))


real_import, builtins.__import__ = builtins.__import__, import_as_on_windows
sys.addaudithook(refuse_files)
for module, names in HIDDEN.items():
    for name in names:
        delattr(module, name)
signal.SIGBREAK = signal.SIGUSR1
ctypes.windll = SimpleNamespace(kernel32=SimpleNamespace(SetConsoleCtrlHandler=lambda handler, ignore: True))
