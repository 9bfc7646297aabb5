"""One picture: names -> checked job -> pictures in -> stylize -> picture and reports out."""

from __future__ import annotations

import itertools
import json
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import nst
from nst.errors import UserError
from nst.files import check_writable, file_sha256, first_free
from nst.image_io import Picture, check_format, read_image, read_picture, resize, resize_alpha, write_picture
from nst.masks import Inputs, check_counts
from nst.report import Progress, plotting, write_cost_plot, write_costs, write_json
from nst.runtime import network_precision, start_tensorflow
from nst.scales import Scale, plan_scales
from nst.settings import Settings, describe

if TYPE_CHECKING:
    from nst.stylize import Step
    from nst.vgg19 import Features

PROJECT = Path(__file__).resolve().parent.parent
SAMPLES = PROJECT / "images"
OUTPUT = PROJECT / "output"
INITS = ("content", "noise", "style")
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif")  # of pictures in a folder of styles
MOST_NAMED = 3  # styles, in the name of a result
LARGEST_STRETCH = 0.02  # by which a mask may be wider or narrower than the photo

Paths = dict[str, tuple[Path, ...]]  # by role: content, style, init, style_mask, content_mask


@dataclass(frozen=True)
class Job:
    """One picture to make, all of it checked: inputs read, output writable, sizes planned."""

    paths: Paths
    content: Picture
    inputs: Inputs
    output: Path
    scales: list[Scale]
    plot: bool = False

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
) -> Job:
    """Check all that can be checked before the long work and return the job. Raises UserError.

    styles  pictures, or folders of them
    """
    if plot:
        plotting()
    paths = find_pictures(content, styles, settings)
    result = Path(output) if output else first_free(OUTPUT / f"{_name(paths)}.png")
    check_format(result, bit_depth=settings.bit_depth)
    check_counts(len(paths["style"]), settings)
    photo, inputs = read_inputs(paths, settings)
    scales = plan_scales(photo.image.shape[:2], [style.shape[:2] for style in inputs.styles], settings)
    check_format(result, scales[-1].size, bit_depth=settings.bit_depth)
    job = Job(paths, photo, inputs, result, scales, plot)
    check_writable(result)
    if job.folder.exists() and not job.folder.is_dir():
        raise UserError(f"{job.folder}: is a file, where the folder of this run would be; give another -o")
    if result.exists() and not overwrite:
        raise UserError(f"{result}: exists already; give --overwrite to replace it, or another -o")
    return job


def find_pictures(content: str, styles: Sequence[str], settings: Settings) -> Paths:
    """Return the path of each input by its role, folders of styles as what is in them. Raises UserError."""
    paths: Paths = {
        "content": (find_picture(content),),
        "style": tuple(path for name in styles for path in _pictures_of(find_picture(name))),
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


def run_job(job: Job, *, verbose: bool = False) -> Path:
    """Make the picture and return its path. Ctrl-C and SIGTERM, as KeyboardInterrupt, first save what there is."""
    started = time.monotonic()
    start_tensorflow(threads=job.settings.threads, verbose=verbose)
    from nst.stylize import stylize  # brings TensorFlow, seconds to import, which no check needs

    features, facts = network_of(job.settings)
    job.folder.mkdir(exist_ok=True)
    steps: list[Step] = []
    latest: list[Callable[[], np.ndarray]] = []

    def follow(step: Step, picture: Callable[[], np.ndarray]) -> None:
        steps.append(step)
        latest[:] = [picture]
        progress.show(step)
        if job.settings.snapshot_every and step.number % job.settings.snapshot_every == 0:
            write_picture(job.folder / f"step_{step.number:05d}_{max(step.size)}px.png", picture())

    def save(image: np.ndarray) -> None:
        size, photo, record = job.scales[-1].size, job.content, _record(job, facts)
        write_picture(
            job.output,
            resize(image, size),
            alpha=resize_alpha(photo.alpha, size),
            bit_depth=job.settings.bit_depth,
            dpi=photo.dpi,
            exif=photo.exif,
            comment=json.dumps(record),
        )
        write_json(job.folder / "settings.json", {**record, "seconds": time.monotonic() - started})
        if steps:
            write_costs(job.folder / "losses.csv", steps)
        if steps and job.plot:
            write_cost_plot(job.folder / "losses.png", steps)

    try:
        with Progress(job.scales) as progress:
            image = stylize(job.inputs, features, on_step=follow)
        save(image)
    except KeyboardInterrupt:
        if latest:
            save(latest[0]())
        raise
    return job.output


def network_of(settings: Settings) -> tuple[Features, dict[str, Any]]:
    """Return the network that the settings ask for and what is worth recording of it."""
    layers = frozenset(layer for layer, _ in settings.style_layers + settings.content_layers)
    return _network(settings.weights, layers, settings.pooling, network_precision(settings.precision))


@lru_cache(maxsize=1)  # one network for all jobs of a process; TensorFlow never frees what a gradient was defined on
def _network(
    source: str | None, layers: frozenset[str], pooling: str, precision: str
) -> tuple[Features, dict[str, Any]]:
    """Load the weights and build the network."""
    from nst.vgg19 import build_network, load_weights, weights_sha256

    weights = load_weights(source)
    features = build_network(weights, layers, pooling=pooling, precision=precision)
    return features, {"precision": precision, "weights_sha256": weights_sha256(weights)}


def _pictures_of(path: Path) -> list[Path]:
    """Return a picture, or those in a folder by name. Raises UserError where there is none."""
    if not path.is_dir():
        return [path]
    found = sorted(item for item in path.iterdir() if item.suffix.lower() in SUFFIXES and item.is_file())
    if not found:
        raise UserError(f"{path}: is a folder without pictures; put JPEG, PNG, WebP, TIFF, BMP or GIF files in it")
    return found


def _name(paths: Paths) -> str:
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
