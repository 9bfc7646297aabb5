"""Read, write and resize pictures: the only module that knows image files.

An image is float32 RGB [height, width, 3] in [0, 1]; a size is (height, width).
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from nst.errors import UserError, suggestion
from nst.files import written_aside

Size = tuple[int, int]

WRITERS: dict[str, tuple[str, dict[str, Any]]] = {
    ".png": ("PNG", {}),
    ".jpg": ("JPEG", {"quality": 95, "subsampling": "4:4:4"}),
    ".jpeg": ("JPEG", {"quality": 95, "subsampling": "4:4:4"}),
    ".webp": ("WEBP", {"quality": 95, "method": 6}),
    ".tif": ("TIFF", {"compression": "tiff_deflate"}),
    ".tiff": ("TIFF", {"compression": "tiff_deflate"}),
}
LARGEST_SIDE_PX = {"JPEG": 65_500, "WEBP": 16_383}


def read_image(path: Path) -> np.ndarray:
    """Read the first frame of a picture in any format and mode of Pillow, upright, transparency over white.

    Raises UserError where the file is missing, is no picture, is damaged, or is a decompression bomb.
    """
    if not path.exists():
        raise UserError(f"{path}: no such file")
    if path.is_dir():
        raise UserError(f"{path}: is a folder; name a picture in it")
    picture = _decode(path)
    if min(picture.size) == 0:
        raise UserError(f"{path}: has no pixels ({picture.width}x{picture.height})")
    if picture.mode.startswith("I") or picture.mode == "F":
        return _rgb_from_numbers(path, picture)
    if picture.mode == "LAB":
        picture = _srgb_from_lab(picture)
    if picture.has_transparency_data:
        return _over_white(picture.convert("RGBA"))
    return np.asarray(picture.convert("RGB"), np.float32) / 255


def write_image(path: Path, image: np.ndarray) -> None:
    """Write an image with 8 bits a channel in the format that the suffix names, whole or not at all."""
    kind, options = WRITERS[path.suffix.lower()]
    picture = Image.fromarray(np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8))
    with written_aside(path) as temporary, temporary.open("wb") as file:
        picture.save(file, format=kind, **options)


def check_format(path: Path, size: Size | None = None) -> None:
    """Raise UserError unless the suffix of `path` is one that is written, and the format can hold `size`."""
    suffix = path.suffix.lower()
    if suffix not in WRITERS:
        known = ", ".join(WRITERS)
        raise UserError(
            f"{path}: cannot write {suffix or 'a name without suffix'}{suggestion(suffix, WRITERS)} ({known})"
        )
    largest = LARGEST_SIDE_PX.get(WRITERS[suffix][0])
    if size and largest and max(size) > largest:
        raise UserError(f"{path}: {suffix} holds at most {largest} px a side, not {max(size)}; use .png or .tif")


def resize(image: np.ndarray, size: Size) -> np.ndarray:
    """Return an image [height, width, channels] resized to `size` with Lanczos' filter, antialiased, in [0, 1]."""
    if image.shape[:2] == size:
        return image
    channels = [
        np.asarray(Image.fromarray(channel).resize(size[::-1], Image.Resampling.LANCZOS))
        for channel in np.ascontiguousarray(np.moveaxis(image, -1, 0))
    ]
    return np.clip(np.stack(channels, axis=-1), 0, 1)


def resize_matrix(old: int, new: int, kernel: Image.Resampling = Image.Resampling.LANCZOS) -> np.ndarray:
    """Return the matrix [new, old] that resizes a column of `old` values as `resize` does, without its clipping."""
    identity = Image.fromarray(np.eye(old, dtype=np.float32))
    return np.asarray(identity.resize((old, new), kernel))


def size_with_long_side(size: Size, long_side_px: int) -> Size:
    """Return `size` scaled so that its longer side is `long_side_px`."""
    scale = long_side_px / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _decode(path: Path) -> Image.Image:
    """Return the first frame, decoded and turned upright. What Pillow's many decoders raise becomes one UserError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(path) as picture:
                picture.load()
                return ImageOps.exif_transpose(picture)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            limit = Image.MAX_IMAGE_PIXELS
            raise UserError(f"{path}: is absurdly large; at most {limit:,} pixels are read") from error
        except UnidentifiedImageError as error:
            what = "is empty" if path.stat().st_size == 0 else "is not a picture that Pillow knows"
            raise UserError(f"{path}: {what}; give a JPEG, PNG, WebP, TIFF, BMP or GIF file") from error
        except Exception as error:  # each decoder has its own: OSError, SyntaxError, struct.error, IndexError, ...
            raise UserError(f"{path}: cannot be read, damaged or cut short: {error}") from error


def _rgb_from_numbers(path: Path, picture: Image.Image) -> np.ndarray:
    """Return grey of more than 8 bits as RGB: 16-bit integers by their range, floats that are in [0, 1]."""
    grey = np.asarray(picture).astype(np.float32)
    if picture.mode != "F":
        grey /= 65535
    if not (np.isfinite(grey).all() and grey.min() >= 0 and grey.max() <= 1):
        raise UserError(f"{path}: grey values outside 16 bits or [0, 1]; save it with 8 or 16 bits a channel")
    return np.repeat(grey[..., None], 3, axis=-1)


def _srgb_from_lab(picture: Image.Image) -> Image.Image:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(picture, lab, srgb, outputMode="RGB")
    assert converted is not None  # None only with inPlace=True
    return converted


def _over_white(picture: Image.Image) -> np.ndarray:
    rgba = np.asarray(picture, np.float32) / 255
    alpha = rgba[..., 3:]
    return rgba[..., :3] * alpha + (1 - alpha)
