"""Colours: one picture's moved onto another's, and a result that keeps the colours of the photo. No TensorFlow.

An image is float32 sRGB [height, width, 3] in [0, 1].
"""

import numpy as np
from scipy.stats import rankdata

# Björn Ottosson 2020, "A perceptual color space for image processing": linear sRGB -> cones, their cube roots -> Oklab
CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
LIGHTNESS_HALVINGS = 12  # of the chroma that a lightness leaves no room for


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


def match_histogram(image: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return `image` with the other's histogram along each of the three axes along which the other's colours vary.

    After match_colors, so that the axes go together. Equal colours stay equal and no axis turns round, where a match of
    the whole distribution in three dimensions would give a grey picture every hue.
    """
    ours, theirs = match_colors(image, other).reshape(-1, 3), other.reshape(-1, 3)
    axes = np.linalg.eigh(np.cov(theirs.T))[1]
    along = ours @ axes
    for axis, wanted in enumerate((theirs @ axes).T):
        shares = (rankdata(along[:, axis]) - 0.5) / len(along)
        along[:, axis] = np.interp(shares, (np.arange(len(wanted)) + 0.5) / len(wanted), np.sort(wanted))
    return np.clip((along @ axes.T).reshape(image.shape), 0, 1).astype(np.float32)


def match_lightness(image: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return `image` in grey, with the mean and deviation of the other's lightness. Gatys et al. 2016, section 5.1."""
    ours, theirs = oklab(image)[..., 0], oklab(other)[..., 0]
    lightness = (ours - ours.mean()) * (theirs.std() / max(ours.std(), 1e-6)) + theirs.mean()
    return srgb(np.stack([np.clip(lightness, 0, 1), *np.zeros((2, *lightness.shape))], axis=-1))


def with_colors_of(image: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """Return the lightness of `image` with hue and chroma of a photo of the same size, where the two go together.

    Where no colour of that lightness has so much chroma, it is as much as there is.
    """
    lightness, colour = oklab(image)[..., :1], oklab(photo)[..., 1:]
    least, most = np.zeros_like(lightness), np.ones_like(lightness)
    whole = _shown(np.concatenate([lightness, colour], axis=-1))
    for _ in range(LIGHTNESS_HALVINGS):
        share = (least + most) / 2
        shown = _shown(np.concatenate([lightness, share * colour], axis=-1))
        least, most = np.where(shown, share, least), np.where(shown, most, share)
    return srgb(np.concatenate([lightness, np.where(whole, 1, least) * colour], axis=-1))


def oklab(image: np.ndarray) -> np.ndarray:
    """Return lightness 0 to 1, green to red, and blue to yellow of an image, as [height, width, 3]."""
    x = image.astype(np.float64)
    linear = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)  # IEC 61966-2-1
    return np.cbrt(linear @ CONES.T) @ OKLAB.T


def srgb(lab: np.ndarray) -> np.ndarray:
    """Return the image of an Oklab picture; what sRGB cannot show is clipped."""
    linear = np.clip(_linear(lab), 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.clip(encoded, 0, 1).astype(np.float32)


def _linear(lab: np.ndarray) -> np.ndarray:
    return (lab @ np.linalg.inv(OKLAB).T) ** 3 @ np.linalg.inv(CONES).T


def _shown(lab: np.ndarray) -> np.ndarray:
    """Return where sRGB can show an Oklab colour: [height, width, 1]."""
    linear = _linear(lab)
    return np.all((linear > -1e-4) & (linear < 1 + 1e-4), axis=-1, keepdims=True)
