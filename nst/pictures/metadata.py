"""Metadata of picture files: resolution, the part of EXIF that is kept, and a comment written by this program."""

import math
import zlib
from collections.abc import Iterator
from typing import Any

from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.TiffImagePlugin import IFDRational

Dpi = tuple[float, float]

COMMENT_KEY = "neural_art"  # The key of the comment in a PNG. Other formats have one place for a comment, without key.
# The EXIF tags that are kept, of the file and of the shot.
FILE_TAGS = (Base.Make, Base.Model, Base.DateTime, Base.Artist, Base.Copyright)
SHOT_TAGS = (
    Base.DateTimeOriginal,
    Base.DateTimeDigitized,
    Base.OffsetTime,
    Base.OffsetTimeOriginal,
    Base.ExposureTime,
    Base.FNumber,
    Base.ISOSpeedRatings,
    Base.FocalLength,
    Base.LensMake,
    Base.LensModel,
)
LONGEST_VALUE = 1000  # The most characters of a text in EXIF that is kept.
ICC_PROFILE = 34675  # The tag of TIFF for a colour profile.
INCH, CENTIMETRE = 2, 3  # The numbers of EXIF for the units of a resolution.
INCH_M = 0.0254
LARGEST_DPI = 65_535  # The largest resolution in a JPEG.
LARGEST_SEGMENT = 65_533  # The most bytes in a segment of a JPEG.


def dpi_of(picture: Image.Image) -> Dpi | None:
    """Return the resolution (across, down) of a picture file in dots per inch, or None."""
    given = picture.info.get("dpi")
    if given is None:
        exif = _exif_of(picture)
        per_cm = exif.get(Base.ResolutionUnit) == CENTIMETRE
        given = [_number(exif.get(tag)) * (2.54 if per_cm else 1) for tag in (Base.XResolution, Base.YResolution)]
    across, down = (_number(value) for value in given)
    # Pillow gives 1 for a TIFF without a resolution.
    return (across, down) if all(1 < value <= LARGEST_DPI for value in (across, down)) else None


def kept_exif(picture: Image.Image) -> bytes | None:
    """Return the EXIF that stays true of a redrawn picture, or None: camera, date, exposure, author, copyright.

    The orientation is left out, since pictures are turned upright when they are read. Private data (place, serial
    numbers, the maker's notes) and the thumbnail of the old pixels are left out too, and all of a damaged EXIF.
    """
    try:
        found, kept = _exif_of(picture), Image.Exif()
        kept.update(_sound(found, FILE_TAGS))
        shot = dict(_sound(found.get_ifd(IFD.Exif), SHOT_TAGS))
        if shot:
            kept[IFD.Exif] = shot
        return kept.tobytes() if kept else None
    except Exception:  # struct.error, TypeError, KeyError, ...: Pillow parses EXIF without checks.
        return None


def exif_with(exif: bytes | None, dpi: Dpi | None, comment: str | None) -> Image.Exif:
    """Return EXIF with a resolution, and with a comment as the description of the picture, in UTF-8."""
    result = Image.Exif()
    if exif:
        result.load(exif)
        result.update({tag: _writable(tag, value) for tag, value in result.items()})
        shot = result.get_ifd(IFD.Exif)
        if shot:
            result[IFD.Exif] = dict(shot)
    if dpi:
        result[Base.XResolution], result[Base.YResolution], result[Base.ResolutionUnit] = *map(float, dpi), INCH
    if comment is not None:
        result[Base.ImageDescription] = comment.encode()
    return result


def tiff_tags(profile: bytes, exif: bytes | None, dpi: Dpi | None, comment: str | None) -> dict[int, Any]:
    """Return the tags of a TIFF for a colour profile, EXIF, a resolution and a comment."""
    return {**exif_with(exif, dpi, comment), ICC_PROFILE: profile}


def png_chunks(profile: bytes, exif: bytes | None, dpi: Dpi | None, comment: str | None) -> list[tuple[bytes, bytes]]:
    """Return the chunks (kind, data) of a PNG for a colour profile, EXIF, a resolution and a comment."""
    chunks = [(b"iCCP", b"sRGB\0\0" + zlib.compress(profile))]
    if dpi:
        per_metre = [round(value / INCH_M).to_bytes(4, "big") for value in dpi]
        chunks.append((b"pHYs", b"".join(per_metre) + b"\1"))
    if exif:
        chunks.append((b"eXIf", exif.removeprefix(b"Exif\0\0")))
    if comment is not None:
        chunks.append((b"iTXt", COMMENT_KEY.encode() + b"\0\0\0\0\0" + comment.encode()))
    return chunks


def jpeg_comment(comment: str) -> bytes:
    """Return a comment as COM segments of a JPEG, as many as are needed."""
    data = comment.encode()
    parts = [data[start : start + LARGEST_SEGMENT] for start in range(0, len(data), LARGEST_SEGMENT)]
    return b"".join(b"\xff\xfe" + (len(part) + 2).to_bytes(2, "big") + part for part in parts)


def comment_of(picture: Image.Image) -> str | None:
    """Return the comment of an opened PNG, JPEG, WebP or TIFF, or None."""
    if picture.format == "PNG":
        text = picture.info.get(COMMENT_KEY)
        return None if text is None else str(text)
    if picture.format in ("JPEG", "MPO"):
        parts = [data for name, data in getattr(picture, "applist", []) if name == "COM"]
        return b"".join(parts).decode("utf-8", "replace") if parts else None
    text = _exif_of(picture).get(Base.ImageDescription)
    return text.encode("latin-1", "replace").decode("utf-8", "replace") if isinstance(text, str) else None


def _exif_of(picture: Image.Image) -> Image.Exif:
    """Return the EXIF of a picture, empty if it cannot be read."""
    try:
        return picture.getexif()
    except Exception:  # as in kept_exif
        return Image.Exif()


def _sound(found: Any, tags: tuple[Base, ...]) -> Iterator[tuple[int, Any]]:
    """Yield (tag, value) of the tags whose value is a short text or a finite number."""
    for tag in tags:
        value = found.get(tag)
        if isinstance(value, str) and 0 < len(value) <= LONGEST_VALUE:
            yield int(tag), _writable(tag, value.rstrip("\0 "))
        elif isinstance(value, int | float | IFDRational) and math.isfinite(_number(value)):
            yield int(tag), value


def _writable(tag: int, value: Any) -> Any:
    """Return a text as the bytes in its file: Pillow reads them as latin-1, but writes only ASCII or bytes.

    Only the tags of the file may hold bytes.
    """
    plain = not isinstance(value, str) or value.isascii() or tag not in FILE_TAGS
    return value if plain else value.encode("latin-1", "replace")


def _number(value: Any) -> float:
    """Return a number of EXIF as float; NaN for 1/0 and for anything that is no number."""
    try:
        return float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return math.nan
