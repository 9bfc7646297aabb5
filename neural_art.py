#!/usr/bin/env python3
"""Redraw a photo in the style of a painting: python neural_art.py content.jpg style.jpg"""

import json
import shlex
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn

from nst.command.parser import completion, make_parser
from nst.errors import RunError, UserError, one_line

if TYPE_CHECKING:
    from pathlib import Path

    from nst.batch.plan import Plan
    from nst.batch.progress import BatchProgress
    from nst.command.config import Call
    from nst.report.live_view import LiveView
    from nst.report.progress import Progress
    from nst.report.status import PictureStatus
    from nst.run.job import Job
    from nst.transfer.state import OnStep

EXIT_DONE, EXIT_FAILED, EXIT_USER_ERROR, EXIT_SIGNALLED = 0, 1, 2, 128
EXITS = {EXIT_DONE: "done", EXIT_FAILED: "failed", EXIT_USER_ERROR: "refused"}  # any other code: "stopped"
LISTED = ("list_presets", "list_layers", "print_config", "completion")
NOTHING_DONE = "the first step was not done yet"


@dataclass
class Outcome:
    """What came of a call, filled in as it is known; what --json prints at the end."""

    as_json: bool
    quiet: bool = False
    code: int = EXIT_DONE
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
        elif self.code == EXIT_DONE and self.path and not self.dry_run:
            print(self.path)
        return self.code

    @property
    def entries(self) -> "list[PictureStatus]":
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


def run(arguments: dict[str, Any], outcome: Outcome, on_step: "Sequence[OnStep]") -> None:
    """Do what the parsed arguments ask for. Raises UserError."""
    from nst.batch.plan import is_batch
    from nst.command import config, listings

    outcome.listed = any(arguments[name] for name in LISTED)
    if arguments["list_presets"]:
        print(listings.presets_text())
    elif arguments["list_layers"]:
        print(listings.layers_text())
    elif arguments["completion"]:
        print(completion(arguments["completion"]))
    elif arguments["print_config"]:
        print(listings.config_text(config.read_call(arguments).settings))
    elif is_batch(arguments):
        make_batch(arguments, outcome, on_step)
    else:
        make_picture(config.read_call(arguments), outcome, on_step)


def make_picture(call: "Call", outcome: Outcome, on_step: "Sequence[OnStep]") -> None:
    """Make the picture, and warn where it may differ from the one that its settings are from."""
    from nst.command.config import find_inputs
    from nst.report.progress import Progress
    from nst.run.dry_run import plan_of, seconds_of
    from nst.run.job import begun_before, memory_of, plan_job, run_job
    from nst.run.record import network_warnings, read_record, version_warnings

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
        outcome.path = run_job(job, verbose=call.verbose, progress=outcome.progress, live=live, on_step=on_step)
    if call.record:
        written = outcome.path.with_suffix("") / "settings.json"
        outcome.warn(network_warnings(call.record, read_record(written)))


@contextmanager
def watched(
    progress: "Progress | BatchProgress", wanted: bool, host: str | None, port: int | None
) -> "Iterator[LiveView | None]":
    """Serve the page of --watch, if it is wanted, tell its address, and yield what the run is to tell."""
    if not wanted:
        yield None
        return
    from nst.report.watch_server import HOST, served

    with served(HOST if host is None else host, port or 0) as (live, url):
        progress.announce(url)
        yield live


def make_batch(arguments: dict[str, Any], outcome: Outcome, on_step: "Sequence[OnStep]") -> None:
    """Make the pictures of a batch that are not done, or say which there are."""
    from nst.batch.plan import flattened, plan_batch, plan_text
    from nst.batch.progress import BatchProgress
    from nst.batch.run_batch import check_batch, failures, read_worker_options, run_batch

    values = flattened(arguments)
    hands = read_worker_options(values)
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
            run_batch(plan, hands, progress, force=arguments["force"], live=live, on_step=on_step)
        progress.sum_up(outcome.entries, plan.folder, plan.page)
        failed = failures(plan)
    if failed:
        outcome.fail(
            EXIT_FAILED, f"{len(failed)} of {len(plan.tasks)} pictures failed; the first: {failed[0]}", plan.folder
        )


def main(words: list[str] | None = None, *, on_step: "Sequence[OnStep]" = ()) -> int:
    """Run the command and return its exit code. Each step that this process makes is passed to the listeners."""
    words = sys.argv[1:] if words is None else words
    outcome = Outcome(as_json="--json" in words, quiet="--quiet" in words, dry_run="--dry-run" in words)
    try:
        run(vars(make_parser().parse_args(words)), outcome, on_step)
    except UserError as error:
        outcome.fail(EXIT_USER_ERROR, str(error))
    except RunError as error:
        outcome.fail(EXIT_FAILED, str(error), error.path)
    except KeyboardInterrupt as error:
        known = error.args + (signal.SIGINT, NOTHING_DONE, None)[len(error.args) :]
        number, message, path = known
        if outcome.batch:
            message = f"{message}; to go on: {shlex.join(['python', 'neural_art.py', *words])}"
        outcome.fail(EXIT_SIGNALLED + number, f"stopped; {message}", path)
    except OSError as error:
        outcome.fail(EXIT_FAILED, f"{error.filename or 'file'}: {error.strerror or error}")
    return outcome.print()


def stop(number: int, frame: object) -> NoReturn:
    """Turn a signal into what Ctrl-C raises, so that one path saves the picture."""
    raise KeyboardInterrupt(number)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    sys.exit(main())
