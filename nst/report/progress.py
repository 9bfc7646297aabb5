"""The progress of a run: how far it is, and an estimate of the time left. A renderer prints it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

import numpy as np

from nst.pictures.resizing import Size
from nst.report.renderers import Silence, renderer_of
from nst.system.signals import stopping_words
from nst.transfer.scales import Scale
from nst.transfer.state import State, Step


class Progress:
    """Estimate how far a run is and how long the rest takes, and hand its events to a renderer.

    A step counts by the work of its scale, as a step of a large scale takes longer.

    kind  text, quiet or json, see renderer_of; or silent, which prints nothing
    job   the name of the result, for a picture of a batch

    told    the warnings so far
    last    the last step, None before the first
    number  of steps done, also by an earlier part of the run
    """

    def __init__(self, stream: TextIO | None = None, *, kind: str = "text", job: str | None = None) -> None:
        self.renderer = Silence() if kind == "silent" else renderer_of(kind, stream, job=job)
        self.scales: dict[Size, Scale] = {}
        self.last: Step | None = None
        self.number = 0
        self.told: list[str] = []
        self.unit = "steps"
        self.expected: float | None = None  # When the run will end by the estimate before its first step.

    def begin(self, scales: Sequence[Scale], *, done: int = 0, most_seconds: float = 0) -> None:
        """Begin a run over some scales.

        done          number of steps that an earlier part of the run has done
        most_seconds  the run's time limit; 0 for no limit
        """
        self.most_seconds = most_seconds or float("inf")
        self.scales = {scale.size: scale for scale in scales}
        self.steps = sum(scale.steps for scale in scales)
        self.work = sum(scale.work for scale in scales)
        work_by_step = [scale.work // scale.steps for scale in scales for _ in range(scale.steps)]
        self.done = sum(work_by_step[:done])
        self.first: tuple[int, float] | None = None  # Work done at the end of this process's first step, and its time.
        self.number = done
        self.started = time.monotonic()
        self.renderer.begin(self.work, self.done)

    def begin_frames(self, frames: int, *, done: int = 0) -> None:
        """Begin a run over the frames of a clip, of which some are done."""
        self.most_seconds, self.work, self.steps, self.done, self.number = float("inf"), frames, frames, done, done
        self.first, self.started, self.unit = None, time.monotonic(), "frames"
        self.renderer.begin(frames, done)

    def follow_frame(self, size: Size) -> None:
        """Note a frame and show where the run is."""
        self.done += 1
        self.number += 1
        self.first = self.first or (self.done, time.monotonic())
        self.work = max(self.work, self.done)
        self.renderer.frame(self.number, self.work, max(size), self.pace, self.seconds_left)

    @property
    def pace(self) -> float | None:
        """Return the seconds that a unit of work has taken since the first step, or None before the second step."""
        if self.first is None or self.done == self.first[0]:
            return None
        before, began = self.first
        return (time.monotonic() - began) / (self.done - before)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        self.renderer.close()

    @property
    def fraction_done(self) -> float:
        """Return the fraction of the run's work that is done."""
        return self.done / self.work

    @property
    def seconds_left(self) -> float | None:
        """Return how long the rest will take at the pace since the first step.

        The first step is left out, because it includes work that is done only once, such as tracing the graph. Before
        the second step the time is that of the estimate, or None without one.
        """
        if self.done == self.work:
            return 0.0
        pace, now = self.pace, time.monotonic()
        if pace is None:
            return None if self.expected is None else max(0.0, self.expected - now)
        return max(0.0, min(pace * (self.work - self.done), self.most_seconds - (now - self.started)))

    def follow(self, step: Step, picture: Callable[[], np.ndarray], state: Callable[[], State]) -> None:
        """Note a step and show where the run is, the costs and the time left."""
        scale = self.scales[step.size]
        if not self.last or self.last.size != step.size:  # The scale before may have ended before its last step.
            self.done = max(self.done, sum(other.work for size, other in self.scales.items() if size < step.size))
        self.done += scale.work // scale.steps
        self.last, self.number = step, step.number
        self.first = self.first or (self.done, time.monotonic())
        self.renderer.step(step, steps=self.steps, work_done=self.done, seconds_left=self.seconds_left)

    def phase(self, words: str) -> None:
        """Tell of work that goes on before the first step."""
        self.renderer.show_phase(words)

    def inputs(self, content: Path, styles: Sequence[Path]) -> None:
        """Tell the photo and the styles, before the first step."""
        self.renderer.inputs(content, styles)

    def estimate(self, seconds: float, memory_mb: int, device: str) -> None:
        """Tell about how long the run will take, how much memory, and on which device, before its first step."""
        seconds = min(seconds, self.most_seconds)
        self.expected = time.monotonic() + seconds
        self.renderer.estimate(f"{self.steps} {self.unit}", seconds, memory_mb, device)

    def stopping(self, number: int) -> None:
        """Tell that the run will end, of a signal."""
        self.renderer.stopping(stopping_words(f"this {self.unit.removesuffix('s')}", number))

    def end(self, report: Path | None) -> None:
        """Tell where the report of a run is, if it has one."""
        self.renderer.end(report)

    def announce(self, url: str) -> None:
        """Tell where the run can be watched."""
        self.renderer.announce(url)

    def tell(self, line: str) -> None:
        """Warn the user; the run goes on."""
        self.told.append(line)
        self.renderer.warn(line)
