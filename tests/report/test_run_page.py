"""The pages that one looks at: one file each, whatever names the pictures have."""

import base64
import io
import os
import re
import tracemalloc
import urllib.parse
from pathlib import Path

import numpy as np
import pytest
from conftest import SMALL
from pages import HOSTILE, LOOKS, Page, check_alone, check_readable, check_seen, slide
from PIL import Image

import neural_art
from nst.batch.page import write_batch_page
from nst.errors import UserError
from nst.pictures.picture_files import write_picture
from nst.report.chart import MOST_POINTS, make_chart
from nst.report.pages import REPORT, TEMPLATES, check_engine, duration, readable
from nst.report.run_page import Run, write_run_page
from nst.report.sources import Named, Sources
from nst.report.status import CHANGED, Entry
from nst.settings import describe, make_settings
from nst.transfer.state import Step


def picture_of(source):
    """Return the picture in a data URI."""
    kind, _, data = source.partition(",")
    assert kind == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(data, validate=True)))


def steps_of(scales=((32, 24, 8), (64, 48, 4))):
    sizes = [(height, width) for width, height, count in scales for _ in range(count)]
    return [
        Step(number, size, {"total": 3 / number, "content": 1.0, "style": 2 / number}, seconds=0.5 * number)
        for number, size in enumerate(sizes, start=1)
    ]


def run_of(content, style, **changes):
    """Return a run with hostile names."""
    record = {
        "settings": describe(make_settings("default", {"size": 64, "style_weights": ["3", "1"]})),
        "versions": {"neural_art": "0.1.0", "python": "3"},
        "precision": "float32",
        "weights_sha256": "0" * 64,
    }
    values = {
        "sources": Sources(Named(HOSTILE[0], content), tuple(Named(name, style) for name in HOSTILE[1:]), steps=12),
        "result": Named(HOSTILE[2], np.clip(content + 0.2, 0, 1)),
        "state": "done",
        "message": "",
        "snapshots": (),
        "steps": steps_of(),
        "seconds": 6.2,
        "record": record,
    }
    return Run(**{**values, **changes})


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
    check_alone(page)
    check_readable(page)
    text = page.text()
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
    assert len(page.all("polyline")) == 3 * 2  # costs, scales


def test_a_stopped_run_says_how_far_it_is_and_a_resumed_one_has_all(tmp_path, pictures, tiny, stopped_at):
    words = [*pictures, *SMALL, "--snapshot-every", "1", "-o", str(tmp_path / "art.png")]
    stopped_at(3, words)
    text = Page(tmp_path / "art" / REPORT).text()
    assert "The run was stopped after 3 of 6 steps" in text
    assert "this is the picture so far. To go on: --resume with the folder of this page." in text
    assert neural_art.main(["--resume", str(tmp_path / "art"), "--snapshot-every", "0"]) == 0
    page = Page(tmp_path / "art" / REPORT)
    assert "stopped" not in page.text()
    assert "Step 3, 32 px" in page.text()  # of the first part
    assert len(page.all("tr")) == 1 + 2 + 1 + 4  # a row for each scale, and for each setting that differs


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
        write_run_page(tmp_path / REPORT, run_of(content, style, state="failed"))
    assert (tmp_path / REPORT).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [REPORT]


def test_a_report_that_cannot_be_written_costs_no_picture(tmp_path, pictures, tiny, monkeypatch, capsys):
    def fail(path, run):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("nst.run.results.write_run_page", fail)
    assert neural_art.main([*pictures, *SMALL, "-o", str(tmp_path / "art.png")]) == 0
    assert "report.html: No space left on device; the run goes on without report.html" in capsys.readouterr().err


def test_snapshots_that_are_gone_or_damaged_are_left_out_and_many_are_thinned(tmp_path, content, style):
    paths = tuple(tmp_path / f"step_{number:05d}_32px.png" for number in range(1, 101))
    for path in paths[:60]:
        write_picture(path, content)
    for path in paths[60:80]:
        path.write_bytes(b"cut short")
    write_run_page(tmp_path / REPORT, run_of(content, style, snapshots=paths))
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


def test_without_jinja_the_command_says_so_before_the_work(pictures, monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"Jinja2; pip install -r requirements\.txt, or give --no-report"):
        check_engine()


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.04, "0.0 s"), (9.94, "9.9 s"), (17.2, "17 s"), (192, "3 min 12 s"), (3661, "1 h 1 min")]
)
def test_times_in_words(seconds, words):
    assert duration(seconds) == words


def test_a_chart_has_a_line_for_each_cost_and_scale_within_its_plot():
    steps = steps_of(((32, 24, 3000), (64, 48, 4), (128, 96, 1)))
    steps[5].costs.update(style=0.0, total=float("inf"))
    chart = make_chart(steps)
    assert [len(parts) for parts in chart.lines.values()] == [3, 3, 3]
    points = [
        tuple(map(float, point.split(","))) for parts in chart.lines.values() for p in parts for point in p.split()
    ]
    assert len(points) <= 3 * 2 * MOST_POINTS
    assert min(min(point) for point in points) >= 0
    assert max(max(point) for point in points) <= 1000
    assert [tick.label for tick in chart.scales] == ["32", "64", "128"]
    assert [tick.label for tick in chart.steps] == ["1", "1000", "2000", "3005"]
    assert [tick.label for tick in chart.costs] == ["0.001", "0.01", "0.1", "1"]
    half = make_chart(steps_of(), last=24)
    assert max(float(point.split(",")[0]) for point in half.lines["total"][1].split()) == pytest.approx(478, abs=1)


@pytest.fixture
def batch(tmp_path, content, style):
    """Entries of every state, with hostile names; one photo is in all of them, some pictures are gone."""
    photo, painting = tmp_path / HOSTILE[0], tmp_path / HOSTILE[4]
    write_picture(photo, content)
    write_picture(painting, style)
    entries = []
    states = ["done", "done", "failed", "stopped", CHANGED, "done"]
    for number, (name, state) in enumerate(zip(HOSTILE, states, strict=True)):
        folder = tmp_path / "results" / Path(name).stem
        folder.mkdir(parents=True)
        result = folder.with_suffix(".png")
        if state != "failed":
            write_picture(result, np.clip(content + 0.1 * number, 0, 1))
            (folder / REPORT).write_text("report")
        entries.append(
            Entry(
                name,
                state,
                result,
                photo if number != 5 else tmp_path / "gone.png",
                (painting,),
                1.5 if state == "done" else None,
                f"{HOSTILE[0]}: is too narrow" if state == "failed" else None,
                {"tv_weight": float(number), "init": HOSTILE[1], "style_layers": ["conv1_1:1", "conv2_1:0.5"]},
                folder,
            )
        )
    return tmp_path, entries


def test_the_page_of_a_batch(batch):
    folder, entries = batch
    write_batch_page(folder / "batch.html", HOSTILE[2], entries)
    page = Page(folder / "batch.html")
    links = [values["href"] for values in page.all("a")]
    check_alone(page, links)
    check_readable(page)
    assert len(links) == 4
    for link in links:
        parts = urllib.parse.urlsplit(link)
        assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("", "", "", "")
        assert (folder / os.fsdecode(urllib.parse.unquote_to_bytes(parts.path))).read_text() == "report"
    assert [card["data-state"] for card in page.all("li")] == ["done", "done", "failed", "stopped", "missing", "done"]
    assert [readable(name) in page.text("bdi") for name in HOSTILE] == [True] * 6
    assert page.text("p").count("is too narrow") == 1
    assert "not made yet" in page.text("span")
    assert "--tv-weight" in page.text("code")
    assert "conv1_1:1 conv2_1:0.5" in page.text("p")
    photo, painting = (values["id"] for values in page.all("img") if "id" in values)
    copies = [values["data-copy"] for values in page.all("img") if "data-copy" in values]
    assert (copies.count(photo), copies.count(painting)) == (4, 5)  # beside the first of each
    assert len([values for values in page.all("img") if "src" in values]) == 4 + 2


def test_results_of_a_batch_are_beside_or_above_its_page(batch):
    folder, entries = batch
    (folder / "pages").mkdir()
    write_batch_page(folder / "pages" / "batch.html", "a", entries)
    links = [values["href"] for values in Page(folder / "pages" / "batch.html").all("a")]
    assert all(link.startswith("../results/") for link in links)


def test_a_page_of_a_thousand_takes_the_memory_of_ten(tmp_path, content, style):
    write_picture(tmp_path / "photo.png", content)
    result = np.random.default_rng(2).uniform(0, 1, (240, 320, 3)).astype(np.float32)
    write_picture(tmp_path / "art.png", result)
    entry = Entry("art", "done", tmp_path / "art.png", tmp_path / "photo.png", (), 1.0, None, {}, tmp_path / "art")

    def peak_bytes(count):
        tracemalloc.start()
        try:
            write_batch_page(tmp_path / "batch.html", "art", [entry] * count)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak_bytes(1)  # the engine
    few = peak_bytes(20)
    assert peak_bytes(200) < 1.5 * few
    assert (tmp_path / "batch.html").stat().st_size > 10e6


def test_the_page_of_an_empty_batch(tmp_path):
    write_batch_page(tmp_path / "batch.html", "nothing", [])
    assert "Pictures 0" in Page(tmp_path / "batch.html").text("dt", "dd")


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_report_in_a_browser(tmp_path, content, style, browser, width, scheme):
    snapshots = tuple(tmp_path / f"step_{number:05d}_32px.png" for number in range(1, 31))
    for path in snapshots:
        write_picture(path, content)
    folder = tmp_path / HOSTILE[3]
    folder.mkdir()
    write_run_page(folder / REPORT, run_of(content, style, snapshots=snapshots, warnings=HOSTILE, state="stopped"))
    driver = browser((folder / REPORT).as_uri(), width, scheme)
    check_seen(driver)
    slide(driver, driver.find_element("css selector", ".compare"))
    light = driver.find_element("css selector", "body").value_of_css_property("background-color")
    assert (int(re.findall(r"\d+", light)[0]) > 128) == (scheme == "light")
    for chart in driver.find_elements("css selector", ".chart polyline"):
        assert chart.rect["width"] > 30


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_page_of_a_batch_in_a_browser(batch, browser, width, scheme):
    folder, entries = batch
    write_batch_page(folder / "batch.html", HOSTILE[2], entries)
    driver = browser((folder / "batch.html").as_uri(), width, scheme)
    check_seen(driver)
    compares = driver.find_elements("css selector", ".compare")
    assert len(compares) == 3
    for compare in compares:
        slide(driver, compare)
    words = driver.find_element("css selector", "input[type=search]")
    words.send_keys("too narrow")
    assert [card.is_displayed() for card in driver.find_elements("css selector", ".card")] == [False] * 2 + [True] + [
        False
    ] * 3
    assert driver.find_element("css selector", "output").text == "1 of 6 shown"
    words.clear()
    driver.find_element("css selector", "option[value=stopped]").click()
    assert driver.find_element("css selector", "output").text == "1 of 6 shown"
    driver.find_element("css selector", "option[value='']").click()


@pytest.mark.browser
def test_links_of_a_batch_lead_to_its_reports(batch, browser):
    folder, entries = batch
    write_batch_page(folder / "batch.html", "a", entries)
    for index in range(4):
        driver = browser((folder / "batch.html").as_uri())
        driver.find_elements("css selector", ".card a")[index].click()
        assert driver.find_element("css selector", "body").text == "report"


def test_colours_are_plain_to_read():
    """Text stands out by 4.5 to 1, the least that WCAG asks for, on every ground and in both schemes."""

    def luminance(colour):
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    schemes = (TEMPLATES / "page.css").read_text().split(":root {")[1:]
    assert len(schemes) == 2
    for scheme in schemes:
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", scheme.partition("}")[0]))
        for text in ("ink", "soft", "good", "bad", "hold", "c1", "c2", "c3"):
            for ground in ("paper", "mat", "card"):
                one, other = sorted(luminance(colours[name]) for name in (text, ground))
                assert (other + 0.05) / (one + 0.05) >= 4.5, (text, ground)
