"""Colour profiles (ICC): conversion from the profile of a file to sRGB, and the profile of sRGB for results."""

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms


def to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Return a picture of mode L, RGB or CMYK as RGB in sRGB.

    profile  the ICC profile of the picture's numbers; None for sRGB

    The conversion is relative colorimetric with black point compensation, the usual choice for photos: colours that
    sRGB can show stay exact. A damaged profile, or a profile for another kind of colours, is ignored, as viewers do:
    the colours may then be a little off, which is better than no picture.
    """
    source = _usable(picture.mode, profile)
    if source is None and picture.mode == "L":
        source, picture = _usable("RGB", profile), picture.convert("RGB")
    if source is None or _does_nothing(picture.mode, source):
        return picture if picture.mode == "RGB" else picture.convert("RGB")
    return _converted(picture, source)


def grey_to_srgb(grey: np.ndarray, profile: bytes | None) -> np.ndarray:
    """Return grey in [0, 1], of any depth, as grey of sRGB: by a table of 256 values and linear interpolation."""
    source = _usable("L", profile)
    if source is None or _does_nothing("L", source):
        return grey
    table = np.asarray(_converted(_samples("L"), source))[0, :, 1] / 255
    return np.interp(grey, np.linspace(0, 1, 256), table).astype(np.float32)


def changes_rgb(profile: bytes | None) -> bool:
    """Return whether a profile gives RGB numbers other colours than sRGB does."""
    source = _usable("RGB", profile)
    return source is not None and not _does_nothing("RGB", source)


def lab_to_srgb(picture: Image.Image) -> Image.Image:
    """Return a picture of mode LAB as RGB."""
    return _converted(picture, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """Return the ICC profile of sRGB, always the same bytes: its date is set to the year 2000."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return made[:24] + b"".join(part.to_bytes(2, "big") for part in (2000, 1, 1, 0, 0, 0)) + made[36:]


def _usable(mode: str, profile: bytes | None) -> ImageCms.ImageCmsProfile | None:
    """Return the profile if pictures of `mode` can be converted with it, else None."""
    if not profile:
        return None
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        _converted(Image.new(mode, (1, 1)), opened)  # This fails for a profile of another kind of colours.
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    return opened


def _does_nothing(mode: str, source: ImageCms.ImageCmsProfile) -> bool:
    """Return whether a conversion from the profile to sRGB moves no colour by more than one of 255 levels."""
    if mode == "CMYK":
        return False
    samples = _samples(mode)
    before, after = (np.asarray(picture.convert("RGB"), np.int16) for picture in (samples, _converted(samples, source)))
    return bool(np.abs(after - before).max() <= 1)


def _samples(mode: str) -> Image.Image:
    """Return a picture of all greys, or of all combinations of 17 levels of red, green and blue."""
    if mode == "L":
        return Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    levels = np.rint(np.linspace(0, 255, 17)).astype(np.uint8)
    return Image.fromarray(np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(17, -1, 3))


def _converted(picture: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    """Return a picture converted from a profile to sRGB."""
    converted = ImageCms.profileToProfile(
        picture,
        source,
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    assert converted is not None  # None is returned only with inPlace=True.
    return converted
