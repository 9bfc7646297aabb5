"""TODO."""

from __future__ import annotations

from nst.network.loaded import network_of
from nst.network.tensorflow_setup import start_tensorflow
from nst.run.job import Job, check_weights, memory_of
from nst.system.memory import available_mb
from nst.transfer.tiles import fits


def plan_of(job: Job, seconds: float) -> str:
    """Return where the result goes, a line for each scale, and about how much time and memory it takes."""
    lines = [
        f"{scale.size[1]}x{scale.size[0]} px  {scale.steps} steps"
        + ("" if fits(scale.size, job.tile_px) else f"  in tiles of {job.tile_px} px")
        for scale in job.scales
    ]
    there = available_mb()
    words = f"about {seconds:.0f} s and {memory_of(job)} MB of memory"
    return "\n".join([str(job.output), *lines, words if there is None else f"{words}, of {there} MB there"])


def seconds_of(job: Job, *, verbose: bool = False) -> float:
    """Return about how long the steps of a run take, from one that is measured. Raises UserError for its weights."""
    start_tensorflow(threads=job.settings.threads, verbose=verbose)
    from nst.transfer.estimate import estimated_seconds

    network, facts = network_of(job.settings)
    check_weights(job, facts)
    return estimated_seconds(network, job.inputs, job.scales, job.tile_px)


def check_network(job: Job, *, verbose: bool = False) -> None:
    """Load the weights that a job asks for, to see whether they are there and the right ones. Raises UserError."""
    start_tensorflow(threads=job.settings.threads, verbose=verbose)
    _, facts = network_of(job.settings)
    check_weights(job, facts)
