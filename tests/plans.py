"""Shared by tests of a batch's plan: words are planned, pictures noted as done."""

from pathlib import Path

import neural_art
from nst.batch.plan import is_batch, plan_batch
from nst.command.config import read_files


def files(*names):
    """Make a file of each name, which planning never decodes; return the names."""
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(name.encode())
    return names


def planned(*words):
    return plan_batch(read_files(vars(neural_art.make_parser().parse_args(words))))


def names(plan):
    return [task.name for task in plan.tasks]


def done(plan, *numbers):
    """Note pictures of a plan as done, with a file as the result of each."""
    plan.folder.mkdir(parents=True, exist_ok=True)
    for task in plan.tasks:
        if not numbers or task.number in numbers:
            facts = {"wanted": task.wanted, "identity": task.identity, "key": task.key}
            plan.manifest.note(task.name, state="done", seconds=1.0, error=None, **facts)
            plan.result(task).write_bytes(b"picture")


def states(plan):
    return [task.state for task in plan.tasks]


def asked(*words):
    return is_batch(read_files(vars(neural_art.make_parser().parse_args(words))))
