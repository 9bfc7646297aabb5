"""What other programs call: arrays and Settings in, an array out. No files, no printing."""

from collections.abc import Callable, Sequence

import numpy as np

from nst.errors import UserError
from nst.network.loaded import network_of
from nst.network.tensorflow_setup import start_tensorflow
from nst.run.memory_plan import plan_tile, sizes_of_run
from nst.run.request import INITS
from nst.settings import Settings
from nst.transfer.inputs import Inputs
from nst.transfer.scales import plan_scales
from nst.transfer.state import Step
from nst.transfer.stylize import stylize

# The argument for a setting of a file.
ARGUMENTS = {"style_mask": "style_masks", "source_mask": "source_masks", "content_mask": "content_mask"}
ROUNDING = 1e-3  # The most by which rounding may lead out of [0, 1].


def redraw(
    content: np.ndarray,
    styles: np.ndarray | Sequence[np.ndarray],
    settings: Settings | None = None,
    *,
    start: np.ndarray | None = None,
    style_masks: Sequence[np.ndarray] = (),
    source_masks: Sequence[np.ndarray] = (),
    content_mask: np.ndarray | None = None,
    on_step: Callable[[Step, Callable[[], np.ndarray]], None] = lambda step, picture: None,
) -> np.ndarray:
    """Return `content` redrawn in a style, or in a blend of several, as the command does.

    Images are sRGB [height, width, 3] of any size, float in [0, 1] or uint8; masks are [height, width], likewise. What
    the settings say of files (init, style_mask, content_mask) comes as arrays instead. The network is loaded once and
    kept.

    start         the first picture, in place of settings.init
    style_masks   for each style, 1 where it belongs
    source_masks  for each style, on it, 1 where it is taken from
    content_mask  1 where the photo may change
    on_step       called after each step with a Step, which has its number, size and costs by name, and with a function
                  that returns the picture so far; raise an exception in it to stop

    Raises UserError where the pictures or the settings do not go together.
    """
    settings = settings or Settings()
    several = [styles] if isinstance(styles, np.ndarray) else list(styles)
    if not several:
        raise UserError("styles: there is none; give at least one image")
    for name, argument in ARGUMENTS.items():
        if getattr(settings, name):
            raise UserError(f"settings.{name}: names a file; give arrays as {argument}")
    if settings.init not in INITS and start is None:
        raise UserError("settings.init: names a file; give an array as start")
    masks = tuple(_mask(f"style_masks[{index}]", mask) for index, mask in enumerate(style_masks))
    sources = tuple(_mask(f"source_masks[{index}]", mask) for index, mask in enumerate(source_masks))
    for name, there in (("style_masks", masks), ("source_masks", sources)):
        if there and len(there) != len(several):
            raise UserError(f"{name}: got {len(there)} for {len(several)} styles; give one for each")
    inputs = Inputs(
        _image("content", content),
        tuple(_image(f"styles[{index}]", style) for index, style in enumerate(several)),
        settings,
        None if start is None else _image("start", start),
        masks,
        None if content_mask is None else _mask("content_mask", content_mask),
        sources,
    )
    start_tensorflow(threads=settings.threads, verbose=False)
    scales = plan_scales(inputs.content.shape[:2], [style.shape[:2] for style in inputs.styles], settings)
    tile_px = plan_tile(sizes_of_run(inputs, scales), settings)
    network, _ = network_of(settings)
    return stylize(inputs, network, scales, tile_px=tile_px, on_step=[lambda step, picture, _: on_step(step, picture)])


def _image(name: str, given: np.ndarray) -> np.ndarray:
    """Return an image as float32 in [0, 1]. Raises UserError."""
    array = np.asarray(given)
    if array.ndim != 3 or array.shape[2] != 3:
        raise UserError(f"{name}: is of shape {list(array.shape)}; must be [height, width, 3]")
    return _unit(name, array)


def _mask(name: str, given: np.ndarray) -> np.ndarray:
    """Return a mask as float32 in [0, 1]. Raises UserError."""
    array = np.asarray(given)
    if array.ndim != 2:
        raise UserError(f"{name}: is of shape {list(array.shape)}; must be [height, width]")
    mask = _unit(name, array)
    if not mask.any():
        raise UserError(f"{name}: is 0 everywhere, so nothing would change; give 1 where it applies")
    return mask


def _unit(name: str, array: np.ndarray) -> np.ndarray:
    """Return numbers of uint8, of bool, or in [0, 1], as float32. Raises UserError for any other."""
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
    if least < -ROUNDING or most > 1 + ROUNDING:
        raise UserError(f"{name}: has numbers from {least:g} to {most:g}; must be in [0, 1], or uint8")
    return np.clip(numbers, 0, 1)
