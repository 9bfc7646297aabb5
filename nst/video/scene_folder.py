"""The folder of a clip whose scenes are made side by side: the list of the scenes, a place for each, and all frames.

Each scene has a folder as a run has, with its checkpoint while it is made and its ending when it is done.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from nst.errors import UserError
from nst.run.checkpoint import DAMAGED
from nst.run.folder import RunFolder
from nst.system.atomic_files import write_json
from nst.video.clip_state import SHOWN
from nst.video.scenes import Scene
from nst.video.store import remove_frames

PARTS = ("scene", "last", "result")  # The arrays of an ending, see Memory.ending.

Shown = list[tuple[int, np.ndarray, np.ndarray]]  # The frames for the report, see ClipRun.shown.


def place_of(folder: RunFolder, scene: Scene) -> Path:
    """Return the place of a scene's result, beside which its folder is, in the folder of the clip's run.

    No file is ever there. The suffix is that of the clip, and tells how the frames are written.
    """
    return folder.scenes / f"{scene.number:04d}{folder.output.suffix}"


def ending_at(place: Path) -> Path:
    """Return what a scene leaves in its folder when it is done."""
    return RunFolder(place).path / "ending.npz"


def ending_beside(place: Path, number: int) -> Path:
    """Return the ending of another scene, by its number, from the place of a scene."""
    return ending_at(place.with_stem(f"{number:04d}"))


def check_free(folder: RunFolder) -> None:
    """Raise UserError where the folder of the scenes would be one that holds something else."""
    if folder.scenes.exists() and not folder.scene_list.exists() and any(folder.scenes.iterdir()):
        raise UserError(f"{folder.scenes}: is where the scenes of this run would be; give another -o")


def begin_scenes(folder: RunFolder, scenes: Sequence[Scene], times: Sequence[int]) -> None:
    """Write the list of the scenes and the times of all frames, in place of all of an earlier run. Raises OSError."""
    folder.remove_scenes()
    folder.remove_frames()
    if not folder.is_result:
        remove_frames(folder.frames)
    folder.scenes.mkdir(exist_ok=True)
    write_json(folder.scene_list, {"scenes": list(map(asdict, scenes)), "times": list(times)})


def read_scenes(folder: RunFolder) -> tuple[list[Scene], list[int]] | None:
    """Return the scenes and the times that begin_scenes has written, or None."""
    try:
        found = json.loads(folder.scene_list.read_text(encoding="utf-8"))
        return [Scene(**scene) for scene in found["scenes"]], [int(time) for time in found["times"]]
    except (OSError, ValueError, LookupError, TypeError):
        return None


def read_shown(place: Path) -> Shown | None:
    """Return the frames for the report of a scene that is done, and None for any other scene."""
    try:
        with np.load(ending_at(place), allow_pickle=False) as arrays:
            if not all(name in arrays for name in PARTS):
                return None
            numbers = sorted(int(name[len(SHOWN) :]) for name in arrays.files if name.startswith(SHOWN))
            pairs = [(number, arrays[f"{SHOWN}{number}"]) for number in numbers]
            return [(number, pair[0], pair[1]) for number, pair in pairs]
    except DAMAGED:
        return None


def move_frames(frames: Path, place: Path, end: int) -> None:
    """Move the first `end` frames, or the lots of these, to a folder. Raises OSError."""
    place.mkdir(exist_ok=True)
    for path in sorted(frames.iterdir()):
        if path.stem.isdigit() and int(path.stem) <= end:
            path.replace(place / path.name)
