#!/usr/bin/env python3
"""Redraw a photo in the style of a painting: python neural_art.py content.jpg style.jpg"""

import sys

if sys.version_info < (3, 10):  # noqa: UP036  An older Python reads only this far.
    sys.exit("neural_art: needs Python 3.10 or newer; this is Python {}.{}".format(*sys.version_info[:2]))

import gc
import json
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from nst.call_options import names_with
from nst.command.parser import make_parser
from nst.errors import RunError, UserError, one_line, os_error_reason, os_error_words
from nst.places import INSTALL, command_line
from nst.report.status import DONE, FAILED, STOPPED
from nst.system.signals import NOTHING_DONE, AtOnce, ignore_signals, interrupt_on_signals
from nst.system.streams import READER_GONE, end_process, keep_streams, renew_streams, stdout_lost

if TYPE_CHECKING:
    from pathlib import Path
    from typing import NoReturn

    from nst.batch.plan import Plan
    from nst.batch.progress import BatchProgress
    from nst.command.config import Call
    from nst.report.live_view import LiveView
    from nst.report.progress import Progress
    from nst.report.status import PictureStatus
    from nst.run.dry_run import DryRun
    from nst.run.request import Request
    from nst.settings import Settings
    from nst.transfer.state import OnStep

EXIT_DONE, EXIT_FAILED, EXIT_USER_ERROR, EXIT_SIGNALLED = 0, 1, 2, 128
# Python searches old objects for garbage once in so many searches. TensorFlow has a million of them.
FULL_SEARCHES = 100
EXITS = {EXIT_DONE: DONE, EXIT_FAILED: FAILED, EXIT_USER_ERROR: "refused"}  # Any other code means STOPPED.


@dataclass
class Outcome:
    """The outcome of a call, filled in as it becomes known; printed at the end.

    kind     "text", "quiet" or "json"
    path     the picture, or the folder of a batch
    listed   whether everything that was asked for is printed already
    """

    kind: str
    dry_run: bool = False
    code: int = EXIT_DONE
    message: str | None = None
    path: "Path | None" = None
    settings: "Settings | None" = None
    batch: "Plan | None" = None
    progress: "Progress | None" = None
    listed: bool = False
    started: float = field(default_factory=time.monotonic)

    def fail(self, code: int, message: str, path: "Path | None" = None) -> None:
        """Note why the call did not end well."""
        self.code, self.message, self.path = code, message, path

    def stop(self, error: KeyboardInterrupt, words: Sequence[str]) -> None:
        """Note that a signal has ended the call of these words."""
        number, message, path = error.args + (signal.SIGINT, NOTHING_DONE, None)[len(error.args) :]
        if self.batch:
            message = f"{message}; to go on: {command_line(*words)}"
        self.fail(EXIT_SIGNALLED + number, f"stopped; {message}", path)

    def print(self) -> int:
        """Print how the call ended and return the exit code."""
        if self.message and self.kind != "json":
            print(f"neural_art: {one_line(self.message)}", file=sys.stderr)
        if self.kind == "json" and not self.listed:
            print(json.dumps(self.as_json()))
        elif self.batch and not self.dry_run and not self.listed:
            for status in self.statuses:
                if status.state == DONE:
                    print(status.result)
        elif self.code == EXIT_DONE and self.path and not self.dry_run:
            print(self.path)
        self._check_stdout()
        return self.code

    def _check_stdout(self) -> None:
        """Say where the picture is if stdout could not take its path; a failure unless the reader just went away."""
        lost = stdout_lost()
        if lost is None:
            return
        gone, made = lost.errno in READER_GONE, self.path is not None and not self.dry_run
        if not gone:
            self.code = self.code or EXIT_FAILED
        if made or not gone:
            words = f"stdout: {os_error_reason(lost)}" + (f"; {self.path} is saved" if made else "")
            print(f"neural_art: {one_line(words)}", file=sys.stderr)

    @property
    def statuses(self) -> "list[PictureStatus]":
        """Return the status of each picture of a batch."""
        if self.batch and self.dry_run:
            return [replace(self.batch.status(task), state=task.state) for task in self.batch.tasks]
        return self.batch.statuses() if self.batch else []

    def as_json(self) -> dict[str, Any]:
        """Return the object that docs/result.schema.json describes."""
        from nst.preset_files import describe

        last = self.progress.last if self.progress else None
        scales = self.progress.scales.values() if self.progress else ()
        return {
            "exit": EXITS.get(self.code, STOPPED),
            "code": self.code,
            "message": self.message,
            "path": str(self.path) if self.path else None,
            "seconds": round(time.monotonic() - self.started, 3),
            "steps": self.progress.number if self.progress else 0,
            "costs": last.costs if last else None,
            "settings": describe(self.settings) if self.settings and scales else None,
            "plan": [{"size": list(scale.size), "steps": scale.steps} for scale in scales] or None,
            "jobs": self.batch and [status.described() for status in self.statuses],
        }


def run(arguments: dict[str, Any], outcome: Outcome, on_step: "Sequence[OnStep]") -> None:
    """Print, make a picture or make a batch, as the parsed arguments ask. Raises UserError."""
    from nst.batch.plan import is_batch
    from nst.command.config import read_call, read_files

    outcome.listed = any(arguments[name] for name in names_with("prints"))
    values = read_files(arguments)
    if outcome.listed:
        print_listing(values)
    elif is_batch(values):
        make_batch(values, outcome, on_step)
    else:
        make_picture(read_call(values), values, outcome, on_step)


def print_listing(values: Mapping[str, Any]) -> None:
    """Print a listing instead of making a picture."""
    from nst.command import config, listings
    from nst.command.completion import completion

    if values["help_all"]:
        print(make_parser().format_help(), end="")
    elif values["list_samples"]:
        print(listings.samples_text())
    elif values["list_presets"]:
        print(listings.presets_text())
    elif values["list_layers"]:
        print(listings.layers_text())
    elif values["completion"]:
        print(completion(values["completion"], make_parser()))
    else:
        print(listings.config_text(config.read_call(values).request.settings))


def make_picture(call: "Call", values: Mapping[str, Any], outcome: Outcome, on_step: "Sequence[OnStep]") -> None:
    """Make the picture, or say how it would be made."""
    from nst.batch.plan import refuse_sharing
    from nst.command.config import name_inputs, refuse_expanded_pattern
    from nst.report.progress import Progress
    from nst.run.dry_run import dry_run
    from nst.run.folder import RunFolder
    from nst.run.input_files import find_pictures
    from nst.run.request import STDOUT
    from nst.run.run_picture import run_picture
    from nst.run.stdout_result import result_on_stdout
    from nst.video.clips import is_clip

    refuse_expanded_pattern(call)
    named = name_inputs(call)
    if is_clip(named, call.origin.checkpoint, as_clip=call.as_clip):
        make_clip(call, named, values, outcome)
        return
    refuse_sharing(values)
    request = find_pictures(named)
    outcome.settings = request.settings
    outcome.progress = progress = Progress(kind=outcome.kind)
    to_stdout = str(request.output) == STDOUT
    for given, name in ((outcome.kind == "json", "--json"), (request.plot, "--plot"), (call.open, "--open")):
        if to_stdout and given:
            raise UserError(
                f"{name}: does not go with -o {STDOUT}, which gives the picture alone; leave one of them out"
            )
    with result_on_stdout(request) if to_stdout else nullcontext(request) as request:
        if outcome.dry_run:
            tell_plan(dry_run(request, call.origin, progress), outcome, progress)
            return
        with watching(vars(call), progress) as live:
            made = run_picture(request, call.origin, progress, live=live, on_step=on_step)
    if not to_stdout:
        outcome.path = made
        show(call.open, live, [RunFolder(made).report, made], progress)


def make_clip(call: "Call", named: "Request", values: Mapping[str, Any], outcome: Outcome) -> None:
    """Make the clip, or say how it would be made."""
    from nst.batch.clip_scenes import goes_by_scenes, run_scenes
    from nst.batch.run_batch import read_worker_options
    from nst.report.progress import Progress
    from nst.run.request import STDOUT
    from nst.video.plan_clip import find_clip, with_frames_folder
    from nst.video.run_clip import dry_run_clip, run_clip

    options = read_worker_options(values)
    for given, flag in ((str(named.output) == STDOUT, f"-o {STDOUT}"), (named.plot, "--plot")):
        if given:
            raise UserError(f"{flag}: does not go with a clip; leave it out")
    request = find_clip(with_frames_folder(named))
    outcome.settings = request.settings
    outcome.progress = progress = Progress(kind=outcome.kind)
    by_scenes = goes_by_scenes(request, call.origin, options)
    if outcome.dry_run:
        tell_plan(dry_run_clip(request, call.origin, progress), outcome, progress)
        return
    if by_scenes and call.watch:
        raise UserError("--watch: does not show a clip that workers have begun; leave it out")
    with watching(vars(call), progress) as live:
        if by_scenes:
            outcome.path = run_scenes(request, call.origin, progress, options)
        else:
            outcome.path = run_clip(request, call.origin, progress, live=live)
    show(call.open, live, [outcome.path], progress)


def tell_plan(plan: "DryRun", outcome: Outcome, progress: "Progress") -> None:
    """Tell how a picture or a clip would be made."""
    outcome.path = plan.output
    if outcome.kind == "json":
        progress.estimate(plan.seconds, plan.memory_mb, plan.device)
    else:
        print(plan.text)


@contextmanager
def watching(values: Mapping[str, Any], progress: "Progress | BatchProgress") -> "Iterator[LiveView | None]":
    """Serve the page of --watch if it is wanted, and yield the live view that it shows."""
    if not values.get("watch"):
        yield None
        return
    from nst.report.browser import open_address
    from nst.report.watch_server import HOST, served

    host = values.get("watch_host")
    with served(HOST if host is None else host, values.get("watch_port") or 0) as (live, url):
        progress.announce(url)
        if values.get("open"):
            open_address(url, progress.tell)
        yield live


def show(
    wanted: bool, live: "LiveView | None", paths: "Sequence[Path | None]", progress: "Progress | BatchProgress"
) -> None:
    """Open the first of the paths that is there, for --open, unless a browser has shown the picture growing."""
    from nst.report.browser import open_file

    path = next((path for path in paths if path and path.exists()), None)
    if wanted and not live and path:
        open_file(path, progress.tell)


def make_batch(values: Mapping[str, Any], outcome: Outcome, on_step: "Sequence[OnStep]") -> None:
    """Make the unfinished pictures of a batch, or list them."""
    from nst.batch.check_batch import check_batch
    from nst.batch.plan import plan_batch, plan_text
    from nst.batch.progress import BatchProgress
    from nst.batch.run_batch import failures, read_worker_options, run_batch

    options = read_worker_options(values)
    outcome.batch = plan = plan_batch(values)
    outcome.path = plan.folder
    progress = BatchProgress(plan.left, kind=outcome.kind)
    for line in plan.notes:
        progress.tell(line)
    outcome.dry_run = outcome.dry_run or values["list"]
    if outcome.dry_run and outcome.kind != "json":
        print(plan_text(plan))
    if values["list"]:
        return
    if outcome.dry_run:
        failed = check_batch(plan, progress)
    else:
        with watching(values if plan.left else {}, progress) as live:
            run_batch(plan, options, progress, force=values["force"], live=live, on_step=on_step)
        progress.sum_up(outcome.statuses, plan.folder, plan.page)
        show(values["open"], live, [plan.page], progress)
        failed = failures(plan)
    if failed:
        words = f"{len(failed)} of {len(plan.tasks)} pictures failed; the first: {failed[0]}"
        outcome.fail(EXIT_FAILED, words, plan.folder)


def main(
    words: list[str] | None = None,
    *,
    on_step: "Sequence[OnStep]" = (),
    end: "Callable[[int], NoReturn] | None" = None,
) -> int:
    """Run the command and return its exit code.

    on_step  listeners to each step that this process makes
    end      ends the process with an exit code; for a program, which is ended by signals: they are obeyed from now on
    """
    words = sys.argv[1:] if words is None else words
    outcome = Outcome("json" if "--json" in words else "text")

    def end_at_once(error: AtOnce) -> "NoReturn":
        assert end
        renew_streams()
        if sys.stderr.isatty():
            print(file=sys.stderr)  # below the bar
        if outcome.batch:
            error = AtOnce(error.args[0], outcome.batch.done_so_far())
        outcome.stop(error, words)
        end(outcome.print())

    try:
        if end:
            interrupt_on_signals(end_at_once)
        arguments = vars(make_parser().parse_args(words))
        outcome.kind = "json" if arguments["json"] else "quiet" if arguments["quiet"] else "text"
        outcome.dry_run = arguments["dry_run"]
        run(arguments, outcome, on_step)
    except UserError as error:
        outcome.fail(EXIT_USER_ERROR, str(error))
    except RunError as error:
        outcome.fail(EXIT_FAILED, str(error), error.path)
    except KeyboardInterrupt as error:
        outcome.stop(error, words)
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        if package == "nst":
            raise
        outcome.fail(EXIT_USER_ERROR, f"{package}: is not installed; {INSTALL}")
    except OSError as error:
        outcome.fail(EXIT_FAILED, os_error_words(error))
    if end:  # The work is done.
        ignore_signals()
    return outcome.print()


def program() -> "NoReturn":
    """Be the command: end the process with the exit code."""
    keep_streams()
    gc.set_threshold(*gc.get_threshold()[:2], FULL_SEARCHES)
    code = main(end=end_process)
    gc.freeze()  # At its end, Python would search all objects for garbage, for half a second.
    sys.exit(code)


if __name__ == "__main__":
    program()
