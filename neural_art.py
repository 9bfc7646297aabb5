#!/usr/bin/env python3
"""Redraw a photo in the style of a painting: python neural_art.py content.jpg style.jpg"""

import argparse
import json
import shlex
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn

import nst
from nst.errors import RunError, UserError, one_line, suggestion
from nst.settings import add_flags, presets

if TYPE_CHECKING:
    from pathlib import Path

    from nst.batch.plan import Plan
    from nst.command.config import Call
    from nst.report.live_view import Live
    from nst.report.progress import BatchProgress, Progress
    from nst.report.status import Entry
    from nst.run.job import Job

DONE, FAILED, USER_ERROR, SIGNALLED = 0, 1, 2, 128
EXITS = {DONE: "done", FAILED: "failed", USER_ERROR: "refused"}  # any other code: "stopped"
LISTED = ("list_presets", "list_layers", "print_config", "completion")
FILES = ("CONTENT", "STYLE", "PATH", "FILE", "FOLDER", "RESULT", "WHERE", "WHAT")  # metavars that stand for a file
SHELLS = ("bash", "zsh", "tcsh")
NOTHING_DONE = "the first step was not done yet"


class Parser(argparse.ArgumentParser):
    """argparse, with its errors in one line like all others."""

    def error(self, message: str) -> NoReturn:
        unknown = message.removeprefix("unrecognized arguments: ").split()[0]
        flags = [flag for flag in self._option_string_actions if flag.startswith("--")]
        hint = suggestion(unknown, flags) if unknown.startswith("--") else ""
        raise UserError(f"{message}{hint}; see --help")


def make_parser() -> argparse.ArgumentParser:
    """Return the command's parser: the positionals, the flags of one call, and a flag for each of the Settings."""
    parser = Parser(
        prog="neural_art.py",
        description="Redraw CONTENT, a photo, in the style of STYLE, a painting. Prints the path of the result.",
        epilog="Example: python neural_art.py cat.jpg stone.jpg --size 1024 -o cat.png",
        allow_abbrev=False,
    )
    absent = argparse.SUPPRESS  # what is not given leaves no trace, so that a file can say it
    content = parser.add_argument(
        "content",
        metavar="CONTENT",
        default=absent,
        help="the photo: a file, or the name of a sample in images/; of a folder or a quoted pattern, each",
    )
    style = parser.add_argument(
        "style",
        metavar="STYLE",
        nargs="+",
        default=absent,
        help="the painting, likewise; several, or a folder of them, are blended",
    )
    content.required = style.required = False  # a file may name them; nargs="?" would not allow flags in between
    parser.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        default=absent,
        help="the result; .png .jpg .webp .tif; of many pictures, their folder [output/CONTENT_STYLE.png]",
    )
    parser.add_argument("--overwrite", action="store_true", default=absent, help="replace an existing -o")
    purposes = "; ".join(f"{name}: {purpose}" for name, (purpose, _) in presets().items())
    parser.add_argument("--preset", default=absent, metavar="|".join(presets()), help=f"{purposes} [default]")
    parser.add_argument(
        "--plot", action="store_true", default=absent, help="also plot the costs to losses.png (needs matplotlib)"
    )
    parser.add_argument(
        "--report",
        action=argparse.BooleanOptionalAction,
        default=absent,
        help="write report.html: pictures with a slider to compare, costs, times, settings [on]",
    )
    parser.add_argument(
        "--watch", action="store_true", default=absent, help="show the picture as it grows to a browser on this machine"
    )
    parser.add_argument(
        "--watch-port", metavar="N", type=int, default=absent, help="port for --watch; 0 for one that is free [0]"
    )
    parser.add_argument(
        "--watch-host",
        metavar="HOST",
        default=absent,
        help="address for --watch; any other than this lets other machines look on [127.0.0.1]",
    )
    parser.add_argument("--json", action="store_true", help="tell all in JSON, for other programs; see README.md")
    parser.add_argument("--quiet", action="store_true", help="show no progress, but still warnings and errors")
    parser.add_argument(
        "--dry-run", action="store_true", help="check everything, print what would be done, write nothing and exit"
    )
    parser.add_argument("--verbose", action="store_true", default=absent, help="show what TensorFlow says")
    parser.add_argument("--config", metavar="FILE", help="a TOML file with any of these flags by name; flags given win")
    parser.add_argument(
        "--settings-from",
        metavar="RESULT",
        help="settings and inputs of an earlier result, in place of a preset: its picture or its settings.json",
    )
    parser.add_argument(
        "--resume",
        metavar="FOLDER",
        help="go on with a run that was stopped, from the checkpoint in its folder, as output/cat_stone",
    )
    parser.add_argument(
        "--print-config", action="store_true", help="print the settings as a file for --config and exit"
    )
    add_batch_flags(parser)
    parser.add_argument("--list-presets", action="store_true", help="print what each preset changes and exit")
    parser.add_argument("--list-layers", action="store_true", help="print VGG19's layers and exit")
    parser.add_argument(
        "--completion",
        choices=SHELLS,
        metavar="|".join(SHELLS),
        help="print what completes flags and files in a shell and exit",
    )
    parser.add_argument("--version", action="version", version=f"neural_art {nst.__version__}")
    add_flags(parser)
    return parser


def add_batch_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of many pictures."""
    group = parser.add_argument_group("many pictures")
    group.add_argument(
        "--batch", metavar="FILE", help="a picture for each row of a .toml, .csv or .jsonl file of any flags by name"
    )
    group.add_argument(
        "--each-style",
        action="store_true",
        default=argparse.SUPPRESS,
        help="a picture in each STYLE instead of a blend of them",
    )
    group.add_argument(
        "--sweep",
        metavar="NAME=V1,V2",
        action="append",
        help="a picture for each value of a setting, as style-weight=20,40, and a contact sheet; may be given again",
    )
    group.add_argument("--force", action="store_true", help="make also those pictures anew that are done")
    group.add_argument("--list", action="store_true", help="print which pictures there are to make and exit")
    group.add_argument("--workers", type=int, metavar="N", help="share the pictures among N processes")
    group.add_argument("--dask", metavar="ADDRESS", help="share them among the workers of a running Dask cluster")
    group.add_argument(
        "--dask-resource",
        metavar="NAME=X",
        action="append",
        help="what a Dask worker must offer to take a picture, as GPU=1; may be given again",
    )


def completion(shell: str) -> str:
    """Return a script for a shell that completes this command's flags, their choices, and files."""
    try:
        import shtab
    except ImportError as error:
        raise UserError("--completion: needs shtab; pip install -r requirements-completion.txt") from error
    parser = make_parser()
    for action in parser._actions:
        if action.metavar in FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif isinstance(action.metavar, str) and "|" in action.metavar:
            action.choices = action.metavar.split("|")
    return str(shtab.complete(parser, shell))


@dataclass
class Outcome:
    """What came of a call, filled in as it is known; what --json prints at the end."""

    as_json: bool
    quiet: bool = False
    code: int = DONE
    message: str | None = None
    path: "Path | None" = None
    job: "Job | None" = None
    batch: "Plan | None" = None
    progress: "Progress | None" = None
    dry_run: bool = False
    listed: bool = False  # whether all that was asked for is printed already
    started: float = field(default_factory=time.monotonic)

    def fail(self, code: int, message: str, path: "Path | None" = None) -> None:
        """Note how the call ended, if not well."""
        self.code, self.message, self.path = code, message, path

    def warn(self, lines: Sequence[str]) -> None:
        """Tell what the user should know of a run that goes on."""
        for line in lines:
            if self.progress:
                self.progress.tell(line)

    def print(self) -> int:
        """Print how the call ended and return the exit code."""
        if self.message and not self.as_json:
            print(f"neural_art: {one_line(self.message)}", file=sys.stderr)
        if self.as_json and not self.listed:
            print(json.dumps(self.content()))
        elif self.batch and not self.dry_run and not self.listed:
            for entry in self.entries:
                if entry.state == "done":
                    print(entry.result)
        elif self.code == DONE and self.path and not self.dry_run:
            print(self.path)
        return self.code

    @property
    def entries(self) -> "list[Entry]":
        """Return what is known of each picture of a batch."""
        if self.batch and self.dry_run:
            return [replace(self.batch.entry(task), state=task.state) for task in self.batch.tasks]
        return self.batch.entries() if self.batch else []

    def content(self) -> dict[str, Any]:
        """Return what docs/result.schema.json describes."""
        from nst.settings import describe

        last = self.progress.last if self.progress else None
        return {
            "exit": EXITS.get(self.code, "stopped"),
            "code": self.code,
            "message": self.message,
            "path": str(self.path) if self.path else None,
            "seconds": round(time.monotonic() - self.started, 3),
            "steps": self.progress.number if self.progress else 0,
            "costs": last.costs if last else None,
            "settings": describe(self.job.settings) if self.job else None,
            "plan": self.job and [{"size": list(scale.size), "steps": scale.steps} for scale in self.job.scales],
            "jobs": self.batch and [entry.described() for entry in self.entries],
        }


def run(arguments: dict[str, Any], outcome: Outcome) -> None:
    """Do what the parsed arguments ask for. Raises UserError."""
    from nst.command import config
    from nst.batch.plan import is_batch

    outcome.listed = any(arguments[name] for name in LISTED)
    if arguments["list_presets"]:
        print(config.presets_text())
    elif arguments["list_layers"]:
        print(config.layers_text())
    elif arguments["completion"]:
        print(completion(arguments["completion"]))
    elif arguments["print_config"]:
        print(config.config_text(config.read_call(arguments).settings))
    elif is_batch(arguments):
        make_batch(arguments, outcome)
    else:
        make_picture(config.read_call(arguments), outcome)


def make_picture(call: "Call", outcome: Outcome) -> None:
    """Make the picture, and warn where it may differ from the one that its settings are from."""
    from nst.command.config import find_inputs, network_warnings, read_record, version_warnings
    from nst.report.progress import Progress
    from nst.run.job import (  # NumPy, Pillow and SciPy, which nothing else needs
        begun_before,
        memory_of,
        plan_job,
        plan_of,
        run_job,
        seconds_of,
    )

    outcome.job = job = plan_job(
        *find_inputs(call),
        output=call.output,
        overwrite=call.overwrite,
        plot=call.plot,
        report=call.report,
        resume=call.resume,
        dry_run=outcome.dry_run,
    )
    outcome.progress = Progress(
        job.scales,
        done=len(call.resume.steps) if call.resume else 0,
        most_seconds=job.settings.max_time,
        kind="json" if outcome.as_json else "quiet" if outcome.quiet else "text",
    )
    outcome.warn(call.warnings)
    if call.record:
        outcome.warn(version_warnings(call.record))
    if stopped := begun_before(job):
        words = f"{stopped}: holds the same run, stopped; --resume {shlex.quote(str(stopped))} goes on with it"
        outcome.warn([f"{words}; this one is {job.output.stem}"])
    if outcome.dry_run:
        seconds = seconds_of(job, verbose=call.verbose)
        outcome.path = job.output
        if outcome.as_json:
            outcome.progress.estimate(seconds, memory_of(job))
        else:
            print(plan_of(job, seconds))
        return
    with watched(outcome.progress, call.watch, call.watch_host, call.watch_port) as live:
        outcome.path = run_job(job, verbose=call.verbose, progress=outcome.progress, live=live)
    if call.record:
        written = outcome.path.with_suffix("") / "settings.json"
        outcome.warn(network_warnings(call.record, read_record(written)))


@contextmanager
def watched(
    progress: "Progress | BatchProgress", wanted: bool, host: str | None, port: int | None
) -> "Iterator[Live | None]":
    """Serve the page of --watch, if it is wanted, tell its address, and yield what the run is to tell."""
    if not wanted:
        yield None
        return
    from nst.report.watch_server import HOST, served

    with served(HOST if host is None else host, port or 0) as (live, url):
        progress.announce(url)
        yield live


def make_batch(arguments: dict[str, Any], outcome: Outcome) -> None:
    """Make the pictures of a batch that are not done, or say which there are."""
    from nst.batch.plan import flattened, plan_batch, plan_text
    from nst.batch.run_batch import check_batch, failures, read_hands, run_batch
    from nst.report.progress import BatchProgress

    values = flattened(arguments)
    hands = read_hands(values)
    outcome.batch = plan = plan_batch(values)
    outcome.path = plan.folder
    progress = BatchProgress(plan.left, kind="json" if outcome.as_json else "quiet" if outcome.quiet else "text")
    outcome.dry_run = outcome.dry_run or arguments["list"]
    if outcome.dry_run and not outcome.as_json:
        print(plan_text(plan))
    if arguments["list"]:
        return
    if outcome.dry_run:
        failed = check_batch(plan, progress)
    else:
        watch = bool(values.get("watch") and plan.left)
        with watched(progress, watch, values.get("watch_host"), values.get("watch_port")) as live:
            run_batch(plan, hands, progress, force=arguments["force"], live=live)
        progress.sum_up(outcome.entries, plan.folder, plan.page)
        failed = failures(plan)
    if failed:
        outcome.fail(FAILED, f"{len(failed)} of {len(plan.tasks)} pictures failed; the first: {failed[0]}", plan.folder)


def main(words: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    words = sys.argv[1:] if words is None else words
    outcome = Outcome(as_json="--json" in words, quiet="--quiet" in words, dry_run="--dry-run" in words)
    try:
        run(vars(make_parser().parse_args(words)), outcome)
    except UserError as error:
        outcome.fail(USER_ERROR, str(error))
    except RunError as error:
        outcome.fail(FAILED, str(error), error.path)
    except KeyboardInterrupt as error:
        known = error.args + (signal.SIGINT, NOTHING_DONE, None)[len(error.args) :]
        number, message, path = known
        if outcome.batch:
            message = f"{message}; to go on: {shlex.join(['python', 'neural_art.py', *words])}"
        outcome.fail(SIGNALLED + number, f"stopped; {message}", path)
    except OSError as error:
        outcome.fail(FAILED, f"{error.filename or 'file'}: {error.strerror or error}")
    return outcome.print()


def stop(number: int, frame: object) -> NoReturn:
    """Turn a signal into what Ctrl-C raises, so that one path saves the picture."""
    raise KeyboardInterrupt(number)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    sys.exit(main())
