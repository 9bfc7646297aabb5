"""The progress of a run: how far it is, how long the rest takes, and what people and programs are told of it."""

import io
import json
import signal
from pathlib import Path

import pytest

from nst.report.progress import Progress
from nst.report.renderers import SECONDS_BETWEEN_LINES, Lines, renderer_of
from nst.report.status import DONE, FAILED, PictureStatus
from nst.transfer.scales import Scale
from nst.transfer.state import Step

SCALES = [Scale((20, 30), (20, 30), 4), Scale((40, 60), (40, 60), 2)]
STEPS = [
    Step(number, scale.size, {"total": 3.0 / number, "content": 1.0, "style": 2.0})
    for number, scale in enumerate([SCALES[0]] * 4 + [SCALES[1]] * 2, start=1)
]


def begun(stream, *, done=0, most_seconds=0, **kind):
    """Return the progress of a run over SCALES that has begun."""
    progress = Progress(stream, **kind)
    progress.begin(SCALES, done=done, most_seconds=most_seconds)
    return progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """Return a list of one number, which time.monotonic returns."""
    now = [100.0]
    monkeypatch.setattr("nst.report.progress.time.monotonic", lambda: now[0])
    return now


def follow(progress, *steps):
    for step in steps:
        progress.follow(step, None, None)


def printed(stream, **options):
    with begun(stream, **options) as progress:
        follow(progress, *STEPS)
    return stream.getvalue()


def status(state, error=None):
    return PictureStatus(
        title="art",
        state=state,
        result=Path("out/art.png"),
        content=Path("photo.png"),
        styles=(),
        seconds=1.26,
        error=error,
        settings={},
        folder=Path("out/art"),
    )


def test_plain_lines_where_stderr_is_no_terminal():
    text = printed(io.StringIO())
    assert "\r" not in text
    assert "\x1b" not in text
    assert text.splitlines()[0].startswith("30 px  step 1/6  total 3  content 1  style 2")
    assert "60 px  step 6/6" in text.splitlines()[-1]


def test_plain_lines_come_seldom_and_always_at_the_end(clock):
    stream = io.StringIO()
    with begun(stream, job="art.png") as progress:
        for step in STEPS:
            follow(progress, step)
            clock[0] += SECONDS_BETWEEN_LINES / 2
    lines = stream.getvalue().splitlines()
    assert [line.split("  ")[:3] for line in lines] == [
        ["art.png", f"{side} px", f"step {number}/6"] for side, number in ((30, 1), (30, 3), (60, 5), (60, 6))
    ]
    assert lines[1].endswith("  style 2  45 s left")  # 9 of the 11 units of work after the first take 5 s each


def test_time_left_is_no_more_than_there_is_and_nothing_at_the_end():
    with begun(io.StringIO(), most_seconds=1e-9) as progress:
        follow(progress, STEPS[0])
        assert progress.seconds_left is None  # the first step includes work that is done only once
        follow(progress, STEPS[1])
        assert progress.seconds_left == 0
    with begun(io.StringIO(), done=3) as progress:
        follow(progress, STEPS[3], STEPS[4])
        assert progress.seconds_left > 0
        follow(progress, STEPS[5])
        assert progress.seconds_left == 0


def test_a_scale_that_ended_early_counts_as_done():
    with begun(io.StringIO()) as progress:
        follow(progress, STEPS[0], STEPS[4])
        assert progress.done == SCALES[0].work + SCALES[1].work // 2
        assert progress.fraction_done == progress.done / sum(scale.work for scale in SCALES)


def test_the_estimate_is_no_more_than_the_time_limit():
    for kind, expected in (
        ("text", "6 steps: about 7 s and 900 MB of memory, on the GPU X in float16\n"),
        ("quiet", ""),
    ):
        stream = io.StringIO()
        begun(stream, most_seconds=7, kind=kind).estimate(12.34, 900, "GPU X in float16")
        assert stream.getvalue() == expected
    stream = io.StringIO()
    begun(stream, kind="json", job="art.png").estimate(12.34, 900, "GPU X in float16")
    assert json.loads(stream.getvalue()) == {
        "event": "estimate",
        "job": "art.png",
        "seconds": 12.3,
        "memory_mb": 900,
        "device": "GPU X in float16",
    }
    stream = io.StringIO()
    begun(stream, job="art.png").estimate(12.34, 900, "GPU X in float16")  # too much for each picture of a batch
    assert stream.getvalue() == ""


def test_quiet_and_json():
    quiet, lines = io.StringIO(), io.StringIO()
    for kind, stream in (("quiet", quiet), ("json", lines)):
        with begun(stream, kind=kind) as progress:
            progress.tell("beware")
            follow(progress, STEPS[0])
            assert progress.told == ["beware"]
    assert quiet.getvalue() == "neural_art: beware\n"
    warning, step = map(json.loads, lines.getvalue().splitlines())
    assert warning == {"event": "warning", "message": "beware"}
    assert (step["event"], step["number"], step["steps"], step["long_side_px"]) == ("step", 1, 6, 30)
    assert (step["costs"], step["seconds_left"]) == (STEPS[0].costs, None)


def test_json_names_the_picture_of_a_batch_in_each_line():
    stream = io.StringIO()
    with begun(stream, kind="json", job="art.png") as progress:
        progress.tell("beware")
        follow(progress, *STEPS[:2])
    assert [json.loads(line)["job"] for line in stream.getvalue().splitlines()] == ["art.png"] * 3


def test_a_bar_on_a_terminal():
    text = printed(Terminal())
    assert "\r" in text
    assert "100%" in text
    assert "60 px  step 6/6" in text


def test_the_bar_comes_first_and_costs_only_where_there_is_room(monkeypatch):
    for columns, costs in ((80, False), (120, True), (60, False)):
        monkeypatch.setattr("nst.report.renderers._columns_of", lambda stream, columns=columns: columns)
        last = printed(Terminal()).split("\r")[-1]
        bar, _, words = last.partition("100%")
        assert len(bar) > 15 and len(last.splitlines()[0]) < columns
        assert ("style 2" in words) == costs
        assert "60 px  step 6/6  00:00 left" in words


def test_the_time_left_is_that_of_the_estimate_until_two_steps_are_done(clock):
    with begun(io.StringIO()) as progress:
        assert progress.seconds_left is None
        progress.estimate(40, 900, "processor")
        clock[0] += 5
        follow(progress, STEPS[0])
        assert progress.seconds_left == 35


def test_the_work_before_the_first_step_is_shown_on_a_terminal_and_then_wiped_away():
    stream, lines, plain = Terminal(), io.StringIO(), io.StringIO()
    for progress in (begun(stream), begun(lines, kind="json"), begun(plain)):
        progress.phase("reading the network")
        progress.phase("more")
        progress.tell("beware")
        progress.phase("last")
        progress.__exit__()
    assert stream.getvalue() == (
        "\rreading the network ...\rmore ...               \r        \rneural_art: beware\n\rlast ...\r        \r"
    )
    events = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [event["message"] for event in events] == ["reading the network", "more", "beware", "last"]
    assert plain.getvalue() == "neural_art: beware\n"


def test_the_photo_and_the_styles_are_named_before_a_run():
    paths = [Path(f"{name}.jpg") for name in "abcdefgh"]
    for styles, words in (
        (paths[1:2], "a.jpg in the style of b.jpg\n"),
        (paths[1:4], "a.jpg in the style of b.jpg, c.jpg and d.jpg\n"),
        (paths[1:], "a.jpg in the style of b.jpg, c.jpg, d.jpg, e.jpg, f.jpg and 2 more\n"),
    ):
        stream = io.StringIO()
        begun(stream).inputs(paths[0], styles)
        assert stream.getvalue() == words
    stream = io.StringIO()
    begun(stream, job="art.png").inputs(paths[0], paths[1:])  # the picture of a batch
    assert stream.getvalue() == ""
    begun(stream, kind="json").inputs(paths[0], paths[1:2])
    assert json.loads(stream.getvalue()) == {"event": "inputs", "content": "a.jpg", "styles": ["b.jpg"]}


def test_a_signal_is_answered_and_the_report_is_named():
    for kind, words in (
        ("text", "neural_art: stopping after this step; Ctrl-C again ends now\nlook at a/report.html\n"),
        ("quiet", "neural_art: stopping after this step; Ctrl-C again ends now\n"),
    ):
        stream = io.StringIO()
        progress = begun(stream, kind=kind)
        progress.stopping(signal.SIGINT)
        progress.end(Path("a/report.html"))
        assert stream.getvalue() == words
    stream = io.StringIO()
    begun(stream).stopping(signal.SIGTERM)
    assert stream.getvalue() == "neural_art: stopping after this step\n"


def test_lines_stand_above_the_bar():
    stream = Terminal()
    with begun(stream) as progress:
        progress.announce("http://127.0.0.1:1/")
        follow(progress, STEPS[0])
        progress.tell("beware\nof the dog")
    lines = [part for line in stream.getvalue().split("\n") for part in line.split("\r") if "neural_art" in part]
    assert lines == ["neural_art: watch it at http://127.0.0.1:1/", "neural_art: beware\\nof the dog"]


def test_no_bar_where_quiet():
    assert printed(Terminal(), kind="quiet") == ""


@pytest.mark.parametrize("kind", ["text", "quiet"])
def test_lines_of_a_batch(kind):
    stream = io.StringIO()
    renderer = renderer_of(kind, stream)
    renderer.announce("http://127.0.0.1:1/")
    renderer.begin_picture("art.png")
    renderer.end_picture(status(DONE), number=1, pictures=3, seconds_left=8.4)
    renderer.end_picture(status(FAILED, "is too\nnarrow"), number=2, pictures=3, seconds_left=4.0)
    renderer.warn("beware", "art.png")
    renderer.sum_up([DONE, FAILED, DONE], Path("out"), Path("out/report.html"))
    renderer.trace("Traceback\n  of two lines")
    expected = [
        "neural_art: watch it at http://127.0.0.1:1/",
        "1/3 art.png: done: 1.3 s; 8 s left for 2 more",
        "2/3 art.png: failed: is too\\nnarrow; 4 s left for 1 more",
        "neural_art: art.png: beware",
        "3 pictures in out: 2 done, 1 failed; look at out/report.html",
        "Traceback",
        "  of two lines",
    ]
    assert stream.getvalue().splitlines() == [
        line for line in expected if kind == "text" or not line.startswith(("1/3", "3 pictures"))
    ]


def test_json_lines_of_a_batch():
    stream = io.StringIO()
    renderer = renderer_of("json", stream)
    renderer.announce("http://127.0.0.1:1/")
    renderer.begin_picture("art.png")
    renderer.end_picture(status(FAILED, "is too\nnarrow"), number=1, pictures=3, seconds_left=8.44)
    renderer.warn("beware", "art.png")
    renderer.warn("beware")
    renderer.sum_up([FAILED], Path("out"), None)
    renderer.trace("Traceback")
    assert list(map(json.loads, stream.getvalue().splitlines())) == [
        {"event": "watch", "url": "http://127.0.0.1:1/"},
        {"event": "job", "job": "art.png", "state": "started"},
        {
            "event": "job",
            "job": "art.png",
            "state": "failed",
            "path": str(Path("out/art.png")),
            "seconds": 1.26,
            "error": "is too\nnarrow",
            "number": 1,
            "jobs": 3,
            "seconds_left": 8.4,
        },
        {"event": "warning", "job": "art.png", "message": "beware"},
        {"event": "warning", "message": "beware"},
    ]


def test_stderr_is_the_default_stream(capsys):
    renderer = renderer_of("text")
    assert isinstance(renderer, Lines)
    renderer.warn("beware")
    assert capsys.readouterr() == ("", "neural_art: beware\n")


def test_frames_of_a_clip_are_told_with_the_seconds_of_each(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("nst.report.progress.time.monotonic", lambda: now[0])
    for kind, wanted in (("text", "64 px  frame 3/3  2.5 s a frame  0 s left"), ("json", 2.5)):
        stream = io.StringIO()
        progress = Progress(stream, kind=kind)
        progress.begin_frames(3)
        for _ in range(3):
            progress.follow_frame((48, 64))
            now[0] += 2.5
        last = stream.getvalue().splitlines()[-1]
        assert (json.loads(last)["seconds_per_frame"] if kind == "json" else last) == wanted


def test_the_end_of_a_clip_waits_for_its_frame():
    stream = io.StringIO()
    progress = Progress(stream)
    progress.begin_frames(3)
    progress.stopping(signal.SIGTERM)
    assert stream.getvalue() == "neural_art: stopping after this frame\n"
