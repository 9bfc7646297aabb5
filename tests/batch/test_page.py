"""The page of a batch: a card for each picture, whatever its state and the names of its files."""

import os
import tracemalloc
import urllib.parse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pages import HOSTILE, LOOKS, Page, check_alone, check_readable, check_seen, look_large, slide

import neural_art
from nst.batch.page import write_batch_page
from nst.batch.sweep import Sweep, combinations, grid_of
from nst.pictures.picture_files import write_picture
from nst.report.pages import REPORT, readable
from nst.report.status import CHANGED, DONE, FAILED, STOPPED, PictureStatus


@pytest.fixture
def batch(tmp_path, content, style):
    """A folder and the statuses of its pictures: every state, hostile names, one photo in all of them, one gone."""
    photo, painting = tmp_path / HOSTILE[0], tmp_path / HOSTILE[4]
    write_picture(photo, content)
    write_picture(painting, style)
    statuses = []
    states = [DONE, DONE, FAILED, STOPPED, CHANGED, DONE]
    for number, (name, state) in enumerate(zip(HOSTILE, states, strict=True)):
        folder = tmp_path / "results" / Path(name).stem
        folder.mkdir(parents=True)
        result = folder.with_suffix(".png")
        if state != FAILED:
            write_picture(result, np.clip(content + 0.1 * number, 0, 1))
            (folder / REPORT).write_text("report")
        settings = {"tv_weight": float(number), "init": HOSTILE[1], "style_layers": ["conv1_1:1", "conv2_1:0.5"]}
        statuses.append(
            PictureStatus(
                title=name,
                state=state,
                result=result,
                content=photo if number != 5 else tmp_path / "gone.png",
                styles=(painting,),
                seconds=1.5 if state == DONE else None,
                error=f"{HOSTILE[0]}: is too narrow" if state == FAILED else None,
                settings=settings,
                folder=folder,
            )
        )
    return tmp_path, statuses


def links_of(page):
    return [link["href"] for link in page.all("a") if "href" in link]


def test_the_page_of_a_batch(batch):
    folder, statuses = batch
    write_batch_page(folder / "batch.html", HOSTILE[2], statuses)
    page = Page(folder / "batch.html")
    links = links_of(page)
    check_alone(page, links)
    check_readable(page)
    assert len(links) == 4 * 2  # The report and the picture file of each.
    for link in links:
        parts = urllib.parse.urlsplit(link)
        assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("", "", "", "")
    found = [folder / os.fsdecode(urllib.parse.unquote_to_bytes(link)) for link in links]
    assert [path.read_text() for path in found[::2]] == ["report"] * 4
    assert found[1::2] == [statuses[index].result for index in (0, 1, 3, 5)]
    openers = [button for button in page.all("button") if button["class"] == "open"]
    assert [button.get("data-file") for button in openers] == [links[1], links[3], None, links[5], None, links[7]]
    assert [button["data-caption"] for button in openers] == [
        readable(name) if state != "photo" else f"Photo of {readable(name)}"
        for name, state in zip(HOSTILE, ["", "", "photo", "", "photo", ""], strict=True)
    ]
    assert [card["data-state"] for card in page.all("li")] == ["done", "done", "failed", "stopped", "missing", "done"]
    assert [readable(name) in page.text("bdi") for name in HOSTILE] == [True] * 6
    assert page.text("p").count("is too narrow") == 1
    assert "not made yet" in page.text("span")
    assert ["data-result" in card for card in page.all("li")] == [True, True, False, True, False, True]
    assert [(choice["value"], "checked" in choice) for choice in page.all("input") if choice.get("name") == "view"] == [
        ("compare", True),
        ("results", False),
    ]
    assert "--tv-weight" in page.text("code")
    assert "conv1_1:1 conv2_1:0.5" in page.text("p")
    photo, painting = (values["id"] for values in page.all("img") if "id" in values)
    copies = [values["data-copy"] for values in page.all("img") if "data-copy" in values]
    assert (copies.count(photo), copies.count(painting)) == (4, 5)  # beside the first of each
    assert len([values for values in page.all("img") if "src" in values]) == 4 + 2


def test_results_of_a_batch_are_beside_or_above_its_page(batch):
    folder, statuses = batch
    (folder / "pages").mkdir()
    write_batch_page(folder / "pages" / "batch.html", "a", statuses)
    links = links_of(Page(folder / "pages" / "batch.html"))
    assert len(links) == 4 * 2
    assert all(link.startswith("../results/") for link in links)


def test_a_page_of_a_hundred_takes_the_memory_of_ten(tmp_path, content, style):
    write_picture(tmp_path / "photo.png", content)
    result = np.random.default_rng(2).uniform(0, 1, (240, 320, 3)).astype(np.float32)
    write_picture(tmp_path / "art.png", result)
    status = PictureStatus(
        title="art",
        state=DONE,
        result=tmp_path / "art.png",
        content=tmp_path / "photo.png",
        styles=(),
        seconds=1.0,
        error=None,
        settings={},
        folder=tmp_path / "art",
    )

    def peak_bytes(count):
        tracemalloc.start()
        try:
            write_batch_page(tmp_path / "batch.html", "art", [status] * count)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak_bytes(1)  # the engine
    few = peak_bytes(10)
    assert peak_bytes(100) < 1.5 * few < (tmp_path / "batch.html").stat().st_size


@pytest.fixture
def swept(tmp_path, content, style):
    """The folder, statuses and grids of a sweep over two photos: two values by three, one picture of each failed."""
    sweeps = [Sweep("strength", (0.3, 0.7), ("0.3", "0.7")), Sweep("init", (1, 2, 3), ("photo", "<b>'\"", "noise"))]
    write_picture(tmp_path / "style.png", style)
    statuses, words = [], {}
    for photo in ("a.png", HOSTILE[0]):
        write_picture(tmp_path / photo, content if photo == "a.png" else 1 - content)
        words[photo] = {}
        for number, (_, chosen) in enumerate(combinations(sweeps)):
            result = tmp_path / f"{Path(photo).stem}_{number}.png"
            if number != 4:
                write_picture(result, np.clip(content + 0.1 * number, 0, 1))
            words[photo][len(statuses)] = chosen
            statuses.append(
                PictureStatus(
                    title=result.stem,
                    state=FAILED if number == 4 else DONE,
                    result=result,
                    content=tmp_path / photo,
                    styles=(tmp_path / "style.png",),
                    seconds=1.5,
                    error="is too narrow" if number == 4 else None,
                    settings={"seed": number},
                    folder=result.with_suffix(""),
                )
            )
    return tmp_path, statuses, [grid_of(Path(photo).stem, sweeps, swept) for photo, swept in words.items()]


def test_the_page_of_a_sweep_has_a_table_for_each_photo(swept):
    folder, statuses, grids = swept
    write_batch_page(folder / "batch.html", "sweep", statuses, grids)
    page = Page(folder / "batch.html")
    check_alone(page, links_of(page))
    check_readable(page)
    assert len(page.all("table")) == 2
    assert [header["scope"] for header in page.all("th")] == 2 * [*["col"] * 3, *["row"] * 2]
    axes = [text for tag, text in page.texts if tag == "b"]
    assert axes == 2 * ["photo", "<b>'\"", "noise", "0.3", "0.7"]
    states = [card["data-state"] for _, card in page.elements if card.get("class") == "card"]
    assert states == 2 * [*["done"] * 4, "failed", "done"]
    linked = [compare["data-linked"] for compare in page.all("figure")]
    assert linked == [linked[0]] * 5 + [linked[5]] * 5
    assert linked[0] != linked[5]
    captions = [button["data-caption"] for button in page.all("button") if button["class"] == "open"]
    assert captions[1] == "a: strength 0.3, init <b>'\""
    assert captions[4] == "Photo of a: strength 0.7, init <b>'\""
    embedded = [image for image in page.all("img") if "src" in image]
    assert len(embedded) == 2 + 1 + 10  # Each photo and the style once.


def test_a_sweep_of_styles_shows_the_styles_of_each_picture(swept):
    """The styles of a pattern may be more for one value of the sweep than for another: some cells are empty."""
    folder, statuses, _ = swept
    sweeps = [Sweep("style", (1, 2), ("style.png", "b.png")), Sweep("seed", (1, 2), ("1", "2"))]
    write_picture(folder / "b.png", np.zeros((20, 20, 3), np.float32))
    statuses = [*statuses[:2], replace(statuses[2], styles=(folder / "b.png",))]
    grid = grid_of("a", sweeps, {0: ("style.png", "1"), 1: ("style.png", "2"), 2: ("b.png", "2")})
    write_batch_page(folder / "batch.html", "sweep", statuses, [grid])
    page = Page(folder / "batch.html")
    assert [image["alt"] for image in page.all("img") if "style" in image["alt"]] == [
        "the style style.png",
        "the style style.png",
        "the style b.png",
    ]
    assert len([card for _, card in page.elements if card.get("class") == "card"]) == 3
    assert len(page.all("td")) == 1 + 4


def test_a_sweep_of_one_setting_is_a_row(swept):
    folder, statuses, _ = swept
    sweep = Sweep("seed", (1, 2), ("1", "2"))
    grid = grid_of("a", [sweep], {0: ("1",), 1: ("2",)})
    assert (grid.rows, grid.columns) == (((),), ((("seed", "1"),), (("seed", "2"),)))
    write_batch_page(folder / "batch.html", "sweep", statuses[:2], [grid])
    page = Page(folder / "batch.html")
    check_readable(page)
    assert [header["scope"] for header in page.all("th")] == ["col"] * 2
    assert len(page.all("td")) == 2


def test_pictures_without_a_sweep_have_sliders_of_their_own(batch):
    folder, statuses = batch
    write_batch_page(folder / "batch.html", "a", statuses)
    page = Page(folder / "batch.html")
    assert page.all("table") == []
    assert not [compare for compare in page.all("figure") if "data-linked" in compare]


def test_the_command_leaves_the_grid_of_its_sweep(here, pictures, tiny):
    words = [*pictures, "--size", "32", "--steps", "1", "-o", "out"]
    assert neural_art.main([*words, "--sweep", "strength=0.3,0.50", "--sweep", "seed=1,2"]) == 0
    page = Page(Path("out") / REPORT)
    assert page.text("b") == "1 2 0.3 0.50"
    assert [header["scope"] for header in page.all("th")] == ["col", "col", "row", "row"]
    before = Path("out", REPORT).read_bytes()
    assert neural_art.main([*words, "--sweep", "strength=0.3,0.50", "--sweep", "seed=1,2"]) == 0
    assert Path("out", REPORT).read_bytes() == before


@pytest.mark.parametrize("state", [DONE, FAILED])
def test_the_page_says_how_unfinished_pictures_are_made(batch, state):
    folder, statuses = batch
    write_batch_page(folder / "batch.html", "a", [replace(statuses[0], state=state)])
    text = Page(folder / "batch.html").text("p")
    assert ("1 of 1 pictures is not finished. Give the command of this batch again" in text) == (state == FAILED)


def test_the_page_of_an_empty_batch(tmp_path):
    write_batch_page(tmp_path / "batch.html", "nothing", [])
    assert "Pictures 0" in Page(tmp_path / "batch.html").text("dt", "dd")


def choose_results(driver):
    """Show only the results by the keys, look at them, and show the sliders again."""
    from selenium.webdriver import Keys

    cards, shown = driver.find_elements("css selector", ".card"), driver.find_element("css selector", "output")
    states = [card.get_attribute("data-state") for card in cards]
    wide = cards[0].size["width"]
    with_slider, results = driver.find_elements("css selector", "[name=view]")
    assert with_slider.is_selected()
    assert shown.text == "6 of 6 shown"
    with_slider.send_keys(Keys.ARROW_RIGHT)
    assert results.is_selected()
    assert [card.is_displayed() for card in cards] == [state in (DONE, STOPPED) for state in states]
    assert shown.text == "4 of 6 shown"
    assert cards[0].size["width"] < 0.8 * wide  # More pictures side by side.
    for part in ("input", ".line", ".over"):
        hidden = driver.find_elements("css selector", f".compare {part}")
        assert [element.value_of_css_property("display") for element in hidden] == ["none"] * 3
    check_seen(driver)
    openers = [opener for opener in driver.find_elements("css selector", ".open") if opener.is_displayed()]
    assert len(openers) == 4
    assert openers[0].size["width"] == pytest.approx(cards[0].size["width"], abs=1)  # All of the picture.
    assert len(look_large(driver, openers[0])) == 4
    results.send_keys(Keys.ARROW_LEFT)
    assert shown.text == "6 of 6 shown"
    assert driver.find_element("css selector", ".compare .line").is_displayed()


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_page_of_a_batch_in_a_browser(batch, browser, width, scheme):
    folder, statuses = batch
    write_batch_page(folder / "batch.html", HOSTILE[2], statuses)
    driver = browser((folder / "batch.html").as_uri(), width, scheme)
    check_seen(driver)
    compares = driver.find_elements("css selector", ".compare")
    assert len(compares) == 3
    for compare in compares:
        slide(driver, compare)
    openers = driver.find_elements("css selector", ".open")
    names = look_large(driver, openers[0])
    assert names == [opener.get_attribute("data-caption") for opener in openers]
    choose_results(driver)
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
@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_sliders_of_a_sweep_move_together(swept, browser, width, scheme):
    from selenium.webdriver import Keys

    folder, statuses, grids = swept
    write_batch_page(folder / "batch.html", "sweep", statuses, grids)
    driver = browser((folder / "batch.html").as_uri(), width, scheme)
    check_seen(driver)
    compares = driver.find_elements("css selector", ".compare")
    sliders = [compare.find_element("css selector", "input") for compare in compares]

    def places():
        return [slider.get_property("value") for slider in sliders]

    slide(driver, compares[1])
    moved = places()
    assert moved == [moved[0]] * 5 + ["50"] * 5  # The other photo's stay.
    assert moved[0] != "50"
    sliders[7].send_keys(Keys.END)
    assert places() == [moved[0]] * 5 + ["100"] * 5
    assert {slider.get_attribute("aria-valuetext") for slider in sliders[5:]} == {"100 % photo, 0 % result"}
    over = [compare.find_element("css selector", ".over") for compare in compares[5:]]
    assert {photo.value_of_css_property("clip-path") for photo in over} == {"inset(0px 0% 0px 0px)"}
    driver.find_element("css selector", "[value=results]").send_keys(Keys.SPACE)
    check_seen(driver)
    first = [card.is_displayed() for card in driver.find_elements("css selector", ".card")][:6]
    assert first == [True] * 4 + [False, True]
    assert driver.find_element("css selector", "tbody th").text == "strength 0.3"
    assert len(look_large(driver, driver.find_element("css selector", ".open"))) == 10
    driver.find_element("css selector", "[type=search]").send_keys("alert")
    assert [sweep.is_displayed() for sweep in driver.find_elements("css selector", ".sweep")] == [False, True]


@pytest.mark.browser
def test_links_of_a_batch_lead_to_its_reports(batch, browser):
    folder, statuses = batch
    write_batch_page(folder / "batch.html", "a", statuses)
    for index in range(4):
        driver = browser((folder / "batch.html").as_uri())
        driver.find_elements("css selector", ".card a")[2 * index].click()
        assert driver.find_element("css selector", "body").text == "report"
