"""The progress of a clip whose scenes are made side by side: the frames of all of them together."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import cast

from nst.batch.orders import Order
from nst.pictures.resizing import Size
from nst.report.progress import Progress
from nst.report.renderers import Renderer, Silence
from nst.video.scenes import Scene


class SceneCounter:
    """Counts the frames of all scenes, in whatever process they are made, in the progress of the clip."""

    def __init__(self, progress: Progress, size: Size, scenes: Sequence[Scene], done: set[int]) -> None:
        self.progress, self.size = progress, size
        self.counts = {scene.number: scene.frames if scene.number in done else 0 for scene in scenes}
        self.lock = threading.Lock()

    def of(self, order: Order) -> Progress:
        """Return the progress of a scene, whose events are counted."""
        assert order.scene
        progress = Progress(kind="silent")
        progress.renderer = cast(Renderer, _SceneEvents(self, order.scene))
        return progress

    def count(self, scene: Scene, frames: int) -> None:
        """Note that so many frames of a scene are done."""
        with self.lock:
            self.counts[scene.number] = frames
            while self.progress.number < sum(self.counts.values()):
                self.progress.follow_frame(self.size)

    def warn(self, line: str, job: str | None = None) -> None:
        """Tell a warning of a scene, unless another scene has told it."""
        with self.lock:
            if line not in self.progress.told:
                self.progress.tell(line)


class _SceneEvents(Silence):
    """The events of one scene."""

    def __init__(self, counter: SceneCounter, scene: Scene) -> None:
        self.counter, self.scene = counter, scene

    def begin(self, work: int, done: int) -> None:
        """Count the frames that an earlier run has made."""
        self.counter.count(self.scene, done)

    def frame(self, number: int, frames: int, long_side_px: int, pace: float | None, left: float | None) -> None:
        """Count a frame."""
        self.counter.count(self.scene, number)

    def warn(self, line: str, job: str | None = None) -> None:
        """Tell a warning."""
        self.counter.warn(line)
