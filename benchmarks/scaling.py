#!/usr/bin/env python3
"""Time the whole command and its peak memory at several sizes, each in a process of its own.

    python benchmarks/scaling.py [--sizes 256 512 1024 2048] [--plot PATH] [neural_art.py's options]

One scale. Seconds per step are the difference between a run of one step and one of --steps more.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

PROJECT = Path(__file__).resolve().parent.parent
PAIR = ("castle.jpg", "starry_night.jpg")
ASPECT = 683 / 1024  # of castle.jpg


def run(size_px: int, steps: int, options: list[str]) -> tuple[float, float]:
    """Return seconds and peak memory in MiB of the command with one scale and so many steps."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, str(PROJECT / "neural_art.py"), *PAIR, "-o", f"{folder}/result.png"]
        words += ["--size", str(size_px), "--smallest-scale", str(size_px), "--steps", str(steps)]
        started = time.perf_counter()
        process = subprocess.Popen([*words, "--snapshot-every", "0", *options], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        elapsed = time.perf_counter() - started
    if status:
        sys.exit("the command failed; see above")
    return elapsed, usage.ru_maxrss / 1024


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
    """Print a row for each size, and what a pixel costs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024, 2048])
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--plot", type=Path)
    arguments, options = parser.parse_known_args()
    rows = []
    print("size   s/step  us/pixel/step  peak MiB")
    for size_px in arguments.sizes:
        short, _ = run(size_px, 1, options)
        long, memory = run(size_px, 1 + arguments.steps, options)
        step = (long - short) / arguments.steps
        rows.append((size_px, step, memory))
        print(f"{size_px:4d}  {step:7.3f}  {1e6 * step / (size_px**2 * ASPECT):13.2f}  {memory:8.0f}", flush=True)
    slope, base = np.polyfit([size_px**2 * ASPECT for size_px, _, _ in rows], [memory for _, _, memory in rows], 1)
    print(f"memory: {base:.0f} MiB and {slope * 2**20:.0f} bytes per pixel")
    if arguments.plot:
        plot(arguments.plot, rows)


if __name__ == "__main__":
    main()
