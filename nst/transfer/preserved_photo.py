"""What a picture keeps of the photo: its colours, where the settings ask for them, and its pixels under a mask."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from nst.pictures.color_transfer import match_colors, match_histogram, match_lightness, with_colors_of
from nst.pictures.resizing import resized_rows
from nst.system.large_arrays import empty, strips
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
    size, keeps_colors, mask = image.shape[:2], inputs.settings.preserve_color == "luminance", inputs.content_mask
    if not keeps_colors and mask is None:
        return image
    done = empty(image.shape)
    for rows in strips(size):
        photo, part = resized_rows(inputs.content, size, rows), image[rows]
        if keeps_colors:
            part = with_colors_of(part, photo)
        if mask is not None:
            changed = resized_rows(mask[..., None], size, rows)
            part = changed * part + (1 - changed) * photo
        done[rows] = part
    return done
