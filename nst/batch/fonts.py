"""Fonts for the labels of a contact sheet: one of this machine that has the letters of a text."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from PIL import ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

WIDE_FONTS = (  # Fonts of many scripts, as Linux, macOS and Windows have them. Pillow looks for them in their folders.
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "NotoSansCJK-Regular.ttc",
    "NotoSansArabic-Regular.ttf",
    "NotoSansHebrew-Regular.ttf",
    "NotoSansThai-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "DroidSansFallbackFull.ttf",
    "wqy-zenhei.ttc",
    "unifont.ttf",
    "Arial Unicode.ttf",
    "Hiragino Sans GB.ttc",
    "AppleSDGothicNeo.ttc",
    "segoeui.ttf",
    "msyh.ttc",
    "YuGothM.ttc",
    "malgun.ttf",
    "Nirmala.ttf",
)
NO_LETTER = "\U0010ffff"  # No font has it: its picture is the one for letters that a font lacks.


def font_for(text: str, size_px: int) -> Font:
    """Return the first font that has all letters of a text, or the one that lacks the fewest."""
    fonts = _fonts(size_px)
    return min(fonts, key=lambda font: _lacking(font, text)) if _lacking(fonts[0], text) else fonts[0]


@cache
def _fonts(size_px: int) -> tuple[Font, ...]:
    """Return Pillow's own font, which has Latin letters, and the wide fonts of this machine."""
    return (ImageFont.load_default(size_px), *_installed(size_px))


def _installed(size_px: int) -> Iterator[Font]:
    for name in WIDE_FONTS:
        try:
            yield ImageFont.truetype(name, size_px)
        except OSError:
            continue


def _lacking(font: Font, text: str) -> int:
    """Return the number of letters that a font lacks."""
    missing = bytes(font.getmask(NO_LETTER))
    return sum(bytes(font.getmask(letter)) == missing for letter in set(text) if not letter.isspace())
