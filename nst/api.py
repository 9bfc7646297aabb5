"""What other programs call: pictures and settings in, an array out. No printing, and no files but those named."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps

from nst.errors import UserError
from nst.network.tensorflow_setup import start_tensorflow
from nst.pictures.picture_files import Picture, over_white, read_picture, unit_numbers, with_alpha
from nst.pictures.resizing import resize, resize_alpha
from nst.preset_files import make_settings
from nst.run.memory_plan import plan_memory, sizes_of_run
from nst.run.request import INITS
from nst.settings import Settings
from nst.transfer.state import Step

if TYPE_CHECKING:
    from nst.transfer.inputs import Inputs
    from nst.transfer.style_loss import StyleLoss

PictureLike = np.ndarray | Image.Image | str | Path
SettingsLike = Settings | Mapping[str, Any] | None

# The argument for a setting of a file.
ARGUMENTS = {"style_mask": "style_masks", "source_mask": "source_masks", "content_mask": "content_mask"}
PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")  # Pillow's modes that a PNG holds as they are.
CONVERTED = {"I": "I;16", "PA": "RGBA", "RGBa": "RGBA", "La": "LA"}  # Modes that a PNG does not hold, else RGB.


class Cancelled(Exception):  # noqa: N818  It is asked for.
    """To be raised in `on_step`: redraw then ends, and returns the picture after that step, in full size."""


def redraw(
    content: PictureLike,
    styles: PictureLike | Sequence[PictureLike],
    settings: SettingsLike = None,
    *,
    start: PictureLike | None = None,
    style_masks: PictureLike | Sequence[PictureLike] = (),
    source_masks: PictureLike | Sequence[PictureLike] = (),
    content_mask: PictureLike | None = None,
    style_loss: StyleLoss | None = None,
    on_step: Callable[[Step, Callable[[], np.ndarray]], None] = lambda step, picture: None,
) -> np.ndarray:
    """Return `content` redrawn in a style, or in a blend of several, as the command does.

    Pictures are sRGB arrays of any size, [height, width, 3], grey as [height, width] or with transparency as
    [height, width, 4], uint8 or float in [0, 1]; or Pillow's images; or paths of files. Masks are pictures
    too, of which the lightness counts. The network is loaded once and kept.

    settings      Settings, or a dict of some by name, such as {"size": 1024}
    start         the first picture, in place of settings.init
    style_masks   for each style, 1 where it belongs
    source_masks  for each style, on it, 1 where it is taken from
    content_mask  1 where the photo may change
    style_loss    a StyleLoss of one's own, in place of that of settings.style_loss
    on_step       called after each step with a Step, which has its number, size and costs by name, and with a function
                  that returns the picture so far; raise Cancelled in it to stop

    Returns float32 in [0, 1], [height, width, 3], or [height, width, 4] of a content with transparency. Raises
    UserError where the pictures or the settings do not go together.
    """
    settings = _settings(settings)
    several = _several(styles)
    if not several:
        raise UserError("styles: there is none; give at least one image")
    for name, argument in ARGUMENTS.items():
        if getattr(settings, name):
            raise UserError(f"settings.{name}: names a file; give arrays as {argument}")
    if settings.init not in INITS and start is None:
        raise UserError("settings.init: names a file; give an array as start")
    masks = tuple(_mask(f"style_masks[{index}]", mask) for index, mask in enumerate(_several(style_masks)))
    sources = tuple(_mask(f"source_masks[{index}]", mask) for index, mask in enumerate(_several(source_masks)))
    for name, there in (("style_masks", masks), ("source_masks", sources)):
        if there and len(there) != len(several):
            raise UserError(f"{name}: got {len(there)} for {len(several)} styles; give one for each")
    photo = _picture("content", content)
    pictures = [_picture(f"styles[{index}]", style) for index, style in enumerate(several)]
    start_tensorflow(threads=settings.threads, verbose=False)
    from nst.transfer.inputs import Inputs, shown_part

    shown = tuple(shown_part(style.alpha, source) for style, source in itertools.zip_longest(pictures, sources))
    inputs = Inputs(
        photo.image,
        tuple(picture.image for picture in pictures),
        settings,
        None if start is None else over_white(_picture("start", start)),
        masks,
        None if content_mask is None else _mask("content_mask", content_mask),
        shown if any(part is not None for part in shown) else (),
        style_loss,
    )
    image = _stylized(inputs, on_step)
    return image if photo.alpha is None else np.dstack([image, resize_alpha(photo.alpha, image.shape[:2])])  # type: ignore[list-item]


def _stylized(inputs: Inputs, on_step: Callable[[Step, Callable[[], np.ndarray]], None]) -> np.ndarray:
    """Return the photo redrawn, or the picture so far where a listener raises Cancelled."""
    from nst.network.loaded import network_of
    from nst.transfer.scales import plan_scales
    from nst.transfer.stylize import stylize

    settings = inputs.settings
    scales = plan_scales(inputs.content.shape[:2], [style.shape[:2] for style in inputs.styles], settings)
    tile_px = plan_memory(sizes_of_run(inputs, scales), settings).tile_px
    network, _ = network_of(settings)
    last: list[Callable[[], np.ndarray]] = []

    def listen(step: Step, picture: Callable[[], np.ndarray], state: object) -> None:
        last[:] = [picture]
        on_step(step, lambda: np.array(picture()))  # A picture in tiles is changed in place.

    try:
        return stylize(inputs, network, scales, tile_px=tile_px, on_step=[listen])
    except Cancelled:
        return resize(last[0](), scales[-1].size)


def _several(given: PictureLike | Sequence[PictureLike]) -> list[PictureLike]:
    return [given] if isinstance(given, np.ndarray | Image.Image | str | Path) else list(given)


def _settings(given: SettingsLike) -> Settings:
    """Return Settings, those of a dict over the defaults. Raises UserError."""
    if isinstance(given, Settings):
        return given
    if given is None or isinstance(given, Mapping):
        return make_settings(overrides=given or {})
    raise UserError(f"settings: is a {type(given).__name__}; must be Settings, or a dict of some by name")


def _picture(name: str, given: PictureLike) -> Picture:
    """Return a picture out of an array, an image of Pillow or a file. Raises UserError."""
    if isinstance(given, str | Path):
        return read_picture(Path(given))
    if isinstance(given, Image.Image):
        return read_picture(Path(name), _png(name, given))
    array = np.asarray(given)
    if array.ndim not in (2, 3) or array.shape[2:] not in ((), (1,), (3,), (4,)):
        raise UserError(f"{name}: is of shape {list(array.shape)}; must be [height, width, 3], or a picture")
    numbers = unit_numbers(name, array)
    if array.ndim == 2 or array.shape[2] == 1:
        return Picture(np.repeat(numbers.reshape(*array.shape[:2], 1), 3, axis=2))
    alpha = np.ascontiguousarray(numbers[..., 3]) if array.shape[2] == 4 else None
    return with_alpha(name, np.ascontiguousarray(numbers[..., :3]), alpha)


def _png(name: str, image: Image.Image) -> bytes:
    """Return an image of Pillow, upright and with its colour profile, as the bytes of a PNG. Raises UserError."""
    file = io.BytesIO()
    try:
        image = ImageOps.exif_transpose(image)
        fits = image.mode in PNG_MODES
        profile = image.info.get("icc_profile") if fits else None
        fitting = image if fits else image.convert(CONVERTED.get(image.mode, "RGB"))
        fitting.save(file, format="PNG", compress_level=0, icc_profile=profile, exif=b"")
    except OSError as error:
        raise UserError(f"{name}: cannot be read, damaged or cut short: {error}") from error
    return file.getvalue()


def _mask(name: str, given: PictureLike) -> np.ndarray:
    """Return a mask as float32 [height, width] in [0, 1], the lightness of a picture. Raises UserError."""
    mask = over_white(_picture(name, given)).mean(axis=2)
    if not mask.any():
        raise UserError(f"{name}: is 0 everywhere, so nothing would change; give 1 where it applies")
    return mask
