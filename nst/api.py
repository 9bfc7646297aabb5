"""What other programs call: arrays and Settings in, an array out. No files, no printing."""

from collections.abc import Callable, Sequence

import numpy as np

from nst.errors import UserError
from nst.network.loaded import network_of
from nst.network.tensorflow_setup import start_tensorflow
from nst.run.memory_plan import plan_tile, sizes_of_run
from nst.settings import Settings
from nst.transfer.inputs import Inputs
from nst.transfer.scales import plan_scales
from nst.transfer.state import Step
from nst.transfer.stylize import stylize


def redraw(
    content: np.ndarray,
    styles: np.ndarray | Sequence[np.ndarray],
    settings: Settings | None = None,
    *,
    start: np.ndarray | None = None,
    style_masks: Sequence[np.ndarray] = (),
    content_mask: np.ndarray | None = None,
    on_step: Callable[[Step, Callable[[], np.ndarray]], None] = lambda step, picture: None,
) -> np.ndarray:
    """Return `content` redrawn in a style, or in a blend of several, as the command does.

    Images are float32 sRGB [height, width, 3] in [0, 1] of any size, masks float32 [height, width] in [0, 1]; what the
    settings say of files (init, style_mask, content_mask) comes as arrays instead. The network is loaded once and kept.

    start         the first picture, in place of settings.init
    style_masks   for each style, 1 where it belongs
    content_mask  1 where the photo may change
    on_step       called after each step with a Step, which has its number, size and costs by name, and with a function
                  that returns the picture so far; raise an exception in it to stop

    Raises UserError where the pictures or the settings do not go together.
    """
    several = [styles] if isinstance(styles, np.ndarray) else list(styles)
    for image in [content, *several, *([] if start is None else [start])]:
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.float32:
            raise UserError(f"image {image.dtype} {list(image.shape)}: must be float32 [height, width, 3] in [0, 1]")
    settings = settings or Settings()
    start_tensorflow(threads=settings.threads, verbose=False)
    inputs = Inputs(content, tuple(several), settings, start, tuple(style_masks), content_mask)
    scales = plan_scales(content.shape[:2], [style.shape[:2] for style in inputs.styles], settings)
    tile_px = plan_tile(sizes_of_run(inputs, scales), settings)
    network, _ = network_of(settings)
    return stylize(inputs, network, scales, tile_px=tile_px, on_step=[lambda step, picture, _: on_step(step, picture)])
