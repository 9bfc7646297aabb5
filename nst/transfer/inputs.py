"""The pictures and settings that a run is made from, checked to go together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from nst.errors import UserError
from nst.pictures.resizing import resize
from nst.settings import Settings

if TYPE_CHECKING:
    from nst.transfer.style_loss import StyleLoss


@dataclass(frozen=True)
class Inputs:
    """The pictures that a run is made from, each of any size. Raises UserError where their numbers do not agree.

    content, styles  images
    start            the first picture, in place of settings.init
    style_masks      a mask for each style, or none
    content_mask     where the photo may change, or None for everywhere
    shown            for each style, where it counts, [height, width] in [0, 1], or None for everywhere; or nothing
    own_style_loss   a style loss in place of that of settings.style_loss
    scene            of a frame of a clip: the first frame of its scene, by whose colours all frames are matched
    """

    content: np.ndarray
    styles: tuple[np.ndarray, ...]
    settings: Settings
    start: np.ndarray | None = None
    style_masks: tuple[np.ndarray, ...] = field(default=())
    content_mask: np.ndarray | None = None
    shown: tuple[np.ndarray | None, ...] = ()
    own_style_loss: StyleLoss | None = None
    scene: np.ndarray | None = None

    def __post_init__(self) -> None:
        check_counts(len(self.styles), self.settings)
        if self.style_masks and len(self.style_masks) != len(self.styles):
            raise ValueError(f"{len(self.style_masks)} masks for {len(self.styles)} styles")

    @property
    def style_loss(self) -> StyleLoss:
        """Return the style loss."""
        from nst.transfer.losses import STYLE_LOSSES

        return self.own_style_loss or STYLE_LOSSES[self.settings.style_loss]

    @property
    def weights(self) -> list[float]:
        """Return the weight of each style. Together they are 1."""
        given = self.settings.style_weights or (1.0,) * len(self.styles)
        return [weight / sum(given) for weight in given]


def shown_part(alpha: np.ndarray | None, source: np.ndarray | None) -> np.ndarray | None:
    """Return where a style counts, [height, width] in [0, 1], or None for everywhere.

    alpha   the style's opacity, or None: what is transparent does not count
    source  the mask on the style, or None
    """
    if alpha is None or source is None:
        return alpha if source is None else source
    return alpha * resize(source[..., None], alpha.shape)[..., 0]


def check_counts(styles: int, settings: Settings) -> None:
    """Raise UserError unless there is a weight, a scale and a mask for each style, or as many as serve all styles.

    styles  the number of styles
    """
    for name, values, also in (
        ("--style-weights", settings.style_weights, (0,)),
        ("--style-scale", settings.style_scale, (1,)),
        ("--style-mask", settings.style_mask, (0,)),
        ("--source-mask", settings.source_mask, (0,)),
    ):
        if len(values) not in (styles, *also):
            pictures = "style image" if styles == 1 else "style images"
            raise UserError(f"{name}: got {len(values)} for {styles} {pictures}; give one per image")
