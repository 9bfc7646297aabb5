"""TODO."""

from __future__ import annotations

from pathlib import Path

from nst.run.input_files import PROJECT, Paths
from nst.system.atomic_files import remove_parts
from nst.transfer.state import Step

OUTPUT = PROJECT / "output"
MOST_NAMED = 3  # styles, in the name of a result


def default_output(name: str) -> Path:
    """Return the place of a result, or of a batch's folder, for which the user gave none."""
    return OUTPUT / name


def result_name(paths: Paths) -> str:
    """Return a name for the result: of the photo and its styles, the first few by name."""
    stems = [path.stem for path in (*paths["content"], *paths["style"][:MOST_NAMED])]
    more = len(paths["style"]) - MOST_NAMED
    return "_".join(stems) + (f"_and_{more}_more" if more > 0 else "")


def remove_leftovers(output: Path) -> None:
    """Remove half-written files of a killed run, in its folder and beside its result. Only for the lock's holder."""
    remove_parts(output)
    for path in list(output.with_suffix("").iterdir()):
        if path.name.startswith(".") and path.suffix == ".part":
            path.unlink(missing_ok=True)


def reserved(path: Path) -> Path:
    """Make the folder of a run whose result is `path`, or name_2, name_3, ..., and return that result's path.

    The folder is new, so that of two runs that want a name at once, one gets the next.
    """
    while True:
        candidate = first_free(path)
        try:
            candidate.with_suffix("").mkdir()
            return candidate
        except FileExistsError:
            continue


def first_free(path: Path) -> Path:
    """Return `path`, or the first of name_2, name_3, ... for which neither file nor folder of a run exists."""
    candidate, number = path, 1
    while candidate.exists() or candidate.with_suffix("").exists():
        number += 1
        candidate = path.with_stem(f"{path.stem}_{number}")
    return candidate


def snapshot_name(step: Step) -> str:
    """Return the name of the file of the picture after a step."""
    return f"step_{step.number:05d}_{max(step.size)}px.png"
