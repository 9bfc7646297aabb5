"""What all pages have in common: words for times and settings, readable text, colours, the template engine."""

import re

import numpy as np
import pytest
from pages import picture_of

from nst.errors import UserError
from nst.report.pages import TEMPLATES, check_engine, duration, embedded, readable, relative_link


def test_without_jinja_the_command_says_so_before_the_work(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"Jinja2; pip install -r requirements\.txt, or give --no-report"):
        check_engine()


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.04, "0.0 s"), (9.94, "9.9 s"), (17.2, "17 s"), (192, "3 min 12 s"), (3661, "1 h 1 min")]
)
def test_times_in_words(seconds, words):
    assert duration(seconds) == words


def test_characters_that_a_page_cannot_hold_are_replaced():
    assert readable("a\x1b[31m\udcff ü猫") == "a\ufffd[31m\ufffd ü猫"
    assert readable(7) == 7


def test_an_embedded_picture_is_reduced_and_never_enlarged(content):
    small = embedded("a cat", content, 28, name="cat.png")
    assert (small.alt, small.name, small.width, small.height) == ("a cat", "cat.png", 28, 20)
    assert picture_of(small.source).size == (28, 20)
    large, rough = embedded("", content, 999), embedded("", content, 999, rough=True)
    assert (large.width, large.height) == (56, 40)
    assert np.abs(np.asarray(picture_of(large.source), float) - 255 * content).mean() < 3
    assert len(rough.source) < len(large.source)


def test_a_link_is_relative_and_only_to_a_file_that_is_there(tmp_path):
    (tmp_path / "a b").mkdir()
    (tmp_path / "100%?#.png").touch()
    assert relative_link(tmp_path / "100%?#.png", tmp_path / "a b") == "../100%25%3F%23.png"
    assert relative_link(tmp_path / "100%?#.png", tmp_path) == "100%25%3F%23.png"
    assert relative_link(tmp_path / "gone.png", tmp_path) == ""
    assert relative_link(tmp_path / "a b", tmp_path) == ""


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
