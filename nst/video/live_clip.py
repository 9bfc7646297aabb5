"""A clip that is being painted, in the live view: each frame that is done, beside the frame as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from nst.report.live_view import LiveView
from nst.report.sources import Named, Sources
from nst.run.clip_names import stem_of
from nst.transfer.state import Step
from nst.video.clip_state import ClipRun
from nst.video.clips import Frame

OnFrame = Callable[[Frame, np.ndarray], None]  # Is called with each frame that is done, and its picture.


@contextmanager
def showing_frames(run: ClipRun, live: LiveView, done: int) -> Iterator[OnFrame]:
    """Show a clip from before its next frame to its end, and yield a listener to its frames.

    done  the number of frames that an earlier part of the run has done
    """
    progress, last = run.progress, list[tuple[np.ndarray, np.ndarray]]()

    def follow(frame: Frame, picture: np.ndarray) -> None:
        last[:] = [(frame.image, picture)]
        live.follow_frame(_step(run, progress.number), frame.image, picture)

    steps = [_step(run, done)] if done else []
    with live.showing(_sources(run), steps, lambda: (progress.fraction_done, progress.seconds_left)):
        yield follow
        for frame, picture in last:
            live.show_frame(frame, picture)


def _step(run: ClipRun, number: int) -> Step:
    return Step(number, run.job.scales[-1].size, {}, run.seconds)


def _sources(run: ClipRun) -> Sources:
    """Return the first frame and the styles, as a page shows them."""
    sources, path = run.job.sources, run.clip.path
    name = f"{stem_of(path)}{path.suffix}"
    return replace(sources, content=Named(name, sources.content.image), steps=run.progress.steps, unit="frame")
