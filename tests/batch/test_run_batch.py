"""Many pictures by one command: each done once, failures told of and passed by, stopped and gone on with."""

import json
import os
import signal
import threading
import time
from concurrent.futures import BrokenExecutor, Future
from contextlib import contextmanager
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from conftest import PROJECT
from pages import HOSTILE, LOOKS, Page, check_alone, check_readable, check_seen, slide, state_of

import neural_art
from nst.batch.manifest import NAME, read_manifest
from nst.batch.orders import Executor, PictureResult, make
from nst.pictures.picture_files import read_image, write_picture
from nst.report.pages import REPORT
from nst.report.watch_server import served
from nst.run.folder import RunFolder
from nst.system.atomic_files import folder_lock
from nst.transfer.state import Step

SMALL = ["--size", "32", "--smallest-scale", "32", "--steps", "3", "--snapshot-every", "0"]
SCHEMA = json.loads((PROJECT / "docs" / "result.schema.json").read_text())


@pytest.fixture
def photos(here, monkeypatch, content, style, tiny):
    """Be in a folder with style.png and four photos in photos/, with a tiny network in place of VGG19."""
    monkeypatch.setattr("nst.run.folder.OUTPUT", Path("output"))
    Path("photos").mkdir()
    write_picture(Path("style.png"), style)
    for number in range(4):
        write_picture(Path(f"photos/p{number}.png"), np.roll(content, 7 * number, axis=1))
    return ["photos", "style.png", *SMALL, "-o", "out"]


def results(folder="out"):
    return {path.name: path.read_bytes() for path in Path(folder).glob("*.png")}


def pixels(folder="out"):
    return {path.name: read_image(path) for path in sorted(Path(folder).glob("*.png"))}


def assert_same_pixels(folder, other):
    first, second = pixels(folder), pixels(other)
    assert list(first) == list(second)
    for name, image in first.items():
        np.testing.assert_array_equal(image, second[name])


def ended(folder="out"):
    """Return the name and state of each picture that came to an end, in the order of the manifest."""
    lines = [json.loads(line) for line in (Path(folder) / NAME).read_text().splitlines()]
    return [(line["job"], line["state"]) for line in lines if line.get("state") in ("done", "failed", "stopped")]


def stop_at(picture, step, number=signal.SIGTERM):
    """Return a listener that sends this process a signal at a step of the first, second ... picture from 1 on."""
    seen = []

    def listen(made, _picture, _state):
        seen.append(made.number)
        if seen.count(1) == picture and made.number == step:
            os.kill(os.getpid(), number)

    return listen


def test_a_folder_is_done_and_done_once(photos, capsys):
    assert neural_art.main(photos) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [f"out/p{number}_style.png" for number in range(4)]
    assert "2/4 p1_style.png: done" in err
    assert "4 pictures in out: 4 done" in err
    before = results()
    assert read_image(Path("out/p0_style.png")).shape == (23, 32, 3)
    assert neural_art.main([*photos, "--quiet"]) == 0
    assert capsys.readouterr() == (out, "")
    assert results() == before
    assert len(ended()) == 4


def test_each_picture_is_that_of_the_command_alone(photos):
    assert neural_art.main(photos) == 0
    for number in range(4):
        assert neural_art.main([f"photos/p{number}.png", "style.png", *SMALL, "-o", f"alone/p{number}_style.png"]) == 0
    assert_same_pixels("out", "alone")


def test_only_what_is_missing_or_changed_is_done_again(photos, capsys, content):
    assert neural_art.main(photos) == 0
    Path("out/p1_style.png").unlink()
    write_picture(Path("photos/p2.png"), 1 - content)
    write_picture(Path("photos/p4.png"), content)
    assert neural_art.main(photos) == 0
    assert [name for name, _ in ended()[4:]] == ["p1_style.png", "p2_style.png", "p4_style.png"]
    assert neural_art.main([*photos, "--force"]) == 0
    assert len(ended()) == 4 + 3 + 5
    assert neural_art.main([*photos, "--seed", "3"]) == 0
    assert len(ended()) == 4 + 3 + 5 + 5


def test_a_picture_that_fails_is_told_of_and_the_rest_goes_on(photos, capsys):
    Path("photos/p1.png").write_bytes(b"no picture")
    Path("jobs.csv").write_text(
        "content,style,size\nphotos/p0.png,style.png,\nphotos/none.png,style.png,\nphotos/p1.png,style.png,\n"
        "photos/p2.png,style.png,16\nphotos/p3.png,style.png,\n"
    )
    assert neural_art.main(["--batch", "jobs.csv", *SMALL]) == neural_art.EXIT_FAILED
    out, err = capsys.readouterr()
    assert out.splitlines() == ["output/jobs/p0_style.png", "output/jobs/p3_style.png"]
    last = "neural_art: 3 of 5 pictures failed; the first: jobs.csv: line 3: photos/none.png: no such file"
    assert err.splitlines()[-1].startswith(last)
    assert "p1_style.png: failed: photos/p1.png: is not a picture" in err
    assert "Traceback" not in err
    assert neural_art.main(["--batch", "jobs.csv", *SMALL, "--quiet"]) == neural_art.EXIT_FAILED
    assert [state for _, state in ended("output/jobs")].count("done") == 2


def test_a_mistake_of_the_program_fails_one_picture_and_keeps_its_traceback(photos, capsys, monkeypatch):
    from nst.transfer.stylize import stylize

    def break_once(inputs, *rest, **options):
        if np.array_equal(inputs.content, read_image(Path("photos/p1.png"))):
            raise ZeroDivisionError("ours")
        return stylize(inputs, *rest, **options)

    monkeypatch.setattr("nst.transfer.stylize.stylize", break_once)
    assert neural_art.main(photos) == neural_art.EXIT_FAILED
    err = capsys.readouterr().err
    assert "p1_style.png: failed: ZeroDivisionError: ours" in err
    assert "Traceback" in err
    assert len(results()) == 3


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_batch_goes_on_to_the_same_pixels(photos, capsys, monkeypatch, number, code):
    assert neural_art.main([*photos[:-1], "whole"]) == 0
    words = [*photos, "--checkpoint-every", "0.001"]
    assert neural_art.main(words, on_step=[stop_at(2, 2, number)]) == code
    err = capsys.readouterr().err
    assert err.splitlines()[-1] == (
        "neural_art: stopped; 1 of 4 pictures are done; to go on: "
        f"python neural_art.py {' '.join(photos)} --checkpoint-every 0.001"
    )
    assert RunFolder.at(Path("out/p1_style")).has_checkpoint()
    assert not Path("out/p2_style.png").exists()
    steps = []
    assert neural_art.main(words, on_step=[lambda step, *_: steps.append(step.number)]) == 0
    assert steps == [3, 1, 2, 3, 1, 2, 3]
    assert_same_pixels("out", "whole")
    assert not list(Path("out").rglob("checkpoint*"))


@pytest.mark.slow
def test_a_changed_or_forced_picture_leaves_its_checkpoint_unused(photos, monkeypatch):
    words = [*photos, "--checkpoint-every", "0.001"]
    for more in (["--seed", "3", "--init-noise", "0.5"], ["--force"]):
        assert neural_art.main([*words, "--force"], on_step=[stop_at(1, 2)]) == 128 + signal.SIGTERM
        assert RunFolder.at(Path("out/p0_style")).has_checkpoint()
        assert neural_art.main([*words, *more]) == 0
        assert neural_art.main([*photos[:-1], f"whole{len(more)}", *more]) == 0
        assert_same_pixels("out", f"whole{len(more)}")


def test_a_damaged_checkpoint_costs_the_run_not_the_picture(photos, monkeypatch):
    assert neural_art.main([*photos[:-1], "whole"]) == 0
    assert neural_art.main(photos, on_step=[stop_at(1, 2)]) == 128 + signal.SIGTERM
    for path in Path("out/p0_style").glob("checkpoint*"):
        path.write_bytes(b"damaged")
    assert neural_art.main(photos) == 0
    assert_same_pixels("out", "whole")


def cards(folder="out"):
    """Return the state and the name of each picture on the page of a batch."""
    page = Page(Path(folder) / REPORT)
    return list(zip([card["data-state"] for card in page.all("li")], page.text("bdi").split()[1:], strict=True))


def test_a_batch_leaves_a_page(photos, capsys):
    Path("photos/p1.png").write_bytes(b"no picture")
    assert neural_art.main(photos) == neural_art.EXIT_FAILED
    assert "4 pictures in out: 3 done, 1 failed; look at out/report.html" in capsys.readouterr().err
    assert cards() == [(state, f"p{k}_style") for k, state in enumerate(["done", "failed", "done", "done"])]
    page = Page("out/report.html")
    check_alone(page, [f"p{k}_style{part}" for k in (0, 2, 3) for part in ("/report.html", ".png")])
    check_readable(page)
    assert "photos/p1.png: is not a picture" in page.text("p")


def test_the_page_is_written_again_only_where_it_would_show_something_else(photos, monkeypatch, capsys):
    page = Path("out/report.html")
    assert neural_art.main(photos) == 0
    before = page.stat().st_ino
    assert neural_art.main(photos) == 0
    assert page.stat().st_ino == before
    page.unlink()
    assert neural_art.main(photos) == 0
    assert [state for state, _ in cards()] == ["done"] * 4
    Path("photos/p3.png").unlink()
    assert neural_art.main(photos) == 0
    assert [name for _, name in cards()] == ["p0_style", "p1_style", "p2_style"]
    Path("out/.report.html.0.part").write_text("<htm")  # of a run that was killed
    with monkeypatch.context() as patch:  # killed while the page is written
        patch.setattr("nst.batch.run_batch.write_batch_page", lambda *_: 1 / 0)
        Path("photos/p2.png").unlink()
        with pytest.raises(ZeroDivisionError):
            neural_art.main(photos)
    assert neural_art.main(photos) == 0
    assert [name for _, name in cards()] == ["p0_style", "p1_style"]
    assert not list(Path("out").glob(".*"))
    assert len(ended()) == 4


def test_a_stopped_batch_has_a_page(photos, monkeypatch):
    assert neural_art.main(photos, on_step=[stop_at(2, 2)]) == 128 + signal.SIGTERM
    assert [state for state, _ in cards()] == ["done", "stopped", "missing", "missing"]


def test_a_page_that_is_not_wanted_or_not_to_be_written_costs_no_batch(photos, monkeypatch, capsys):
    assert neural_art.main([*photos, "--no-report"]) == 0
    assert not list(Path("out").rglob(REPORT))
    assert "look at" not in capsys.readouterr().err

    def full(path, *_):
        raise OSError(28, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr("nst.batch.run_batch.write_batch_page", full)
        assert neural_art.main(photos) == 0
    assert "out/report.html: No space left on device; the batch has no page\n" in capsys.readouterr().err
    assert neural_art.main(photos) == 0
    assert len(cards()) == 4


def test_a_report_that_is_there_already_stays(photos, capsys):
    Path("out").mkdir()
    Path("out/report.html").write_text("mine")
    assert neural_art.main(photos) == 0
    err = capsys.readouterr().err
    assert "out/report.html: is not of this batch and stays as it is" in err
    assert "look at" not in err
    assert Path("out/report.html").read_text() == "mine"


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_page_of_a_real_batch_in_a_browser(photos, content, style, browser, width, scheme):
    for name in HOSTILE:
        write_picture(Path("photos", name), 1 - content)
    Path("photos", HOSTILE[0]).write_bytes(b"no picture")
    write_picture(Path(HOSTILE[1]), style)
    words = ["photos", f"./{HOSTILE[1]}", "style.png", "--each-style", *SMALL, "-o", "<b>out & 'all'"]
    assert neural_art.main(words) == neural_art.EXIT_FAILED
    driver = browser((Path("<b>out & 'all'") / REPORT).absolute().as_uri(), width, scheme)
    check_seen(driver)
    compares = driver.find_elements("css selector", ".compare")
    assert len(compares) == 2 * (4 + len(HOSTILE) - 1)
    for compare in (compares[0], compares[-1]):
        slide(driver, compare)
    failed = driver.find_elements("css selector", ".card[data-state=failed]")
    assert len(failed) == 2
    assert "is not a picture" in failed[0].text
    links = [link.get_attribute("href") for link in driver.find_elements("css selector", ".card a")]
    assert len(links) == 2 * len(compares)  # The report and the picture file of each.
    for link in (links[0], links[-2]):
        driver.get(link)
        assert driver.find_element("css selector", ".state.done").text == "done"


def test_a_batch_is_watched_from_picture_to_picture(photos, monkeypatch, capsys):
    seen, lines = [], []

    def ask(step, picture, state):
        lines.extend(capsys.readouterr().err.splitlines())
        told = state_of(int(json.loads(lines[0])["url"].rstrip("/").rpartition(":")[2]))
        seen.append((told["run"], told["place"], told["content"], told["state"]))

    Path("photos/p1.png").write_bytes(b"no picture")
    assert neural_art.main([*photos, "--watch", "--json"], on_step=[ask]) == neural_art.EXIT_FAILED
    assert json.loads(lines[0])["event"] == "watch"
    runs = [(1, "1 of 4", "p0"), (2, "3 of 4", "p2"), (3, "4 of 4", "p3")]
    assert list(dict.fromkeys(seen)) == [(*run, "running") for run in runs]
    assert neural_art.main([*photos, "--force", "--watch", "--quiet"]) == neural_art.EXIT_FAILED
    assert "neural_art: watch it at http://127.0.0.1:" in capsys.readouterr().err


def test_a_batch_can_be_watched_by_file_and_ports_are_refused_before_it(photos, capsys):
    with served() as (_, url):
        port = url.rstrip("/").rpartition(":")[2]
        Path("watch.toml").write_text(f"watch = true\nwatch-port = {port}\n")
        assert neural_art.main([*photos, "--config", "watch.toml"]) == neural_art.EXIT_USER_ERROR
    assert f"--watch-port {port}: Address already in use; give others" in capsys.readouterr().err
    assert not Path("out").exists()
    Path("watch.toml").write_text("watch = true\n")
    assert neural_art.main([*photos, "--config", "watch.toml", "--workers", "2"]) == neural_art.EXIT_USER_ERROR
    assert "--watch and --workers: only what this process makes" in capsys.readouterr().err
    assert not Path("out").exists()
    assert neural_art.main([*photos, "--config", "watch.toml"]) == 0
    assert "watch it at http://127.0.0.1:" in capsys.readouterr().err
    assert neural_art.main([*photos, "--config", "watch.toml"]) == 0  # nothing to watch
    assert "watch it at" not in capsys.readouterr().err


def test_two_batches_in_one_folder_are_refused(photos, refused):
    Path("out").mkdir()
    with folder_lock(Path("out")):
        assert "another run is at work there" in refused(photos)


def test_a_sweep_leaves_a_sheet(photos):
    words = ["photos/p0.png", "style.png", *SMALL, "--sweep", "seed=1,2", "--sweep", "init-noise=0.2,0.8"]
    assert neural_art.main(words) == 0
    folder = Path("output/p0_style_sweep")
    assert len(results(folder)) == 5
    assert read_image(folder / "p0_style_sweep.png").shape[0] > 300
    assert read_manifest(folder).jobs["p0_style_sweep.png"] == {"state": "sheet"}
    assert neural_art.main(words) == 0
    assert len(results(folder)) == 5
    (folder / "p0_style_sweep.png").unlink()  # as where a kill came before it
    (folder / ".p0_style_sweep.png.0.part").touch()
    assert neural_art.main(words) == 0
    assert len(results(folder)) == 5
    assert not list(folder.glob(".*"))


def test_an_explicit_output_that_is_there_needs_overwrite(photos, capsys):
    Path("out").mkdir()
    Path("out/mine.jpg").write_bytes(b"mine")
    Path("jobs.jsonl").write_text('{"content": "photos/p0.png", "style": "style.png", "output": "mine.jpg"}')
    words = ["--batch", "jobs.jsonl", *SMALL, "-o", "out"]
    assert neural_art.main(words) == neural_art.EXIT_FAILED
    assert Path("out/mine.jpg").read_bytes() == b"mine"
    assert "line 1: out/mine.jpg: exists already; give --overwrite" in capsys.readouterr().err
    assert neural_art.main([*words, "--overwrite"]) == 0
    assert neural_art.main([*words, "--force"]) == 0
    assert read_image(Path("out/mine.jpg")).shape == (23, 32, 3)


def told(words, capsys, code=0):
    """Return the JSON object and the JSON lines that a call tells."""
    assert neural_art.main([*words, "--json"]) == code
    out, err = capsys.readouterr()
    jsonschema.validate(json.loads(out), SCHEMA)
    return json.loads(out), [json.loads(line) for line in err.splitlines()]


def test_json_tells_of_each_picture(photos, capsys):
    Path("photos/p1.png").write_bytes(b"no picture")
    listed, lines = told([*photos, "--list"], capsys)
    assert ([job["state"] for job in listed["jobs"]], lines) == (["to do"] * 4, [])
    content, lines = told(photos, capsys, neural_art.EXIT_FAILED)
    assert [job["state"] for job in content["jobs"]] == ["done", "failed", "done", "done"]
    assert (content["exit"], content["path"]) == ("failed", "out")
    assert [line for line in lines if line["event"] == "step"][3]["job"] == "p2_style.png"
    events = [(line["job"], line["state"]) for line in lines if line["event"] == "job"]
    assert events[:4] == [
        ("p0_style.png", "started"),
        ("p0_style.png", "done"),
        ("p1_style.png", "started"),
        ("p1_style.png", "failed"),
    ]
    listed, _ = told([*photos, "--list"], capsys)
    assert [job["state"] for job in listed["jobs"]] == ["done", "to do", "done", "done"]


def test_a_list_and_a_dry_run_write_nothing(photos, capsys):
    before = sorted(Path().rglob("*"))
    assert neural_art.main([*photos, "--list"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[1].split() == ["1", "to", "do", "p0_style.png", "photos/p0.png", "style.png"]
    assert out[-1] == "4 pictures in out, 0 of them done"
    assert neural_art.main([*photos, "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines() == out
    Path("photos/p1.png").write_bytes(b"no picture")
    assert neural_art.main([*photos, "--dry-run"]) == neural_art.EXIT_FAILED
    assert "1 of 4 pictures failed; the first: p1_style.png: photos/p1.png: is not a picture" in capsys.readouterr().err
    assert sorted(Path().rglob("*")) == before


def test_quiet_shows_failures_alone(photos, capsys):
    Path("photos/p1.png").write_bytes(b"no picture")
    assert neural_art.main([*photos, "--quiet"]) == neural_art.EXIT_FAILED
    first, last = capsys.readouterr().err.splitlines()
    assert first.startswith("2/4 p1_style.png: failed: photos/p1.png: is not a picture")
    assert last.startswith("neural_art: 1 of 4 pictures failed")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--workers", "0"], "--workers 0: must be a whole number from 1 to 1024"),
        (["--workers", "two"], "invalid int value: 'two'"),
        (["--workers", "2", "--dask", "x"], "--workers and --dask: are two ways"),
        (["--watch", "--dask", "x"], "--watch and --dask: only what this process makes can be watched; leave one"),
        (["--watch", "--watch-port", "70000"], "--watch-port 70000: must be from 0"),
        (["--dask-resource", "GPU=1"], "--dask-resource: is for --dask"),
        (["--dask", "x", "--dask-resource", "GPU"], "--dask-resource GPU: must be a name and a number"),
        (["-o", "photos/p0.png/out"], "cannot be written"),
    ],
)
def test_mistakes_in_flags_are_one_line_and_exit_2(photos, capsys, words, message):
    assert neural_art.main([*photos, *words]) == neural_art.EXIT_USER_ERROR
    out, err = capsys.readouterr()
    assert message in err
    assert (out, len(err.splitlines())) == ("", 1)
    assert not Path("out").exists()


def executor_of(monkeypatch, submit, **facts):
    """Put an executor in place of this process, which gives orders to `submit`. Return the orders' names."""
    orders = []

    @contextmanager
    def executor(*_, **__):
        def take(order):
            future = Future()
            orders.append(order.request.output.stem)
            submit(order, future)
            return future

        yield Executor(take, lambda: 3, **facts)

    monkeypatch.setattr("nst.batch.run_batch.in_this_process", executor)
    return orders


def test_a_picture_over_which_workers_die_is_found_out_alone_and_the_others_are_made(photos, monkeypatch, capsys):
    in_flight = []

    def submit(order, future):
        in_flight.append(future)
        if order.request.output.stem == "p1_style":  # with it die all that are in flight
            for other in in_flight:
                other.set_exception(BrokenExecutor())
            in_flight.clear()
        elif len(orders) > 1:
            in_flight.pop().set_result(make(order))

    orders = executor_of(monkeypatch, submit)
    assert neural_art.main(photos) == neural_art.EXIT_FAILED
    err = capsys.readouterr().err
    assert "p1_style.png: failed: its worker has died, 3 times" in err
    assert len(results()) == 3
    assert orders == ["p0_style", "p1_style", "p2_style", "p3_style", "p0_style", "p1_style", "p1_style"]


def test_a_signal_does_not_wait_for_workers_that_never_come(photos, monkeypatch, capsys):
    stopped = []
    pending = lambda order, future: os.kill(os.getpid(), signal.SIGINT) if not stopped else None  # noqa: E731
    executor_of(monkeypatch, pending, stop=lambda: stopped.append(True), busy=lambda: False)
    assert neural_art.main(photos) == 128 + signal.SIGINT
    assert stopped
    assert "0 of 4 pictures are done; to go on:" in capsys.readouterr().err


def test_warnings_of_workers_name_the_picture(photos, monkeypatch, capsys):
    executor_of(monkeypatch, lambda order, future: future.set_result(PictureResult("done", warnings=("no snapshots",))))
    neural_art.main(photos)
    assert "neural_art: p2_style.png: no snapshots" in capsys.readouterr().err


def resident_mb():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads memory from /proc")
def test_a_thousand_pictures_take_no_more_memory_than_a_few(photos, monkeypatch, capsys, content):
    """The network and the steps are mocked; all else of a run is real."""
    sizes = []

    def mocked(inputs, features, scales, *, on_step, **_):
        sizes.append(resident_mb())
        for listener in on_step:
            listener(Step(1, (23, 32), {"total": 1.0}), lambda: inputs.content, lambda: None)
        return inputs.content

    facts = {"precision": "float32", "weights_sha256": "0", "device": "processor"}
    monkeypatch.setattr("nst.transfer.stylize.stylize", mocked)
    monkeypatch.setattr("nst.network.loaded.network_of", lambda settings: (None, facts))
    many = Path("many")
    many.mkdir()
    for number in range(1000):
        write_picture(many / f"{number}.png", np.roll(content[:16, :22], number, axis=1) * (number % 7) / 7)
    Path("jobs.csv").write_text("content,seed\n" + "".join(f"many/{n}.png,{n}\n" for n in range(1000)))
    words = ["--batch", "jobs.csv", "x", "style.png", *SMALL, "--checkpoint-every", "0", "-o", "out", "--quiet"]
    assert neural_art.main(words) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1000
    assert len(sizes) == 1000
    assert np.mean(sizes[900:]) - np.mean(sizes[100:200]) < 10
    page = Path("out/report.html").stat()
    assert page.st_size > 1e6
    began = time.monotonic()
    assert neural_art.main(words) == 0
    assert time.monotonic() - began < 3
    assert Path("out/report.html").stat() == page
    assert len(sizes) == 1000


def test_a_manifest_that_cannot_be_written_ends_the_batch(photos, capsys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device", "out/batch.jsonl")

    monkeypatch.setattr("nst.batch.manifest.os.fsync", full)
    assert neural_art.main(photos) == neural_art.EXIT_FAILED
    assert "out/batch.jsonl: No space left on device" in capsys.readouterr().err


def test_a_contact_sheet_that_cannot_be_written_costs_no_batch(photos, capsys):
    words = ["photos/p0.png", "style.png", "--sweep", "seed=1,2", *SMALL, "-o", "sweep"]
    assert neural_art.main(words) == 0
    sheet = Path("sweep/p0_style_sweep.png")
    sheet.unlink()
    sheet.mkdir()
    (sheet / "file").touch()
    capsys.readouterr()
    assert neural_art.main([*words, "--force"]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 2
    assert "sweep/p0_style_sweep.png: Is a directory; the batch has no contact sheet" in err


@pytest.mark.parametrize(
    "text",
    [
        "content,style\nphotos/p0.png,style.png\nphotos/p1.png,style.png\n",
        '{"content": "photos/p0.png", "style": "style.png"}\n{"content": "photos/p1.png", "style": "style.png"}\n',
        "[[job]]\ncontent = 'photos/p0.png'\nstyle = 'style.png'\n"
        "[[job]]\ncontent = 'photos/p1.png'\nstyle = 'style.png'\n",
    ],
    ids=["csv", "jsonl", "toml"],
)
def test_a_batch_file_comes_through_a_pipe(photos, capsys, text):
    os.mkfifo("jobs")
    writer = threading.Thread(target=Path("jobs").write_text, args=(text,), daemon=True)
    writer.start()
    assert neural_art.main(["--batch", "jobs", "--list"]) == 0
    writer.join(5)
    assert capsys.readouterr().out.splitlines()[-1] == "2 pictures in output/batch, 0 of them done"
