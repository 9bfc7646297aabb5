"""What is printed to stderr of the events of a run or a batch: Lines for people, JsonLines for programs.

A renderer knows nothing of how an event came about.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TextIO

from tqdm import tqdm

from nst.errors import count_of, one_line
from nst.places import SAMPLES
from nst.report.status import FAILED, STARTED, PictureStatus
from nst.transfer.state import Step

SECONDS_BETWEEN_LINES = 10  # The pause between two lines of a run where stderr is no terminal.
MOST_NAMED = 6  # The most styles that are named.
BAR = "{bar} {percentage:3.0f}%  {desc}"  # In words of tqdm.
BAR_COLUMNS = 24  # The columns that the bar needs, below which costs are left out.


def inputs_words(content: Path, styles: Sequence[Path]) -> str:
    """Return the photo and the styles of a run in words."""
    photo, *names = (path.name if path.parent == SAMPLES else str(path) for path in (content, *styles))
    several = names if len(names) <= MOST_NAMED else [*names[: MOST_NAMED - 1], f"{len(names) - MOST_NAMED + 1} more"]
    *first, last = several
    return f"{photo} in the style of " + (f"{', '.join(first)} and {last}" if first else last)


class Lines:
    """Print events for people: a run's steps as a bar on a terminal, and as plain lines elsewhere.

    job    the name of the result, for the run of a picture of a batch
    quiet  whether to print only warnings, failed pictures and the address to watch a run at
    """

    def __init__(self, stream: TextIO, job: str | None = None, *, quiet: bool = False) -> None:
        self.stream = stream
        self.job = job
        self.quiet = quiet
        self.on_terminal = not quiet and stream.isatty()
        self.bar: tqdm | None = None
        self.work = self.done = 0
        self.phase = ""
        self.printed = -float(SECONDS_BETWEEN_LINES)  # The time of the last plain line of a step.

    def begin(self, work: int, done: int) -> None:
        """Begin a run, of whose work some may be done already."""
        self.work, self.done = work, done

    def close(self) -> None:
        """End a run."""
        self.show_phase("")
        if self.bar is not None:
            self.bar.close()

    def show_phase(self, words: str) -> None:
        """Show on a terminal the work that goes on before the first step, in a line that the next event replaces."""
        if self.on_terminal and self.bar is None and (words or self.phase):
            text = f"{words} ..." if words else ""
            self.stream.write(f"\r{text.ljust(len(self.phase))}" + ("" if text else "\r"))
            self.stream.flush()
            self.phase = text

    def inputs(self, content: Path, styles: Sequence[Path]) -> None:
        """Print the photo and the styles of a run; not for each picture of a batch."""
        if not self.quiet and not self.job:
            self._print(inputs_words(content, styles))

    def step(self, step: Step, *, steps: int, work_done: int, seconds_left: float | None) -> None:
        """Move the bar, or print a line if there has been none for a while."""
        where = f"{self.job or ''}  {max(step.size)} px  step {step.number}/{steps}".lstrip()
        costs = "  ".join(f"{name} {value:.4g}" for name, value in step.costs.items())
        self._show(where, costs, work_done, seconds_left, ends=step.number == steps)

    def frame(self, number: int, frames: int, long_side_px: int, pace: float | None, left: float | None) -> None:
        """Move the bar to a frame of a clip, or print a line if there has been none for a while.

        pace, left  the seconds of a frame, and of those that are left
        """
        self.work = frames
        where = f"{self.job or ''}  {long_side_px} px  frame {number}/{frames}".lstrip()
        where += "" if pace is None else f"  {pace:.1f} s a frame"
        self._show(where, "", number, left, ends=number == frames)

    def _show(self, where: str, costs: str, work_done: int, seconds_left: float | None, *, ends: bool) -> None:
        """Move the bar, or print a line if there has been none for a while, or at the end."""
        now = time.monotonic()
        if self.on_terminal:
            self._move_bar(where, costs, work_done, seconds_left)
        elif not self.quiet and (now - self.printed >= SECONDS_BETWEEN_LINES or ends):
            self.printed = now
            left = "" if seconds_left is None else f"{seconds_left:.0f} s left"
            self._print("  ".join(filter(None, [where, costs, left])))

    def _move_bar(self, where: str, costs: str, work_done: int, seconds_left: float | None) -> None:
        """Move the bar, which is there from the first step on, with the costs beside it where the window is wide."""
        if self.bar is None:
            self.show_phase("")
            self.bar = tqdm(total=self.work, initial=self.done, file=self.stream, bar_format=BAR, mininterval=0)
        self.bar.ncols = _columns_of(self.stream) - 1  # The window may have been resized.
        left = "" if seconds_left is None else f"  {tqdm.format_interval(seconds_left)} left"
        room = self.bar.ncols - BAR_COLUMNS - len(where + left)
        self.bar.set_description_str(where + left + (f"  {costs}" if len(costs) <= room else ""), refresh=False)
        self.bar.update(work_done - self.bar.n)

    def estimate(self, work: str, seconds: float, memory_mb: int, device: str) -> None:
        """Print about how long a run will take, and on which device; not for each picture of a batch."""
        if not self.quiet and not self.job:
            self._print(f"{work}: about {seconds:.0f} s and {memory_mb} MB of memory, on the {device}")

    def stopping(self, words: str) -> None:
        """Print that a signal was heard."""
        self._print(f"neural_art: {words}")

    def end(self, report: Path | None) -> None:
        """Print where the report of a run is, if it has one; not for each picture of a batch."""
        if report and not self.quiet and not self.job:
            self._print(f"look at {report}")

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
        self.show_phase("")
        with nullcontext() if self.bar is None else self.bar.external_write_mode(file=self.stream):
            self.stream.write(one_line(line) + "\n")  # At once, as other threads write too.
            self.stream.flush()


def _columns_of(stream: TextIO) -> int:
    """Return how wide a terminal is at present, or 80 where the system does not tell."""
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except OSError:
        return 80


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

    def show_phase(self, words: str) -> None:
        """Print the work that goes on before the first step."""
        if words:
            self._print("phase", **self.job, message=words)

    def inputs(self, content: Path, styles: Sequence[Path]) -> None:
        """Print the photo and the styles of a run."""
        self._print("inputs", **self.job, content=str(content), styles=[str(style) for style in styles])

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

    def frame(self, number: int, frames: int, long_side_px: int, pace: float | None, left: float | None) -> None:
        """Print a frame of a clip."""
        self._print(
            "frame",
            **self.job,
            number=number,
            frames=frames,
            long_side_px=long_side_px,
            seconds_per_frame=_rounded(pace),
            seconds_left=_rounded(left),
        )

    def estimate(self, work: str, seconds: float, memory_mb: int, device: str) -> None:
        """Print about how long a run will take, how much memory, and on which device."""
        self._print("estimate", **self.job, seconds=round(seconds, 1), memory_mb=memory_mb, device=device)

    def stopping(self, words: str) -> None:
        """Print that a signal was heard."""
        self._print("stopping", **self.job, message=words)

    def end(self, report: Path | None) -> None:
        """Print where the report of a run is, if it has one."""
        if report:
            self._print("report", **self.job, path=str(report))

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
        self.stream.write(json.dumps({"event": event, **fields}) + "\n")  # At once, as other threads write too.
        self.stream.flush()


class Silence:
    """Print nothing, for a run whose warnings somebody else tells."""

    def begin(self, work: int, done: int) -> None:
        """Begin a run."""

    def close(self) -> None:
        """End a run."""

    def show_phase(self, words: str) -> None:
        """Pass over work before the first step."""

    def inputs(self, content: Path, styles: Sequence[Path]) -> None:
        """Pass over the photo and the styles."""

    def step(self, step: Step, *, steps: int, work_done: int, seconds_left: float | None) -> None:
        """Pass over a step."""

    def frame(self, number: int, frames: int, long_side_px: int, pace: float | None, left: float | None) -> None:
        """Pass over a frame."""

    def estimate(self, work: str, seconds: float, memory_mb: int, device: str) -> None:
        """Pass over an estimate."""

    def stopping(self, words: str) -> None:
        """Pass over a signal."""

    def end(self, report: Path | None) -> None:
        """Pass over the end of a run."""

    def announce(self, url: str) -> None:
        """Pass over an address."""

    def warn(self, line: str, job: str | None = None) -> None:
        """Pass over a warning."""

    def trace(self, text: str) -> None:
        """Pass over the traceback of a mistake."""


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
