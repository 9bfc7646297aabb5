"""From arrays to an array: the scales, the first picture, the loop. Reports each step; no files, no printing."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nst.basis import make_basis
from nst.detail import enlarge
from nst.image_io import Size, resize
from nst.objective import View, make_evaluate, make_measure, make_view
from nst.optimizers import minimize
from nst.scales import Scale, plan_scales
from nst.settings import Settings
from nst.vgg19 import MEAN_RGB, Features

NOISE_LEVELS = 20  # of 255, either way of the mean colour, as in the course


@dataclass(frozen=True)
class Step:
    """One evaluation of the cost: where the run is, and the costs by name."""

    number: int  # from 1, over all scales
    size: Size
    costs: dict[str, float]


OnStep = Callable[[Step, Callable[[], np.ndarray]], None]  # the step, and what returns the picture after it


def stylize(
    content: np.ndarray,
    style: np.ndarray,
    settings: Settings,
    features: Features,
    *,
    start: np.ndarray | None = None,
    on_step: OnStep = lambda step, picture: None,
) -> np.ndarray:
    """Return `content` redrawn in the style of `style`, with the long side that the settings ask for.

    content, style  images, float32 [height, width, 3] in [0, 1], of any size
    features        the network, with all content and style layers of the settings
    start           the first picture where settings.init is a path
    on_step         called after each evaluation
    """
    scales = plan_scales(content.shape[:2], style.shape[:2], settings)
    image = first_picture(content, style, start, scales[0], settings)
    measure = make_measure(features, settings)
    views: list[View] = []
    done = 0
    for coarser, scale in zip([None, *scales], scales, strict=False):
        if coarser:
            first = first_picture(content, style, start, scale, settings)
            image = enlarge(image, first, style, coarser, scale, strokes=settings.strokes)
        views.insert(0, make_view(features, content, style, scale.size, scale.style_size, settings))
        evaluate = make_evaluate(measure, views if settings.copies else views[:1], settings)

        def report(costs: dict[str, float], picture: Callable[[], np.ndarray], size: Size = scale.size) -> None:
            nonlocal done
            done += 1
            on_step(Step(done, size, costs), picture)

        image = minimize(evaluate, image, make_basis(scale, style, settings), scale.steps, settings, report=report)
    return image


def match_colors(image: np.ndarray, style: np.ndarray) -> np.ndarray:
    """Return `image` with the mean and covariance of the style's colours, each colour moved as little as possible.

    That is optimal transport between Gaussians (Pitié & Kokaram 2007, "monge"); Gatys et al. 2016 match colours so too.
    """

    def root(matrix: np.ndarray, power: float) -> np.ndarray:
        values, vectors = np.linalg.eigh(matrix)
        return (vectors * values**power) @ vectors.T

    floor = 1e-5 * np.eye(3)  # a picture of one colour has no covariance
    ours, theirs = (np.cov(picture.reshape(-1, 3).T) + floor for picture in (image, style))
    stretch = root(ours, 0.5)
    shrink = root(ours, -0.5)
    transport = shrink @ root(stretch @ theirs @ stretch, 0.5) @ shrink
    moved = (image - image.mean(axis=(0, 1))) @ transport.T + style.mean(axis=(0, 1))
    return np.clip(moved, 0, 1).astype(np.float32)


def first_picture(
    content: np.ndarray, style: np.ndarray, start: np.ndarray | None, scale: Scale, settings: Settings
) -> np.ndarray:
    """Return the picture to start from, at the size of a scale, with the share of noise that the settings ask for."""
    if settings.init == "style":
        source = style
    elif settings.init in ("content", "noise"):
        source = content
    elif start is not None:
        source = start
    else:
        raise ValueError("settings.init is a path, so `start` must hold its picture")
    noise_share = 1.0 if settings.init == "noise" else settings.init_noise
    picture = resize(source, scale.size)
    if settings.match_colors:
        picture = match_colors(picture, style)
    levels = np.random.default_rng(settings.seed).uniform(-NOISE_LEVELS, NOISE_LEVELS, picture.shape)
    noise = (np.array(MEAN_RGB) + levels) / 255
    return ((1 - noise_share) * picture + noise_share * noise).astype(np.float32)
