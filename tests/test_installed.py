"""The package without the clone: built, installed, and used from an empty folder."""

import os
import shutil
import subprocess
import sys

import pytest
from conftest import PROJECT

from nst.pictures.picture_files import read_image

LEFT_OUT = shutil.ignore_patterns(
    ".*", "output", "build", "*.egg-info", "__pycache__", "tests", "benchmarks", "results"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Return the folder into which the package is installed, without what it requires."""
    source, wheels, site = (tmp_path_factory.mktemp(name) for name in ("source", "wheels", "site"))
    shutil.copytree(PROJECT, source, ignore=LEFT_OUT, dirs_exist_ok=True)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*pip, "wheel", *options, "--wheel-dir", wheels, source], check=True, capture_output=True)
    (wheel,) = wheels.iterdir()
    assert wheel.stat().st_size < 30e6
    subprocess.run([*pip, "install", *options, "--target", site, wheel], check=True, capture_output=True)
    shutil.rmtree(source)
    return site


def run(site, folder, words):
    environment = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_installed_command_makes_a_picture_in_the_current_folder(site, tmp_path):
    words = ["cat.jpg", "stone.jpg", "--size", "128", "--steps", "2"]
    made = run(site, tmp_path, [sys.executable, str(site / "bin" / "neural_art"), *words])
    assert (made.returncode, made.stdout) == (0, "output/cat_stone.png\n"), made.stderr
    assert read_image(tmp_path / "output" / "cat_stone.png").shape == (96, 128, 3)
    again = run(site, tmp_path, [sys.executable, "-m", "nst", *words, "--threads", "1"])
    assert again.stdout == "output/cat_stone_2.png\n", again.stderr
    where = run(
        site, tmp_path, [sys.executable, "-c", "import nst.places as p; print(p.__file__, p.WEIGHTS, p.SAMPLES)"]
    )
    assert all(word.startswith(str(site)) for word in where.stdout.split())


@pytest.mark.slow
def test_the_installed_command_names_itself(site, tmp_path):
    shown = run(site, tmp_path, [sys.executable, "-m", "nst", "--help"]).stdout
    assert shown.startswith("usage: neural_art CONTENT STYLE") and "neural_art.py" not in shown


@pytest.mark.slow
def test_other_programs_see_types_and_no_chatter(site, tmp_path):
    assert (site / "nst" / "py.typed").exists()
    code = (
        "import nst; settings = nst.make_settings(overrides={'size': 32, 'smallest_scale': 32, 'steps': 1});"
        "print(nst.redraw(nst.read_image('a.png'), nst.read_image('a.png'), settings).shape)"
    )
    shutil.copy(PROJECT / "images" / "stone.jpg", tmp_path / "a.png")
    made = run(site, tmp_path, [sys.executable, "-c", code])
    assert (made.stdout, made.stderr) == ("(32, 32, 3)\n", "")
