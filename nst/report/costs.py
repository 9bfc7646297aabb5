"""The costs of a run as files: losses.csv, a table, and losses.png, a plot."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from nst.errors import UserError
from nst.places import install_extra
from nst.system.atomic_files import atomic_write, write_text
from nst.transfer.state import Step


def write_costs(path: Path, steps: Sequence[Step]) -> None:
    """Write one row per step: number, long side in px, and each cost by name."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["step", "long_side_px", *steps[0].costs])
    for step in steps:
        writer.writerow([step.number, max(step.size), *(f"{value:.9g}" for value in step.costs.values())])
    write_text(path, table.getvalue())


def plotting() -> ModuleType:
    """Return matplotlib.figure, or raise UserError with the command that installs matplotlib."""
    try:
        import matplotlib.figure
    except ImportError as error:
        raise UserError(f"--plot: needs matplotlib; {install_extra('plots')}") from error
    return matplotlib.figure


def write_cost_plot(path: Path, steps: Sequence[Step]) -> None:
    """Plot each cost by step on a logarithmic axis, with a line where a new scale begins."""
    figure = plotting().Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    numbers = [step.number for step in steps]
    for name in steps[0].costs:
        axes.plot(numbers, [step.costs[name] for step in steps], label=name)
    for before, after in itertools.pairwise(steps):
        if before.size != after.size:
            axes.axvline(after.number, color="grey", linewidth=0.5)
    axes.set(xlabel="step", ylabel="cost", yscale="log")
    axes.legend()
    with atomic_write(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
