"""The pictures that a batch is to make: of each row and combination of swept settings, a picture for each photo."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nst.batch.job_file import Row
from nst.batch.manifest import hashed_name
from nst.batch.sweep import Sweep, combinations
from nst.command.config import Call, name_inputs, read_call
from nst.errors import UserError
from nst.options import flag
from nst.pictures.picture_files import check_format
from nst.report.status import TO_DO
from nst.run.clip_names import is_video_name
from nst.run.folder import result_name
from nst.run.input_files import find_contents, find_files_of, find_styles, folder_within, stands_for_many
from nst.run.request import Request
from nst.transfer.inputs import check_counts
from nst.video.clips import find_clip_file, is_one_clip, result_suffix
from nst.video.store import check_clip_format
from nst.video.times import check_times

LONGEST_NAME = 150  # The most bytes in the name of a result, without suffix and number.
# Characters that a file name, on Windows too, or a line with one, must not have.
UNFIT = re.compile(r'[\x00-\x1f\x7f/\\<>:"|?*\ud800-\udfff]')


@dataclass(frozen=True)
class TaskSource:
    """The place in a batch from which a task comes.

    where  the row, for messages; empty for the command line
    index  the number of the picture among those of its row; a sweep makes each in several ways
    swept  the words of each swept setting
    found  whether the photo was found in a folder or by a pattern
    error  the reason why the row's files could not be found, for which the picture fails
    """

    where: str
    index: int
    swept: tuple[str, ...] = ()
    found: bool = False
    error: str | None = None


@dataclass(frozen=True)
class Task:
    """A picture of a batch.

    number   the place in the plan, from 1
    request  the wish; its output is relative to the batch's folder, None where the row names no result
    wanted   the name that the result would have if no other result had it
    name     the result's path from the batch's folder on
    inputs   role -> SHA-256 of each file, None for an unreadable file
    key      a hash of the inputs and of the settings that change pixels
    state    DONE; TO_DO, also for a lost result; or CHANGED, for a result of another key
    differs  the settings that are not the same in all pictures of the batch
    """

    source: TaskSource
    request: Request
    wanted: str
    number: int = 0
    name: str = ""
    inputs: dict[str, list[str | None]] = field(default_factory=dict)
    key: str = ""
    state: str = TO_DO
    differs: dict[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Return the row, or for the command line the name, by which messages call the picture."""
        return self.source.where or self.name

    @property
    def suffix(self) -> str:
        """Return the suffix of the result where the row names none."""
        return result_suffix(self.request.paths["content"][0]) if self.request.clip else ".png"

    @property
    def identity(self) -> tuple[str, ...]:
        """Return names for the inputs' paths, which stay when a picture's settings change."""
        names = (hashed_name(path) for role in ("content", "style") for path in self.request.paths[role])
        return (*names, "clip") if self.request.clip else tuple(names)


def tasks_of(row: Row, values: Mapping[str, Any], sweeps: Sequence[Sweep]) -> Iterator[Task]:
    """Yield the pictures of a row, without number and name. Raises UserError that names the row."""
    try:
        for swept, words in combinations(sweeps):
            call = read_call({**values, **row.values, **swept})
            yield from _tasks_of_call(call, row.where, sweeps, words)
    except UserError as error:
        raise UserError(f"{row.where}: {error}" if row.where else str(error)) from error


def _tasks_of_call(call: Call, where: str, sweeps: Sequence[Sweep], words: tuple[str, ...]) -> Iterator[Task]:
    named = name_inputs(call)
    suffix = "".join(f"_{flag(s.name)[2:]}={word}" for s, word in zip(sweeps, words, strict=True))
    output = named.output
    if named.folder:
        raise UserError(f"output {named.folder}: is a folder; name a picture in it, or give -o for all of them")
    content = named.paths["content"][0]
    if output is not None:
        named = replace(named, output=output.with_stem(fit_name(output.stem + suffix)))
    named = replace(named, clip=is_one_clip(content, as_clip=call.as_clip))
    found, error = stands_for_many(content) and not named.clip, None
    try:
        requests = list(_requests(named, call))
    except UserError as reason:
        if not where:
            raise
        requests, error = [named], str(reason)  # The picture fails, and not the batch.
    for index, request in enumerate(requests):
        if not (found and error):
            _check_result(request, output)
        name = fit_name(result_name(request.paths) + suffix)
        within = folder_within(content, request.paths["content"][0]) if found else Path()
        place = Path(*map(fit_name, within.parts))
        yield Task(TaskSource(where, index, words, found, error), request, str(place / name))


def _check_result(request: Request, output: Path | None) -> None:
    """Raise UserError for a picture or a clip that cannot be as its row says."""
    settings = request.settings
    check_counts(len(request.paths["style"]), settings)
    if request.clip:
        check_times(settings)
        check_clip_format(output or Path(f"clip{result_suffix(request.paths['content'][0])}"), settings)
        if output and not output.suffix:
            raise UserError(f"output {output}: is a folder; name a clip, such as {output}.mp4")
    elif output:
        check_format(output, bit_depth=settings.bit_depth)


def _requests(named: Request, call: Call) -> Iterator[Request]:
    """Yield a request for each photo or clip, and if wanted for each style, with its files found. Raises UserError."""
    styles = find_styles(named.paths["style"])
    content = named.paths["content"][0]
    found = [find_clip_file(content)] if named.clip else find_contents(content, recursive=call.recursive)
    for photo in found:
        clip = named.clip or call.as_clip or is_video_name(photo)
        files = find_files_of(named.settings, find_clip_file if clip else None)
        for chosen in [(style,) for style in styles] if call.each_style else [styles]:
            yield replace(named, paths={"content": (photo,), "style": chosen, **files}, clip=clip)


def fit_name(name: str) -> str:
    """Return a name that any file may have: in one line, without separators, not too long."""
    return UNFIT.sub("_", name).encode()[:LONGEST_NAME].decode(errors="ignore")
