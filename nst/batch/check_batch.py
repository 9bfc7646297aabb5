"""A batch checked without making it: nothing is written."""

from __future__ import annotations

from nst.batch.plan import Plan
from nst.batch.progress import BatchProgress
from nst.batch.tasks import Task
from nst.errors import UserError
from nst.report.progress import Progress
from nst.report.status import DONE
from nst.run.dry_run import DryRun
from nst.run.job import plan_job
from nst.run.origin import Origin
from nst.run.run_picture import load_network
from nst.video.run_clip import dry_run_clip


def check_batch(plan: Plan, progress: BatchProgress) -> list[str]:
    """Check all pictures to make, without writing anything, and return a line for each picture that would fail."""
    failed, networks = [], set()
    for task in plan.tasks:
        if task.state == DONE:
            continue
        try:
            if task.source.error:
                raise UserError(task.source.error)
            request = plan.request(task)
            if request.clip:
                _tell_clip(task, dry_run_clip(request, Origin(), Progress(kind="silent")), progress)
                continue
            job = plan_job(request, dry_run=True)
            network = (job.settings.weights, job.settings.pooling, job.settings.precision)
            if network not in networks:
                load_network(job)
                networks.add(network)
        except UserError as error:
            failed.append(f"{task.label}: {error}")
            progress.tell(str(error), task.label)
    return failed


def _tell_clip(task: Task, found: DryRun, progress: BatchProgress) -> None:
    """Tell about how many frames, how much time and how much memory a clip of a batch takes."""
    _, *words = found.text.splitlines()
    progress.tell("  ".join(words), task.name)
