"""Decoding: a picture file of any format and mode as sRGB and alpha, float32 in [0, 1]; any failure as a UserError."""

import io
import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from nst.errors import UserError, os_error_reason
from nst.pictures.color_profiles import changes_rgb, grey_to_srgb, lab_to_srgb, to_srgb
from nst.pictures.encodings import bmp_profile, decoded_to_srgb, encoding_of
from nst.pictures.formats import formats_for, is_raw_name, raw_reader, refusal, unknown
from nst.pictures.metadata import Dpi, dpi_of, kept_exif
from nst.pictures.sixteen_bit import decode_byte
from nst.system.memory import available_mb
from nst.system.streams import silenced

GREY_MODES = ("1", "L", "LA", "La")  # The modes of Pillow for grey of 8 bits or less.
# Tags of TIFF, and values of theirs.
PHOTOMETRIC, WHITE_IS_ZERO, SEPARATED = 262, 0, 5
SUBFILE, REDUCED = 254, 1  # What a picture of a TIFF is: the bit for a reduced copy of another one.
PLANES, COLOR_MAP, BITS = 284, 320, 258
XMP_KEYS = ("xmp", "XML:com.adobe.xmp", "Raw profile type xmp")
# The memory that reading takes, in bytes per pixel, of an opaque picture and of a transparent one, rounded up.
OPAQUE_BYTES, TRANSPARENT_BYTES = 32, 80
ABSURD_PIXELS, ABSURD_RATIO = 50_000_000, 1000  # Of more pixels, a file has at least a byte for so many.
BMP_COMPRESSION, RLE4 = slice(30, 34), 2
FILLERS = (b"\x00" * 64, b"\x55" * 64)  # What stands for the missing end of a JPEG.
JPEG_END = b"\xff\xd9"
HDR_CURVES = {16: "PQ", 18: "HLG"}  # Transfer functions of HDR, by their numbers in ITU-T H.273.


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
    payload = _bytes_of(path) if payload is None else payload
    if is_raw_name(path):
        return _from_raw(path, payload)
    payload, notes = _with_end(path, payload)
    with opened(path, payload) as picture:
        frame = _full_frame(path, picture, notes)
        _refuse_misread(path, picture, payload)
        if at_least_px:
            picture.draft(None, (at_least_px, at_least_px))
        _fit_memory(path, picture, len(payload), most_mb, notes)
        if min(picture.size) == 0:
            raise UserError(f"{path}: has no pixels ({picture.width}x{picture.height})")
        low_bytes = _low_bytes(path, payload, frame) if decode_byte(picture, low=False) else None
        _mend_transparent_grey(picture)
        _mend_color_map(picture)
        _turn_upright(picture)
        colors, alpha = (picture, None) if low_bytes else _split(picture)
        info, dpi, exif = dict(picture.info), dpi_of(picture), kept_exif(picture)
        if picture.format == "BMP":
            info["icc_profile"] = bmp_profile(payload)
        inverted = getattr(picture, "tag_v2", {}).get(PHOTOMETRIC) == WHITE_IS_ZERO
        encoding = encoding_of(picture)
        if curve := _hdr_curve(picture.format, payload):
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


@contextmanager
def opened(path: Path, payload: bytes | None = None) -> Iterator[ImageFile]:
    """Yield a picture file opened, not yet decoded. Every error of Pillow's decoders becomes a UserError.

    payload  the bytes of the file, if they are read already; the path is then only named in errors
    """
    Image.init()
    logging.getLogger("PIL").setLevel(logging.CRITICAL)  # Pillow logs the errors that it raises.
    payload = _bytes_of(path) if payload is None else payload
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None  # The memory is the limit; see _fit_memory.
    try:
        formats = formats_for(path, payload[:64])
        with (
            _warnings_ignored(),
            Image.open(io.BytesIO(payload), formats=formats) as picture,
            silenced(verbose=picture.format != "TIFF"),  # libtiff prints the errors that Pillow raises.
        ):
            yield picture
    except UserError:
        raise
    except UnidentifiedImageError as error:
        raise unknown(path, payload) from error
    except Exception as error:  # OSError, SyntaxError, struct.error, IndexError, ... depending on the decoder
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(f"{path}: cannot be read, damaged or cut short: {reason}") from error
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _bytes_of(path: Path) -> bytes:
    """Return the bytes of a file. Raises UserError."""
    _check_file(path)
    try:
        return path.read_bytes()
    except PermissionError as error:
        raise UserError(f"{path}: may not be read; change its permissions") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {os_error_reason(error)}") from error


def _check_file(path: Path) -> None:
    """Raise UserError unless a path is that of an ordinary file."""
    if not path.exists():
        raise UserError(f"{path}: no such file")
    if path.is_dir():
        raise UserError(f"{path}: is a folder; name a picture in it")
    if not path.is_file():  # Reading a pipe may never end.
        raise UserError(f"{path}: is no ordinary file; name a picture")


@contextmanager
def _warnings_ignored() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _with_end(path: Path, payload: bytes) -> tuple[bytes, list[str]]:
    """Return the bytes of a JPEG that lacks its last bytes with an end, if all its pixels are there; and notes.

    All are there if what stands for the missing end changes none. Other files stay as they are.
    """
    if not payload.startswith(b"\xff\xd8") or JPEG_END in payload[-64 * 1024 :]:
        return payload, []
    whole = []
    for filler in FILLERS:
        with opened(path, payload + filler + JPEG_END) as picture:
            whole.append(picture.tobytes())
    if whole[0] != whole[1]:
        raise UserError(f"{path}: cannot be read, damaged or cut short: rows of pixels are missing at its end")
    return payload + FILLERS[0] + JPEG_END, [f"{path}: lacks its last bytes, but no pixel; read as it is"]


def _full_frame(path: Path, picture: ImageFile, notes: list[str]) -> int:
    """Go to the first picture of a file that is no reduced copy, note that there are others, and return its number."""
    frames = getattr(picture, "n_frames", 1)
    if frames == 1 or picture.format in ("MPO", "JPEG"):  # The others of a JPEG are previews, or for the other eye.
        if _is_reduced(picture):
            raise refusal(path, "a TIFF with a reduced copy of its picture alone, such as a camera's raw file")
        return 0
    if picture.format != "TIFF":
        notes.append(f"{path}: is animated; its first frame of {frames} is read")
        return 0
    full = []
    for frame in range(frames):
        picture.seek(frame)
        if not _is_reduced(picture):
            full.append((picture.width * picture.height, -frame))
    if not full:
        raise refusal(path, "a TIFF with reduced copies of its picture alone, such as a camera's raw file")
    picture.seek(0)
    chosen = -max(full)[1] if _is_reduced(picture) else 0
    picture.seek(chosen)
    if len(full) > 1:
        notes.append(f"{path}: has {frames} pages; page {chosen + 1} is read")
    return chosen


def _is_reduced(picture: ImageFile) -> bool:
    """Return whether the picture of a TIFF at hand is a reduced copy of another one."""
    return bool(getattr(picture, "tag_v2", {}).get(SUBFILE, 0) & REDUCED)


def _refuse_misread(path: Path, picture: ImageFile, payload: bytes) -> None:
    """Raise UserError for a picture that Pillow would read wrongly."""
    tags = getattr(picture, "tag_v2", {})
    sixteen = set(tags.get(BITS, ())) == {16}
    if tags.get(PHOTOMETRIC) == SEPARATED and sixteen and tags.get(PLANES) == 2:
        raise refusal(path, "a TIFF of CMYK of 16 bits in planes")
    if picture.format == "BMP" and int.from_bytes(payload[BMP_COMPRESSION], "little") == RLE4:
        raise refusal(path, "a BMP with RLE4 compression")
    if picture.format == "JPEG2000" and b"pclr" in payload[:4096]:
        raise refusal(path, "a JPEG 2000 picture with a palette")


def _fit_memory(path: Path, picture: ImageFile, file_bytes: int, most_mb: float, notes: list[str]) -> None:
    """Let a JPEG be read at a reduced size where the memory is too little. Raises UserError where it is for others."""
    pixels = picture.width * picture.height
    if pixels > max(ABSURD_PIXELS, ABSURD_RATIO * file_bytes):
        raise UserError(f"{path}: is absurdly large, {picture.width}x{picture.height} px in {file_bytes} bytes")
    free = min(most_mb or math.inf, available_mb() or math.inf)
    needed = _reading_mb(picture)
    for part in (2, 4, 8):
        if needed <= free or picture.format not in ("JPEG", "MPO"):
            break
        whole = picture.size
        picture.draft(None, (whole[0] // part, whole[1] // part))
        if picture.size != whole:
            notes.append(f"{path}: is read at {picture.width}x{picture.height} px, to save memory")
        needed = _reading_mb(picture)
    if needed > free:
        words = f"{picture.width}x{picture.height} px take about {needed} MB to read, of {free:.0f} MB there"
        raise UserError(f"{path}: {words}; give a smaller picture, or raise --max-memory where that is the limit")


def _reading_mb(picture: ImageFile) -> int:
    """Return about how many megabytes it takes to read a picture."""
    of_pixel = TRANSPARENT_BYTES if picture.has_transparency_data else OPAQUE_BYTES
    return round(picture.width * picture.height * of_pixel / 1e6)


def _turn_upright(picture: ImageFile) -> None:
    """Turn a picture as its EXIF says. Viewers do not obey the orientation in XMP, which Pillow does."""
    picture.load()
    for key in XMP_KEYS:
        picture.info.pop(key, None)
    ImageOps.exif_transpose(picture, in_place=True)


def _hdr_curve(kind: str | None, payload: bytes) -> str | None:
    """Return the name of the transfer function of an HDR picture, or None for any other picture."""
    number = 0
    if kind == "PNG":
        start = payload.find(b"cICP", 0, max(0, payload.find(b"IDAT")))
        number = payload[start + 5] if start > 0 else 0
    elif kind in ("AVIF", "HEIF"):
        start = payload.find(b"colrnclx", 0, 65536)
        number = int.from_bytes(payload[start + 10 : start + 12], "big") if start > 0 else 0
    return HDR_CURVES.get(number)


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
        _turn_upright(picture)
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
