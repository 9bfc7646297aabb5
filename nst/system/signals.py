"""Signals: a first Ctrl-C, SIGTERM or SIGHUP waits for the end of a step; a second one ends the run at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

HANGUP = getattr(signal, "SIGHUP", None)  # The terminal is gone. Windows has no such signal.
SIGNALS = tuple(number for number in (signal.SIGINT, signal.SIGTERM, HANGUP) if number is not None)


class Stopped(KeyboardInterrupt):
    """A run has ended after a first signal.

    The arguments are the number of the signal, a text on what is saved and how to go on, and the path of the picture.
    """


class AtOnce(KeyboardInterrupt):
    """A second signal has come; nothing more is saved.

    The arguments are the number of the signal, and a text on how to go on, if known.
    """


def interrupt_on_signals() -> None:
    """Let each signal raise KeyboardInterrupt with its number, so that one path saves the picture."""

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt(number)

    for number in _obeyed():
        signal.signal(number, interrupt)


@contextmanager
def deferred() -> Iterator[Callable[[], int]]:
    """Yield a function that returns the number of the first signal since, or 0. A second signal raises AtOnce.

    A SIGHUP is never a second signal: a terminal that is closed may send it twice. Only the main thread receives
    signals. In any other thread nothing changes, and the function returns 0.
    """
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if came and number != HANGUP:
            raise AtOnce(number)
        came.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: 0
        return
    before = {number: signal.signal(number, note) for number in _obeyed()}
    try:
        yield lambda: came[0] if came else 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let a signal wait for the end of work that it would damage, such as an import; it then comes as it would have."""
    with deferred() as signalled:
        yield
    if signalled():
        signal.raise_signal(signalled())


@contextmanager
def unsignalled_children() -> Iterator[None]:
    """Start processes that Ctrl-C and SIGHUP, which a terminal sends to all, never reach: those are the parent's."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {number for number in (signal.SIGINT, HANGUP) if number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _obeyed() -> list[signal.Signals]:
    """Return the signals that the process was not started to ignore, as nohup ignores SIGHUP."""
    return [number for number in SIGNALS if signal.getsignal(number) not in (signal.SIG_IGN, None)]
