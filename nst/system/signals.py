"""A first Ctrl-C or SIGTERM waits for the end of a step; a second one ends at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(KeyboardInterrupt):
    """The run has ended after a first signal: its number, in words what is saved and how to go on, and the picture."""


class AtOnce(KeyboardInterrupt):
    """A second signal, after which nothing more is saved: its number, and how to go on, if known."""


@contextmanager
def deferred() -> Iterator[Callable[[], int]]:
    """Yield what returns the number of a signal that came since, or 0. A second signal raises AtOnce, anywhere.

    Only the main thread receives signals; in another one nothing changes.
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
