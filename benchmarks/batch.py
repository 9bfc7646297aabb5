#!/usr/bin/env python3
"""Time a batch of small pictures beside a loop of as many commands.

    python benchmarks/batch.py [--pictures 20] [--size 128] [--steps 4]

The photos are copies of one sample, each moved by some px. Both times include the start of Python and TensorFlow.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

COMMAND = [sys.executable, str(PROJECT / "neural_art.py")]


def make_photos(folder: Path, number: int) -> list[Path]:
    """Write `number` photos, each a copy of one sample moved by some px."""
    from nst import read_image, write_picture

    photo = read_image(PROJECT / "images" / "cat.jpg")[::4, ::4]
    folder.mkdir()
    paths = [folder / f"photo{k:02}.png" for k in range(number)]
    for k, path in enumerate(paths):
        write_picture(path, np.roll(photo, 7 * k, axis=1))
    return paths


def seconds(commands: list[list[str]], folder: Path) -> float:
    """Return the seconds that the commands take, one after another."""
    began = time.perf_counter()
    for words in commands:
        subprocess.run([*COMMAND, *words, "--quiet"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Print the times of the batch, of the loop and of the batch again, and the ratio of the first two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=20)
    parser.add_argument("--size", default="128")
    parser.add_argument("--steps", default="4")
    arguments = parser.parse_args()
    settings = ["--size", arguments.size, "--steps", arguments.steps]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        photos = make_photos(folder / "photos", arguments.pictures)
        batch = seconds([["photos", "stone.jpg", *settings, "-o", "batch"]], folder)
        loop = seconds([[str(path), "stone.jpg", *settings, "-o", f"{path.stem}.png"] for path in photos], folder)
        again = seconds([["photos", "stone.jpg", *settings, "-o", "batch"]], folder)
    print(f"{arguments.pictures} pictures of {arguments.size} px: a batch {batch:.1f} s, a loop {loop:.1f} s")
    print(f"the batch takes {batch / loop:.2f} of the loop's time; the same command again {again:.2f} s")


if __name__ == "__main__":
    main()
