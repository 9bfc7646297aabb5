"""Colours that a file describes without a profile: PNG's gamma, EXIF's mark of Adobe RGB; and the profile in a BMP."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import ImageFile
from PIL.ExifTags import IFD, Base

Point = tuple[float, float]
Chromaticities = tuple[Point, Point, Point, Point]  # Of white, red, green and blue.
SRGB: Chromaticities = ((0.3127, 0.3290), (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
ADOBE_RGB: Chromaticities = ((0.3127, 0.3290), (0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
ADOBE_GAMMA = 2.19921875
INTEROPERABILITY, ADOBE_MARK = 1, "R03"  # A tag of EXIF, and its value for Adobe RGB.
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
NEAR = 0.02  # The greatest difference of a gamma or a chromaticity that is taken for rounding.


class Encoding(NamedTuple):
    """How numbers encode light: light = number ** gamma, of primaries with these chromaticities."""

    gamma: float
    chromaticities: Chromaticities


def encoding_of(picture: ImageFile.ImageFile) -> Encoding | None:
    """Return the encoding that a file tells, or None for that of sRGB. A file with a profile has no need of it."""
    info = picture.info
    if picture.format == "PNG" and info.get("gamma") and "srgb" not in info:
        told = info.get("chromaticity")
        chromaticities = tuple(zip(told[::2], told[1::2], strict=True)) if told and all(told) else SRGB
        found = Encoding(1 / info["gamma"], chromaticities)  # type: ignore[arg-type]
        known = np.allclose(found.chromaticities, SRGB, atol=NEAR) and abs(info["gamma"] - 1 / 2.2) < NEAR
        return None if known or not 0.01 < info["gamma"] < 10 else found
    if picture.format in ("JPEG", "MPO", "TIFF"):
        try:
            mark = picture.getexif().get_ifd(IFD.Interop).get(INTEROPERABILITY)
            space = picture.getexif().get_ifd(IFD.Exif).get(Base.ColorSpace)
        except Exception:  # Pillow parses EXIF without checks.
            return None
        if str(mark or "").startswith(ADOBE_MARK) and space != 1:
            return Encoding(ADOBE_GAMMA, ADOBE_RGB)
    return None


def decoded_to_srgb(image: np.ndarray, encoding: Encoding) -> np.ndarray:
    """Return an image [height, width, 3] of an encoding in sRGB. Light beyond sRGB is clipped, as viewers do."""
    light = np.power(np.clip(image, 0, 1), encoding.gamma)
    if encoding.chromaticities != SRGB:
        light = light @ _to_srgb_primaries(encoding.chromaticities).T.astype(np.float32)
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.power(light, 1 / 2.4) - 0.055).astype(np.float32)


def bmp_profile(payload: bytes) -> bytes | None:
    """Return the colour profile in a BMP, or None. It has one in the header of version 5 alone."""
    header = payload[14:]
    if int.from_bytes(header[:4], "little") < 124 or header[56:60] != b"DEBM":  # MBED, in little-endian order
        return None
    start, length = (int.from_bytes(header[place : place + 4], "little") for place in (112, 116))
    return header[start : start + length] or None


def _to_srgb_primaries(chromaticities: Chromaticities) -> np.ndarray:
    """Return the matrix [3, 3] from light of some primaries to that of sRGB's, their whites brought together."""
    (white, *_), (srgb_white, *_) = chromaticities, SRGB
    ours, theirs = (BRADFORD @ _xyz(point) for point in (srgb_white, white))
    adapt = np.linalg.inv(BRADFORD) @ np.diag(ours / theirs) @ BRADFORD
    return np.linalg.inv(_to_xyz(SRGB)) @ adapt @ _to_xyz(chromaticities)


def _to_xyz(chromaticities: Chromaticities) -> np.ndarray:
    """Return the matrix [3, 3] from light of primaries to CIE XYZ."""
    white, *primaries = (_xyz(point) for point in chromaticities)
    columns = np.stack(primaries, axis=1)
    return columns * np.linalg.solve(columns, white)


def _xyz(point: Point) -> np.ndarray:
    x, y = point
    return np.array([x / y, 1.0, (1 - x - y) / y])
