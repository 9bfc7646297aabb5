"""The whole state of a run in its folder, from which the run can resume after any stop.

Two files of NumPy's, the newer one and the one before it: a damaged one costs half a minute, not the run.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nst.errors import UserError
from nst.run.folder import RunFolder
from nst.run.record import Record, record_from_json
from nst.system.atomic_files import atomic_write
from nst.transfer.scales import Scale
from nst.transfer.state import Descent, State, Step

VERSION = 2
DAMAGED = (OSError, ValueError, LookupError, TypeError, AttributeError, EOFError, RuntimeError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run.

    record   of the run, with where its inputs are
    state    the scale, the picture and what the optimiser remembers; None before the first step
    steps    all steps done
    seconds  the time that they took
    """

    record: Record
    state: State | None = None
    steps: tuple[Step, ...] = ()
    seconds: float = 0.0


def write_checkpoint(folder: RunFolder, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, and keep the one before it under another name. Raises OSError."""
    state = checkpoint.state
    arrays: dict[str, Any] = {}
    if state:
        arrays = {f"moment_{k}": moment for k, moment in enumerate(state.descent.moments)}
        arrays["image"] = state.descent.image
        optional = {"mean": state.descent.mean, "nearest": state.nearest}
        arrays |= {name: array for name, array in optional.items() if array is not None}
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
        np.savez(file, json=np.array(json.dumps(values)), **arrays)


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
        if archive.testzip():
            raise zipfile.BadZipFile
    with np.load(path, allow_pickle=False) as arrays:
        values = json.loads(str(arrays["json"]))
        if values["version"] != VERSION:
            raise ValueError(values["version"])
        steps = tuple(map(_read_step, values["steps"]))
        inputs = {role: [[path, digest] for path, digest in files] for role, files in values["inputs"].items()}
        state, found = None, values["state"]
        if found:
            image = arrays["image"]
            if image.dtype != np.float32 or not np.isfinite(image).all():
                raise ValueError(path)
            moments = tuple(arrays[f"moment_{k}"] for k in range(values["moments"]))
            totals = tuple(step.costs["total"] for step in steps[len(steps) - found["within"] :])
            mean, nearest = (arrays.get(name) for name in ("mean", "nearest"))
            descent = Descent(image, totals, moments, found["rate"], mean, found["averaged"])
            state = State(found["scale"], found["steps"], descent, nearest)
    record = record_from_json(path, values["record"], inputs)
    return Checkpoint(record, state, steps, float(values["seconds"]))


def _read_step(step: dict[str, Any]) -> Step:
    """Return a step; earlier versions did not write its seconds."""
    return Step(step["number"], tuple(step["size"]), step["costs"], float(step.get("seconds", 0.0)))
