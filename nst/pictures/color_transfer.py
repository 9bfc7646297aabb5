"""Colour transfer: a picture given the colours of another picture, in full or without touching its lightness.

An image is float32 sRGB [height, width, 3] in [0, 1].
"""

import numpy as np

from nst.system.large_arrays import empty, mean_of, strips

# The matrices of Björn Ottosson 2020, "A perceptual color space for image processing": from linear sRGB to the
# responses of the eye's cones, and from their cube roots to Oklab.
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
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # Of red, green and blue: ITU-R BT.709.
CHROMA_HALVINGS = 12  # The steps of the search for the largest chroma that sRGB can show.


def match_colors(image: np.ndarray, style: np.ndarray, like: np.ndarray | None = None) -> np.ndarray:
    """Return `image` with the mean and covariance of the style's colours, each colour moved as little as possible.

    like  an image whose mean and covariance are taken for those of `image`, as all frames of a scene are moved alike

    This is the optimal transport between two Gaussian distributions: Pitié & Kokaram 2007, "The linear
    Monge-Kantorovitch linear colour mapping". Gatys et al. 2016 match colours in a similar way.
    """

    def matrix_power(matrix: np.ndarray, power: float) -> np.ndarray:
        values, vectors = np.linalg.eigh(matrix)
        return (vectors * values**power) @ vectors.T

    floor = 1e-5 * np.eye(3)  # A picture of a single colour has a covariance of zero, which has no inverse.
    (mean, ours), (wanted, theirs) = map(_mean_and_covariance, (image if like is None else like, style))
    ours, theirs = ours + floor, theirs + floor
    stretch = matrix_power(ours, 0.5)
    shrink = matrix_power(ours, -0.5)
    transport = shrink @ matrix_power(stretch @ theirs @ stretch, 0.5) @ shrink
    moved = empty(image.shape)
    for rows in strips(image.shape):
        moved[rows] = np.clip((image[rows] - mean) @ transport.T + wanted, 0, 1)
    return moved


def _mean_and_covariance(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean colour [3] of an image and the covariance of its colours [3, 3]."""
    mean = np.array([mean_of(image[..., channel]) for channel in range(3)], np.float32)
    total = np.zeros((3, 3))
    for rows in strips(image.shape):
        apart = image[rows].reshape(-1, 3) - mean.astype(np.float64)
        total += apart.T @ apart
    return mean, total / (image.shape[0] * image.shape[1])


def match_histogram(image: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return `image` with the histogram of `other` along each principal axis of the other's colours.

    match_colors comes first, so that both pictures have these axes. Equal colours stay equal, and the order along each
    axis stays. A match of the whole distribution in three dimensions would give a grey picture every hue.
    """
    from scipy.stats import rankdata  # Only here: it takes long to import.

    ours, theirs = match_colors(image, other).reshape(-1, 3), other.reshape(-1, 3)
    axes = np.linalg.eigh(np.cov(theirs.T, bias=True))[1]
    along = ours @ axes
    for axis, wanted in enumerate((theirs @ axes).T):
        quantiles = (rankdata(along[:, axis]) - 0.5) / len(along)
        along[:, axis] = np.interp(quantiles, (np.arange(len(wanted)) + 0.5) / len(wanted), np.sort(wanted))
    return np.clip((along @ axes.T).reshape(image.shape), 0, 1).astype(np.float32)


def match_lightness(image: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return `image` in grey, its lightness with the mean and standard deviation of the other's.

    Gatys et al. 2016, section 5.1.
    """
    ours, theirs = oklab(image)[..., 0], oklab(other)[..., 0]
    lightness = (ours - ours.mean()) * (theirs.std() / max(ours.std(), 1e-6)) + theirs.mean()
    return srgb(np.stack([np.clip(lightness, 0, 1), *np.zeros((2, *lightness.shape))], axis=-1))


def with_colors_of(image: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """Return a picture with the lightness of `image` and the hue and chroma of a photo of the same size.

    Where sRGB has no such colour, the chroma is reduced to the largest that sRGB can show.
    """
    lightness, color = oklab(image)[..., :1], oklab(photo)[..., 1:]
    least, most = np.zeros_like(lightness), np.ones_like(lightness)
    whole = _shown(np.concatenate([lightness, color], axis=-1))
    for _ in range(CHROMA_HALVINGS):
        middle = (least + most) / 2
        shown = _shown(np.concatenate([lightness, middle * color], axis=-1))
        least, most = np.where(shown, middle, least), np.where(shown, most, middle)
    return srgb(np.concatenate([lightness, np.where(whole, 1, least) * color], axis=-1))


def oklab(image: np.ndarray) -> np.ndarray:
    """Return an image in Oklab, [height, width, 3]: lightness 0 to 1, then green to red, then blue to yellow."""
    x = image.astype(np.float64)
    linear = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)  # IEC 61966-2-1
    return np.cbrt(linear @ CONES.T) @ OKLAB.T


def srgb(lab: np.ndarray) -> np.ndarray:
    """Return an Oklab picture in sRGB; colours outside sRGB are clipped."""
    linear = np.clip(_linear(lab), 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.clip(encoded, 0, 1).astype(np.float32)


def _linear(lab: np.ndarray) -> np.ndarray:
    """Return an Oklab picture in linear sRGB, which may leave [0, 1]."""
    return (lab @ np.linalg.inv(OKLAB).T) ** 3 @ np.linalg.inv(CONES).T


def _shown(lab: np.ndarray) -> np.ndarray:
    """Return whether sRGB can show the Oklab colour of each pixel: [height, width, 1]."""
    linear = _linear(lab)
    return np.all((linear > -1e-4) & (linear < 1 + 1e-4), axis=-1, keepdims=True)
