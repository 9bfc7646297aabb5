"""The whole state of a run in its folder, from which the run can resume after any stop.

Two files of NumPy's, the newer one and the one before it: a damaged one costs half a minute, not the run.
"""

from __future__ import annotations

import json
import math
import time
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nst.errors import UserError
from nst.run.folder import RunFolder
from nst.run.record import Record, record_from_json
from nst.system.array_files import parts, read_arrays, write_arrays
from nst.system.atomic_files import atomic_write
from nst.transfer.scales import Scale
from nst.transfer.state import Descent, State, Step

VERSION = 2
LARGEST_TIME_SHARE = 0.01  # The largest fraction of a run's time that checkpoints may take.
CLIP = "clip_"  # What the names of a clip's arrays begin with.
DAMAGED = (  # What damaged files raise. RuntimeError is also that of lists in lists in lists.
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    EOFError,
    RuntimeError,
    ArithmeticError,
    MemoryError,
    zipfile.BadZipFile,
)


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run.

    record   of the run, with where its inputs are
    state    the scale, the picture and what the optimiser remembers; None before the first step
    steps    all steps done
    seconds  the time that they took
    clip     of the run of a clip: the arrays of its memory
    """

    record: Record
    state: State | None = None
    steps: tuple[Step, ...] = ()
    seconds: float = 0.0
    clip: dict[str, np.ndarray] = field(default_factory=dict)


def write_checkpoint(folder: RunFolder, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, and keep the one before it under another name. Raises OSError."""
    state = checkpoint.state
    arrays: dict[str, Any] = {}
    if state:
        arrays = {f"moment_{k}": moment for k, moment in enumerate(state.descent.moments)}
        arrays["image"] = state.descent.image
        optional = {"mean": state.descent.mean, "nearest": state.nearest}
        arrays |= {name: array for name, array in optional.items() if array is not None}
    arrays |= {f"{CLIP}{name}": array for name, array in checkpoint.clip.items()}
    values = {
        "version": VERSION,
        "record": checkpoint.record.as_json(),
        "inputs": checkpoint.record.located,
        "seconds": checkpoint.seconds,
        "state": state
        and {
            "scale": state.scale,
            "steps": state.steps,
            "within": state.descent.steps,
            "rate": state.descent.rate,
            "averaged": state.descent.averaged,
        },
        "moments": len(state.descent.moments) if state else 0,
        "steps": [asdict(step) for step in checkpoint.steps],
    }
    with atomic_write(folder.checkpoint, before=folder.checkpoint_before) as temporary, temporary.open("wb") as file:
        write_arrays(file, {"json": np.array(json.dumps(values)), **arrays})


def next_due(began: float, every: float) -> float:
    """Return the time of the next checkpoint, by time.monotonic(), after one that has just been written.

    began  the time at which its writing began
    every  the seconds between checkpoints
    """
    now = time.monotonic()
    return now + max(every, (now - began) / LARGEST_TIME_SHARE)


def read_checkpoint(folder: RunFolder) -> tuple[Checkpoint, list[str]]:
    """Return the checkpoint in a run's folder, and a line of warning if it is the one before a damaged one.

    Raises UserError where no whole checkpoint is there.
    """
    name = folder.checkpoint.name
    if not folder.path.is_dir():
        raise UserError(f"{folder.path}: is no folder of a run; name the one with {name} in it, as output/cat_stone")
    there = [path for path in (folder.checkpoint, folder.checkpoint_before) if path.exists()]
    if not there:
        raise UserError(
            f"{folder.path}: holds no {name}, so there is nothing to go on with: the run is done, or never began"
        )
    for path in there:
        try:
            found = _read(path)
        except DAMAGED:
            continue
        words = f"{there[0]}: is damaged; goes on from {path.name}, {len(found.steps)} steps into the run"
        return found, [] if path == there[0] else [words]
    raise UserError(f"{there[0]}: is damaged{', and the one before it too' if there[1:] else ''}; start the run anew")


def check_state(folder: RunFolder, state: State | None, scales: Sequence[Scale]) -> None:
    """Raise UserError unless a state is one of a run over these scales."""
    if state and not (
        0 <= state.scale < len(scales)
        and state.descent.image.shape == (*scales[state.scale].size, 3)
        and 0 <= state.descent.steps <= state.steps
    ):
        raise UserError(f"{folder.checkpoint}: is of a run over other scales, by another version; start the run anew")


def _read(path: Path) -> Checkpoint:
    """Return the checkpoint in a file. Raises one of DAMAGED."""
    with zipfile.ZipFile(path) as archive:
        packed = [item for item in archive.infolist() if item.compress_size != item.file_size]
        if packed or archive.testzip():  # The program packs nothing: what is packed may have any size.
            raise zipfile.BadZipFile
    arrays = read_arrays(path)
    values = json.loads(str(arrays["json"]))
    if values["version"] != VERSION:
        raise ValueError(values["version"])
    steps = tuple(map(_read_step, values["steps"]))
    clip = {name.removeprefix(CLIP): array for name, array in arrays.items() if name.startswith(CLIP)}
    inputs = {role: [[path, digest] for path, digest in files] for role, files in values["inputs"].items()}
    state, found = None, values["state"]
    if found:
        image = _numbers(arrays["image"], np.float32)
        moments = tuple(
            _numbers(arrays[f"moment_{k}"], np.float32, np.float64, np.int64) for k in range(_count(values["moments"]))
        )
        within, averaged = _count(found["within"]), _count(found["averaged"])
        totals = tuple(step.costs["total"] for step in steps[len(steps) - within :])
        mean = _numbers(arrays["mean"], np.float32) if "mean" in arrays else None
        nearest = arrays.get("nearest")
        if (mean is not None and mean.shape != image.shape) or (mean is None) != (averaged == 0):
            raise ValueError(path)
        if nearest is not None and nearest.dtype != np.int32:
            raise ValueError(path)
        descent = Descent(image, totals, moments, _number(found["rate"]), mean, averaged)
        state = State(_count(found["scale"]), _count(found["steps"]), descent, nearest)
    record = record_from_json(path, values["record"], inputs)
    return Checkpoint(record, state, steps, _number(values["seconds"]), clip)


def _read_step(step: dict[str, Any]) -> Step:
    """Return a step; earlier versions did not write its seconds."""
    height, width = map(_count, step["size"])
    costs = {str(name): _number(cost) for name, cost in step["costs"].items()}
    return Step(_count(step["number"]), (height, width), costs, _number(step.get("seconds", 0.0)))


def _numbers(array: np.ndarray, *types: type[np.generic]) -> np.ndarray:
    """Return an array of one of some types whose numbers are finite. Raises ValueError for any other."""
    if array.dtype not in types or not all(np.isfinite(part).all() for part in parts(array)):
        raise ValueError(array.dtype)
    return array


def _number(value: Any) -> float:
    """Return a number that is finite. Raises ValueError for any other value."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(value)
    return float(value)


def _count(value: Any) -> int:
    """Return a whole number from 0 on. Raises ValueError for any other value."""
    if type(value) is not int or value < 0:
        raise ValueError(value)
    return value
