"""report.html of a run: what it tells, in one file, whatever names the pictures have."""

import re
import shlex
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import SMALL
from pages import (
    HOSTILE,
    LOOKS,
    Page,
    check_alone,
    check_readable,
    check_seen,
    look_large,
    picture_of,
    read_costs,
    slide,
    steps_of,
)
from PIL import Image

import neural_art
from nst.pictures.picture_files import read_image, write_picture
from nst.preset_files import describe, make_settings
from nst.report.pages import REPORT, readable
from nst.report.run_page import Run, write_run_page
from nst.report.sources import Named, Sources
from nst.report.status import DONE, FAILED, STOPPED
from nst.transfer.state import Step


def run_of(content, style, **changes):
    """Return a run with hostile names."""
    record = {
        "settings": describe(make_settings("default", {"size": 64, "style_weights": ["3", "1"]})),
        "versions": {"neural_art": "0.1.0", "python": "3"},
        "precision": "float32",
        "device": "GPU <b>",
        "weights_sha256": "0" * 64,
    }
    values = {
        "sources": Sources(Named(HOSTILE[0], content), tuple(Named(name, style) for name in HOSTILE[1:]), steps=12),
        "result": Named(HOSTILE[2], np.clip(content + 0.2, 0, 1)),
        "state": DONE,
        "message": "",
        "snapshots": (),
        "steps": steps_of(),
        "seconds": 6.2,
        "record": record,
    }
    return Run(**{**values, **changes})


def snapshots_in(folder, count):
    """Return the steps and paths of snapshots, none of which is written yet."""
    return [(Step(number, (24, 32), {}), folder / f"{number}.png") for number in range(1, count + 1)]


def test_hostile_names_are_text(tmp_path, content, style):
    write_run_page(
        tmp_path / REPORT, run_of(content, style, warnings=(f"{HOSTILE[0]}: beware", "</script></style></title>"))
    )
    page = Page(tmp_path / REPORT)
    check_alone(page)
    check_readable(page)
    for name in HOSTILE:
        assert readable(name) in page.text("bdi")
    assert f"{HOSTILE[0]}: beware </script></style></title>" in page.text("li")
    assert "\x1b" not in (tmp_path / REPORT).read_text(encoding="utf-8")


def test_the_report_of_a_run(tmp_path, pictures, tiny):
    words = [*SMALL, "--snapshot-every", "2", "--seed", "5", "--init-noise", "0.25"]
    assert neural_art.main([*pictures, *words, "-o", str(tmp_path / "art.png")]) == 0
    page = Page(tmp_path / "art" / REPORT)
    check_alone(page, ["../art.png"])
    check_readable(page)
    text = page.text()
    assert [opener.get("data-file") for opener in page.all("button") if opener["class"] == "open"] == [
        "../art.png",  # in the comparison
        None,  # the photo
        None,  # the style
        "../art.png",
        *[None] * 3,  # the snapshots
        "../art.png",
    ]
    assert "python neural_art.py --settings-from art/settings.json" in text
    for told in (
        "content in the style of style",
        "done",
        "64 × 46 px",
        "--seed",
        "0.25",
        "Step 4, 32 px",
        "tensorflow",
    ):
        assert told in text
    assert "stopped" not in text
    assert str(tmp_path) not in (tmp_path / "art" / REPORT).read_text()
    assert page.text("code").index("--init-noise") < page.text("code").index("--strength")  # what differs comes first
    result, photo = (picture_of(image["src"]) for image in page.all("img")[:2])
    assert (result.size, photo.size) == ((64, 46), (56, 40))  # never enlarged
    with Image.open(tmp_path / "art.png") as made, Image.open(pictures[0]) as given:
        assert np.abs(np.asarray(result, float) - np.asarray(made)).mean() < 12
        assert np.abs(np.asarray(photo, float) - np.asarray(given)).mean() < 6
    assert len(page.all("polyline")) == 5 * 2  # costs, scales
    assert {line["data-cost"] for line in page.all("polyline")} >= {"total", "content", "style"}
    readings = next(svg["data-readings"] for svg in page.all("svg") if "data-readings" in svg).split(";")
    assert [reading.split()[:2] for reading in readings] == [[str(k), "32" if k <= 4 else "64"] for k in range(1, 7)]
    assert {len(reading.split()) for reading in readings} == {2 + 5}


def test_a_stopped_run_says_how_far_it_is_and_a_resumed_one_has_all(tmp_path, pictures, tiny, stopped_at):
    words = [*pictures, *SMALL, "--snapshot-every", "1", "-o", str(tmp_path / "art.png")]
    stopped_at(3, words)
    text = Page(tmp_path / "art" / REPORT).text()
    assert "The run was stopped after 3 of 6 steps" in text
    assert "this is the picture so far. To go on: --resume with the folder of this page." in text
    assert "Go on with this run python neural_art.py --resume art Copy" in text
    assert neural_art.main(["--resume", str(tmp_path / "art"), "--snapshot-every", "0"]) == 0
    page = Page(tmp_path / "art" / REPORT)
    assert "stopped" not in page.text()
    assert "Step 3, 32 px" in page.text()  # of the first part
    assert len(page.all("tr")) == 1 + 2 + 1 + 5  # a row for each scale, and for each setting that differs


def test_a_failed_run_says_why(tmp_path, pictures, tiny, monkeypatch):
    from nst.transfer import stylize

    def fail(*arguments):
        raise MemoryError

    monkeypatch.setattr(stylize, "enlarge", fail)
    assert neural_art.main([*pictures, *SMALL, "-o", str(tmp_path / "art.png")]) == neural_art.EXIT_FAILED
    assert "The run failed: out of memory; give a smaller --size." in Page(tmp_path / "art" / REPORT).text()


def test_a_report_is_written_whole_or_not_at_all(tmp_path, content, style, monkeypatch):
    write_run_page(tmp_path / REPORT, run_of(content, style))
    before = (tmp_path / REPORT).read_bytes()
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space left"):
        write_run_page(tmp_path / REPORT, run_of(content, style, state=FAILED))
    assert (tmp_path / REPORT).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [REPORT]


def test_a_report_that_cannot_be_written_costs_no_picture(tmp_path, pictures, tiny, monkeypatch, capsys):
    def fail(path, run):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("nst.run.results.write_run_page", fail)
    assert neural_art.main([*pictures, "--size", "32", "--steps", "1", "-o", str(tmp_path / "art.png")]) == 0
    assert "report.html: No space left on device; the run goes on without report.html" in capsys.readouterr().err


def test_snapshots_that_are_gone_or_damaged_are_left_out_and_many_are_thinned(tmp_path, content, style):
    snapshots = snapshots_in(tmp_path, 100)
    for _, path in snapshots[:60]:
        write_picture(path, content)
    for _, path in snapshots[60:80]:
        path.write_bytes(b"cut short")
    write_run_page(tmp_path / REPORT, run_of(content, style, snapshots=snapshots))
    page = Page(tmp_path / REPORT)
    assert 12 <= page.text("figcaption").count(", 32 px") <= 16
    assert "Step 1, 32 px" in page.text("figcaption")
    assert "of 100 snapshots" in page.text("p")


def test_pictures_are_no_larger_than_a_screen_shows(tmp_path, style):
    large = np.random.default_rng(1).uniform(0, 1, (900, 2400, 3)).astype(np.float32)
    write_run_page(tmp_path / REPORT, run_of(large, style, result=Named("art.png", large)))
    sizes = [picture_of(image["src"]).size for image in Page(tmp_path / REPORT).all("img") if "src" in image]
    assert sizes[:2] == [(1024, 384)] * 2
    assert max(max(size) for size in sizes[2:]) == 420


def test_steps_of_an_earlier_version_have_no_times(tmp_path, content, style):
    steps = [Step(step.number, step.size, step.costs) for step in steps_of()]
    write_run_page(tmp_path / REPORT, run_of(content, style, steps=steps))
    cells = Page(tmp_path / REPORT).text("td").split()
    assert cells[:3] == ["8", "–", "–"]


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("cat stone", "--settings-from 'cat stone/settings.json'"),
        ("it's & <b>$HOME", """--settings-from 'it'"'"'s & <b>$HOME/settings.json'"""),
    ],
)
def test_the_command_is_safe_in_a_shell_and_names_no_folder_of_the_machine(tmp_path, content, style, name, command):
    (tmp_path / name).mkdir()
    write_run_page(tmp_path / name / REPORT, run_of(content, style))
    page = Page(tmp_path / name / REPORT)
    assert f"python neural_art.py {command}" in page.text("bdi")
    assert str(tmp_path) not in (tmp_path / name / REPORT).read_text(encoding="utf-8")
    assert shlex.split(f"python neural_art.py {command}")[-1] == f"{name}/settings.json"


def test_the_command_makes_the_same_picture_again(here, pictures, tiny):
    assert neural_art.main([*pictures, *SMALL, "--seed", "5", "-o", "art.png"]) == 0
    line = next(text for tag, text in Page(Path("art", REPORT)).texts if text.startswith("python neural_art.py"))
    assert neural_art.main([*shlex.split(line)[2:], "-o", "again.png"]) == 0
    np.testing.assert_array_equal(read_image(Path("again.png")), read_image(Path("art.png")))


@pytest.mark.browser
def test_the_command_is_copied_and_the_file_is_shown_whole(tmp_path, content, style, browser):
    from selenium.webdriver import Keys

    folder = tmp_path / "cat stone"
    folder.mkdir()
    result = np.clip(np.tile(content, (30, 40, 1)) + 0.2, 0, 1)
    write_picture(tmp_path / HOSTILE[2], result)
    write_run_page(folder / REPORT, run_of(content, style, result=Named(HOSTILE[2], result)))
    driver = browser((folder / REPORT).as_uri())
    button = driver.find_element("css selector", "button.copy")
    button.click()
    for _ in range(200):
        if button.text == "Copied":
            break
        time.sleep(0.01)
    assert button.text == "Copied"
    assert driver.find_element("css selector", ".command [role=status]").get_property("textContent") == "Copied"
    driver.execute_script("document.body.prepend(Object.assign(document.createElement('textarea'), {id: 'paper'}))")
    paper = driver.find_element("id", "paper")
    paper.send_keys(Keys.CONTROL, "v")
    assert paper.get_property("value") == "python neural_art.py --settings-from 'cat stone/settings.json'"
    driver.find_element("css selector", ".open").click()
    for _ in range(500):
        wide = driver.execute_script("return document.querySelector('.stage img').naturalWidth")
        if wide == result.shape[1]:
            break
        time.sleep(0.01)
    assert wide == result.shape[1] > 1024  # The file is larger than the page's own copy.
    link = driver.find_element("css selector", ".large .file")
    assert link.get_attribute("href") == (tmp_path / HOSTILE[2]).as_uri()
    link.click()
    assert driver.current_url == (tmp_path / HOSTILE[2]).as_uri()


@pytest.mark.browser
def test_a_page_without_its_picture_file_shows_its_own_copy(tmp_path, content, style, chromium):
    (tmp_path / "art").mkdir()
    write_picture(tmp_path / "art.png", content)
    write_run_page(tmp_path / "art" / REPORT, run_of(content, style, result=Named("art.png", content)))
    (tmp_path / "art.png").unlink()
    chromium.get((tmp_path / "art" / REPORT).as_uri())
    chromium.find_element("css selector", ".open").click()
    time.sleep(0.2)
    shown = chromium.find_element("css selector", ".stage img")
    assert shown.get_attribute("src").startswith("data:image/jpeg")
    assert shown.get_property("naturalWidth") == 56
    assert "ERR_FILE_NOT_FOUND" in str(chromium.get_log("browser"))
    chromium.get("about:blank")


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_report_in_a_browser(tmp_path, content, style, browser, width, scheme):
    from selenium.webdriver import Keys

    snapshots = snapshots_in(tmp_path, 30)
    for _, path in snapshots:
        write_picture(path, content)
    folder = tmp_path / HOSTILE[3]
    folder.mkdir()
    write_run_page(folder / REPORT, run_of(content, style, snapshots=snapshots, warnings=HOSTILE, state=STOPPED))
    driver = browser((folder / REPORT).as_uri(), width, scheme)
    check_seen(driver)
    slide(driver, driver.find_element("css selector", ".compare"))
    light = driver.find_element("css selector", "body").value_of_css_property("background-color")
    assert (int(re.findall(r"\d+", light)[0]) > 128) == (scheme == "light")
    for chart in driver.find_elements("css selector", ".chart polyline"):
        assert chart.rect["width"] > 30
    openers = driver.find_elements("css selector", ".open")
    assert len(openers) == 1 + len(HOSTILE) + 1 + 24 + 1
    names = look_large(driver, openers[0])
    assert names[:3] == [f"Result {HOSTILE[2]}", f"Photo {HOSTILE[0]}", f"Style {HOSTILE[1]}"]
    assert len(names) == len(openers) - 2  # The result is shown in three places.
    openers[1].click()  # The small photo opens the large one.
    shown = driver.find_element("css selector", ".stage img").get_attribute("src")
    assert shown == driver.find_element("id", "large-photo").get_attribute("src")
    driver.find_element("css selector", ".large .close").click()
    driver.find_element("css selector", ".compare input").send_keys(Keys.ENTER)
    assert driver.find_element("id", "large-caption").text == names[0]
    driver.find_element("css selector", ".large .close").click()
    assert read_costs(driver) == ["Step 12, 64 px", "total", "0.25", "content", "1", "style", "0.1667"]
