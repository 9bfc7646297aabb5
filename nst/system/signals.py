"""Signals: a first Ctrl-C or SIGTERM waits for the end of a step; a second one ends the run at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(KeyboardInterrupt):
    """A run has ended after a first signal.

    The arguments are the number of the signal, a text on what is saved and how to go on, and the path of the picture.
    """


class AtOnce(KeyboardInterrupt):
    """A second signal has come; nothing more is saved.

    The arguments are the number of the signal, and a text on how to go on, if known.
    """


@contextmanager
def deferred() -> Iterator[Callable[[], int]]:
    """Yield a function that returns the number of the first signal since, or 0. A second signal raises AtOnce.

    Only the main thread receives signals. In any other thread nothing changes, and the function returns 0.
    """
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if came:
            raise AtOnce(number)
        came.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: 0
        return
    before = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield lambda: came[0] if came else 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
