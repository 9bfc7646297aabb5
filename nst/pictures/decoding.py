"""Decoding: a picture file of any format and mode as sRGB and alpha, float32 in [0, 1]; any failure as a UserError."""

import functools
import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from nst.errors import UserError
from nst.pictures.color_profiles import changes_rgb, grey_to_srgb, lab_to_srgb, to_srgb
from nst.pictures.metadata import Dpi, dpi_of, kept_exif
from nst.pictures.sixteen_bit import decode_byte
from nst.system.streams import silenced

# The formats that are read, a part of those that Pillow knows. Pillow gives EPS files to Ghostscript, another program,
# and takes rare formats for one another.
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF", "JPEG2000", "BMP", "DIB", "ICO", "PPM", "TGA", "PSD", "DDS",
           "QOI", "PCX", "SGI")  # fmt: skip
USUAL_FORMATS = "JPEG, PNG, WebP, TIFF, BMP or GIF"  # The formats that errors advise.
GREY_MODES = ("1", "L", "LA", "La")  # The modes of Pillow for grey of 8 bits or less.
PHOTOMETRIC, WHITE_IS_ZERO = 262, 0  # A tag of TIFF, and its value for grey that counts from white.


@functools.cache
def readable_suffixes() -> frozenset[str]:
    """Return the suffixes of the formats that are read, in lower case and with the dot."""
    Image.init()
    return frozenset(suffix for suffix, name in Image.registered_extensions().items() if name in FORMATS)


def is_readable_name(path: Path) -> bool:
    """Return whether the suffix of a file is one of a format that is read."""
    return path.suffix.lower() in readable_suffixes()


class Decoded(NamedTuple):
    """A decoded picture, turned upright.

    image  sRGB [height, width, 3]; colours where alpha is 0 are as they are in the file
    alpha  [height, width], or None
    dpi    the resolution (across, down), or None
    exif   the EXIF that stays true of a redrawn picture, or None
    """

    image: np.ndarray
    alpha: np.ndarray | None
    dpi: Dpi | None
    exif: bytes | None


def decode(path: Path, payload: bytes | None = None, *, at_least_px: int = 0) -> Decoded:
    """Return the first frame of a picture file. Raises UserError.

    payload      the bytes of the file, if they are read already; the path is then only named in errors
    at_least_px  the size that the shorter side needs, if not 0; a JPEG is then decoded at a reduced size, quickly
    """
    with opened(path, payload) as picture:
        if at_least_px:
            picture.draft(None, (at_least_px, at_least_px))
        if min(picture.size) == 0:
            raise UserError(f"{path}: has no pixels ({picture.width}x{picture.height})")
        low_bytes = _low_bytes(path, payload) if decode_byte(picture, low=False) else None
        _mend_transparent_grey(picture)
        ImageOps.exif_transpose(picture, in_place=True)
        colors, alpha = (picture, None) if low_bytes else _split(picture)
        info, dpi, exif = dict(picture.info), dpi_of(picture), kept_exif(picture)
        inverted = getattr(picture, "tag_v2", {}).get(PHOTOMETRIC) == WHITE_IS_ZERO
    if low_bytes:
        return Decoded(*_from_both_bytes(colors, low_bytes, info), dpi, exif)
    if colors.mode.startswith(("I", "F")):
        return Decoded(*_from_numbers(path, colors, info, inverted=inverted), dpi, exif)
    srgb = lab_to_srgb(colors) if colors.mode == "LAB" else to_srgb(colors, info.get("icc_profile"))
    return Decoded(_scaled(srgb), None if alpha is None else _scaled(alpha), dpi, exif)


@contextmanager
def opened(path: Path, payload: bytes | None = None) -> Iterator[ImageFile]:
    """Yield a picture file opened, not yet decoded. Every error of Pillow's decoders becomes a UserError.

    payload  the bytes of the file, if they are read already; the path is then only named in errors
    """
    Image.init()
    logging.getLogger("PIL").setLevel(logging.CRITICAL)  # Pillow logs the errors that it raises.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            if payload is None:
                _check_file(path)
            # Pillow gets a file, not a path: it maps a path into memory, and Pillow 13.0 then misreads a rotated TIFF.
            with (
                path.open("rb") if payload is None else io.BytesIO(payload) as file,
                Image.open(file, formats=[name for name in FORMATS if name in Image.OPEN]) as picture,
                silenced(verbose=picture.format != "TIFF"),  # libtiff prints the errors that Pillow raises.
            ):
                yield picture
        except UserError:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            limit = Image.MAX_IMAGE_PIXELS
            raise UserError(f"{path}: is absurdly large; at most {limit:,} pixels are read") from error
        except UnidentifiedImageError as error:
            empty = (path.stat().st_size if payload is None else len(payload)) == 0
            what = "is empty" if empty else "is not a picture that Pillow knows"
            raise UserError(f"{path}: {what}; give a {USUAL_FORMATS} file") from error
        except PermissionError as error:
            raise UserError(f"{path}: may not be read; change its permissions") from error
        except Exception as error:  # OSError, SyntaxError, struct.error, IndexError, ... depending on the decoder
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise UserError(f"{path}: cannot be read, damaged or cut short: {reason}") from error


def _check_file(path: Path) -> None:
    """Raise UserError unless a path is that of an ordinary file."""
    if not path.exists():
        raise UserError(f"{path}: no such file")
    if path.is_dir():
        raise UserError(f"{path}: is a folder; name a picture in it")
    if not path.is_file():  # Reading a pipe may never end.
        raise UserError(f"{path}: is no ordinary file; name a picture")


def _low_bytes(path: Path, payload: bytes | None) -> Image.Image:
    """Return a picture of the lower bytes of 16-bit colours, turned upright."""
    with opened(path, payload) as picture:
        decode_byte(picture, low=True)
        ImageOps.exif_transpose(picture, in_place=True)
        return picture


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
