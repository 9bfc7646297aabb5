#!/usr/bin/env python3
"""Measure finished pictures of any program: the distance to the style, the distance to the content, and the grain.

    python benchmarks/judge.py CONTENT STYLE RESULT [RESULT ...]

This script measures the saved file in float32, with its own VGG19 and without code of nst/. For this reason, no program
gains from its own costs, clipping, rounding or precision.

style    The relative squared error of the Gram matrices of relu1_1, relu2_1, relu3_1, relu4_1 and relu5_1: the mean of
         the layers, with result and style at a long side of 128, 256 and 512 px; then the mean of these three sizes.
         0 means the style itself.
content  The relative squared error of relu4_2 at 512 px. 0 means the photo itself, 1 as far from the photo as black.
grain    The mean |Laplacian| of the luma at 512 px, divided by that of the style. Far above 1 means noise.
"""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps

WEIGHTS = Path(__file__).resolve().parent.parent / "pretrained-model" / "vgg19_q8.npz"
MEAN_BGR = np.array([103.939, 116.779, 123.68], np.float32)
STYLE = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
CONTENT = "conv4_2"
SCALES_PX = (128, 256, 512)

Grams = dict[str, np.ndarray]


@dataclass(frozen=True)
class Verdict:
    """The measures of a finished picture; the best value is 0 for style and content, and 1 for grain."""

    style: float
    style_by_scale: tuple[float, ...]
    content: float
    grain: float


class Judge:
    """Hold the network for many verdicts, and the Gram matrices of each style."""

    def __init__(self) -> None:
        stored = np.load(WEIGHTS)
        self.layers = [
            (
                name,
                tf.constant(stored[f"{name}/codebook"][stored[f"{name}/codes"]]),
                tf.constant(stored[f"{name}/bias"]),
            )
            for block, count in enumerate((2, 2, 4, 4, 1), start=1)
            for name in (f"conv{block}_{index}" for index in range(1, count + 1))
        ]
        self.grams_of: dict[Path, list[Grams]] = {}

    def verdict(self, content_path: Path, style_path: Path, result_path: Path) -> Verdict:
        """Return the measures of a saved picture."""
        content, style, result = (read(path) for path in (content_path, style_path, result_path))
        if style_path not in self.grams_of:
            self.grams_of[style_path] = [self.grams(resized(style, scale)) for scale in SCALES_PX]
        by_scale = []
        for scale, wanted in zip(SCALES_PX, self.grams_of[style_path], strict=True):
            found = self.grams(resized(result, scale))
            by_scale.append(np.mean([relative_error(found[layer], wanted[layer]) for layer in STYLE]))
        wanted_content = resized(content, SCALES_PX[-1])
        at_size = result.resize(wanted_content.size, Image.Resampling.LANCZOS)
        return Verdict(
            style=float(np.mean(by_scale)),
            style_by_scale=tuple(map(float, by_scale)),
            content=relative_error(self.features(at_size)[CONTENT], self.features(wanted_content)[CONTENT]),
            grain=float(laplacian(at_size) / laplacian(resized(style, SCALES_PX[-1]))),
        )

    def features(self, image: Image.Image) -> Grams:
        """Return the activations [positions, channels], after ReLU, of the measured layers."""
        x = tf.constant((np.asarray(image, np.float32)[..., ::-1] - MEAN_BGR)[None])
        found = {}
        for name, kernel, bias in self.layers:
            if name.endswith("_1") and name != "conv1_1":
                x = tf.nn.max_pool2d(x, 2, 2, "VALID")
            x = tf.nn.relu(tf.nn.conv2d(x, kernel, 1, "SAME") + bias)
            if name in STYLE or name == CONTENT:
                found[name] = tf.reshape(x, [-1, x.shape[-1]]).numpy()
        return found

    def grams(self, image: Image.Image) -> Grams:
        """Return the Gram matrix of each style layer, divided by the number of positions."""
        found = self.features(image)
        return {layer: found[layer].T.astype(np.float64) @ found[layer] / len(found[layer]) for layer in STYLE}


def relative_error(found: np.ndarray, wanted: np.ndarray) -> float:
    """Return sum (found - wanted)² / sum wanted²."""
    return float(np.sum((found - wanted) ** 2) / np.sum(wanted**2))


def read(path: Path) -> Image.Image:
    """Read a picture as RGB, upright."""
    with Image.open(path) as picture:
        return ImageOps.exif_transpose(picture).convert("RGB")


def resized(image: Image.Image, long_side_px: int) -> Image.Image:
    """Return the picture with this long side, and with no side below 16 px, the least for the network."""
    scale = long_side_px / max(image.size)
    width, height = (max(16, round(side * scale)) for side in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def laplacian(image: Image.Image) -> float:
    """Return the mean absolute Laplacian of the luma, in levels of 255."""
    y = np.asarray(image.convert("L"), np.float32)
    return float(np.abs(4 * y[1:-1, 1:-1] - y[:-2, 1:-1] - y[2:, 1:-1] - y[1:-1, :-2] - y[1:-1, 2:]).mean())


def main() -> None:
    """Print a row for each result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("content", type=Path)
    parser.add_argument("style", type=Path)
    parser.add_argument("results", type=Path, nargs="+")
    arguments = parser.parse_args()
    judge = Judge()
    print("   style  at 128  at 256  at 512  content  grain  result")
    for path in arguments.results:
        verdict = judge.verdict(arguments.content, arguments.style, path)
        scales = "".join(f"{value:8.4f}" for value in verdict.style_by_scale)
        print(f"{verdict.style:8.4f}{scales}{verdict.content:9.4f}{verdict.grain:7.2f}  {path.name}")


if __name__ == "__main__":
    main()
