"""A run checked and told without making it: nothing is written."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from nst.report.progress import Progress
from nst.run.job import Job, plan_job
from nst.run.memory_plan import free_mb, memory_words
from nst.run.origin import Origin
from nst.run.request import Request
from nst.run.run_picture import begin_progress, load_network, tell_inputs
from nst.system.signals import uninterrupted
from nst.transfer.tiles import fits


class DryRun(NamedTuple):
    """The plan of a run: the result's path, the plan in words, about how much time and memory it takes, and where."""

    output: Path
    text: str
    seconds: float
    memory_mb: int
    device: str


def dry_run(request: Request, origin: Origin, progress: Progress) -> DryRun:
    """Check a run as far as its first step, and return its plan. Raises UserError."""
    with progress:
        job = plan_job(request, origin, dry_run=True)
        begin_progress(progress, job, origin)
        network, facts = load_network(job, progress)
        tell_inputs(progress, job)
        from nst.transfer.estimate import estimated_seconds

        progress.phase("estimating the time")
        with uninterrupted():
            seconds = estimated_seconds(network, job.inputs, job.scales, job.memory.tile_px)
    return DryRun(
        job.folder.output,
        _plan_text(job, seconds),
        seconds,
        job.memory.memory_mb,
        f"{facts['device']} in {facts['precision']}",
    )


def _plan_text(job: Job, seconds: float) -> str:
    """Return the place of the result, a line for each scale, and about how much time and memory the run takes."""
    lines = [
        f"{scale.size[1]}x{scale.size[0]} px  "
        + (f"{scale.steps} steps" if scale.steps else "enlarged")
        + ("" if fits(scale.size, job.memory.tile_px) or not scale.steps else f"  in tiles of {job.memory.tile_px} px")
        for scale in job.scales
    ]
    return "\n".join([str(job.folder.output), *lines, expected_words(seconds, job)])


def expected_words(seconds: float, job: Job) -> str:
    """Return about how much time and memory a run takes, in words."""
    plan = job.memory
    disk = f"; {plan.disk_mb} MB of files on the disk" if plan.disk_mb else ""
    return f"about {seconds:.0f} s and {plan.memory_mb} MB of {memory_words()}, of {free_mb()} MB there{disk}"
