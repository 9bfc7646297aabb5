"""The names of a run's result and of all files in its folder, and free names for new results."""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nst.errors import UserError
from nst.pictures.picture_files import WRITTEN_FORMATS
from nst.places import OUTPUT, command_line
from nst.report.pages import RECORD, REPORT
from nst.run.clip_names import stem_of
from nst.run.request import Paths
from nst.system.atomic_files import at_work, is_locked, remove_parts
from nst.transfer.state import Step

FRAME_NAME = re.compile(r"\d{4,}\.png")  # The names of the frames in a folder that is a result.
FRAMES = "frames"  # The folder of the frames or lots of a clip while it is made.
SCENE_NAME = re.compile(r"\d{4,}")  # The names of the folders of scenes.
MOST_NAMED = 3  # The number of styles in the name of a result.


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run, beside the result and with its name without suffix; the result is `output`.

    A result without suffix is a folder of a clip's frames, and the folder of the run too.
    """

    output: Path

    @classmethod
    def at(cls, path: Path) -> RunFolder:
        """Return the run folder at a path, where the suffix of its result does not matter."""
        return cls(path.parent / f"{path.name}.png")

    @property
    def path(self) -> Path:
        """Return the folder itself."""
        return self.output.with_suffix("")

    @property
    def is_result(self) -> bool:
        """Return whether the folder is the result too, for a clip's frames."""
        return self.output == self.path

    def frame(self, number: int) -> Path:
        """Return the file of a frame, from 1 on, in a folder that is the result."""
        return self.output / f"{number:04d}.png"

    @property
    def settings(self) -> Path:
        """Return the file of the record."""
        return self.path / RECORD

    @property
    def costs(self) -> Path:
        """Return the table of the costs at each step."""
        return self.path / "losses.csv"

    @property
    def plot(self) -> Path:
        """Return the plot of the costs."""
        return self.path / "losses.png"

    @property
    def report(self) -> Path:
        """Return the page of the run."""
        return self.path / REPORT

    @property
    def checkpoint(self) -> Path:
        """Return the newest checkpoint."""
        return self.path / "checkpoint.npz"

    @property
    def checkpoint_before(self) -> Path:
        """Return the checkpoint before the newest one."""
        return self.path / "checkpoint_before.npz"

    @property
    def frames(self) -> Path:
        """Return the folder of a clip's frames while the clip is not made of them yet."""
        return self.path / FRAMES

    @property
    def scenes(self) -> Path:
        """Return the folder of a clip's scenes while they are made side by side."""
        return self.path / "scenes"

    @property
    def scene_list(self) -> Path:
        """Return the list of the scenes. A folder with this file is one of scenes."""
        return self.scenes / "neural_art_scenes.json"

    def snapshot(self, step: Step) -> Path:
        """Return the file of the picture after a step."""
        return self.path / f"step_{step.number:05d}_{max(step.size)}px.png"

    def has_checkpoint(self) -> bool:
        """Return whether a run in this folder was stopped before its end."""
        return self.checkpoint.exists() or self.checkpoint_before.exists()

    @property
    def way_on(self) -> str:
        """Return words with the command to go on with a stopped run, or nothing where there is no checkpoint."""
        return f"to go on: {command_line('--resume', str(self.path))}" if self.has_checkpoint() else ""

    def remove_checkpoint(self) -> None:
        """Remove the checkpoints, which a finished run does not need."""
        for path in (self.checkpoint_before, self.checkpoint):
            path.unlink(missing_ok=True)

    def remove_leftovers(self) -> None:
        """Remove half-written files of a killed run. Only for the holder of the folder's lock."""
        remove_parts(self.output)
        for path in list(self.path.iterdir()):
            if path.name.startswith(".") and path.suffix == ".part":
                path.unlink(missing_ok=True)

    def is_free(self) -> bool:
        """Return whether neither the result nor the folder is there, nor a run whose result has the folder's name."""
        taken = [self.output, self.path]
        if self.path.suffix.lower() in WRITTEN_FORMATS:
            taken.append(RunFolder(self.path).path)
        return not any(path.exists() for path in taken)

    def check_idle(self) -> None:
        """Raise UserError where a run is at work."""
        if is_locked(self.path):
            raise UserError(at_work(self.path))

    def check_overwrite(self, *, overwrite: bool) -> None:
        """Raise UserError where a result or a stopped run is already, unless it may be replaced."""
        if overwrite:
            return
        if self.has_checkpoint():
            raise UserError(
                f"{self.path}: holds a run that was stopped; give --resume {self.path} to go on with it, "
                "--overwrite to start anew, or another -o"
            )
        there = self._replaced() if self.is_result else self.output
        if there and there.exists():
            raise UserError(f"{there}: exists already; give --overwrite to replace it, or another -o")

    def _replaced(self) -> Path | None:
        """Return a file that a run whose result is this folder would replace, or None. All other files stay."""
        if not self.path.is_dir():
            return None
        names = sorted(path.name for path in self.path.iterdir())
        ours = (name for name in names if FRAME_NAME.fullmatch(name) or name in (RECORD, REPORT))
        return next((self.path / name for name in ours), None)

    def remove_frames(self) -> None:
        """Remove the frames of an earlier run from a folder that is the result, if the folder holds such a run."""
        if not self.is_result or not (self.settings.exists() or self.has_checkpoint()):
            return
        for number in itertools.count(1):
            if not self.frame(number).exists():
                return
            self.frame(number).unlink()

    def remove_scenes(self) -> None:
        """Remove the scenes of an earlier run, and of their folder only what a run writes there."""
        if not self.scene_list.exists():
            return
        for path in self.scenes.iterdir():
            if path.is_dir() and (path.name == FRAMES or SCENE_NAME.fullmatch(path.name)):
                shutil.rmtree(path)
        self.scene_list.unlink()
        with suppress(OSError):  # It holds something else.
            self.scenes.rmdir()


def default_output(name: str, folder: Path | None = None) -> Path:
    """Return the place of a result, or of a batch's folder, for which the user gave at most a folder."""
    return (folder or OUTPUT) / name


def result_name(paths: Paths) -> str:
    """Return a name for the result, without suffix: the names of the photo and of the first few styles."""
    stems = [stem_of(path) for path in (*paths["content"], *paths["style"][:MOST_NAMED])]
    more = len(paths["style"]) - MOST_NAMED
    return "_".join(stems) + (f"_and_{more}_more" if more > 0 else "")


def counted(name: str) -> Iterator[str]:
    """Yield name, name_2, name_3 and so on."""
    yield name
    for number in itertools.count(2):
        yield f"{name}_{number}"


def first_free(output: Path) -> Path:
    """Return `output`, or the first of name_2, name_3, ... that is free for a result and its folder."""
    candidates = (output.with_stem(name) for name in counted(output.stem))
    return next(path for path in candidates if RunFolder(path).is_free())


def reserved(output: Path) -> RunFolder:
    """Make and return the folder of a run whose result is `output`, or name_2, name_3, ...

    The folder is new: of two runs that want a name at once, one gets the next name.
    """
    while True:
        folder = RunFolder(first_free(output))
        try:
            folder.path.mkdir()
        except FileExistsError:
            continue
        if not folder.output.exists():  # It may have become the folder of another run.
            return folder
        folder.path.rmdir()
