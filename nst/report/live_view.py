"""What is to be seen of the run that goes on: told by the run, asked for by whoever shows it meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from nst.report.sources import Sources
from nst.transfer.state import Step

LARGEST_SHARE = 0.01  # of the time, for pictures
SECONDS_WATCHED = 3.0  # after which a browser that asks for nothing is gone


class LiveView:
    """What is to be seen of the run that goes on. The run's thread tells it, the server's threads ask.

    A batch tells of one run after another, and sets `place` to where it is, as "3 of 20".
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.version = 0  # counts the changes
        self.run = 0  # counts the runs
        self.sources: Sources | None = None
        self.place = ""
        self.state = "starting"
        self.over = False  # whether nothing more will come
        self.steps: Sequence[Step] = ()
        self.seconds_left: float | None = None
        self.image: np.ndarray | None = None
        self.image_version = 0
        self.wanted = False  # whether a browser has asked since the last picture
        self.due = 0.0  # when the next picture may be taken, by time.monotonic()
        self.asked = -SECONDS_WATCHED  # when a browser last did, by time.monotonic()
        self.seen = 0  # version of the last state that a browser has got
        self.seen_image = 0

    @contextmanager
    def showing(self, sources: Sources, steps: Sequence[Step]) -> Iterator[None]:
        """Show a run, whose `steps` grow as it goes on, and how it ends."""
        with self.changed:
            self.run += 1
            self.sources, self.steps = sources, steps
            self.state, self.seconds_left = "running", None
            self.image, self.image_version = None, 0
            self._tell()
        state = "failed"
        try:
            yield
            state = "done"
        except KeyboardInterrupt:
            state = "stopped"
            raise
        finally:
            with self.changed:
                self.state, self.seconds_left = state, None
                self._tell()

    def follow(self, picture: Callable[[], np.ndarray], seconds_left: float | None) -> None:
        """Show a step, and what `picture` returns if a browser has asked since the last picture."""
        began = time.monotonic()
        if self.wanted and began >= self.due:
            image = np.array(picture(), np.float32)
            self.show(image)
            now = time.monotonic()
            self.due = max(self.due, now + (now - began) / LARGEST_SHARE)
        with self.changed:
            self.seconds_left = seconds_left
            self._tell()

    def show(self, image: np.ndarray) -> None:
        """Show a picture, which stays as it is from now on."""
        with self.changed:
            self.wanted = False
            self._tell()
            self.image, self.image_version = image, self.version

    def close(self) -> None:
        """Tell that nothing more will come."""
        with self.changed:
            self.over = True
            self._tell()

    def _tell(self) -> None:
        self.version += 1
        self.changed.notify_all()

    @property
    def has_been_seen(self) -> bool:
        """Return whether whoever watches has got all that there is, or no one watches."""
        gone = time.monotonic() - self.asked > SECONDS_WATCHED
        return gone or (self.seen == self.version and self.seen_image == self.image_version)
