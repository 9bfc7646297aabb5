"""What people type by habit: pipes, folders, units, patterns without quotes, results in place of folders."""

import errno
import io
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import PROJECT, SMALL
from PIL import Image

import neural_art
from nst.call_options import OPTIONS, names_with
from nst.command.config import name_inputs, read_call
from nst.errors import UserError
from nst.options import parse_setting
from nst.pictures.picture_files import read_comment, read_image
from nst.report import browser
from nst.values import FIELDS

COMMAND = [sys.executable, str(PROJECT / "neural_art.py")]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Stdin:
    """Stdin with some bytes, or a terminal."""

    def __init__(self, payload=None):
        self.buffer = io.BytesIO(payload or b"")
        self.terminal = payload is None

    def isatty(self):
        return self.terminal


@pytest.fixture
def stdin(monkeypatch):
    """Return a function that sets what comes from stdin."""
    from nst.run.pipes import from_stdin

    def give(payload):
        from_stdin.cache_clear()
        monkeypatch.setattr("sys.stdin", Stdin(payload))

    yield give
    from_stdin.cache_clear()


@pytest.mark.parametrize(
    ("name", "word", "value"),
    [
        ("size", "512px", 512),
        ("size", "512 PX", 512),
        ("max_time", "90s", 90),
        ("max_time", "5min", 300),
        ("max_time", "1h30m", 5400),
        ("max_time", "1.5 h", 5400),
        ("max_time", "45", 45),
        ("max_memory", "4G", 4000),
        ("max_memory", "4GiB", 4294.967296),
        ("max_memory", "800mb", 800),
        ("max_memory", "4 GB", 4000),
    ],
)
def test_numbers_take_their_usual_units(name, word, value):
    assert parse_setting(FIELDS[name], word) == value


@pytest.mark.parametrize(
    ("name", "word"), [("size", "512mm"), ("max_time", "5 fortnights"), ("max_time", "h"), ("max_memory", "4 4G")]
)
def test_other_units_are_refused(name, word):
    with pytest.raises(UserError, match=f"{word}: must be"):
        parse_setting(FIELDS[name], word)


@pytest.mark.parametrize("folder", ["new/", "there", "there/"])
def test_a_folder_for_the_result_gets_it_under_its_usual_name(here, pictures, tiny, folder, capsys):
    (here / "there").mkdir()
    for name in ("content_style.png", "content_style_2.png"):
        assert neural_art.main([*pictures, *SMALL, "-o", folder]) == 0
        assert capsys.readouterr().out == f"{Path(folder, name)}\n"
        assert (here / folder / name).exists()


def test_a_row_of_a_batch_names_a_picture_and_no_folder(here, pictures, refused):
    Path("jobs.jsonl").write_text(json.dumps({"content": pictures[0], "style": pictures[1], "output": "a/"}))
    assert "line 1: output a: is a folder; name a picture in it" in refused(["--batch", "jobs.jsonl", "-o", "out"])


def test_a_stopped_run_is_resumed_by_its_picture_too(here, pictures, tiny, stopped_at):
    stopped_at(3, [*pictures, *SMALL, "-o", "art.png"])
    assert neural_art.main(["--resume", "art.png"]) == 0
    assert json.loads(read_comment(here / "art.png"))["state"] == "done"


@pytest.fixture
def photos(here):
    """Return the names of four photos and a style elsewhere."""
    (here / "photos").mkdir()
    for name in "abcd":
        shutil.copy(PROJECT / "images" / "stone.jpg", here / "photos" / f"{name}.jpg")
    shutil.copy(PROJECT / "images" / "stone.jpg", here / "s.jpg")
    return [f"photos/{name}.jpg" for name in "abcd"]


def test_a_pattern_that_a_shell_has_expanded_is_told(photos, refused):
    """Else, all photos but one would be styles of a single picture."""
    for words in ([*photos, "s.jpg"], [*photos[:1], *photos[1:], "s.jpg", "--size", "64"]):
        line = refused(words)
        assert "photos/a.jpg in a blend of 4 styles looks like photos/*.jpg unquoted" in line
        assert "quote the pattern: 'photos/*.jpg' s.jpg; for a blend, give --style-weights" in line
    shutil.copy("s.jpg", "photos/e.jpg")
    assert "'photos/*.jpg'; for" in refused([*photos, "photos/e.jpg"])


def test_a_blend_of_many_is_still_a_blend(photos):
    def accepted(*words, **values):
        name_inputs(read_call({"content": words[0], "style": words[1:], **values}))

    accepted(*photos, "s.jpg", style_weights=["1", "1", "1", "1"])
    accepted(*photos[:2], "s.jpg")
    accepted("s.jpg", *photos)
    accepted(photos[0], photos[2], photos[3], "s.jpg")
    accepted(*photos)  # a photo and three styles in a folder of their own


def test_a_photo_comesfrom_stdin(here, pictures, tiny, stdin, capsys, refused):
    stdin(Path(pictures[0]).read_bytes())
    assert neural_art.main(["-", pictures[1], *SMALL, "-o", "art.png"]) == 0
    assert neural_art.main([*pictures, *SMALL, "-o", "file.png"]) == 0
    np.testing.assert_array_equal(read_image(here / "art.png"), read_image(here / "file.png"))
    capsys.readouterr()
    stdin(None)
    assert "-: stdin is the terminal; send a picture there" in refused(["-", pictures[1]])
    stdin(b"no picture")
    assert "stdin: is not a picture" in refused(["-", pictures[1], "-o", "none.png"])


def test_rows_and_settings_comefrom_stdin(here, pictures, tiny, stdin, capsys):
    rows = f"content,style\n{pictures[0]},{pictures[1]}\n"
    stdin(rows.encode())
    assert neural_art.main(["--batch", "-", "--list", "-o", "out"]) == 0
    assert "content_style.png" in capsys.readouterr().out
    stdin(b"size = 77")
    assert neural_art.main(["--config", "-", "--print-config"]) == 0
    assert "size = 77" in capsys.readouterr().out


def test_a_result_goes_to_stdout_alone(here, pictures, tiny, capfdbinary):
    assert neural_art.main([*pictures, *SMALL, "-o", "file.png"]) == 0
    capfdbinary.readouterr()
    before = sorted(here.rglob("*"))
    assert neural_art.main([*pictures, *SMALL, "-o", "-"]) == 0
    payload, _ = capfdbinary.readouterr()
    with Image.open(io.BytesIO(payload)) as picture:
        assert picture.format == "PNG"
        np.testing.assert_array_equal(np.asarray(picture), np.rint(255 * read_image(here / "file.png")))
    assert sorted(here.rglob("*")) == before


def test_a_result_that_stdout_does_not_take_is_saved(here, pictures, tiny, capfd, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("nst.system.streams.os.write", full)
    assert neural_art.main([*pictures, *SMALL, "-o", "-"]) == neural_art.EXIT_FAILED
    line = capfd.readouterr().err.splitlines()[-1]
    assert line == "neural_art: stdout: No space left on device; the picture is saved as content_style.png"
    assert read_image(here / "content_style.png").shape == (46, 64, 3)


def test_a_slow_reader_gets_the_whole_picture(here):
    """Through a pipe that takes no more at once, which a program may have set so."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    code = (
        "import sys; from nst.system.streams import write_stdout; sys.exit(write_stdout(bytes(5_000_000)) is not None)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=writer, cwd=PROJECT) as run:
        os.close(writer)
        with os.fdopen(reader, "rb") as file:
            assert len(file.read()) == 5_000_000
    assert run.returncode == 0


def test_a_dry_run_for_stdout_prints_the_plan(here, pictures, tiny, capfd):
    assert neural_art.main([*pictures, *SMALL, "-o", "-", "--dry-run"]) == 0
    assert "64x46 px  2 steps" in capfd.readouterr().out


def test_a_photo_from_a_pipe_leaves_no_copy(here, pictures, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(here / "tmp"))
    (here / "tmp").mkdir()
    with Path(pictures[0]).open("rb") as photo:
        run = subprocess.run(
            [*COMMAND, "-", pictures[1], "--size", "16"], stdin=photo, capture_output=True, text=True, check=False
        )
    assert run.returncode == 2 and "needs 16 px" in run.stderr
    assert list((here / "tmp").iterdir()) == []


def test_stdin_may_be_asked_twice_or_be_closed(here, pictures, stdin, refused):
    stdin(b"size = 64")
    assert "stdin: is empty" in refused(["--config", "-", "-", pictures[1]])
    words = shlex.join([*COMMAND, "-", pictures[1]])
    run = subprocess.run(f"{words} <&-", shell=True, capture_output=True, text=True, check=False)
    assert run.returncode == 2 and "Traceback" not in run.stderr


def test_quiet_has_a_short_flag(here, pictures, tiny, capsys):
    assert neural_art.main([*pictures, *SMALL, "-q", "-o", "a.png"]) == 0
    assert capsys.readouterr() == ("a.png\n", "")


@pytest.mark.parametrize("name", names_with("with_resume"))
def test_what_goes_with_resume_is_obeyed(here, pictures, tiny, stopped_at, name):
    stopped_at(3, [*pictures, *SMALL, "-o", "art.png"])
    value = {"text": "127.0.0.1", "number": 8080}.get(OPTIONS[name].kind, True)
    call = read_call({"resume": "art.png", name: value})
    holder = call.request if hasattr(call.request, name) else call
    assert getattr(holder, name) == value


def test_a_stopped_result_goes_to_stdout_too(here, pictures, tiny, capfdbinary):
    def stop(step, picture, state):
        raise KeyboardInterrupt(15)

    assert neural_art.main([*pictures, *SMALL, "-o", "-"], on_step=[stop]) == 143
    payload, err = capfdbinary.readouterr()
    assert payload.startswith(b"\x89PNG")
    assert err.splitlines()[-1] == b"neural_art: stopped; stdout has the picture so far"


def test_stdout_is_for_one_thing(here, pictures, refused, monkeypatch, capsys):
    assert neural_art.main([*pictures, "-o", "-", "--json"]) == neural_art.EXIT_USER_ERROR
    assert "--json: does not go with -o -" in json.loads(capsys.readouterr().out)["message"]
    assert "--open: does not go with -o -" in refused([*pictures, "-o", "-", "--open"])
    assert "only one picture goes to stdout" in refused([*pictures, "--each-style", "-o", "-"])
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert "stdout is the terminal" in refused([*pictures, "-o", "-"])


def test_the_report_is_opened_at_the_end(here, pictures, tiny, monkeypatch, capsys):
    opened = []
    monkeypatch.setattr(browser.webbrowser, "open", lambda address: opened.append(address) or len(opened) < 3)
    words = [*pictures, *SMALL, "--open"]
    assert neural_art.main([*words, "-o", "a.png"]) == 0
    assert neural_art.main([*words, "-o", "b.png", "--no-report"]) == 0
    assert opened == [(here / "a" / "report.html").as_uri(), (here / "b.png").as_uri()]
    assert neural_art.main([*words, "-o", "c.png"]) == 0
    assert f"{Path('c', 'report.html')}: no program opens it here" in capsys.readouterr().err
    assert neural_art.main([*words, "-o", "d.png", "--watch"]) == 0
    assert opened[-1].startswith("http://127.0.0.1:")


def test_a_name_with_another_suffix_is_suggested(refused):
    assert "cat.jpeg: no such file, here or among the samples; did you mean cat.jpg?" in refused(
        ["cat.jpeg", "stone.jpg"]
    )


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
def test_a_pipe_that_is_closed_ends_quietly(here, photos):
    words = " ".join([*COMMAND, "photos", "s.jpg", "--json", "--list", "-o", "out"])
    run = subprocess.run(f"{words} | head -c 5", shell=True, capture_output=True, text=True, check=False)
    assert (run.stdout[:1], run.stderr) == ("{", "")


def test_python_m_nst_is_the_command(here):
    run = subprocess.run(
        [sys.executable, "-m", "nst", "--version"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout[:10]) == (0, "neural_art")


def test_a_package_that_is_not_installed_is_told_in_one_line(here):
    code = "import sys; sys.modules['numpy'] = None; import neural_art; sys.exit(neural_art.main(['a.jpg', 'b.jpg']))"
    run = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == "neural_art: numpy: is not installed; pip install -r requirements.txt\n"
