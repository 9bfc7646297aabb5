#!/usr/bin/env python3
"""Compare neural_art with pastiche: the same pairs and size, measures of the saved files, times with process start.

    python -m venv PEER && PEER/bin/pip install torch==2.13.0 pastiche==1.6.0
    python benchmarks/peers.py PEER/bin/pastiche FOLDER [--pairs castle.jpg:starry_night.jpg ...] [--repeats 3]
        [--steps 30 250] [--peer-repeats 1] [--ours "--preset fast" "--steps 8" ""] [--laptop]
        [--judge "COMMAND" --measures NAME ...] [--plot PATH]

The runs of a pair take turns, and their seconds are medians over the repeats. A line for each run of pastiche compares
its time with our quickest run all of whose measures are no greater. Runs whose seconds are already in FOLDER/times.json
are not repeated.

--laptop  all runs again as on a processor that has AVX2 and neither AVX512 nor bfloat16. What of it is told to oneDNN
          and MKL is obeyed; the rest of TensorFlow and PyTorch, such as Eigen, may use more.
--judge   measures of another program, called as COMMAND CONTENT STYLE RESULT ... It prints a list of objects in JSON,
          one for each result, in which a smaller number is better. Else benchmarks/judge.py measures.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from judge import Judge

PROJECT = Path(__file__).resolve().parent.parent
SIZE_PX = 512  # The default size. All pictures are judged at the same three scales.
LAPTOP = {"ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
OURS_ON_LAPTOP = ["--precision", "float32"]  # As --precision auto has it there.


@dataclass
class Run:
    """A command for one pair, its picture, and the seconds of each of its runs."""

    name: str
    words: list[str]  # The command without the path of the picture.
    picture: Path
    repeats: int
    seconds: list[float] = field(default_factory=list)
    laptop: list[float] = field(default_factory=list)
    measures: dict[str, float] = field(default_factory=dict)

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
    repeats = {True: arguments.repeats, False: arguments.peer_repeats or arguments.repeats}
    return [
        Run(name, words, arguments.folder / ("_".join([stem, *name.split()]) + ".png"), repeats["neural_art" in name])
        for name, words in commands.items()
    ]


def run_missing(runs: list[Run], record: Path, *, laptop: bool) -> None:
    """Run each command until it has been timed as often as wanted, in turn."""
    seconds = json.loads(record.read_text()) if record.exists() else {}
    for run in runs:
        run.seconds = seconds.setdefault(run.picture.name, run.seconds)
        run.laptop = seconds.setdefault(f"laptop {run.picture.name}", run.laptop)
    for turn in range(max(run.repeats for run in runs)):
        for run in (run for run in runs if turn < run.repeats):
            if len(run.seconds) <= turn or not run.picture.exists():
                run.seconds.append(timed([*run.words, str(run.picture)], {}))
            if laptop and len(run.laptop) <= turn:
                words = [*run.words[:-1], *(OURS_ON_LAPTOP if run.ours else []), run.words[-1]]
                run.laptop.append(timed([*words, str(run.picture.with_stem(f"{run.picture.stem}_laptop"))], LAPTOP))
            record.write_text(json.dumps(seconds, indent=2))


def timed(command: list[str], environment: dict[str, str]) -> float:
    """Return the seconds that a command takes, with more in its environment."""
    started, quiet = time.perf_counter(), subprocess.DEVNULL
    subprocess.run(command, check=True, stdout=quiet, stderr=quiet, env=os.environ | environment)
    return time.perf_counter() - started


def measure(runs: list[Run], pair: list[Path], judge: Judge | None, command: str | None, names: list[str]) -> None:
    """Note the measures of each run's picture: those of `command` by name, or else those of the judge."""
    if judge:
        for run in runs:
            run.measures = asdict(judge.verdict(*pair, run.picture))
            run.measures = {name: run.measures[name] for name in ("style", "content")}
        return
    words = [*shlex.split(command or ""), *map(str, pair), *(str(run.picture) for run in runs)]
    answer = subprocess.run(words, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    for run, found in zip(runs, json.loads(answer), strict=True):
        run.measures = {name: found[name] for name in names}


def report(runs: list[Run]) -> None:
    """Print a row for each run, and the time of pastiche divided by our time for the same quality."""
    names = list(runs[0].measures)
    print("seconds  laptop  " + "  ".join(f"{name:>8}" for name in names))
    for run in runs:
        on_laptop = f"{median(run.laptop):6.1f}" if run.laptop else "     -"
        row = "  ".join(f"{run.measures[name]:8.4f}" for name in names)
        print(f"{median(run.seconds):7.1f}  {on_laptop}  {row}  {run.name} ({len(run.seconds)} timed)")
    for peer in (run for run in runs if not run.ours):
        as_good = [run for run in runs if run.ours and all(run.measures[name] <= peer.measures[name] for name in names)]
        if not as_good:
            print(f"{peer.name}: none of ours is as good in all measures")
            continue
        best = min(as_good, key=lambda run: median(run.seconds))
        ratios = [median(peer.seconds) / median(best.seconds)]
        ratios += [median(peer.laptop) / median(best.laptop)] if peer.laptop and best.laptop else []
        words = " and on the laptop ".join(f"{ratio:.1f}" for ratio in ratios)
        print(f"{peer.name}: {words} times as long as {best.name}, which is as good in all measures")


def plot(path: Path, rows: dict[str, list[Run]]) -> None:
    """Draw the distance to the style over the seconds, a panel for each pair (needs matplotlib)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4 * len(rows), 3.6), layout="constrained")
    for axes, (title, runs) in zip(figure.subplots(1, len(rows), squeeze=False)[0], rows.items(), strict=True):
        for name in ("neural_art", "pastiche"):
            own = [run for run in runs if run.name.startswith(name)]
            points = sorted((median(run.seconds), next(iter(run.measures.values()))) for run in own)
            axes.plot(*zip(*points, strict=True), "o-", label=name)
        axes.set(title=title, xlabel="seconds", ylabel="the first measure", xscale="log", yscale="log")
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
    parser.add_argument("--peer-repeats", type=int, help="the repeats of pastiche's runs, which take long")
    parser.add_argument("--laptop", action="store_true", help="time all runs also as on a processor without AVX512")
    parser.add_argument("--judge", metavar="COMMAND", help="another program that measures pictures")
    parser.add_argument("--measures", nargs="+", default=["style", "content"], help="those of --judge that count")
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    judge, rows = None if arguments.judge else Judge(), {}
    for words in arguments.pairs:
        pair = [PROJECT / "images" / name for name in words.split(":")]
        runs = runs_of(pair, arguments)
        run_missing(runs, arguments.folder / "times.json", laptop=arguments.laptop)
        measure(runs, pair, judge, arguments.judge, arguments.measures)
        print(f"\n{pair[0].stem} x {pair[1].stem}")
        report(runs)
        rows[f"{pair[0].stem} x {pair[1].stem}"] = runs
    if arguments.plot:
        plot(arguments.plot, rows)


if __name__ == "__main__":
    main()
