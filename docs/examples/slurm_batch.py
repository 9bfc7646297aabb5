"""A batch on a Slurm cluster: dask-jobqueue asks Slurm for workers, and neural_art gives them the pictures.

On a disk that all machines see, in one virtual environment, in a clone:

    pip install ".[dask]" dask-jobqueue
    python docs/examples/slurm_batch.py photos/ starry_night.jpg -o painted

PBS, SGE, LSF and others have their own class in place of SLURMCluster. After a stop, the same command goes on.
"""

import sys
from typing import Any

import neural_art

JOBS = 8  # The number of Slurm jobs, each with a worker.


def run(cluster: Any, words: list[str], jobs: int = JOBS) -> int:
    """Make the pictures that `words` ask for on a cluster of Dask, and return the exit code."""
    with cluster:
        cluster.scale(jobs)
        return neural_art.main([*words, "--dask", cluster.scheduler_address])


if __name__ == "__main__":
    from dask_jobqueue import SLURMCluster

    # A worker makes a picture at a time, with all its cores. For GPUs: job_extra_directives=["--gres=gpu:1"].
    cluster = SLURMCluster(cores=1, processes=1, job_cpu=4, memory="4GB", walltime="02:00:00")
    sys.exit(run(cluster, sys.argv[1:]))
