"""Picture files: read, reduced for a preview, and written whole or not at all.

An image is float32 RGB [height, width, 3] in [0, 1], its colours those of sRGB; a size is (height, width).
"""

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from nst.errors import UserError, suggestion
from nst.pictures.color_profiles import srgb_profile
from nst.pictures.decoding import decode
from nst.pictures.metadata import COMMENT_KEY, Dpi, comment_of, exif_with, jpeg_comment, png_chunks, tiff_tags
from nst.pictures.opening import opened
from nst.pictures.resizing import Size, resize, size_with_long_side
from nst.pictures.sixteen_bit import write_png, write_tiff
from nst.pictures.transparency import composite_over_white, continue_colors
from nst.system.atomic_files import atomic_write
from nst.system.large_arrays import strips

# The formats that are written, by suffix.
WRITTEN_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF"}
DEEP_FORMATS = ("PNG", "TIFF")  # The written formats of 16 bits per channel.
ROUNDING = 1e-3  # The most by which rounding may lead out of [0, 1].
LARGEST_SIDE_PX = {"JPEG": 65_500, "WEBP": 16_383}  # The largest sides of the formats that have a limit.


@dataclass(frozen=True)
class Picture:
    """A picture read from a file.

    image  sRGB [height, width, 3]; where alpha is 0, the colours of the visible pixels continue
    alpha  [height, width], or None for an opaque picture
    dpi    the resolution (across, down), or None
    exif   the EXIF that stays true of a redrawn picture, or None
    notes  what the user should know of how the file was read
    """

    image: np.ndarray
    alpha: np.ndarray | None = None
    dpi: Dpi | None = None
    exif: bytes | None = None
    notes: tuple[str, ...] = ()


def read_picture(path: Path, payload: bytes | None = None, *, most_mb: float = 0) -> Picture:
    """Return the first full picture of a file in any mode, turned upright and converted to sRGB.

    payload  the bytes of the file, if they are read already; the path is then only named in errors
    most_mb  the most megabytes to take; 0 for what is free

    Raises UserError for a file that is missing, damaged, no picture, too large to read or fully transparent.
    """
    image, alpha, dpi, exif, notes = decode(path, payload, most_mb=most_mb)
    return replace(with_alpha(path, image, alpha), dpi=dpi, exif=exif, notes=notes)


def with_alpha(name: object, image: np.ndarray, alpha: np.ndarray | None) -> Picture:
    """Return a picture with its transparency, if it has any. Raises UserError where nothing of it shows.

    name  of the picture, for errors
    """
    if alpha is None or alpha.min() == 1:
        return Picture(image)
    if alpha.max() == 0:
        raise UserError(f"{name}: is transparent everywhere; give a picture that shows something")
    return Picture(continue_colors(image, alpha), alpha)


def read_image(path: str | Path, payload: bytes | None = None) -> np.ndarray:
    """Return only the image of a picture file, over white. Raises UserError as read_picture does."""
    return over_white(read_picture(Path(path), payload))


def read_preview(path: Path, long_side_px: int) -> np.ndarray:
    """Return the image of a picture file, over white, with a long side of at most `long_side_px`; roughly, but quickly.

    Raises UserError as read_picture does.
    """
    image, alpha, *_ = decode(path, at_least_px=long_side_px)
    return preview(image if alpha is None else composite_over_white(image, alpha), long_side_px)


def preview(image: np.ndarray, long_side_px: int) -> np.ndarray:
    """Return an image with a long side of at most `long_side_px`; rows of a much larger image are left out first."""
    size = image.shape[:2]
    if max(size) <= long_side_px:
        return image
    every = max(1, max(size) // (2 * long_side_px))
    return resize(image[::every, ::every], size_with_long_side(size, long_side_px))


def levels_of(image: np.ndarray) -> np.ndarray:
    """Return an image, or any numbers in [0, 1], in levels of 255 as uint8."""
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


def jpeg_bytes(image: np.ndarray, *, quality: int = 85, subsampling: str = "4:4:4") -> bytes:
    """Return an image as the bytes of a JPEG file for screens.

    subsampling  4:2:0 stores colours at half the resolution
    """
    file = io.BytesIO()
    Image.fromarray(levels_of(image)).save(file, format="JPEG", quality=quality, subsampling=subsampling)
    return file.getvalue()


def over_white(picture: Picture) -> np.ndarray:
    """Return the image of a picture over white."""
    return picture.image if picture.alpha is None else composite_over_white(picture.image, picture.alpha)


def read_comment(path: Path, payload: bytes | None = None) -> str | None:
    """Return the comment of a PNG, JPEG, WebP or TIFF file, or None. Raises UserError for a file that is no picture.

    payload  the bytes of the file, if they are read already

    In a PNG, the comment is this program's own. In the other formats it may be from any program or camera.
    """
    with opened(path, payload) as picture:
        return comment_of(picture)


def unit_numbers(name: object, array: np.ndarray, *, beyond: float = ROUNDING) -> np.ndarray:
    """Return numbers of uint8, of bool, or in [0, 1], as float32. Raises UserError for any other.

    name    of the array, for errors
    beyond  how far numbers may lie beyond [0, 1], to which they are clipped
    """
    if array.size == 0:
        raise UserError(f"{name}: is of shape {list(array.shape)}, without a pixel")
    if array.dtype == np.uint8:
        return array.astype(np.float32) / 255
    if array.dtype.kind not in "fb":
        raise UserError(f"{name}: is of {array.dtype}; must be uint8, or float in [0, 1]")
    numbers = np.ascontiguousarray(array, np.float32)
    if not np.isfinite(numbers).all():
        raise UserError(f"{name}: has numbers that are not finite")
    least, most = float(numbers.min()), float(numbers.max())
    if least < -beyond or most > 1 + beyond:
        raise UserError(f"{name}: has numbers from {least:g} to {most:g}; must be in [0, 1], or uint8")
    return np.clip(numbers, 0, 1)


def write_picture(
    path: str | Path,
    image: np.ndarray,
    *,
    alpha: np.ndarray | None = None,
    bit_depth: int = 8,
    dpi: Dpi | None = None,
    exif: bytes | None = None,
    comment: str | None = None,
) -> None:
    """Write an image with the colour profile of sRGB, whole or not at all. The suffix of `path` names the format.

    image      [height, width, 3], uint8 or float, clipped to [0, 1]; in [height, width, 4], the last is the alpha
    alpha      [height, width]; a JPEG shows the image over white instead
    bit_depth  the bits of a channel, 8 or 16
    dpi, exif  as in Picture
    comment    text that read_comment returns

    Raises UserError as check_format does, and for another image.
    """
    path = Path(path)
    unit_numbers(path, image[:1] if image.ndim else image, beyond=1)
    if image.ndim != 3 or image.shape[2] not in (3, 4):
        raise UserError(f"{path}: its image is of shape {list(image.shape)}; must be [height, width, 3]")
    if image.shape[2] == 4:
        image, alpha = image[..., :3], image[..., 3]
    check_format(path, image.shape[:2], bit_depth=bit_depth)
    kind = WRITTEN_FORMATS[path.suffix.lower()]
    samples = _samples(path, image, alpha, kind, bit_depth)
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        if kind == "TIFF":
            write_tiff(file, samples, tiff_tags(srgb_profile(), exif, dpi, comment))
        elif bit_depth == 16:
            write_png(file, samples, png_chunks(srgb_profile(), exif, dpi, comment))
        else:
            options = _pillow_options(kind, exif, dpi, comment)
            Image.fromarray(samples).save(file, format=kind, icc_profile=srgb_profile(), **options)


def _samples(path: Path, image: np.ndarray, alpha: np.ndarray | None, kind: str, bit_depth: int) -> np.ndarray:
    """Return the levels of an image for a kind of file, made strip by strip. Raises UserError as unit_numbers does."""
    channels = 4 if alpha is not None and kind != "JPEG" else 3
    samples = np.empty((*image.shape[:2], channels), f"uint{bit_depth}")
    for rows in strips(image.shape):
        part = unit_numbers(path, image[rows], beyond=1)
        if alpha is not None:
            there = unit_numbers(path, alpha[rows], beyond=1)
            part = composite_over_white(part, there) if kind == "JPEG" else np.dstack([part, there])
        samples[rows] = np.rint(part * (2**bit_depth - 1))
    return samples


def check_format(path: Path, size: Size | None = None, *, bit_depth: int = 8) -> None:
    """Raise UserError unless the suffix of `path` is that of a format that can hold `size` and `bit_depth`."""
    suffix = path.suffix.lower()
    if suffix not in WRITTEN_FORMATS:
        known = ", ".join(WRITTEN_FORMATS)
        raise UserError(
            f"{path}: cannot write {suffix or 'a name without suffix'}{suggestion(suffix, WRITTEN_FORMATS)} ({known})"
        )
    if bit_depth not in (8, 16):
        raise UserError(f"{path}: cannot write {bit_depth} bits a channel; give 8 or 16")
    if bit_depth == 16 and WRITTEN_FORMATS[suffix] not in DEEP_FORMATS:
        raise UserError(f"{path}: {suffix} holds 8 bits a channel, not 16; use .png or .tif")
    largest = LARGEST_SIDE_PX.get(WRITTEN_FORMATS[suffix])
    if size and largest and max(size) > largest:
        raise UserError(f"{path}: {suffix} holds at most {largest} px a side, not {max(size)}; use .png or .tif")


def _pillow_options(kind: str, exif: bytes | None, dpi: Dpi | None, comment: str | None) -> dict[str, Any]:
    """Return the options for Pillow's writer of WebP, JPEG or PNG files."""
    if kind == "WEBP":
        described = exif_with(exif, dpi, comment)
        return {"quality": 95, "method": 6, "exif": described.tobytes() if described else b""}
    options: dict[str, Any] = {"exif": exif or b""} | ({"dpi": dpi} if dpi else {})
    if kind == "JPEG":
        return options | {"quality": 95, "subsampling": "4:4:4", "extra": jpeg_comment(comment or "")}
    text = PngInfo()
    if comment is not None:
        text.add_itxt(COMMENT_KEY, comment)
    return options | {"pnginfo": text}
