"""The live view: what a browser may see of the current run. The run writes the view; the server's threads read it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from nst.report.sources import Named, Sources
from nst.report.status import DONE, FAILED, RUNNING, STARTING, STOPPED
from nst.transfer.state import State, Step

LARGEST_SHARE = 0.01  # The largest fraction of a run's time that pictures for browsers may take.
SECONDS_WATCHED = 3.0  # A browser that has not asked for this long is gone.

# Returns how far a run is: the fraction of its work that is done, and the seconds left, None while they are not known.
Measure = Callable[[], tuple[float, float | None]]


def nothing_known() -> tuple[float, float | None]:
    """Return the measure of a run of which nothing is known: nothing is done, and the time left is not known."""
    return 0.0, None


class LiveView:
    """The current run as browsers see it: its sources, steps, state, time left and latest picture.

    A batch shows one run after another, and sets `place` to the run's place in the batch, such as "3 of 20".
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.version = 0  # The number of changes so far.
        self.run = 0  # The number of runs so far.
        self.sources: Sources | None = None
        self.place = ""
        self.state = STARTING
        self.over = False  # Whether nothing more will come.
        self.steps: list[Step] = []
        self.seconds_left: float | None = None
        self.fraction_done = 0.0  # The fraction of the run's work that is done.
        self.image: np.ndarray | None = None
        self.image_version = 0
        self.wanted = False  # Whether a browser has asked since the last picture was taken.
        self.due = 0.0  # The earliest time of the next picture, by time.monotonic().
        self.asked = -SECONDS_WATCHED  # The time of a browser's last question, by time.monotonic().
        self.shown = 0  # The last version that a browser has shown with its picture and chart.
        self._measure: Measure = nothing_known

    @contextmanager
    def showing(self, sources: Sources, steps: Sequence[Step] = (), measure: Measure = nothing_known) -> Iterator[None]:
        """Show a run from before its first step to its end, and then how the run has ended.

        steps    those that an earlier part of the run has done
        measure  returns the fraction of the run's work that is done, and the seconds left
        """
        with self.changed:
            self.run += 1
            self.sources, self.steps, self._measure = sources, list(steps), measure
            self.state = STARTING
            self.fraction_done, self.seconds_left = measure()
            self.image, self.image_version = None, 0
            self._count_change()
        state = FAILED
        try:
            yield
            state = DONE
        except KeyboardInterrupt:
            state = STOPPED
            raise
        finally:
            with self.changed:
                self.state, self.seconds_left = state, None
                self._count_change()

    def follow(self, step: Step, picture: Callable[[], np.ndarray], state: Callable[[], State]) -> None:
        """Show a step; also its picture, if a browser has asked since the last one and the next one is due."""
        self._follow(step, lambda: self.show(np.array(picture(), np.float32)))

    def follow_frame(self, step: Step, frame: np.ndarray, picture: np.ndarray) -> None:
        """Show that a frame of a clip is done; also the frame and its picture, where follow would show a picture.

        step            the number of the frame, without costs
        frame, picture  arrays that nobody changes any more
        """
        self._follow(step, lambda: self.show_frame(frame, picture))

    def _follow(self, step: Step, show: Callable[[], None]) -> None:
        began = time.monotonic()
        if self.wanted and began >= self.due:
            show()
            now = time.monotonic()
            self.due = max(self.due, now + (now - began) / LARGEST_SHARE)
        with self.changed:
            self.state = RUNNING
            self.steps.append(step)
            self.fraction_done, self.seconds_left = self._measure()
            self._count_change()

    def show(self, image: np.ndarray) -> None:
        """Show a picture, an array that nobody changes any more."""
        with self.changed:
            self.wanted = False
            self._count_change()
            self.image, self.image_version = image, self.version

    def show_frame(self, frame: np.ndarray, picture: np.ndarray) -> None:
        """Show a frame of a clip in the place of the photo, and its picture."""
        with self.changed:
            if self.sources:
                self.sources = replace(self.sources, content=Named(self.sources.content.name, frame))
            self.show(picture)

    def close(self) -> None:
        """Note that nothing more will come."""
        with self.changed:
            self.over = True
            self._count_change()

    def _count_change(self) -> None:
        """Count a change and wake the threads that wait for one."""
        self.version += 1
        self.changed.notify_all()

    @property
    def has_been_seen(self) -> bool:
        """Return whether a watching browser has shown the latest version, or no browser is watching."""
        return self.shown == self.version or time.monotonic() - self.asked > SECONDS_WATCHED
