"""What a picture keeps of the photo: its colours, where the settings ask for them, and its pixels under a mask."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from nst.pictures.color_transfer import match_colors, match_histogram, match_lightness, with_colors_of
from nst.pictures.resizing import resize
from nst.transfer.inputs import Inputs


def with_preserved_colors(inputs: Inputs) -> Inputs:
    """Return the inputs with the styles in the photo's colours, or all in grey, where the settings ask for it."""
    kind = inputs.settings.preserve_color
    photo = inputs.content if inputs.scene is None else inputs.scene
    if kind == "luminance":
        styles = tuple(match_lightness(style, photo) for style in inputs.styles)
        content = inputs.content
        return replace(inputs, content=match_lightness(content, content), styles=styles)
    matches: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]
    matches = {"statistics": match_colors, "histogram": match_histogram}
    match = matches.get(kind)
    return replace(inputs, styles=tuple(match(style, photo) for style in inputs.styles)) if match else inputs


def finished(image: np.ndarray, inputs: Inputs) -> np.ndarray:
    """Return a picture of a run with the photo's colours, and with the photo itself where it is not to change.

    inputs  as given, not with_preserved_colors
    """
    size, photo = image.shape[:2], inputs.content
    if inputs.settings.preserve_color == "luminance":
        image = with_colors_of(image, resize(photo, size))
    if inputs.content_mask is not None:
        changed = resize(inputs.content_mask[..., None], size)
        image = changed * image + (1 - changed) * resize(photo, size)
    return image
