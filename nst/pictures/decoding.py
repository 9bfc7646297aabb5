"""Decoding: a picture file of any format and mode as sRGB and alpha, float32 in [0, 1]; any failure as a UserError."""

import io
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile

from nst.errors import UserError
from nst.pictures.color_profiles import changes_rgb, grey_to_srgb, lab_to_srgb, to_srgb
from nst.pictures.encodings import bmp_profile, decoded_to_srgb, encoding_of
from nst.pictures.formats import is_raw_name, raw_reader
from nst.pictures.metadata import Dpi, dpi_of, kept_exif
from nst.pictures.opening import (
    bytes_of,
    fit_memory,
    full_frame,
    hdr_curve,
    opened,
    refuse_misread,
    turn_upright,
    with_end,
)
from nst.pictures.sixteen_bit import decode_byte

GREY_MODES = ("1", "L", "LA", "La")  # The modes of Pillow for grey of 8 bits or less.
PHOTOMETRIC, WHITE_IS_ZERO = 262, 0  # A tag of TIFF, and its value for grey that counts from white.
COLOR_MAP = 320  # A tag of TIFF.


class Decoded(NamedTuple):
    """A decoded picture, turned upright.

    image  sRGB [height, width, 3]; colours where alpha is 0 are as they are in the file
    alpha  [height, width], or None
    dpi    the resolution (across, down), or None
    exif   the EXIF that stays true of a redrawn picture, or None
    notes  what the user should know of how the file was read
    """

    image: np.ndarray
    alpha: np.ndarray | None = None
    dpi: Dpi | None = None
    exif: bytes | None = None
    notes: tuple[str, ...] = ()


def decode(path: Path, payload: bytes | None = None, *, at_least_px: int = 0, most_mb: float = 0) -> Decoded:
    """Return the first full picture of a file. Raises UserError, before any pixel is read where memory is too little.

    payload      the bytes of the file, if they are read already; the path is then only named in errors
    at_least_px  the size that the shorter side needs, if not 0; a JPEG is then decoded at a reduced size, quickly
    most_mb      the most megabytes to take; 0 for what is free
    """
    payload = bytes_of(path) if payload is None else payload
    if is_raw_name(path):
        return _from_raw(path, payload)
    payload, notes = with_end(path, payload)
    with opened(path, payload) as picture:
        frame = full_frame(path, picture, notes)
        refuse_misread(path, picture, payload)
        if at_least_px:
            picture.draft(None, (at_least_px, at_least_px))
        fit_memory(path, picture, len(payload), most_mb, notes)
        if min(picture.size) == 0:
            raise UserError(f"{path}: has no pixels ({picture.width}x{picture.height})")
        low_bytes = _low_bytes(path, payload, frame) if decode_byte(picture, low=False) else None
        _mend_transparent_grey(picture)
        _mend_color_map(picture)
        turn_upright(picture)
        colors, alpha = (picture, None) if low_bytes else _split(picture)
        info, dpi, exif = dict(picture.info), dpi_of(picture), kept_exif(picture)
        if picture.format == "BMP":
            info["icc_profile"] = bmp_profile(payload)
        inverted = getattr(picture, "tag_v2", {}).get(PHOTOMETRIC) == WHITE_IS_ZERO
        encoding = encoding_of(picture)
        if curve := hdr_curve(picture.format, payload):
            notes.append(f"{path}: is in HDR ({curve}), which is read as if it were not: colours may look flat")
    opacity: np.ndarray | None
    if low_bytes:
        image, opacity = _from_both_bytes(colors, low_bytes, info)
    elif colors.mode.startswith(("I", "F")):
        image, opacity = _from_numbers(path, colors, info, inverted=inverted)
    else:
        srgb = lab_to_srgb(colors) if colors.mode == "LAB" else to_srgb(colors, info.get("icc_profile"))
        image, opacity = _scaled(srgb), None if alpha is None else _scaled(alpha)
    if encoding and not info.get("icc_profile"):
        image = decoded_to_srgb(image, encoding)
    return Decoded(image, opacity, dpi, exif, tuple(notes))


def _from_raw(path: Path, payload: bytes) -> Decoded:
    """Return the picture of a camera's raw file, developed as the camera would. Raises UserError."""
    rawpy: Any = raw_reader()
    if rawpy is None:
        raise UserError(f"{path}: is a camera's raw file; to read it: pip install rawpy")
    try:
        with rawpy.imread(io.BytesIO(payload)) as raw:
            levels = raw.postprocess(use_camera_wb=True, output_bps=16)
    except Exception as error:  # of LibRaw
        raise UserError(f"{path}: cannot be read, damaged or cut short: {error}") from error
    return Decoded(_unit(levels, 65535))


def _low_bytes(path: Path, payload: bytes, frame: int) -> Image.Image:
    """Return a picture of the lower bytes of 16-bit colours, turned upright."""
    with opened(path, payload) as picture:
        picture.seek(frame)
        decode_byte(picture, low=True)
        turn_upright(picture)
        return picture


def _mend_color_map(picture: ImageFile) -> None:
    """Take the colour map of a TIFF as it is meant where its numbers are of 8 bits: Pillow reads the upper 8 of 16."""
    colors = getattr(picture, "tag_v2", {}).get(COLOR_MAP)
    if picture.mode == "P" and colors and max(colors) < 256 and picture.palette:
        count = len(colors) // 3
        levels = np.array(colors, np.uint8).reshape(3, count).T
        picture.load()
        picture.putpalette(levels.tobytes())


def _mend_transparent_grey(picture: ImageFile) -> None:
    """Scale the transparent grey of a PNG of 2 or 4 bits to 8 bits: Pillow scales only the pixels."""
    factor = {"L;2": 85, "L;4": 17}.get(str(picture.tile[0][3])) if picture.format == "PNG" and picture.tile else None
    if factor and isinstance(picture.info.get("transparency"), int):
        picture.info["transparency"] *= factor


def _split(picture: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Return the colours in a mode for which colour profiles exist, or as numbers, and the alpha if there is one."""
    if picture.mode.startswith(("I", "F")) or picture.mode in ("CMYK", "LAB"):
        return picture, None
    grey = picture.mode in GREY_MODES
    if not picture.has_transparency_data:
        wanted = "L" if grey else "RGB"
        return picture if picture.mode == wanted else picture.convert(wanted), None
    rgba = (picture.convert("LA") if picture.mode == "La" else picture).convert("RGBA")
    rgb = rgba.convert("RGB")
    return rgb.convert("L") if grey else rgb, rgba.getchannel("A")


def _from_both_bytes(high: Image.Image, low: Image.Image, info: dict[Any, Any]) -> tuple[np.ndarray, np.ndarray | None]:
    """Return RGB and alpha from the high and low bytes of 16-bit channels.

    Colours with a profile other than that of sRGB keep 8 bits: Pillow converts no more.
    """
    levels = np.asarray(high).astype(np.uint16) << 8 | np.asarray(low)
    alpha = _unit(levels[..., 3], 65535) if levels.shape[-1] == 4 else None
    transparent = info.get("transparency")
    if alpha is None and isinstance(transparent, tuple):
        alpha = (levels != np.array(transparent)).any(axis=-1).astype(np.float32)
    image = _unit(levels[..., :3], 65535)
    if changes_rgb(info.get("icc_profile")):
        image = _scaled(to_srgb(Image.fromarray(np.rint(image * 255).astype(np.uint8)), info["icc_profile"]))
    return image, alpha


def _from_numbers(
    path: Path, picture: Image.Image, info: dict[Any, Any], *, inverted: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return RGB and alpha from grey of more than 8 bits: integers of 16 bits, or floats in [0, 1].

    inverted  whether the numbers count from white
    """
    numbers = np.asarray(picture)
    grey = numbers if picture.mode == "F" else _unit(numbers, 65535)
    if not (np.isfinite(grey).all() and grey.min() >= 0 and grey.max() <= 1):
        raise UserError(f"{path}: grey values outside 16 bits or [0, 1]; save it with 8 or 16 bits a channel")
    transparent = info.get("transparency")
    alpha = (numbers != transparent).astype(np.float32) if isinstance(transparent, int) else None
    grey = grey_to_srgb(1 - grey if inverted else grey, info.get("icc_profile"))
    return np.repeat(grey[..., None], 3, axis=-1), alpha


def _scaled(picture: Image.Image) -> np.ndarray:
    """Return a picture of 8 bits as numbers in [0, 1]."""
    return _unit(np.asarray(picture), 255)


def _unit(levels: np.ndarray, most: int) -> np.ndarray:
    """Return whole numbers as float32 in which `most` is 1, without a copy between."""
    values = levels.astype(np.float32)
    values /= most
    return values
