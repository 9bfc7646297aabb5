#!/usr/bin/env python3
"""Measure the time of a step and the peak memory at several sizes, each in a process of its own.

    python benchmarks/scaling.py [--sizes 256 512 1024 2048] [--steps 6] [--tile off] [--plot PATH]
    python benchmarks/scaling.py --sizes 2048 3840 7680 --steps 1 --tile 1024

Each run has one scale. The seconds per step are the median of --steps steps, without the first step of the run.
For Linux alone: os.wait4 tells the memory in another unit on macOS, and Windows has no such function.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

PAIR = ("castle.jpg", "starry_night.jpg")
ASPECT = 683 / 1024  # The height of castle.jpg divided by its width.


def measure(size_px: int, steps: int, tile: str) -> None:
    """Redraw at one scale in this process and print the median of the seconds between steps."""
    from nst import make_settings, read_image, redraw

    photo, painting = (read_image(PROJECT / "images" / name) for name in PAIR)
    one_scale = {"size": size_px, "smallest_scale": size_px, "steps": steps + 1, "fine_steps": 1, "tile": tile}
    settings = make_settings(overrides=one_scale)
    times: list[float] = []
    redraw(photo, painting, settings, on_step=lambda step, picture: times.append(time.perf_counter()))
    print(np.median(np.diff(times)))


def run(size_px: int, steps: int, tile: str) -> tuple[float, float]:
    """Return the seconds per step and the peak memory in MiB of a process that takes `steps` steps at one scale."""
    words = [sys.executable, __file__, "--measure", str(size_px), "--steps", str(steps), "--tile", tile]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"the run at {size_px} px failed")
    return float(printed), usage.ru_maxrss / 1024


def plot(path: Path, rows: list[tuple[int, float, float]]) -> None:
    """Draw seconds per step and peak memory over the pixels (needs matplotlib)."""
    from matplotlib.figure import Figure

    megapixels = [size_px**2 * ASPECT / 1e6 for size_px, _, _ in rows]
    figure = Figure(figsize=(9, 4), layout="constrained")
    for axes, values, label in zip(
        figure.subplots(1, 2),
        list(zip(*rows, strict=True))[1:],
        ("seconds per step", "peak memory in MiB"),
        strict=True,
    ):
        axes.plot(megapixels, values, "o-")
        axes.set(xlabel="million pixels", ylabel=label, xlim=(0, None), ylim=(0, None))
    figure.savefig(path)


def main() -> None:
    """Print a row for each size, and the memory per pixel."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024, 2048])
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--tile", default="off", help="the value of --tile for neural_art.py")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(arguments.measure, arguments.steps, arguments.tile)
        return
    rows = []
    print("size   s/step  us/pixel/step  peak MiB")
    for size_px in arguments.sizes:
        step, memory = run(size_px, arguments.steps, arguments.tile)
        rows.append((size_px, step, memory))
        print(f"{size_px:4d}  {step:7.3f}  {1e6 * step / (size_px**2 * ASPECT):13.2f}  {memory:8.0f}", flush=True)
    slope, base = np.polyfit([size_px**2 * ASPECT for size_px, _, _ in rows], [memory for _, _, memory in rows], 1)
    print(f"memory: {base:.0f} MiB and {slope * 2**20:.0f} bytes per pixel")
    if arguments.plot:
        plot(arguments.plot, rows)


if __name__ == "__main__":
    main()
