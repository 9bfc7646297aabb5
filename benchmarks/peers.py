#!/usr/bin/env python3
"""Hold this tool against pastiche: the same pair and size, both judged on the saved files, times with process start.

    python -m venv PEER && PEER/bin/pip install torch==2.13.0 pastiche==1.6.0
    python benchmarks/peers.py PEER/bin/pastiche FOLDER [--pair cat.jpg stone.jpg] [--steps 30 250] [--presets fast]

Prints a row for each run and how many times as long pastiche's last one takes as our first that is as near to the style
at no greater content. Runs whose picture is in FOLDER already are not repeated; their times stand in times.json.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from judge import Judge, Verdict

PROJECT = Path(__file__).resolve().parent.parent
SIZE_PX = 512  # the default preset's


def commands(pair: list[Path], arguments: argparse.Namespace) -> dict[str, list[str]]:
    """Return the runs by name, each with its command less the output's path; ours first."""
    content, style = map(str, pair)
    runs = {}
    for preset in arguments.presets:
        name = " ".join([preset, *arguments.options.split()])
        words = [sys.executable, str(PROJECT / "neural_art.py"), content, style, "--preset", preset]
        runs[f"neural_art {name}"] = [*words, "--snapshot-every", "0", *arguments.options.split(), "-o"]
    for steps in arguments.steps:
        words = [
            arguments.pastiche,
            "-c",
            content,
            "-s",
            style,
            "--size",
            str(SIZE_PX),
            "--num-steps",
            str(steps),
        ]
        runs[f"pastiche {steps} steps"] = [*words, "--seed", "0", "-o"]
    return runs


def run_missing(runs: dict[str, list[str]], pair: list[Path], folder: Path) -> dict[str, tuple[Path, float]]:
    """Return each run's picture and seconds, made now or before."""
    record = folder / "times.json"
    seconds = json.loads(record.read_text()) if record.exists() else {}
    made = {}
    for name, words in runs.items():
        path = folder / ("_".join([pair[0].stem, pair[1].stem, *name.split()]) + ".png")
        if not path.exists() or path.name not in seconds:
            path.unlink(missing_ok=True)
            started = time.perf_counter()
            subprocess.run([*words, str(path)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            seconds[path.name] = time.perf_counter() - started
            record.write_text(json.dumps(seconds, indent=2))
        made[name] = path, seconds[path.name]
    return made


def report(made: dict[str, tuple[Path, float]], verdicts: dict[str, Verdict]) -> None:
    """Print a row for each run and the ratio of times to equal quality."""
    print("seconds   style  content  grain")
    for name, verdict in verdicts.items():
        print(f"{made[name][1]:7.1f}  {verdict.style:.4f}  {verdict.content:7.4f}  {verdict.grain:5.2f}  {name}")
    peer = list(verdicts)[-1]
    as_good = [
        made[name][1]
        for name, verdict in verdicts.items()
        if name.startswith("neural_art")
        and verdict.style <= verdicts[peer].style
        and verdict.content <= verdicts[peer].content
    ]
    if as_good:
        print(f"{peer} takes {made[peer][1] / min(as_good):.1f} times as long to the same quality")
    else:
        print(f"none of ours is as near to both style and content as {peer}")


def main() -> None:
    """Run what is missing and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pastiche", help="pastiche's command, in an environment of its own")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pair", nargs=2, default=["castle.jpg", "starry_night.jpg"])
    parser.add_argument("--steps", type=int, nargs="+", default=[30, 250])
    parser.add_argument("--presets", nargs="*", default=["fast", "default"])
    parser.add_argument("--options", default="", help="further options of ours, in one word")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    pair = [PROJECT / "images" / name for name in arguments.pair]
    made = run_missing(commands(pair, arguments), pair, arguments.folder)
    judge = Judge()
    report(made, {name: judge.verdict(*pair, path) for name, (path, _) in made.items()})


if __name__ == "__main__":
    main()
