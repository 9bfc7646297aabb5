"""Signals: a first Ctrl-C, SIGTERM, SIGHUP or Ctrl-Break waits for the end of a step; a second ends the run at once.

No exception may be raised in the middle of TensorFlow, which calls Python from native code that then crashes. There a
first signal waits, and a second one ends the whole process, if the process is a program's own.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import NoReturn

HANGUP = getattr(signal, "SIGHUP", None)  # The terminal is gone. Windows has no such signal.
BREAK = getattr(signal, "SIGBREAK", None)  # Ctrl-Break, which only Windows has.
SIGNALS = tuple(number for number in (signal.SIGINT, signal.SIGTERM, HANGUP, BREAK) if number is not None)

NOTHING_DONE = "the first step was not done yet"

End = Callable[["AtOnce"], NoReturn]


class Stopped(KeyboardInterrupt):
    """A run has ended after a first signal.

    The arguments are the number of the signal, a text on what is saved and how to go on, and the path of the picture.
    """


class AtOnce(KeyboardInterrupt):
    """A second signal has come; nothing more is saved.

    The arguments are the number of the signal, and a text on how to go on, if known.
    """


class _Handler:
    """A handler of signals.

    end    ends the process after a second signal in native code, where no exception may be raised
    waits  whether a first signal is only noted
    """

    def __init__(self, receive: Callable[[int], None], end: End, *, waits: bool = False) -> None:
        self.receive = receive
        self.end = end
        self.waits = waits

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.receive(number)


def stopping_words(last: str, number: int) -> str:
    """Return the words that answer a first signal of that number; `last` is what is done before the end."""
    again = "; Ctrl-C again ends now" if number == signal.SIGINT else ""
    return f"stopping after {last}{again}"


def _raise(error: AtOnce) -> NoReturn:
    raise error


def interrupt_on_signals(end: End = _raise) -> None:
    """Let each signal raise KeyboardInterrupt with its number, so that one path saves the picture.

    end  ends the process, in place of raising AtOnce where that may not be raised; see deferred
    """

    def interrupt(number: int) -> NoReturn:
        raise KeyboardInterrupt(number)

    for number in _obeyed():
        signal.signal(number, _Handler(interrupt, end))


@contextmanager
def deferred(
    native: Callable[[], str] | None = None, *, heard: Callable[[int], None] | None = None
) -> Iterator[Callable[[], int]]:
    """Yield a function that returns the number of the first signal since, or 0. A second signal raises AtOnce.

    native  for work in native code, which the second signal must not leave by an exception: returns the words for what
            the end of the process leaves; see interrupt_on_signals
    heard   tells the user of the number of a first signal, in a thread, as the signal may interrupt a print

    Where this is within another `deferred`, that one has the signal too. A SIGHUP is never a second signal: a terminal
    that is closed may send it twice. Only the main thread receives signals. In any other thread nothing changes, and
    the function returns 0.
    """
    came: list[int] = []

    def note(number: int, end: End) -> None:
        if not came or number == HANGUP:
            came.append(number)
            if heard and len(came) == 1:
                threading.Thread(target=heard, args=(number,), daemon=True).start()
        elif native:
            end(AtOnce(number, native()))
        else:
            raise AtOnce(number)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: 0
        return
    before = {number: signal.getsignal(number) for number in _obeyed()}
    for number, handler in before.items():
        end = handler.end if isinstance(handler, _Handler) else _raise
        signal.signal(number, _Handler(partial(note, end=end), end, waits=True))
    try:
        yield lambda: came[0] if came else 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        outer = _waiting(came[0]) if came else None
        if outer:
            outer.receive(came[0])


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let a signal wait for the end of work that it would damage, such as an import; it then comes as it would have."""
    with deferred(lambda: NOTHING_DONE) as signalled:
        yield
    if signalled() and not _waiting(signalled()):
        signal.raise_signal(signalled())


def ignore_signals() -> None:
    """Let signals change nothing any more, at the end of a program."""
    for number in _obeyed():
        signal.signal(number, signal.SIG_IGN)


def _waiting(number: int) -> _Handler | None:
    """Return the handler of a signal where that one only notes a first signal."""
    handler = signal.getsignal(number)
    return handler if isinstance(handler, _Handler) and handler.waits else None


@contextmanager
def unsignalled_children() -> Iterator[None]:
    """Start processes that Ctrl-C and SIGHUP, which a terminal sends to all, never reach: those are the parent's.

    On Windows, a Ctrl-C that comes meanwhile is lost.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows, where a process inherits that Ctrl-C is ignored.
        import ctypes

        console = ctypes.windll.kernel32  # type: ignore[attr-defined]
        console.SetConsoleCtrlHandler(None, True)
        try:
            yield
        finally:
            console.SetConsoleCtrlHandler(None, False)
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {number for number in (signal.SIGINT, HANGUP) if number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ignore_terminal() -> None:
    """Let the keys of the terminal change nothing, in a process whose parent answers them."""
    for number in (signal.SIGINT, BREAK):
        if number is not None:
            signal.signal(number, signal.SIG_IGN)


def _obeyed() -> list[signal.Signals]:
    """Return the signals that the process was not started to ignore, as nohup ignores SIGHUP."""
    return [number for number in SIGNALS if signal.getsignal(number) not in (signal.SIG_IGN, None)]
