"""The progress of a batch: which pictures count as ended, and how long the others take."""

import io
import json
from pathlib import Path

import pytest

from nst.batch.progress import BatchProgress
from nst.report.status import DONE, FAILED, STOPPED, PictureStatus


@pytest.fixture
def clock(monkeypatch):
    """Return a list of one number, which time.monotonic returns."""
    now = [100.0]
    monkeypatch.setattr("nst.batch.progress.time.monotonic", lambda: now[0])
    return now


def status(name, state, seconds=2.0, error=None):
    return PictureStatus(
        title=name,
        state=state,
        result=Path("out", f"{name}.png"),
        content=Path("photo.png"),
        styles=(),
        seconds=seconds,
        error=error,
        settings={},
        folder=Path("out", name),
    )


def test_time_left_is_for_the_pictures_that_have_not_ended(clock):
    progress = BatchProgress(4, io.StringIO())
    assert progress.seconds_left is None
    clock[0] += 3
    progress.end(status("a", DONE))
    assert progress.seconds_left == 9
    clock[0] += 1
    progress.end(status("b", FAILED, error="is too narrow"))
    assert progress.seconds_left == 4
    progress.end(status("c", STOPPED))  # still to be made
    assert (progress.ended, progress.seconds_left) == (2, 4)


@pytest.mark.parametrize("kind", ["text", "quiet"])
def test_lines(clock, kind):
    stream = io.StringIO()
    progress = BatchProgress(2, stream, kind=kind)
    progress.announce("http://127.0.0.1:1/")
    statuses = [status("a", DONE), status("b", FAILED, error="is too narrow")]
    for each in statuses:
        progress.begin(each.result.name)
        clock[0] += 2
        progress.end(each)
    progress.tell("beware", "b.png")
    progress.tell("beware")
    progress.trace("Traceback")
    progress.sum_up(statuses, Path("out"), Path("out/report.html"))
    expected = [
        "neural_art: watch it at http://127.0.0.1:1/",
        "1/2 a.png: done: 2.0 s; 2 s left for 1 more",
        "2/2 b.png: failed: is too narrow",
        "neural_art: b.png: beware",
        "neural_art: beware",
        "Traceback",
        "2 pictures in out: 1 done, 1 failed; look at out/report.html",
    ]
    shown = expected if kind == "text" else [expected[0], *expected[2:6]]
    assert stream.getvalue().splitlines() == shown


def test_json(clock):
    stream = io.StringIO()
    progress = BatchProgress(2, stream, kind="json")
    progress.begin("a.png")
    clock[0] += 2.04
    progress.end(status("a", DONE))
    progress.tell("beware", "a.png")
    progress.trace("Traceback")
    progress.sum_up([status("a", DONE)], Path("out"), None)
    begun, ended, warning = map(json.loads, stream.getvalue().splitlines())
    assert begun == {"event": "job", "job": "a.png", "state": "started"}
    assert (ended["state"], ended["number"], ended["jobs"], ended["seconds_left"]) == ("done", 1, 2, 2.0)
    assert warning == {"event": "warning", "job": "a.png", "message": "beware"}
