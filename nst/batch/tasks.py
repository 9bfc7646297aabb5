"""TODO."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nst.batch.job_file import Row
from nst.batch.sweep import Sweep, combinations
from nst.command.config import find_inputs, read_call
from nst.errors import UserError
from nst.pictures.picture_files import check_format
from nst.report.status import TO_DO
from nst.run.folder import result_name
from nst.run.input_files import Paths, find_picture, find_pictures, is_picture, pictures_of
from nst.settings import Settings
from nst.transfer.inputs import check_counts

LONGEST_NAME = 150  # of a result, in bytes, without suffix and number
UNFIT = re.compile(r"[\x00-\x1f\x7f/\\\ud800-\udfff]")  # for a file name, or for a line that holds one


@dataclass(frozen=True)
class Task:
    """A picture of a batch.

    number   its place in the plan, from 1
    where    the row that it comes from, for messages; empty for the command line
    group    the row again, and which of its pictures, which a sweep makes in several ways
    wanted   the name that its result would have if no other had it
    name     the result, from the batch's folder on
    swept    the words of each swept setting
    found    whether its photo is one of a folder or a pattern
    inputs   role -> SHA-256 of each file, None where it cannot be read
    key      a hash of them and of the settings that decide the pixels
    state    whether it is done; to do, also where its result is not there any more; or was done otherwise
    differs  the settings that are not the same in all pictures of the batch
    """

    number: int
    where: str
    group: tuple[str, int]
    paths: Paths
    settings: Settings
    wanted: str
    output: str | None = None
    swept: tuple[str, ...] = ()
    overwrite: bool = False
    plot: bool = False
    report: bool = True
    verbose: bool = False
    found: bool = False
    inputs: dict[str, list[str | None]] = field(default_factory=dict)
    key: str = ""
    name: str = ""
    state: str = TO_DO
    differs: dict[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> tuple[str, ...]:
        """Return what stays the same of a picture when its settings change: the names of its inputs."""
        return tuple(str(path.absolute()) for role in ("content", "style") for path in self.paths[role])


def is_many(content: str | None) -> bool:
    """Return whether CONTENT is a folder or a pattern."""
    if not content:
        return False
    try:
        return find_picture(content).is_dir()
    except UserError:
        return glob.has_magic(content)


def tasks_of(row: Row, values: Mapping[str, Any], sweeps: Sequence[Sweep]) -> Iterator[Task]:
    """Yield the pictures of a row. Raises UserError that names it."""
    try:
        for swept, words in combinations(sweeps):
            call = read_call({**values, **row.values, **swept})
            content, styles, settings = find_inputs(call)
            suffix = "".join(f"_{s.name.replace('_', '-')}={word}" for s, word in zip(sweeps, words, strict=True))
            if call.output is not None:
                check_format(Path(call.output), bit_depth=settings.bit_depth)
            inputs = _inputs(content, styles, settings, each=call.each_style, lenient=bool(row.where))
            for index, paths in enumerate(inputs):
                check_counts(len(paths["style"]), settings)
                yield Task(
                    0,
                    row.where,
                    (row.where, index),
                    paths,
                    settings,
                    fit_name(result_name(paths) + suffix),
                    call.output and str(Path(call.output).with_stem(fit_name(Path(call.output).stem + suffix))),
                    words,
                    call.overwrite,
                    call.plot,
                    call.report,
                    call.verbose,
                    is_many(content),
                )
    except UserError as error:
        raise UserError(f"{row.where}: {error}" if row.where else str(error)) from error


def _inputs(content: str, styles: Sequence[str], settings: Settings, *, each: bool, lenient: bool) -> Iterator[Paths]:
    """Yield the files of each picture.

    lenient  whether a file that is not there is passed on, so that its picture fails and not the batch
    """
    try:
        paths = [path for name in styles for path in pictures_of(find_picture(name))]
        for photo in _contents(content):
            for chosen in [[path] for path in paths] if each else [paths]:
                yield find_pictures(str(photo), list(map(str, chosen)), settings)
    except UserError:
        if not lenient:
            raise
        yield {"content": (Path(content),), "style": tuple(map(Path, styles))}


def _contents(content: str) -> list[Path]:
    """Return the photos that CONTENT stands for, by name. Raises UserError where there is none."""
    try:
        return pictures_of(find_picture(content))
    except UserError:
        if not glob.has_magic(content) or Path(content).exists():
            raise
    matches = sorted(glob.glob(content, recursive=True))  # noqa: PTH207  Path.glob takes no pattern from the root
    found = [path for path in map(Path, matches) if is_picture(path)]
    if not found:
        raise UserError(f"{content}: no picture has such a name")
    return found


def fit_name(name: str) -> str:
    """Return a name that any file may have: of one line, without separators, not too long."""
    return UNFIT.sub("_", name).encode()[:LONGEST_NAME].decode(errors="ignore")
