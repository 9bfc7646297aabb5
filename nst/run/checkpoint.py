"""The whole state of a run in its folder, so that it can go on after whatever stopped it.

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
from nst.system.atomic_files import atomic_write
from nst.transfer.scales import Scale
from nst.transfer.state import Descent, State, Step

NAME, NAME_BEFORE = "checkpoint.npz", "checkpoint_before.npz"
VERSION = 1
DAMAGED = (OSError, ValueError, LookupError, TypeError, AttributeError, EOFError, RuntimeError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Checkpoint:
    """A run as far as it is.

    record   what decides the pixels, as in settings.json
    inputs   role -> path and SHA-256 of each file; of weights, which their own hash in the record tells, without one
    state    where it is; None before the first step
    steps    all that were done
    seconds  that they took
    """

    record: dict[str, Any]
    inputs: dict[str, list[list[str | None]]]
    state: State | None = None
    steps: tuple[Step, ...] = ()
    seconds: float = 0.0


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, and keep the one before it under another name."""
    state = checkpoint.state
    arrays: dict[str, Any] = {}
    if state:
        arrays = {f"moment_{k}": moment for k, moment in enumerate(state.descent.moments)}
        arrays["image"] = state.descent.image
    content = {
        "version": VERSION,
        "record": checkpoint.record,
        "inputs": checkpoint.inputs,
        "seconds": checkpoint.seconds,
        "state": state
        and {"scale": state.scale, "steps": state.steps, "within": state.descent.steps, "rate": state.descent.rate},
        "moments": len(state.descent.moments) if state else 0,
        "steps": [asdict(step) for step in checkpoint.steps],
    }
    with atomic_write(folder / NAME, before=folder / NAME_BEFORE) as temporary, temporary.open("wb") as file:
        np.savez(file, json=np.array(json.dumps(content)), **arrays)


def read_checkpoint(folder: Path) -> tuple[Checkpoint, list[str]]:
    """Return the checkpoint in a run's folder, and a line of warning if it is the one before a damaged one.

    Raises UserError where there is none that is whole.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: is no folder of a run; name the one with {NAME} in it, as output/cat_stone")
    there = [path for path in (folder / NAME, folder / NAME_BEFORE) if path.exists()]
    if not there:
        raise UserError(
            f"{folder}: holds no {NAME}, so there is nothing to go on with: the run is done, or never began"
        )
    for path in there:
        try:
            found = _read(path)
        except DAMAGED:
            continue
        words = f"{there[0]}: is damaged; goes on from {path.name}, {len(found.steps)} steps into the run"
        return found, [] if path == there[0] else [words]
    raise UserError(f"{there[0]}: is damaged{', and the one before it too' if there[1:] else ''}; start the run anew")


def remove_checkpoint(folder: Path) -> None:
    """Remove what a run that is done has no more use for."""
    for name in (NAME_BEFORE, NAME):
        (folder / name).unlink(missing_ok=True)


def has_checkpoint(folder: Path) -> bool:
    """Return whether a run in that folder was stopped before its end."""
    return any((folder / name).exists() for name in (NAME, NAME_BEFORE))


def check_state(folder: Path, state: State | None, scales: Sequence[Scale]) -> None:
    """Raise UserError unless a state is one of a run over these scales."""
    if state and not (
        0 <= state.scale < len(scales)
        and state.descent.image.shape == (*scales[state.scale].size, 3)
        and 0 <= state.descent.steps <= state.steps
    ):
        raise UserError(f"{folder / NAME}: is of a run over other scales, by another version; start the run anew")


def _read(path: Path) -> Checkpoint:
    """Return what is in a file. Raises one of DAMAGED."""
    with zipfile.ZipFile(path) as archive:
        if archive.testzip():
            raise zipfile.BadZipFile
    with np.load(path, allow_pickle=False) as arrays:
        content = json.loads(str(arrays["json"]))
        if content["version"] != VERSION:
            raise ValueError(content["version"])
        steps = tuple(map(_read_step, content["steps"]))
        inputs = {role: [[path, digest] for path, digest in files] for role, files in content["inputs"].items()}
        state, found = None, content["state"]
        if found:
            image = arrays["image"]
            if image.dtype != np.float32 or not np.isfinite(image).all():
                raise ValueError(path)
            moments = tuple(arrays[f"moment_{k}"] for k in range(content["moments"]))
            totals = tuple(step.costs["total"] for step in steps[len(steps) - found["within"] :])
            state = State(found["scale"], found["steps"], Descent(image, totals, moments, found["rate"]))
    return Checkpoint(dict(content["record"]), inputs, state, steps, float(content["seconds"]))


def _read_step(step: dict[str, Any]) -> Step:
    """Return a step; earlier versions wrote none of its seconds."""
    return Step(step["number"], tuple(step["size"]), step["costs"], float(step.get("seconds", 0.0)))
