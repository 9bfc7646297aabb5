"""Progress on stderr: an estimator of the time left, and the two renderers that print a run's or a batch's events.

Lines prints for people, JsonLines for programs. A renderer knows nothing of how an event came about.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from tqdm import tqdm

from nst.errors import count_of, one_line
from nst.pictures.resizing import Size
from nst.report.status import FAILED, STARTED, PictureStatus
from nst.transfer.scales import Scale
from nst.transfer.state import State, Step

SECONDS_BETWEEN_LINES = 10  # The pause between two lines of a run where stderr is no terminal.


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
        """Return how long the rest will take at the pace since the first step, or None before the second step.

        The first step is left out, because it includes work that is done only once, such as tracing the graph.
        """
        if self.done == self.work:
            return 0.0
        if self.first is None or self.done == self.first[0]:
            return None
        (before, began), now = self.first, time.monotonic()
        left = (now - began) * (self.work - self.done) / (self.done - before)
        return max(0.0, min(left, self.most_seconds - (now - self.started)))

    def follow(self, step: Step, picture: Callable[[], np.ndarray], state: Callable[[], State]) -> None:
        """Note a step and show where the run is, the costs and the time left."""
        scale = self.scales[step.size]
        if not self.last or self.last.size != step.size:  # The scale before may have ended before its last step.
            self.done = max(self.done, sum(other.work for size, other in self.scales.items() if size < step.size))
        self.done += scale.work // scale.steps
        self.last, self.number = step, step.number
        self.first = self.first or (self.done, time.monotonic())
        self.renderer.step(step, steps=self.steps, work_done=self.done, seconds_left=self.seconds_left)

    def estimate(self, seconds: float, memory_mb: int) -> None:
        """Tell about how long the run will take and how much memory, before its first step."""
        self.renderer.estimate(self.steps, min(seconds, self.most_seconds), memory_mb)

    def announce(self, url: str) -> None:
        """Tell where the run can be watched."""
        self.renderer.announce(url)

    def tell(self, line: str) -> None:
        """Warn the user; the run goes on."""
        self.told.append(line)
        self.renderer.warn(line)


class Lines:
    """Print events for people: a run's steps as a bar on a terminal, and as plain lines elsewhere.

    job    the name of the result, for the run of a picture of a batch
    quiet  whether to print only warnings, failed pictures and the address to watch a run at
    """

    def __init__(self, stream: TextIO, job: str | None = None, *, quiet: bool = False) -> None:
        self.stream = stream
        self.job = job
        self.quiet = quiet
        self.bar: tqdm | None = None
        self.printed = -float(SECONDS_BETWEEN_LINES)  # The time of the last plain line of a step.

    def begin(self, work: int, done: int) -> None:
        """Begin a run, of whose work some may be done already."""
        if not self.quiet and self.stream.isatty():
            form = "{desc} |{bar}| {percentage:3.0f}% {elapsed}<{remaining}{postfix}"
            self.bar = tqdm(total=work, initial=done, file=self.stream, bar_format=form)

    def close(self) -> None:
        """End a run."""
        if self.bar is not None:
            self.bar.close()

    def step(self, step: Step, *, steps: int, work_done: int, seconds_left: float | None) -> None:
        """Move the bar, or print a line if there has been none for a while."""
        where = f"{self.job or ''}  {max(step.size)} px  step {step.number}/{steps}".lstrip()
        costs = "  ".join(f"{name} {value:.4g}" for name, value in step.costs.items())
        now = time.monotonic()
        if self.bar is not None:
            self.bar.set_description_str(where, refresh=False)
            self.bar.set_postfix_str(costs, refresh=False)
            self.bar.update(work_done - self.bar.n)
        elif not self.quiet and (now - self.printed >= SECONDS_BETWEEN_LINES or step.number == steps):
            self.printed = now
            self._print(f"{where}  {costs}" + ("" if seconds_left is None else f"  {seconds_left:.0f} s left"))

    def estimate(self, steps: int, seconds: float, memory_mb: int) -> None:
        """Print about how long a run will take; not for each picture of a batch."""
        if not self.quiet and not self.job:
            self._print(f"{steps} steps: about {seconds:.0f} s, {memory_mb} MB of memory")

    def announce(self, url: str) -> None:
        """Print where a run can be watched, also when quiet, because the user has asked for the address."""
        self._print(f"neural_art: watch it at {url}")

    def warn(self, line: str, job: str | None = None) -> None:
        """Print a warning, about a picture of a batch or about all."""
        self._print(f"neural_art: {f'{job}: ' if job else ''}{line}")

    def begin_picture(self, name: str) -> None:
        """Print nothing: the line at the end of a picture is enough."""

    def end_picture(self, status: PictureStatus, *, number: int, pictures: int, seconds_left: float | None) -> None:
        """Print how a picture of a batch has ended, and the time left."""
        if self.quiet and status.state != FAILED:
            return
        words = status.error if status.state == FAILED else f"{status.seconds or 0:.1f} s"
        rest = f"; {seconds_left:.0f} s left for {pictures - number} more" if seconds_left else ""
        self._print(f"{number}/{pictures} {status.result.name}: {status.state}: {words}{rest}")

    def sum_up(self, states: Sequence[str], folder: Path, page: Path | None) -> None:
        """Print how many pictures of a batch are in each state, and where its page is, if any."""
        if not self.quiet:
            counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
            look = f"; look at {page}" if page else ""
            self._print(f"{count_of(len(states), 'picture')} in {folder}: {counts}{look}")

    def trace(self, text: str) -> None:
        """Print the traceback of a mistake of the program."""
        print(text, file=self.stream, flush=True)

    def _print(self, line: str) -> None:
        """Print one line, above the bar if there is one."""
        with nullcontext() if self.bar is None else self.bar.external_write_mode(file=self.stream):
            print(one_line(line), file=self.stream, flush=True)


class JsonLines:
    """Print each event for programs, as a JSON object in a line of its own.

    job  the name of the result, for the run of a picture of a batch
    """

    def __init__(self, stream: TextIO, job: str | None = None) -> None:
        self.stream = stream
        self.job = {} if job is None else {"job": job}

    def begin(self, work: int, done: int) -> None:
        """Print nothing: the first step says enough."""

    def close(self) -> None:
        """Print nothing: the last step, or the result on stdout, says enough."""

    def step(self, step: Step, *, steps: int, work_done: int, seconds_left: float | None) -> None:
        """Print a step."""
        self._print(
            "step",
            **self.job,
            number=step.number,
            steps=steps,
            long_side_px=max(step.size),
            costs=step.costs,
            seconds_left=_rounded(seconds_left),
        )

    def estimate(self, steps: int, seconds: float, memory_mb: int) -> None:
        """Print about how long a run will take and how much memory."""
        self._print("estimate", **self.job, seconds=round(seconds, 1), memory_mb=memory_mb)

    def announce(self, url: str) -> None:
        """Print where a run can be watched."""
        self._print("watch", url=url)

    def warn(self, line: str, job: str | None = None) -> None:
        """Print a warning, about a picture of a batch or about all."""
        self._print("warning", **({"job": job} if job else self.job), message=line)

    def begin_picture(self, name: str) -> None:
        """Print that a picture of a batch is being made."""
        self._print("job", job=name, state=STARTED)

    def end_picture(self, status: PictureStatus, *, number: int, pictures: int, seconds_left: float | None) -> None:
        """Print how a picture of a batch has ended, and the time left."""
        self._print(
            "job",
            job=status.result.name,
            state=status.state,
            path=str(status.result),
            seconds=status.seconds,
            error=status.error,
            number=number,
            jobs=pictures,
            seconds_left=_rounded(seconds_left),
        )

    def sum_up(self, states: Sequence[str], folder: Path, page: Path | None) -> None:
        """Print nothing: the result on stdout lists all pictures."""

    def trace(self, text: str) -> None:
        """Print nothing: the error of the picture is in its own event."""

    def _print(self, event: str, **fields: Any) -> None:
        print(json.dumps({"event": event, **fields}), file=self.stream, flush=True)


class Silence:
    """Print nothing, for a run whose warnings somebody else tells."""

    def begin(self, work: int, done: int) -> None:
        """Begin a run."""

    def close(self) -> None:
        """End a run."""

    def step(self, step: Step, *, steps: int, work_done: int, seconds_left: float | None) -> None:
        """Pass over a step."""

    def estimate(self, steps: int, seconds: float, memory_mb: int) -> None:
        """Pass over an estimate."""

    def announce(self, url: str) -> None:
        """Pass over an address."""

    def warn(self, line: str, job: str | None = None) -> None:
        """Pass over a warning."""


Renderer = Lines | JsonLines


def renderer_of(kind: str, stream: TextIO | None = None, *, job: str | None = None) -> Renderer:
    """Return the renderer that prints events to a stream, or to stderr.

    kind  text, for people; quiet, for warnings and failures alone; or json, for programs
    job   the name of the result, for the run of a picture of a batch
    """
    stream = stream or sys.stderr
    return JsonLines(stream, job) if kind == "json" else Lines(stream, job, quiet=kind == "quiet")


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
