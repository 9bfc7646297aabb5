#!/usr/bin/env python3
"""Compare neural_art with pastiche: the same pairs and size, measures of the saved files, times with process start.

    python -m venv PEER && PEER/bin/pip install torch==2.13.0 pastiche==1.6.0
    python benchmarks/peers.py PEER/bin/pastiche FOLDER [--pairs castle.jpg:starry_night.jpg ...] [--repeats 3]
        [--steps 30 250] [--ours "--preset fast" "--steps 8" ""] [--plot PATH]

The runs of a pair take turns, and their seconds are medians over the repeats. A line for each run of pastiche compares
its time with our quickest run whose style and content are both no greater. Runs whose seconds are already in
FOLDER/times.json are not repeated.
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from judge import Judge, Verdict

PROJECT = Path(__file__).resolve().parent.parent
SIZE_PX = 512  # The default size. Our presets may have another; all pictures are judged at the same three scales.


@dataclass
class Run:
    """A command for one pair, its picture, and the seconds of each of its runs."""

    name: str
    words: list[str]  # The command without the path of the picture.
    picture: Path
    seconds: list[float] = field(default_factory=list)

    @property
    def ours(self) -> bool:
        """Return whether the run is one of neural_art, not of pastiche."""
        return self.name.startswith("neural_art")


def runs_of(pair: list[Path], arguments: argparse.Namespace) -> list[Run]:
    """Return our runs and the runs of pastiche for a pair."""
    content, style = map(str, pair)
    commands = {}
    for options in arguments.ours:
        words = [sys.executable, str(PROJECT / "neural_art.py"), content, style, "--snapshot-every", "0", "--overwrite"]
        commands[f"neural_art {options or 'default'}"] = [*words, *options.split(), "-o"]
    peer = [arguments.pastiche, "-c", content, "-s", style, "--size", str(SIZE_PX), "--seed", "0", "--num-steps"]
    for steps in arguments.steps:
        commands[f"pastiche {steps} steps"] = [*peer, str(steps), "-o"]
    stem = f"{pair[0].stem}_{pair[1].stem}"
    return [
        Run(name, words, arguments.folder / ("_".join([stem, *name.split()]) + ".png"))
        for name, words in commands.items()
    ]


def run_missing(runs: list[Run], repeats: int, record: Path) -> None:
    """Run each command until it has been timed `repeats` times, in turn."""
    seconds = json.loads(record.read_text()) if record.exists() else {}
    for run in runs:
        run.seconds = seconds.setdefault(run.picture.name, run.seconds)
    for turn in range(repeats):
        for run in runs:
            if len(run.seconds) <= turn or not run.picture.exists():
                started = time.perf_counter()
                command = [*run.words, str(run.picture)]
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                run.seconds.append(time.perf_counter() - started)
                record.write_text(json.dumps(seconds, indent=2))


def report(runs: list[Run], verdicts: dict[str, Verdict]) -> None:
    """Print a row for each run, and the time of pastiche divided by our time for the same quality."""
    print("seconds   style  content  grain")
    for run in runs:
        verdict = verdicts[run.name]
        row = f"{verdict.style:.4f}  {verdict.content:7.4f}  {verdict.grain:5.2f}"
        print(f"{median(run.seconds):7.1f}  {row}  {run.name} ({len(run.seconds)} timed)")
    for peer in (run for run in runs if not run.ours):
        theirs = verdicts[peer.name]
        as_good = [
            run
            for run in runs
            if run.ours and verdicts[run.name].style <= theirs.style and verdicts[run.name].content <= theirs.content
        ]
        if as_good:
            best = min(as_good, key=lambda run: median(run.seconds))
            ratio = median(peer.seconds) / median(best.seconds)
            print(f"{peer.name}: {ratio:.1f} times as long as {best.name}, which is as near to both")
        else:
            print(f"{peer.name}: none of ours is as near to both style and content")


def plot(path: Path, rows: dict[str, list[tuple[Run, Verdict]]]) -> None:
    """Draw the distance to the style over the seconds, a panel for each pair (needs matplotlib)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4 * len(rows), 3.6), layout="constrained")
    for axes, (title, runs) in zip(figure.subplots(1, len(rows), squeeze=False)[0], rows.items(), strict=True):
        for name in ("neural_art", "pastiche"):
            points = sorted((median(run.seconds), verdict.style) for run, verdict in runs if run.name.startswith(name))
            axes.plot(*zip(*points, strict=True), "o-", label=name)
        axes.set(title=title, xlabel="seconds", ylabel="distance to the style", xscale="log", yscale="log")
        axes.legend()
    figure.savefig(path, dpi=100)


def main() -> None:
    """Make the missing runs, and report all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pastiche", help="the command of pastiche, in an environment of its own")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pairs", nargs="+", default=["castle.jpg:starry_night.jpg"], metavar="CONTENT:STYLE")
    parser.add_argument(
        "--steps", type=int, nargs="+", default=[30, 250], help="the numbers of steps of pastiche's runs"
    )
    parser.add_argument("--ours", nargs="+", default=["--preset fast", ""], help="the options of each of our runs")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    judge, rows = Judge(), {}
    for words in arguments.pairs:
        pair = [PROJECT / "images" / name for name in words.split(":")]
        runs = runs_of(pair, arguments)
        run_missing(runs, arguments.repeats, arguments.folder / "times.json")
        verdicts = {run.name: judge.verdict(*pair, run.picture) for run in runs}
        print(f"\n{pair[0].stem} x {pair[1].stem}")
        report(runs, verdicts)
        rows[f"{pair[0].stem} x {pair[1].stem}"] = [(run, verdicts[run.name]) for run in runs]
    if arguments.plot:
        plot(arguments.plot, rows)


if __name__ == "__main__":
    main()
