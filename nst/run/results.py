"""The files that a run writes: snapshots and checkpoints on the way, then the picture, its record, costs and report.

Nothing but the picture is needed. Whatever else cannot be written is told, and the run goes on; and a picture that
cannot be written to its place is saved elsewhere.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nst.errors import RunError, os_error_words
from nst.pictures.picture_files import Picture, over_white, write_picture
from nst.pictures.resizing import resize, resize_alpha
from nst.report.costs import write_cost_plot, write_costs
from nst.report.progress import Progress
from nst.report.run_page import Run, write_run_page
from nst.report.sources import Named
from nst.report.status import DONE, FAILED, STOPPED
from nst.run.checkpoint import Checkpoint, next_due, write_checkpoint
from nst.run.folder import first_free
from nst.run.job import Job
from nst.run.record import Record
from nst.system.atomic_files import write_json
from nst.system.large_arrays import in_files
from nst.system.signals import NOTHING_DONE
from nst.transfer.state import State, Step

RESUMABLE = "To go on: --resume with the folder of this page."


@dataclass
class Results:
    """The files of one run; a listener to its steps.

    record     of the run
    progress   tells the user warnings, and keeps them
    started    the time of the start by time.monotonic(), less the seconds of an earlier part of the run
    steps      all steps done so far
    snapshots  the steps of the snapshots, and their files
    picture    returns the picture after the last step
    state      returns the state after the last step
    due        the time of the next checkpoint, by time.monotonic()
    """

    job: Job
    record: Record
    progress: Progress
    started: float
    steps: list[Step]
    snapshots: list[tuple[Step, Path]] = field(default_factory=list)
    picture: Callable[[], np.ndarray] | None = None
    state: Callable[[], State] | None = None
    due: float = 0.0
    warned: set[str] = field(default_factory=set)

    @property
    def output(self) -> Path:
        """Return the path of the picture."""
        return self.job.folder.output

    @property
    def seconds(self) -> float:
        """Return how long the run has taken."""
        return time.monotonic() - self.started

    def follow(self, step: Step, picture: Callable[[], np.ndarray], state: Callable[[], State]) -> None:
        """Note a step, and write a snapshot and a checkpoint where one is due."""
        self.steps.append(step)
        self.picture, self.state = picture, state
        every = self.job.settings.snapshot_every
        if every and step.number % every == 0:
            path = self.job.folder.snapshot(step)
            self._attempt("snapshots", lambda: write_picture(path, picture()))
            self.snapshots.append((step, path))
        if time.monotonic() >= self.due:
            self.write_checkpoint()

    def write_checkpoint(self) -> None:
        """Write the state of the run, and note when to do so again."""
        every = self.job.settings.checkpoint_every
        if not every:
            self.due = float("inf")
            return
        began = time.monotonic()
        found = Checkpoint(self.record, self.state() if self.state else None, tuple(self.steps), self.seconds)
        self._attempt("checkpoints", lambda: write_checkpoint(self.job.folder, found))
        self.due = next_due(began, every)

    def save(self, image: np.ndarray, state: str = DONE, message: str = "") -> None:
        """Write the picture, then its record, costs and report. Raises RunError where the picture had to go elsewhere.

        state, message  how the run has ended, for its report
        """
        planned = sum(scale.steps for scale in self.job.scales)
        record = {**self.record.as_json(), "state": state, "steps": len(self.steps), "steps_planned": planned}
        self._save_picture(image, record)
        folder, steps = self.job.folder, self.steps
        record["seconds"] = self.seconds
        self._attempt(folder.settings.name, lambda: write_json(folder.settings, record))
        if steps:
            self._attempt(folder.costs.name, lambda: write_costs(folder.costs, steps))
        if steps and self.job.request.plot:
            self._attempt(folder.plot.name, lambda: write_cost_plot(folder.plot, steps))
        if steps and self.job.request.report:
            self._attempt(folder.report.name, lambda: write_run_page(folder.report, self._run(image, state, message)))

    def save_so_far(self, failure: str = "") -> str:
        """Write the picture after the last step, and a checkpoint unless the run failed; return words for the user.

        failure  why the run cannot go on
        """
        resumable = not failure
        if not self.picture:
            return self.way_on or NOTHING_DONE
        if resumable:
            self.write_checkpoint()
        self.save(self.picture(), FAILED if failure else STOPPED, failure or (self.way_on and RESUMABLE))
        saved = f"{self.output} is the picture so far"
        return f"{saved}; {self.way_on}" if resumable and self.way_on else saved

    def finish(self, image: np.ndarray) -> None:
        """Write all files of a finished run."""
        self.save(image)
        self._attempt("checkpoints", self.job.folder.remove_checkpoint)

    @property
    def way_on(self) -> str:
        """Return the command to go on with, or nothing where there is no checkpoint."""
        return self.job.folder.way_on

    @property
    def unsaved(self) -> str:
        """Return the words for a run that ends at once."""
        return "; ".join(filter(None, ["the picture so far is not saved", self.way_on]))

    def _run(self, image: np.ndarray, state: str, message: str) -> Run:
        """Return the contents of the run's report."""
        size = self.job.scales[-1].size
        shown = over_white(Picture(resize(image, size), resize_alpha(self.job.photo.alpha, size)))
        return Run(
            self.job.sources,
            Named(self.output.name, shown),
            state,
            message,
            tuple(self.snapshots),
            self.steps,
            self.seconds,
            self.record.as_json(),
            tuple(map(self._without_folders, self.progress.told)),
        )

    def _without_folders(self, line: str) -> str:
        """Return a warning with the names of files in place of their paths, as a report may be shared."""
        for path in (*self.job.request.inputs(), self.output, self.job.folder.path):
            line = line.replace(str(path), path.name)
        return line

    def _save_picture(self, image: np.ndarray, record: Mapping[str, Any]) -> None:
        try:
            self._write(self.output, image, record)
        except OSError as error:
            words = os_error_words(error, str(self.output))
            for folder in (Path, tempfile.gettempdir):  # Each as it is now.
                try:
                    path = first_free(Path(folder()) / self.output.name)
                    with in_files(None):
                        self._write(path, image, record)
                except OSError:
                    continue
                raise RunError(f"{words}; the picture is saved as {path.absolute()}", path.absolute()) from error
            raise RunError(f"{words}; nor could the picture be saved here or in a temporary folder") from error

    def _write(self, path: Path, image: np.ndarray, record: Mapping[str, Any]) -> None:
        size, photo = self.job.scales[-1].size, self.job.photo
        write_picture(
            path,
            resize(image, size),
            alpha=resize_alpha(photo.alpha, size),
            bit_depth=self.job.settings.bit_depth,
            dpi=photo.dpi,
            exif=photo.exif,
            comment=json.dumps(record),
        )

    def _attempt(self, what: str, write: Callable[[], None]) -> None:
        """Write a file that the run can do without; warn once where that fails, for any reason."""
        try:
            write()
        except Exception as error:
            if what not in self.warned:
                self.warned.add(what)
                words = os_error_words(error, what) if isinstance(error, OSError) else f"{what}: {error!r}"
                self.progress.tell(f"{words}; the run goes on without {what}")
