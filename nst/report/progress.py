"""What a run tells: progress on stderr, and losses.csv, settings.json and the loss plot in its folder."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from tqdm import tqdm

from nst.system.atomic_files import write_text
from nst.transfer.scales import Scale
from nst.transfer.state import Step

SECONDS_BETWEEN_LINES = 10  # where stderr is no terminal


class Progress:
    """Show a bar on a terminal, and plain lines elsewhere. Time left counts the work of each scale, not its steps.

    done          steps that an earlier part of the run has done
    most_seconds  that the run may still take; 0 for no limit
    kind          text; quiet, which shows warnings alone; or json, a line for each step and each warning
    job           the picture's name, where it is one of a batch
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        kind: str = "text",
        job: str | None = None,
    ) -> None:
        self.stream = stream or sys.stderr
        self.kind = kind
        self.job = {} if job is None else {"job": job}
        self.last: Step | None = None
        self.told: list[str] = []
        self.begin(())

    def begin(self, scales: Sequence[Scale], *, done: int = 0, most_seconds: float = 0) -> None:
        """Begin a run over some scales."""
        self.most_seconds = most_seconds or float("inf")
        self.scales = {scale.size: scale for scale in scales}
        self.steps = sum(scale.steps for scale in scales)
        self.work = sum(scale.work for scale in scales)
        each = [scale.work // scale.steps for scale in scales for _ in range(scale.steps)]
        self.done = sum(each[:done])
        self.first: tuple[int, float] | None = None  # the work that was done after this process's first step, and when
        self.number = done
        self.started = time.monotonic()
        self.printed = -float(SECONDS_BETWEEN_LINES)
        self.bar = tqdm(
            total=self.work,
            initial=self.done,
            file=self.stream,
            disable=self.kind != "text" or not self.stream.isatty(),
            bar_format="{desc} |{bar}| {percentage:3.0f}% {elapsed}<{remaining}{postfix}",
        )

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.close()

    @property
    def seconds_left(self) -> float | None:
        """Return how long the rest will take at the pace since the first step, or None where that is not known yet.

        The first step holds what is done but once, such as to trace the graph.
        """
        if self.done == self.work:
            return 0.0
        if self.first is None or self.done == self.first[0]:
            return None
        (before, began), now = self.first, time.monotonic()
        left = (now - began) * (self.work - self.done) / (self.done - before)
        return max(0.0, min(left, self.most_seconds - (now - self.started)))

    def follow(self, step: Step, picture: object = None, state: object = None) -> None:
        """Show where the run is, the costs and the time left."""
        scale = self.scales[step.size]
        if not self.last or self.last.size != step.size:  # a scale may have ended before its steps were done
            self.done = max(self.done, sum(other.work for size, other in self.scales.items() if size < step.size))
        self.done += scale.work // scale.steps
        self.last, self.number = step, step.number
        self.first = self.first or (self.done, time.monotonic())
        if self.kind == "json":
            left = self.seconds_left
            print_json_line(
                self.stream,
                "step",
                **self.job,
                number=step.number,
                steps=self.steps,
                long_side_px=max(step.size),
                costs=step.costs,
                seconds_left=None if left is None else round(left, 1),
            )
        elif self.kind == "text":
            self._print_step(step, scale.work // scale.steps)

    def _print_step(self, step: Step, work: int) -> None:
        """Move the bar, or print a line if there has been none for a while."""
        where = f"{self.job.get('job', '')}  {max(step.size)} px  step {step.number}/{self.steps}".lstrip()
        costs = "  ".join(f"{name} {value:.4g}" for name, value in step.costs.items())
        if not self.bar.disable:
            self.bar.set_description_str(where, refresh=False)
            self.bar.set_postfix_str(costs, refresh=False)
            self.bar.update(work)
            return
        now = time.monotonic()
        if now - self.printed >= SECONDS_BETWEEN_LINES or step.number == self.steps:
            self.printed = now
            left = self.seconds_left
            print(f"{where}  {costs}" + ("" if left is None else f"  {left:.0f} s left"), file=self.stream, flush=True)

    def estimate(self, seconds: float, memory_mb: int) -> None:
        """Tell about how long a run will take and how much memory, before its first step."""
        seconds = min(seconds, self.most_seconds)
        if self.kind == "json":
            print_json_line(self.stream, "estimate", **self.job, seconds=round(seconds, 1), memory_mb=memory_mb)
        elif self.kind == "text" and not self.job:
            with self.bar.external_write_mode(file=self.stream):
                words = f"{self.steps} steps: about {seconds:.0f} s, {memory_mb} MB of memory"
                print(words, file=self.stream, flush=True)

    def announce(self, url: str) -> None:
        """Tell where the run can be watched."""
        print_address(self.stream, self.kind, url)

    def tell(self, line: str) -> None:
        """Tell what the user should know of a run that goes on."""
        self.told.append(line)
        if self.kind == "silent":
            return
        if self.kind == "json":
            print_json_line(self.stream, "warning", **self.job, message=line)
            return
        with self.bar.external_write_mode(file=self.stream):
            print(f"neural_art: {line}", file=self.stream, flush=True)


def print_address(stream: TextIO, kind: str, url: str) -> None:
    """Print where a run can be watched, also where no progress is shown: it was asked for."""
    if kind == "json":
        print_json_line(stream, "watch", url=url)
    else:
        print(f"neural_art: watch it at {url}", file=stream, flush=True)


def print_json_line(stream: TextIO, event: str, **content: Any) -> None:
    """Print an event and what belongs to it as one line of JSON."""
    print(json.dumps({"event": event, **content}), file=stream, flush=True)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write JSON for people to read."""
    write_text(path, json.dumps(content, indent=2) + "\n")
