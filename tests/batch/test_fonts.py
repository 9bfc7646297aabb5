"""The letters of a contact sheet's labels."""

from pathlib import Path

import pytest
from PIL import ImageFont

from nst.batch import fonts

matplotlib = pytest.importorskip("matplotlib")
DEJAVU = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")


@pytest.fixture
def of_this_machine(monkeypatch):
    """DejaVu Sans, which has Greek, is the only font that is installed."""
    fonts._fonts.cache_clear()
    monkeypatch.setattr(fonts, "WIDE_FONTS", ("none.ttf", str(DEJAVU)))
    yield
    fonts._fonts.cache_clear()


def test_a_font_is_taken_that_has_all_letters(of_this_machine):
    assert fonts.font_for("strength 0.5", 18).getname()[0] != "DejaVu Sans"
    greek = fonts.font_for("Φωτογραφία", 18)
    assert greek.getname()[0] == "DejaVu Sans"
    assert fonts._lacking(greek, "Φωτογραφία") == 0
    assert fonts._lacking(ImageFont.load_default(18), "Φωτογραφία") > 0


def test_letters_that_no_font_has_are_no_mistake(of_this_machine):
    assert fonts.font_for("\u4e2d\u6587", 18)
    assert fonts.font_for("", 18)
