"""What a picture file says besides its pixels: resolution, the EXIF worth keeping, a comment of the program's own."""

import math
import zlib
from collections.abc import Iterator
from typing import Any

from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.TiffImagePlugin import IFDRational

Dpi = tuple[float, float]

COMMENT_KEY = "neural_art"  # in a PNG; the other formats have one place for a comment, without a key
OF_THE_FILE = (Base.Make, Base.Model, Base.DateTime, Base.Artist, Base.Copyright)
OF_THE_SHOT = (
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
LONGEST_VALUE = 1000
ICC_PROFILE = 34675
INCH, CENTIMETRE = 2, 3  # units of resolution
INCH_M = 0.0254
LARGEST_DPI = 65_535  # what JPEG holds
LARGEST_SEGMENT = 65_533  # of a JPEG, in bytes


def dpi_of(picture: Image.Image) -> Dpi | None:
    """Return the resolution (across, down) that the file gives in dots per inch, or None."""
    given = picture.info.get("dpi")
    if given is None:
        exif = _exif_of(picture)
        per_cm = exif.get(Base.ResolutionUnit) == CENTIMETRE
        given = [_number(exif.get(tag)) * (2.54 if per_cm else 1) for tag in (Base.XResolution, Base.YResolution)]
    across, down = (_number(value) for value in given)
    # 1 is what Pillow says where a TIFF says nothing.
    return (across, down) if all(1 < value <= LARGEST_DPI for value in (across, down)) else None


def kept_exif(picture: Image.Image) -> bytes | None:
    """Return the EXIF that stays true of a redrawn picture, or None: camera, date, exposure, author, copyright.

    Orientation is left out, since pictures are turned upright when read; so are what may be private or is meant for the
    old pixels: place, serial numbers, thumbnail, the maker's notes. EXIF that is damaged is left out as a whole.
    """
    try:
        found, kept = _exif_of(picture), Image.Exif()
        kept.update(_sound(found, OF_THE_FILE))
        shot = dict(_sound(found.get_ifd(IFD.Exif), OF_THE_SHOT))
        if shot:
            kept[IFD.Exif] = shot
        return kept.tobytes() if kept else None
    except Exception:  # Pillow parses EXIF without checks: struct.error, TypeError, KeyError, ...
        return None


def exif_with(exif: bytes | None, dpi: Dpi | None, comment: str | None) -> Image.Exif:
    """Return `exif` with the resolution, and with the comment as the picture's description, in UTF-8."""
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
    """Return the tags with which a TIFF says all this."""
    return {**exif_with(exif, dpi, comment), ICC_PROFILE: profile}


def png_chunks(profile: bytes, exif: bytes | None, dpi: Dpi | None, comment: str | None) -> list[tuple[bytes, bytes]]:
    """Return the chunks with which a PNG says all this."""
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
    """Return the comment in as many COM segments as it takes."""
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
    """Return the file's EXIF, empty where it cannot be read."""
    try:
        return picture.getexif()
    except Exception:  # as above
        return Image.Exif()


def _sound(found: Any, tags: tuple[Base, ...]) -> Iterator[tuple[int, Any]]:
    """Yield the tags that are there with a short text or a finite number."""
    for tag in tags:
        value = found.get(tag)
        if isinstance(value, str) and 0 < len(value) <= LONGEST_VALUE:
            yield int(tag), _writable(tag, value.rstrip("\0 "))
        elif isinstance(value, int | float | IFDRational) and math.isfinite(_number(value)):
            yield int(tag), value


def _writable(tag: int, value: Any) -> Any:
    """Return text as the bytes it came from: Pillow reads latin-1, writes ASCII, and takes bytes in TIFF's own tags."""
    plain = not isinstance(value, str) or value.isascii() or tag not in OF_THE_FILE
    return value if plain else value.encode("latin-1", "replace")


def _number(value: Any) -> float:
    """Return a number of EXIF as float, NaN for what is none, also 1/0."""
    try:
        return float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return math.nan
