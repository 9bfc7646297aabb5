"""The program without what Windows or macOS lacks: fcntl, resource, /proc, some functions of os, and POSIX signals."""

import os
import subprocess
import sys

import pytest
from conftest import PROJECT

from nst.pictures.picture_files import read_image, write_picture

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="hides what Linux has")
WORDS = ["--preset", "course", "--size", "64", "--smallest-scale", "64", "--steps", "2"]
HELD = "import sys; from pathlib import Path; from nst.system.atomic_files import *; folder = Path(sys.argv[1]);"


@pytest.fixture
def begin(tmp_path):
    """Return a function that begins Python with words, as on Windows, in the folder of the test."""
    paths = os.pathsep.join([str(PROJECT / "tests" / "system" / "windows"), str(PROJECT)])
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONIOENCODING": "cp1252"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}

    def begin(*words):
        command = [sys.executable, *map(str, words)]
        return subprocess.Popen(command, cwd=tmp_path, env=environment, encoding="cp1252", **pipes)

    return begin


def end(process):
    """Return the output of a process that must end well and without a warning."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert "goes on without" not in err and "Error" not in err, err
    return out


def test_the_program_finds_none_of_what_is_hidden(begin):
    """Otherwise the other tests would prove nothing."""
    code = """if True:
        import os, signal
        from nst.batch.local_workers import _processors
        from nst.network.device import processor_flags
        from nst.system import atomic_files, memory, signals
        assert atomic_files.fcntl is memory.resource is signals.HANGUP is None
        assert not hasattr(os, "sysconf") and not hasattr(signal, "pthread_sigmask")
        assert processor_flags() == set() == set(memory._free_of_groups())
        assert memory.peak_mb() >= memory.held_mb() > 0 and memory.available_mb() > 0
        assert _processors() == os.cpu_count()
    """
    end(begin("-c", code))


@pytest.mark.slow
def test_every_module_is_imported(begin):
    code = """if True:
        import importlib, pkgutil, nst
        found = [module.name for module in pkgutil.walk_packages(nst.__path__, "nst.")]
        for name in found:
            importlib.import_module(name)
        print(len(found))
    """
    assert int(end(begin("-c", code))) > 100


def test_the_command_makes_a_picture_and_writes_to_a_stream_without_unicode(begin, tmp_path, content):
    write_picture(tmp_path / "\u5199\u771f.png", content)
    words = [PROJECT / "neural_art.py", "\u5199\u771f.png", "stone.jpg", *WORDS, "-o", "\u7d75.png"]
    assert end(begin(*words)) == "\\u7d75.png\n"
    assert read_image(tmp_path / "\u7d75.png").std() > 0.05
    assert "Peak memory" in (tmp_path / "\u7d75" / "report.html").read_text(encoding="utf-8")
    assert not (tmp_path / "\u7d75" / ".lock").exists()


@pytest.mark.slow
def test_workers_make_a_batch(begin, tmp_path, content, style):
    for name, image in (("a.png", content), ("b.png", style)):
        (tmp_path / "photos").mkdir(exist_ok=True)
        write_picture(tmp_path / "photos" / name, image)
    words = ["photos", "stone.jpg", *WORDS, "-o", "out", "--workers", "2"]
    assert len(end(begin(PROJECT / "neural_art.py", *words)).splitlines()) == 2
    assert all(read_image(tmp_path / "out" / f"{name}_stone.png").std() > 0.05 for name in "ab")


def test_of_two_processes_one_has_the_lock(begin, tmp_path):
    holder = begin("-c", f"{HELD}\nwith folder_lock(folder): print('held', flush=True); sys.stdin.read()", tmp_path)
    assert holder.stdout.readline() == "held\n"
    code = f"""{HELD}
try:
    with folder_lock(folder):
        print("locked")
except UserError as error:
    print(error)
"""
    assert "another run is at work there" in end(begin("-c", code, tmp_path))
    assert end(begin("-c", f"{HELD}print(is_locked(folder))", tmp_path)) == "True\n"
    end(holder)
    assert end(begin("-c", f"{HELD}print(is_locked(folder))", tmp_path)) == "False\n"
    assert end(begin("-c", code, tmp_path)) == "locked\n"


def test_ctrl_break_waits_for_the_end_of_a_step(begin):
    code = """if True:
        import signal
        from nst.system.signals import AtOnce, deferred
        try:
            with deferred() as signalled:
                signal.raise_signal(signal.SIGBREAK)
                assert signalled() == signal.SIGBREAK
                signal.raise_signal(signal.SIGBREAK)
        except AtOnce:
            print("at once")
    """
    assert end(begin("-c", code)) == "at once\n"
