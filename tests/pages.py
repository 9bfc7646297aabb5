"""For tests of pages: a page as a browser reads it, what holds for all pages, requests to a server, steps of a run."""

import base64
import http.client
import io
import itertools
import json
import os
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from nst.transfer.state import Step

HOSTILE = [
    "<script>alert(1)<script>.png",
    '"onerror="alert(1).png',
    "it's {{ 7 * 7 }} & 100%.png",
    "line\nbreak\tand\x1b[31m.png",
    "猫 \N{RIGHT-TO-LEFT OVERRIDE}gnp.png",
    os.fsdecode(b"not \xff utf-8.png"),
]
REFERENCES = ("src", "href", "srcset", "action", "poster", "data", "xlink:href", "background", "ping", "formaction")
EMPTY = ("meta", "link", "img", "input", "br", "path", "line", "polyline")
LOOKS = [  # Widths and colour schemes of windows.
    (320, "dark"),
    *(pytest.param(*look, marks=pytest.mark.slow) for look in ((1280, "light"), (1280, "dark"), (390, "light"))),
]


class Page(HTMLParser):
    """A page as a browser would read it: its elements, and the text within each kind."""

    def __init__(self, path):
        super().__init__()
        self.elements, self.open, self.texts = [], [], []
        self.feed(Path(path).read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data.strip()))

    def all(self, tag):
        return [attributes for other, attributes in self.elements if other == tag]

    def text(self, *tags):
        return " ".join(
            data for tag, data in self.texts if data and (tag in tags if tags else tag not in ("script", "style"))
        )


def check_alone(page, links=()):
    """A page refers to nothing but what it holds, to what is beside it by the links named, and runs one script."""
    found = [values[name] for _, values in page.elements for name in REFERENCES if name in values]
    assert [reference for reference in found if not reference.startswith("data:")] == list(links)
    assert not [name for _, values in page.elements for name in values if name.startswith("on")]
    assert len(page.all("script")) == 1
    assert "url(" not in page.text("style")
    assert "@import" not in page.text("style")
    policy = next(values["content"] for values in page.all("meta") if "http-equiv" in values)
    assert policy.startswith("default-src 'none'")
    assert not page.open


def check_readable(page):
    """What a screen reader needs: a language, headings in order, an alternative for each picture, labelled inputs."""
    assert page.all("html")[0]["lang"] == "en"
    levels = [int(tag[1]) for tag, _ in page.elements if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit()]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert all(image["alt"] for image in page.all("img"))
    labelled = {label.get("for") for label in page.all("label")}
    assert all(slider["id"] in labelled for slider in page.all("input") if slider["type"] == "range")
    identities = [values["id"] for _, values in page.elements if "id" in values]
    assert len(identities) == len(set(identities))


def slide(driver, compare):
    """Move a slider by its keys and by the mouse; what lies over the result must follow."""
    from selenium.webdriver import ActionChains, Keys

    slider, over = compare.find_element("css selector", "input"), compare.find_element("css selector", ".over")

    def clip():
        return float(re.fullmatch(r"inset\(0px ([\d.]+)% 0px 0px\)", over.value_of_css_property("clip-path"))[1])

    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", compare)
    assert (slider.get_property("value"), clip()) == ("50", 50)
    slider.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert (slider.get_property("value"), clip()) == ("52", 48)
    assert slider.get_attribute("aria-valuetext") == "52 % photo, 48 % result"
    slider.send_keys(Keys.HOME)
    assert clip() == 100
    frame = compare.find_element("css selector", ".frame")
    width = frame.size["width"]
    ActionChains(driver, duration=0).move_to_element_with_offset(frame, round(0.2 * width), 5).click().perform()
    assert clip() == pytest.approx(30, abs=2)
    ActionChains(driver, duration=0).click_and_hold().move_by_offset(round(-0.5 * width), 5).release().perform()
    assert clip() == pytest.approx(80, abs=2)
    line = compare.find_element("css selector", ".line")
    assert line.location["x"] - frame.location["x"] == pytest.approx(0.2 * width, abs=0.02 * width)


def read_costs(driver):
    """Read a chart at its ends, by the keys and under the mouse; return what its box tells of the last step."""
    from selenium.webdriver import ActionChains, Keys

    plot, slider = (driver.find_element("css selector", f".costs .{name}") for name in ("plot", "reader"))

    def told():
        box = driver.find_element("css selector", ".costs .reading")
        return box.text.splitlines() if box.is_displayed() else None

    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", plot)
    assert told() is None
    driver.execute_script("arguments[0].focus({focusVisible: true})", slider)
    slider.send_keys(Keys.END)
    last = told()
    words = slider.get_attribute("aria-valuetext")
    assert words == f"{last[0].lower()}: " + ", ".join(" ".join(last[k : k + 2]) for k in range(1, len(last), 2))
    slider.send_keys(Keys.HOME)
    assert told()[0].startswith("Step 1, ")
    assert slider.get_attribute("aria-valuetext").startswith("step 1, ")
    slider.send_keys(Keys.ARROW_RIGHT)
    assert told()[0].startswith("Step 2, ")
    driver.execute_script("arguments[0].blur()", slider)
    assert told() is None
    across = round(plot.size["width"] / 2)
    ActionChains(driver, duration=0).move_to_element_with_offset(plot, across - 2, 0).perform()
    assert told() == last
    box = driver.find_element("css selector", ".costs .reading").rect
    assert plot.location["x"] <= box["x"] and box["x"] + box["width"] <= plot.location["x"] + plot.size["width"]
    ActionChains(driver, duration=0).move_to_element_with_offset(plot, 2 - across, 0).perform()
    assert told()[0].startswith("Step 1, ")
    cursor = driver.find_element("css selector", ".costs .mark line")
    assert cursor.rect["x"] == pytest.approx(plot.location["x"], abs=2)
    ActionChains(driver, duration=0).move_to_element_with_offset(plot, 0, -plot.size["height"]).perform()
    assert told() is None
    return last


def look_large(driver, opener):
    """Open the large view, go on and back by keys and buttons, and close it; return the caption of each picture.

    A picture is opened by its button; after Escape the focus is on the button of the picture that was shown last.
    """
    from selenium.webdriver import Keys

    def part(name):
        return driver.find_element("css selector", f"dialog.large {name}")

    def focused():
        return driver.switch_to.active_element

    def press(*keys):
        focused().send_keys(*keys)

    view = driver.find_element("css selector", "dialog.large")
    assert not view.is_displayed()
    driver.execute_script("arguments[0].focus({focusVisible: true})", opener)
    press(Keys.ENTER)
    assert view.is_displayed()
    assert driver.execute_script("return arguments[0].matches(':modal')", view)
    count = int(part(".count").text.split()[-1])
    names = []
    for _ in range(count):
        names.append(part("#large-caption").text)
        check_picture_fills(driver, part(".stage img"))
        assert part(".stage img").get_attribute("alt")
        press(Keys.ARROW_RIGHT)
    assert part("#large-caption").text == names[0] == opener.get_attribute("data-caption")
    press(Keys.ARROW_LEFT)
    assert part("#large-caption").text == names[-1]
    part(".after").click()
    part(".after").click()
    assert part("#large-caption").text == names[1]
    part(".before").click()
    press(Keys.ARROW_RIGHT, Keys.ESCAPE)
    for _ in range(200):  # Chromium closes a dialogue in its own time.
        if focused().get_attribute("data-caption") == names[1]:
            break
        time.sleep(0.01)
    assert focused().get_attribute("data-caption") == names[1]
    assert not view.is_displayed()
    driver.execute_script("arguments[0].click()", opener)
    part(".close").click()
    assert not view.is_displayed()
    return names


def check_picture_fills(driver, picture):
    """A picture of the large view is drawn as large as the window allows beside what surrounds it."""
    wide, high = driver.execute_script("return [window.innerWidth, window.innerHeight]")
    assert picture.size["width"] >= 0.8 * wide
    assert picture.size["height"] >= 0.65 * high


def check_seen(driver):
    """All pictures are there, nothing sticks out at the side, and no name has opened a dialogue."""
    from selenium.common.exceptions import NoAlertPresentException

    with pytest.raises(NoAlertPresentException):
        driver.switch_to.alert  # noqa: B018
    widths = driver.execute_async_script(
        "const [done] = arguments, all = [...document.images];"
        "Promise.all(all.map((image) => image.decode())).then(() => done(all.map((image) => image.naturalWidth)))"
    )
    assert widths
    assert min(widths) > 0
    wide, window = driver.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= window


def ask(port, path="/", method="GET", host=None, **headers):
    """Return the status, the headers by name and the payload of a server's answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.putrequest(method, path, skip_host=True)
        for name in [f"127.0.0.1:{port}"] if host is None else [host] if isinstance(host, str) else host:
            connection.putheader("Host", name)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def state_of(port, after=-1):
    return json.loads(ask(port, f"/state.json?after={after}" if after >= 0 else "/state.json")[2])


def steps_of(scales=((32, 24, 8), (64, 48, 4))):
    sizes = [(height, width) for width, height, count in scales for _ in range(count)]
    return [
        Step(number, size, {"total": 3 / number, "content": 1.0, "style": 2 / number}, seconds=0.5 * number)
        for number, size in enumerate(sizes, start=1)
    ]


def step_of(number):
    """Return a step of a run with one scale."""
    return Step(number, (40, 56), {"total": 1.0 / number, "content": 0.5, "style": 0.5}, seconds=number)


def picture_of(source):
    """Return the picture in a data URI."""
    kind, _, data = source.partition(",")
    assert kind == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(data, validate=True)))
