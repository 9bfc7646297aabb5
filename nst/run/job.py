"""One picture: names -> checked job -> pictures in -> stylize -> picture and reports out."""

from __future__ import annotations

import itertools
import platform
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import nst
from nst.errors import RunError, UserError
from nst.network.tensorflow_setup import network_precision, start_tensorflow
from nst.pictures.picture_files import Picture, check_format, over_white, read_image, read_picture
from nst.report.live_view import Live
from nst.report.progress import Progress, plotting
from nst.report.run_page import Named, Sources, check_engine
from nst.run.checkpoint import Checkpoint, check_state, has_checkpoint, read_checkpoint, remove_checkpoint
from nst.run.memory_plan import Sizes, available_mb, memory_mb, plan_tile, sizes_of
from nst.run.results import Results, snapshot_name
from nst.settings import Settings, describe
from nst.system.atomic_files import check_writable, claimed, file_sha256, first_free, remove_leftovers, reserved
from nst.system.signals import AtOnce, Stopped, deferred
from nst.transfer.masks import Inputs, check_counts
from nst.transfer.scales import Scale, plan_scales
from nst.transfer.state import State, Step
from nst.transfer.tiles import fits

if TYPE_CHECKING:
    from nst.network.vgg19 import Network

PROJECT = Path(__file__).resolve().parents[2]
SAMPLES = PROJECT / "images"
OUTPUT = PROJECT / "output"
INITS = ("content", "noise", "style")
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif")  # of pictures in a folder of styles
MOST_NAMED = 3  # styles, in the name of a result
CHANGE_NO_PIXEL = ("threads", "max_memory", "tile", "snapshot_every", "checkpoint_every")
LARGEST_STRETCH = 0.02  # by which a mask may be wider or narrower than the photo

Paths = dict[str, tuple[Path, ...]]  # by role: content, style, init, style_mask, content_mask


@dataclass(frozen=True)
class Job:
    """One picture to make, all of it checked: inputs read, output writable, sizes planned.

    tile_px    the side of tiles, in which larger pictures are computed
    named      whether the user has named the output; else another name may be taken when the run starts
    overwrite  whether a result that is there may be replaced
    resume     where an earlier run of it has stopped
    """

    paths: Paths
    content: Picture
    inputs: Inputs
    output: Path
    scales: list[Scale]
    tile_px: int
    plot: bool = False
    named: bool = True
    overwrite: bool = False
    resume: Checkpoint | None = None
    report: bool = True

    @property
    def settings(self) -> Settings:
        """Return the settings of the run."""
        return self.inputs.settings

    @property
    def folder(self) -> Path:
        """Return where snapshots, costs and settings of this run go."""
        return self.output.with_suffix("")


def plan_job(
    content: str,
    styles: Sequence[str],
    settings: Settings,
    *,
    output: str | None = None,
    overwrite: bool = False,
    plot: bool = False,
    report: bool = True,
    resume: Checkpoint | None = None,
    dry_run: bool = False,
) -> Job:
    """Check all that can be checked before the long work and return the job. Raises UserError.

    styles   pictures, or folders of them
    resume   what the run goes on from, which gave its `output`
    dry_run  whether not even a folder for the result is made
    """
    if plot:
        plotting()
    if report:
        check_engine()
    paths = find_pictures(content, styles, settings)
    result = Path(output) if output else first_free(OUTPUT / f"{result_name(paths)}.png")
    check_format(result, bit_depth=settings.bit_depth)
    check_counts(len(paths["style"]), settings)
    photo, inputs = read_inputs(paths, settings)
    scales = plan_scales(photo.image.shape[:2], [style.shape[:2] for style in inputs.styles], settings)
    check_format(result, scales[-1].size, bit_depth=settings.bit_depth)
    tile_px = plan_tile(sizes_of_run(inputs), settings)
    job = Job(paths, photo, inputs, result, scales, tile_px, plot, output is not None, overwrite, resume, report)
    check_writable(result, dry_run=dry_run)
    if job.folder.exists() and not job.folder.is_dir():
        raise UserError(f"{job.folder}: is a file, where the folder of this run would be; give another -o")
    if resume:
        _check_inputs(job.folder, resume.inputs, paths)
        check_state(job.folder, resume.state, scales)
    _refuse_existing(job)
    return job


def _refuse_existing(job: Job) -> None:
    """Raise UserError where a result is already, or a run that was stopped, which the job is not to replace."""
    if job.overwrite or job.resume:
        return
    if has_checkpoint(job.folder):
        raise UserError(
            f"{job.folder}: holds a run that was stopped; give --resume {job.folder} to go on with it, "
            "--overwrite to start anew, or another -o"
        )
    if job.output.exists():
        raise UserError(f"{job.output}: exists already; give --overwrite to replace it, or another -o")


def find_pictures(content: str, styles: Sequence[str], settings: Settings) -> Paths:
    """Return the path of each input by its role, folders of styles as what is in them. Raises UserError."""
    paths: Paths = {
        "content": (find_picture(content),),
        "style": tuple(path for name in styles for path in pictures_of(find_picture(name))),
    }
    if settings.init not in INITS:
        paths["init"] = (find_picture(settings.init),)
    if settings.style_mask:
        paths["style_mask"] = tuple(map(find_picture, settings.style_mask))
    if settings.content_mask is not None:
        paths["content_mask"] = (find_picture(settings.content_mask),)
    return paths


def find_picture(name: str) -> Path:
    """Return the path as given, or the picture of that name among the samples. Raises UserError."""
    for path in (Path(name), SAMPLES / name):
        if path.exists():
            return path
    raise UserError(f"{name}: no such file, here or in {SAMPLES.name}/")


def pictures_of(path: Path) -> list[Path]:
    """Return a picture, or those in a folder by name. Raises UserError where there is none."""
    if not path.is_dir():
        return [path]
    found = sorted(item for item in path.iterdir() if is_picture(item))
    if not found:
        raise UserError(f"{path}: is a folder without pictures; put JPEG, PNG, WebP, TIFF, BMP or GIF files in it")
    return found


def is_picture(path: Path) -> bool:
    """Return whether a file is a picture, by its suffix."""
    return path.suffix.lower() in SUFFIXES and path.is_file()


def read_inputs(paths: Paths, settings: Settings) -> tuple[Picture, Inputs]:
    """Read all inputs and return the photo with all that its file holds, and what a run is made from."""
    (content_path,) = paths["content"]
    photo = read_picture(content_path)
    start, content_mask = paths.get("init"), paths.get("content_mask")
    inputs = Inputs(
        photo.image,
        tuple(map(read_image, paths["style"])),
        settings,
        start=read_image(start[0]) if start else None,
        style_masks=tuple(read_mask(path, photo.image) for path in paths.get("style_mask", ())),
        content_mask=read_mask(content_mask[0], photo.image) if content_mask else None,
    )
    return photo, inputs


def read_mask(path: Path, photo: np.ndarray) -> np.ndarray:
    """Return the lightness of a picture of the photo's shape as [height, width] in [0, 1]. Raises UserError."""
    mask = read_image(path).mean(axis=-1)
    (height, width), (wanted_height, wanted_width) = mask.shape, photo.shape[:2]
    if abs(width / height * wanted_height / wanted_width - 1) > LARGEST_STRETCH:
        raise UserError(
            f"{path}: a mask of {width}x{height} px does not fit on the photo of {wanted_width}x{wanted_height} px; "
            "give one of the same shape"
        )
    if mask.max() == 0:
        raise UserError(f"{path}: the mask is black, so nothing would change; paint white where it applies")
    return mask


def run_job(
    job: Job,
    *,
    verbose: bool = False,
    progress: Progress | None = None,
    live: Live | None = None,
    stopped: Callable[[], int] = lambda: 0,
) -> Path:
    """Make the picture and return its path. Ctrl-C and SIGTERM, as KeyboardInterrupt, first save what there is.

    progress  what shows it; a bar or lines on stderr if None
    live      what shows it to browsers
    stopped   returns the number of a signal that came elsewhere, or 0

    Raises RunError where numbers get out of hand, or where the picture had to be saved elsewhere.
    """
    started = time.monotonic()
    start_tensorflow(threads=job.settings.threads, verbose=verbose)
    from tensorflow.errors import ResourceExhaustedError

    from nst.transfer.stylize import stylize  # brings TensorFlow, seconds to import, which no check needs

    network, facts = network_of(job.settings)
    _check_weights(job, facts)
    job = _placed(job)
    resume = job.resume or Checkpoint({}, {})
    progress = progress or Progress(job.scales, done=len(resume.steps))
    live, sources, steps = live or Live(), _sources(job), list(resume.steps)
    with claimed(job.folder), deferred() as signalled, progress, live.showing(sources, steps):
        results = Results(
            job.output,
            job.content,
            job.scales[-1].size,
            job.settings,
            _record(job, facts),
            _inputs_of(job.paths, job.settings),
            job.plot,
            progress.tell,
            started - resume.seconds,
            steps,
            sources if job.report else None,
            progress.told,
            [path for path in (job.folder / snapshot_name(step) for step in resume.steps) if path.exists()],
        )

        def follow(step: Step, picture: Callable[[], np.ndarray], state: Callable[[], State]) -> None:
            results.follow(step, picture, state)
            progress.show(step)
            live.follow(picture, progress.seconds_left)
            number = signalled() or stopped()
            if number:
                raise KeyboardInterrupt(number)

        try:
            _refuse_existing(job)  # as another run may have ended since
            remove_leftovers(job.output)
            if not job.resume:
                remove_checkpoint(job.folder)
                results.write_checkpoint()
            try:
                image = stylize(
                    job.inputs,
                    network,
                    tile_px=job.tile_px,
                    on_step=follow,
                    on_estimate=lambda seconds: progress.estimate(seconds, memory_of(job)),
                    resume=resume.state,
                    clock=lambda: results.seconds,
                )
            except (RunError, ResourceExhaustedError, MemoryError) as error:
                words = str(error) if isinstance(error, RunError) else "out of memory; give a smaller --size"
                words = f"{words}; {results.save_so_far(words)}"
                raise RunError(words, job.output if results.picture else None) from error
            live.show(image)
            results.finish(image)
        except AtOnce as error:
            raise AtOnce(error.args[0], _unsaved(results)) from None
        except KeyboardInterrupt as error:
            raise _stopped(error, results) from None
    return job.output


def _stopped(error: KeyboardInterrupt, results: Results) -> KeyboardInterrupt:
    """Save what there is and return what says so; or, after another signal meanwhile, what says that it is not."""
    number = error.args[0] if error.args else signal.SIGINT
    try:
        return Stopped(number, results.save_so_far(), results.output if results.picture else None)
    except KeyboardInterrupt:
        return AtOnce(number, _unsaved(results))


def _unsaved(results: Results) -> str:
    return "; ".join(filter(None, ["the picture so far is not saved", results.way_on]))


def _placed(job: Job) -> Job:
    """Make the folder of a run and return the job, with another name where a new run has taken it meanwhile."""
    if job.named:
        job.folder.mkdir(exist_ok=True)
        return job
    return replace(job, output=reserved(job.output))


def _sources(job: Job) -> Sources:
    """Return what the report shows of a job."""
    styles = zip(job.paths["style"], job.inputs.styles, strict=True)
    return Sources(
        Named(job.paths["content"][0].name, over_white(job.content)),
        tuple(Named(path.name, image) for path, image in styles),
        sum(scale.steps for scale in job.scales),
    )


def plan_of(job: Job, seconds: float) -> str:
    """Return where the result goes, a line for each scale, and about how much time and memory it takes."""
    lines = [
        f"{scale.size[1]}x{scale.size[0]} px  {scale.steps} steps"
        + ("" if fits(scale.size, job.tile_px) else f"  in tiles of {job.tile_px} px")
        for scale in job.scales
    ]
    there = available_mb()
    words = f"about {seconds:.0f} s and {memory_of(job)} MB of memory"
    return "\n".join([str(job.output), *lines, words if there is None else f"{words}, of {there} MB there"])


def memory_of(job: Job) -> int:
    """Return about how many megabytes a run takes."""
    return memory_mb(sizes_of_run(job.inputs), job.tile_px)


def sizes_of_run(inputs: Inputs) -> Sizes:
    """Return what a run from these pictures needs memory for."""
    settings, styles = inputs.settings, [style.shape[:2] for style in inputs.styles]
    content = inputs.content.shape[:2]
    scales = plan_scales(content, styles, settings)
    return sizes_of(scales, settings, network_precision(settings.precision), [content, *styles])


def seconds_of(job: Job, *, verbose: bool = False) -> float:
    """Return about how long the steps of a run take, from one that is measured. Raises UserError for its weights."""
    start_tensorflow(threads=job.settings.threads, verbose=verbose)
    from nst.transfer.stylize import estimated_seconds

    network, facts = network_of(job.settings)
    _check_weights(job, facts)
    return estimated_seconds(network, job.inputs, job.scales, job.tile_px)


def check_network(job: Job, *, verbose: bool = False) -> None:
    """Load the weights that a job asks for, to see whether they are there and the right ones. Raises UserError."""
    start_tensorflow(threads=job.settings.threads, verbose=verbose)
    _, facts = network_of(job.settings)
    _check_weights(job, facts)


def _check_weights(job: Job, facts: dict[str, Any]) -> None:
    """Raise UserError where a run would go on with other weights than it began with."""
    if job.resume and job.resume.record["weights_sha256"] != facts["weights_sha256"]:
        raise UserError(f"{job.folder}: was begun with other weights; give them with --weights, or start the run anew")


def _inputs_of(paths: Paths, settings: Settings) -> dict[str, list[list[str | None]]]:
    """Return role -> path and SHA-256 of each file, as a checkpoint holds them."""
    found: dict[str, list[list[str | None]]] = {
        role: [[str(path.absolute()), file_sha256(path)] for path in files] for role, files in paths.items()
    }
    if settings.weights not in (None, "imagenet"):
        found["weights"] = [[str(Path(str(settings.weights)).absolute()), None]]
    return found


def _check_inputs(folder: Path, inputs: dict[str, list[list[str | None]]], paths: Paths) -> None:
    """Raise UserError unless the files are those that a run was begun with."""
    for role, files in paths.items():
        wanted = [digest for _, digest in inputs.get(role, [])]
        if len(files) != len(wanted):
            raise UserError(f"{role}: got {len(files)} for {len(wanted)} of {folder}; give as many, or none")
        for path, digest in zip(files, wanted, strict=True):
            if file_sha256(path) != digest:
                raise UserError(
                    f"{path}: is not the {role} that {folder} was begun with: another SHA-256; give that one"
                )


def begun_before(job: Job) -> Path | None:
    """Return the folder of a run that was stopped, where a new one of the same inputs and settings starts beside it."""
    folder = OUTPUT / result_name(job.paths)
    if job.named or job.resume or not has_checkpoint(folder):
        return None
    try:
        checkpoint, _ = read_checkpoint(folder)
    except UserError:
        return None
    return folder if is_begun(checkpoint, job.paths, job.settings) else None


def is_begun(checkpoint: Checkpoint, paths: Paths, settings: Settings) -> bool:
    """Return whether a checkpoint is of a run with these inputs and settings, apart from those that change no pixel."""
    recorded = checkpoint.record.get("settings", {})
    files = {role: [file_sha256(path) for path in found] for role, found in paths.items()}
    begun = {role: [digest for _, digest in found] for role, found in checkpoint.inputs.items() if role != "weights"}
    return files == begun and all(recorded.get(name) == value for name, value in deciding(settings).items())


def deciding(settings: Settings) -> dict[str, Any]:
    """Return the settings that decide the pixels, as a record has them: of a path only the name."""
    described = describe(settings).items()
    return {name: _without_folders(value) for name, value in described if name not in CHANGE_NO_PIXEL}


def network_of(settings: Settings) -> tuple[Network, dict[str, Any]]:
    """Return the network that the settings ask for and what is worth recording of it."""
    layers = frozenset(layer for layer, _ in settings.style_layers + settings.content_layers)
    return _network(settings.weights, layers, settings.pooling, network_precision(settings.precision))


@lru_cache(maxsize=1)  # one network for all jobs of a process; TensorFlow never frees what a gradient was defined on
def _network(
    source: str | None, layers: frozenset[str], pooling: str, precision: str
) -> tuple[Network, dict[str, Any]]:
    """Load the weights and build the network."""
    from nst.network.vgg19 import build_network, load_weights, weights_sha256

    weights = load_weights(source)
    network = build_network(weights, layers, pooling=pooling, precision=precision)
    return network, {"precision": precision, "weights_sha256": weights_sha256(weights)}


def result_name(paths: Paths) -> str:
    """Return a name for the result: of the photo and its styles, the first few by name."""
    stems = [path.stem for path in (*paths["content"], *paths["style"][:MOST_NAMED])]
    more = len(paths["style"]) - MOST_NAMED
    return "_".join(stems) + (f"_and_{more}_more" if more > 0 else "")


def _hashes(paths: Paths) -> dict[str, str]:
    """Return file name -> SHA-256. A name that two different files share is left out, as it would tell of neither."""
    found: dict[str, set[str]] = {}
    for path in itertools.chain(*paths.values()):
        found.setdefault(path.name, set()).add(file_sha256(path))
    return {name: digests.pop() for name, digests in found.items() if len(digests) == 1}


def _record(job: Job, facts: dict[str, Any]) -> dict[str, Any]:
    """Return what is needed to make the picture again, without any path of the machine but names."""
    packages = ("tensorflow", "keras", "numpy", "scipy", "pillow")
    return {
        "files": {role: [path.name for path in paths] for role, paths in job.paths.items()},
        "sha256": _hashes(job.paths),
        "result": job.output.name,
        "settings": {name: _without_folders(value) for name, value in describe(job.settings).items()},
        **facts,
        "versions": {
            "neural_art": nst.__version__,
            "python": platform.python_version(),
            **{p: version(p) for p in packages},
        },
    }


def _without_folders(value: Any) -> Any:
    """Return a setting as it is, and of a path only the name."""
    if isinstance(value, list):
        return [_without_folders(part) for part in value]
    return Path(value).name if isinstance(value, str) else value
