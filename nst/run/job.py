"""A picture to make, all of it checked before the long work: inputs read, output writable, sizes and memory planned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nst.errors import UserError
from nst.network.tensorflow_setup import start_if_gpu
from nst.network.weights import check_weights
from nst.pictures.picture_files import Picture, check_format, over_white
from nst.report.costs import plotting
from nst.report.pages import check_engine
from nst.report.sources import Named, Sources
from nst.run.checkpoint import Checkpoint, check_state, read_checkpoint
from nst.run.clip_names import is_numbered
from nst.run.folder import FRAME_NAME, RunFolder, default_output, first_free, result_name
from nst.run.input_files import Digests, read_inputs
from nst.run.memory_plan import MemoryPlan, plan_memory, sizes_of_run
from nst.run.origin import Origin
from nst.run.record import Record, check_recorded, is_of
from nst.run.request import Request
from nst.settings import Settings
from nst.system.atomic_files import check_writable, is_locked
from nst.transfer.inputs import Inputs, check_counts
from nst.transfer.known_image import shown_at
from nst.transfer.scales import Scale, plan_scales


@dataclass(frozen=True)
class Job:
    """One picture to make, checked.

    folder      of the run; it knows the result. Where the user named no result, the run may start under the next name
    photo       the content picture with all that its file holds
    digests     the SHA-256 of each input file
    memory      how the run is kept within the memory
    checkpoint  the state from which the run resumes
    record      of the earlier run that is resumed or repeated
    notes       what the user should know of how the inputs were read
    """

    request: Request
    folder: RunFolder
    photo: Picture
    inputs: Inputs
    digests: Digests
    scales: list[Scale]
    memory: MemoryPlan
    checkpoint: Checkpoint | None = None
    record: Record | None = None
    notes: tuple[str, ...] = ()

    @property
    def settings(self) -> Settings:
        """Return the settings of the run."""
        return self.request.settings

    @property
    def steps_done(self) -> int:
        """Return the number of steps that the resumed run has done."""
        return len(self.checkpoint.steps) if self.checkpoint else 0

    @cached_property
    def sources(self) -> Sources:
        """Return the photo and the styles as pages show them."""
        styles = zip(self.request.paths["style"], map(self._seen, range(len(self.inputs.styles))), strict=True)
        return Sources(
            Named(self.request.paths["content"][0].name, over_white(self.photo)),
            tuple(Named(path.name, image) for path, image in styles),
            sum(scale.steps for scale in self.scales),
        )

    def _seen(self, index: int) -> np.ndarray:
        """Return a style as a page shows it: white where it does not count, as in what is transparent."""
        style = self.inputs.styles[index]
        return over_white(Picture(style, shown_at(self.inputs, index, style.shape[:2])))

    def check_overwrite(self) -> None:
        """Raise UserError where the run would replace a result, or a stopped run, that it must not."""
        self.folder.check_overwrite(overwrite=self.request.overwrite or self.checkpoint is not None)


class Kind(NamedTuple):
    """What is made: a picture, or something that is made of pictures.

    read    reads the inputs, see read_inputs
    check   raises UserError unless the name of a result is right, see check_format
    suffix  of a result for which the user gave no name
    moving  whether it is a clip, whose frames are neither only enlarged nor made in files
    """

    read: Callable[[Request], tuple[Picture, Inputs, Digests, tuple[str, ...]]] = read_inputs
    check: Callable[..., None] = check_format
    suffix: str = ".png"
    moving: bool = False


PICTURE = Kind()


def plan_job(
    request: Request,
    origin: Origin | None = None,
    *,
    dry_run: bool = False,
    most_mb: float = 0,
    kind: Kind = PICTURE,
) -> Job:
    """Check all that can be checked before the long work and return the job. Raises UserError.

    request  with its files found
    dry_run  whether not even a folder for the result is made
    most_mb  the most memory to take where the settings set no limit; 0 for most of what is free
    """
    origin, settings = origin or Origin(), request.settings
    start_if_gpu(threads=settings.threads, verbose=request.verbose)
    if request.plot:
        plotting()
    if request.report:
        check_engine()
    folder = RunFolder(request.output or first_free(_default_output(request, kind.suffix)))
    kind.check(folder.output, bit_depth=settings.bit_depth)
    check_counts(len(request.paths["style"]), settings)
    check_weights(settings.weights)
    photo, inputs, digests, notes = kind.read(request)
    scales = plan_scales(photo.image.shape[:2], [style.shape[:2] for style in inputs.styles], settings)
    if kind.moving:
        scales = [scale for scale in scales if scale.steps]
    kind.check(folder.output, scales[-1].size, bit_depth=settings.bit_depth)
    check_writable(folder.frame(1) if folder.is_result and folder.path.is_dir() else folder.output, dry_run=dry_run)
    _check_no_input(folder, request)
    if folder.path.exists() and not folder.path.is_dir():
        raise UserError(f"{folder.path}: is a file, where the folder of this run would be; give another -o")
    sizes = sizes_of_run(inputs, scales, moving=kind.moving)
    begun = sum(path.stat().st_size for path in (folder.checkpoint, folder.checkpoint_before) if path.exists())
    memory = plan_memory(sizes, settings, most_mb, folder=folder.output.parent, checkpoint_bytes=begun)
    job = Job(
        request,
        folder,
        photo=photo,
        inputs=inputs,
        digests=digests,
        scales=scales,
        memory=memory,
        checkpoint=_begun(folder, settings, digests) if origin.if_begun else origin.checkpoint,
        record=origin.record,
        notes=notes,
    )
    _check_same_inputs(job, origin)
    if job.checkpoint:
        check_state(folder, job.checkpoint.state, scales)
    if request.output:  # Else the name was free, or the next one will be.
        job.folder.check_idle()
        job.check_overwrite()
    return job


def _default_output(request: Request, suffix: str = PICTURE.suffix) -> Path:
    """Return the name that the result of a request without one would have."""
    return default_output(f"{result_name(request.paths)}{suffix}", request.folder)


def _check_no_input(folder: RunFolder, request: Request) -> None:
    """Raise UserError where the result would replace a file that it is made from, by whatever name."""
    output = folder.output
    for path in request.inputs():
        if output.exists() and (_is_same(output, path) or (folder.is_result and _is_frame_in(output, path))):
            raise UserError(f"{output}: is an input of this picture ({path}); give another -o")


def _is_same(output: Path, path: Path) -> bool:
    return path.exists() and output.samefile(path)


def _is_frame_in(output: Path, path: Path) -> bool:
    """Return whether an input lies in a folder that is the result, numbered as the frames are."""
    return (is_numbered(path) or bool(FRAME_NAME.fullmatch(path.name))) and _is_same(output, path.parent)


def begun_elsewhere(job: Job) -> RunFolder | None:
    """Return the folder of a stopped run of the same inputs and settings, beside which a new run starts."""
    folder = RunFolder(_default_output(job.request))
    if job.request.output or job.checkpoint or is_locked(folder.path):
        return None
    return folder if _begun(folder, job.settings, job.digests) else None


def _begun(folder: RunFolder, settings: Settings, digests: Digests) -> Checkpoint | None:
    """Return the checkpoint in a folder, if there is a whole one that is of these settings and inputs."""
    if not folder.has_checkpoint():
        return None
    try:
        checkpoint, _ = read_checkpoint(folder)
    except UserError:
        return None
    return checkpoint if is_of(checkpoint.record, settings, digests) else None


def _check_same_inputs(job: Job, origin: Origin) -> None:
    """Raise UserError unless the inputs are those of the record, and all of them where a run is resumed."""
    paths, digests = job.request.paths, job.digests
    if origin.checkpoint:
        for role, files in paths.items():
            wanted = len(origin.checkpoint.record.digests_of(role))
            if len(files) != wanted:
                raise UserError(f"{role}: got {len(files)} for {wanted} of {job.folder.path}; give as many, or none")
    for role in paths:
        if origin.record and (origin.checkpoint or role in origin.found):
            check_recorded(origin.record, role, paths[role], digests[role])
