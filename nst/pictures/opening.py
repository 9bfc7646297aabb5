"""Files of pictures opened, and checked before a pixel is read: which frame, how much memory, what would be misread."""

from __future__ import annotations

import io
import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from nst.errors import UserError, os_error_reason
from nst.pictures.formats import formats_for, refusal, unknown
from nst.system.memory import available_mb
from nst.system.streams import silenced

# Tags of TIFF, and values of theirs.
PHOTOMETRIC, SEPARATED, YCBCR = 262, 5, 6
COMPRESSION, UNCOMPRESSED = 259, 1
SUBFILE, REDUCED = 254, 1  # What a picture of a TIFF is: the bit for a reduced copy of another one.
PLANES, BITS = 284, 258
XMP_KEYS = ("xmp", "XML:com.adobe.xmp", "Raw profile type xmp")
# The memory that reading takes, in bytes per pixel, of an opaque picture and of a transparent one, rounded up.
OPAQUE_BYTES, TRANSPARENT_BYTES = 32, 80
ABSURD_PIXELS, ABSURD_RATIO = 50_000_000, 1000  # Of more pixels, a file has at least a byte for so many.
BMP_COMPRESSION, RLE4 = slice(30, 34), 2
FILLERS = (b"\x00" * 64, b"\x55" * 64)  # What stands for the missing end of a JPEG.
JPEG_END = b"\xff\xd9"
HDR_CURVES = {16: "PQ", 18: "HLG"}  # Transfer functions of HDR, by their numbers in ITU-T H.273.


@contextmanager
def opened(path: Path, payload: bytes | None = None) -> Iterator[ImageFile]:
    """Yield a picture file opened, not yet decoded. Every error of Pillow's decoders becomes a UserError.

    payload  the bytes of the file, if they are read already; the path is then only named in errors
    """
    Image.init()
    logging.getLogger("PIL").setLevel(logging.CRITICAL)  # Pillow logs the errors that it raises.
    payload = bytes_of(path) if payload is None else payload
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None  # The memory is the limit; see fit_memory.
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


def bytes_of(path: Path) -> bytes:
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


def with_end(path: Path, payload: bytes) -> tuple[bytes, list[str]]:
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


def full_frame(path: Path, picture: ImageFile, notes: list[str]) -> int:
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


def refuse_misread(path: Path, picture: ImageFile, payload: bytes) -> None:
    """Raise UserError for a picture that Pillow would read wrongly."""
    tags = getattr(picture, "tag_v2", {})
    sixteen = set(tags.get(BITS, ())) == {16}
    if tags.get(PHOTOMETRIC) == SEPARATED and sixteen and tags.get(PLANES) == 2:
        raise refusal(path, "a TIFF of CMYK of 16 bits in planes")
    if tags.get(PHOTOMETRIC) == YCBCR and tags.get(COMPRESSION) == UNCOMPRESSED and picture.mode == "RGB":
        raise refusal(path, "a TIFF of YCbCr without compression, as Pillow before 13 takes it")
    if picture.format == "BMP" and int.from_bytes(payload[BMP_COMPRESSION], "little") == RLE4:
        raise refusal(path, "a BMP with RLE4 compression")
    if picture.format == "JPEG2000" and b"pclr" in payload[:4096]:
        raise refusal(path, "a JPEG 2000 picture with a palette")


def fit_memory(path: Path, picture: ImageFile, file_bytes: int, most_mb: float, notes: list[str]) -> None:
    """Let a JPEG be read at a reduced size where the memory is too little. Raises UserError where it is for others."""
    pixels = picture.width * picture.height
    if pixels > max(ABSURD_PIXELS, ABSURD_RATIO * file_bytes):
        raise UserError(f"{path}: is absurdly large, {picture.width}x{picture.height} px in {file_bytes} bytes")
    free = min(most_mb or math.inf, available_mb())
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


def turn_upright(picture: ImageFile) -> None:
    """Turn a picture as its EXIF says. Viewers do not obey the orientation in XMP, which Pillow does."""
    picture.load()
    for key in XMP_KEYS:
        picture.info.pop(key, None)
    ImageOps.exif_transpose(picture, in_place=True)


def hdr_curve(kind: str | None, payload: bytes) -> str | None:
    """Return the name of the transfer function of an HDR picture, or None for any other picture."""
    number = 0
    if kind == "PNG":
        start = payload.find(b"cICP", 0, max(0, payload.find(b"IDAT")))
        number = payload[start + 5] if start > 0 else 0
    elif kind in ("AVIF", "HEIF"):
        start = payload.find(b"colrnclx", 0, 65536)
        number = int.from_bytes(payload[start + 10 : start + 12], "big") if start > 0 else 0
    return HDR_CURVES.get(number)
