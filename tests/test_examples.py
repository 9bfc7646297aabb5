"""The examples of docs/examples, run as they are."""

import importlib.util
import os
import subprocess
import sys

import pytest
from conftest import PROJECT

from nst import __version__
from nst.pictures.picture_files import read_image

EXAMPLES = PROJECT / "docs" / "examples"


@pytest.mark.slow
def test_the_script_makes_three_pictures(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    run = subprocess.run([sys.executable, EXAMPLES / "redraw.py"], cwd=tmp_path, env=environment, check=False)
    assert run.returncode == 0
    images = [read_image(tmp_path / f"{name}.png") for name in ("cat_stone", "early", "means")]
    assert all(image.shape == images[0].shape and image.std() > 0.05 for image in images)


@pytest.mark.slow
def test_the_batch_for_slurm_runs_on_a_cluster_of_this_machine(tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    spec = importlib.util.spec_from_file_location("slurm_batch", EXAMPLES / "slurm_batch.py")
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    words = ["cat.jpg", "--sweep", "seed=1,2", "stone.jpg", "--size", "64", "--smallest-scale", "64", "--steps", "2"]
    cluster = distributed.LocalCluster(n_workers=0, threads_per_worker=1, dashboard_address=None)
    assert example.run(cluster, [*words, "-o", "out"], jobs=1) == 0
    assert len(list((tmp_path / "out").glob("cat_stone_seed=*.png"))) == 2


def test_the_changes_tell_of_this_version():
    assert f"\n## {__version__}\n" in (PROJECT / "CHANGELOG.md").read_text()
