"""One picture: names -> checked job -> pictures in -> stylize -> picture and reports out."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import nst
from nst.errors import UserError
from nst.files import check_writable, file_sha256, first_free
from nst.image_io import Picture, check_format, read_image, read_picture, resize, resize_alpha, write_picture
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


@dataclass(frozen=True)
class Job:
    """One picture to make, all of it checked: inputs read, output writable, sizes planned."""

    content_path: Path
    style_path: Path
    content: Picture
    style: np.ndarray
    start: np.ndarray | None
    output: Path
    settings: Settings
    scales: list[Scale]
    plot: bool = False
    inputs: dict[str, str] = field(default_factory=dict)  # file name -> SHA-256

    @property
    def folder(self) -> Path:
        """Return where snapshots, costs and settings of this run go."""
        return self.output.with_suffix("")


def plan_job(
    content: str,
    style: str,
    settings: Settings,
    *,
    output: str | None = None,
    overwrite: bool = False,
    plot: bool = False,
) -> Job:
    """Check all that can be checked before the long work and return the job. Raises UserError."""
    if plot:
        plotting()
    content_path, style_path = find_picture(content), find_picture(style)
    result = Path(output) if output else first_free(OUTPUT / f"{content_path.stem}_{style_path.stem}.png")
    check_format(result)
    pictures = read_picture(content_path), read_image(style_path)
    start_path = None if settings.init in INITS else find_picture(settings.init)
    start = read_image(start_path) if start_path else None
    scales = plan_scales(pictures[0].image.shape[:2], pictures[1].shape[:2], settings)
    check_format(result, scales[-1].size)
    inputs = _hashes(content_path, style_path, *([start_path] if start_path else []))
    job = Job(content_path, style_path, *pictures, start, result, settings, scales, plot, inputs)
    check_writable(result)
    if job.folder.exists() and not job.folder.is_dir():
        raise UserError(f"{job.folder}: is a file, where the folder of this run would be; give another -o")
    if result.exists() and not overwrite:
        raise UserError(f"{result}: exists already; give --overwrite to replace it, or another -o")
    return job


def find_picture(name: str) -> Path:
    """Return the path as given, or the picture of that name among the samples. Raises UserError."""
    for path in (Path(name), SAMPLES / name):
        if path.exists():
            return path
    raise UserError(f"{name}: no such file, here or in {SAMPLES.name}/")


def run_job(job: Job, *, verbose: bool = False) -> Path:
    """Make the picture and return its path. Ctrl-C and SIGTERM, as KeyboardInterrupt, first save what there is."""
    started = time.monotonic()
    start_tensorflow(threads=job.settings.threads, verbose=verbose)
    from nst.stylize import stylize  # brings TensorFlow, seconds to import, which no check needs

    features, facts = _network_of(job.settings)
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
        size, content = job.scales[-1].size, job.content
        alpha = resize_alpha(content.alpha, size)
        write_picture(job.output, resize(image, size), alpha=alpha, dpi=content.dpi, exif=content.exif)
        write_json(job.folder / "settings.json", _record(job, {**facts, "seconds": time.monotonic() - started}))
        if steps:
            write_costs(job.folder / "losses.csv", steps)
        if steps and job.plot:
            write_cost_plot(job.folder / "losses.png", steps)

    try:
        with Progress(job.scales) as progress:
            image = stylize(job.content.image, job.style, job.settings, features, start=job.start, on_step=follow)
        save(image)
    except KeyboardInterrupt:
        if latest:
            save(latest[0]())
        raise
    return job.output


def _network_of(settings: Settings) -> tuple[Features, dict[str, Any]]:
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


def _hashes(*paths: Path) -> dict[str, str]:
    """Return file name -> SHA-256. A name that two different files share is left out, as it would tell of neither."""
    found: dict[str, set[str]] = {}
    for path in paths:
        found.setdefault(path.name, set()).add(file_sha256(path))
    return {name: digests.pop() for name, digests in found.items() if len(digests) == 1}


def _record(job: Job, facts: dict[str, Any]) -> dict[str, Any]:
    """Return what is needed to make the picture again, without any path of the machine but names."""
    packages = ("tensorflow", "keras", "numpy", "scipy", "pillow")
    settings = describe(job.settings)
    return {
        "content": job.content_path.name,
        "style": job.style_path.name,
        "result": job.output.name,
        "inputs": job.inputs,
        "settings": {name: Path(value).name if isinstance(value, str) else value for name, value in settings.items()},
        **facts,
        "versions": {
            "neural_art": nst.__version__,
            "python": platform.python_version(),
            **{p: version(p) for p in packages},
        },
    }
