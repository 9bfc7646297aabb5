"""What a run writes: snapshots and checkpoints while it goes, then the picture, its record and its costs.

What cannot be written does not end a run; and the picture, if it cannot be where it should, is saved elsewhere.
"""

from __future__ import annotations

import json
import shlex
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nst.errors import RunError
from nst.pictures.picture_files import Picture, over_white, write_picture
from nst.pictures.resizing import Size, resize, resize_alpha
from nst.report.costs import write_cost_plot, write_costs
from nst.report.pages import REPORT
from nst.report.run_page import Run, write_run_page
from nst.report.sources import Named, Sources
from nst.run.checkpoint import Checkpoint, has_checkpoint, remove_checkpoint, write_checkpoint
from nst.run.folder import first_free, snapshot_name
from nst.settings import Settings
from nst.system.atomic_files import write_json
from nst.transfer.state import State, Step

LARGEST_SHARE = 0.01  # of the time, for checkpoints
RESUMABLE = "To go on: --resume with the folder of this page."


@dataclass
class Results:
    """The files of one run.

    output   the picture; all else is in the folder of its name without suffix
    size     of the picture
    record   what is needed to make it again
    inputs   where the files are that it is made from, see Checkpoint
    warn     tells the user a line
    started  by time.monotonic(), less what an earlier part of the run took
    steps    done so far
    sources  what its report shows of it; None for no report
    told     all that `warn` has told
    """

    output: Path
    photo: Picture
    size: Size
    settings: Settings
    record: dict[str, Any]
    inputs: dict[str, list[list[str | None]]]
    plot: bool
    warn: Callable[[str], None]
    started: float
    steps: list[Step] = field(default_factory=list)
    sources: Sources | None = None
    told: Sequence[str] = ()
    snapshots: list[tuple[Step, Path]] = field(default_factory=list)
    picture: Callable[[], np.ndarray] | None = None  # so far
    state: Callable[[], State] | None = None
    due: float = 0.0  # when the next checkpoint is, by time.monotonic()
    warned: set[str] = field(default_factory=set)

    @property
    def folder(self) -> Path:
        """Return where all but the picture goes."""
        return self.output.with_suffix("")

    @property
    def seconds(self) -> float:
        """Return how long the run has taken."""
        return time.monotonic() - self.started

    def follow(self, step: Step, picture: Callable[[], np.ndarray], state: Callable[[], State]) -> None:
        """Note a step, with a snapshot and a checkpoint where one is due."""
        self.steps.append(step)
        self.picture, self.state = picture, state
        every = self.settings.snapshot_every
        if every and step.number % every == 0:
            path = self.folder / snapshot_name(step)
            self._attempt("snapshots", lambda: write_picture(path, picture()))
            self.snapshots.append((step, path))
        if time.monotonic() >= self.due:
            self.write_checkpoint()

    def write_checkpoint(self) -> None:
        """Write all that is needed to go on from here, and note when to do so again."""
        every = self.settings.checkpoint_every
        if not every:
            self.due = float("inf")
            return
        began = time.monotonic()
        state = self.state() if self.state else None
        found = Checkpoint(self.record, self.inputs, state, tuple(self.steps), self.seconds)
        self._attempt("checkpoints", lambda: write_checkpoint(self.folder, found))
        now = time.monotonic()
        self.due = now + max(every, (now - began) / LARGEST_SHARE)

    def save(self, image: np.ndarray, state: str = "done", message: str = "") -> None:
        """Write the picture, then its record and costs. Raises RunError where the picture had to go elsewhere.

        state, message  how the run has ended, for its report
        """
        self._save_picture(image)
        record = {**self.record, "seconds": self.seconds}
        self._attempt("settings.json", lambda: write_json(self.folder / "settings.json", record))
        if self.steps:
            self._attempt("losses.csv", lambda: write_costs(self.folder / "losses.csv", self.steps))
        if self.steps and self.plot:
            self._attempt("losses.png", lambda: write_cost_plot(self.folder / "losses.png", self.steps))
        if self.steps and self.sources:
            run = self._told_of(self.sources, image, state, message)
            self._attempt(REPORT, lambda: write_run_page(self.folder / REPORT, run))

    def save_so_far(self, failure: str = "") -> str:
        """Write the picture as it is, and unless the run has failed a checkpoint; return what there is then, in words.

        failure  why the run cannot go on
        """
        resumable = not failure
        if not self.picture:
            return self.way_on or "the first step was not done yet"
        if resumable:
            self.write_checkpoint()
        self.save(self.picture(), "failed" if failure else "stopped", failure or (self.way_on and RESUMABLE))
        saved = f"{self.output} is the picture so far"
        return f"{saved}; {self.way_on}" if resumable and self.way_on else saved

    def finish(self, image: np.ndarray) -> None:
        """Write all that a run which is done leaves."""
        self.save(image)
        self._attempt("checkpoints", lambda: remove_checkpoint(self.folder))

    @property
    def way_on(self) -> str:
        """Return the command to go on with, or nothing where there is no checkpoint."""
        resume = f"python neural_art.py --resume {shlex.quote(str(self.folder))}"
        return f"to go on: {resume}" if has_checkpoint(self.folder) else ""

    def _told_of(self, sources: Sources, image: np.ndarray, state: str, message: str) -> Run:
        """Return what the report of the run tells."""
        shown = over_white(Picture(resize(image, self.size), resize_alpha(self.photo.alpha, self.size)))
        result = Named(self.output.name, shown)
        return Run(
            sources=sources,
            result=result,
            state=state,
            message=message,
            snapshots=tuple(self.snapshots),
            steps=self.steps,
            seconds=self.seconds,
            record=self.record,
            warnings=tuple(self.told),
        )

    def _save_picture(self, image: np.ndarray) -> None:
        try:
            self._write(self.output, image)
        except OSError as error:
            words = f"{self.output}: {error.strerror or error}"
            for folder in (Path, tempfile.gettempdir):  # each as it is now
                try:
                    path = first_free(Path(folder()) / self.output.name)
                    self._write(path, image)
                except OSError:
                    continue
                raise RunError(f"{words}; the picture is saved as {path.absolute()}", path.absolute()) from error
            raise RunError(f"{words}; nor could the picture be saved here or in a temporary folder") from error

    def _write(self, path: Path, image: np.ndarray) -> None:
        write_picture(
            path,
            resize(image, self.size),
            alpha=resize_alpha(self.photo.alpha, self.size),
            bit_depth=self.settings.bit_depth,
            dpi=self.photo.dpi,
            exif=self.photo.exif,
            comment=json.dumps(self.record),
        )

    def _attempt(self, what: str, write: Callable[[], None]) -> None:
        """Write something that a run can do without; warn once where that fails."""
        try:
            write()
        except OSError as error:
            if what not in self.warned:
                self.warned.add(what)
                self.warn(f"{error.filename or what}: {error.strerror or error}; the run goes on without {what}")
