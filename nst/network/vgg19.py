"""VGG19 (Simonyan & Zisserman 2014) as a fixed function of an image, and the kinds of file its weights come in.

Kernels are [height, width, in, out] with RGB input; the network takes pixels in 0..255 less their mean.
"""

import hashlib
import itertools
import zipfile
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
import tensorflow as tf

from nst.errors import UserError
from nst.layers import CHANNELS_PER_BLOCK, LAYERS, block_of, keras_name, stride_px
from nst.network.winograd import Tiles, convolution

MEAN_RGB = (123.68, 116.779, 103.939)
FLOAT16_GRADIENT_SCALE = 2.0**20  # of gradients within the network, which are too small for float16
TILE_PX_PER_BLOCK = (4, 4, 4, 4, 2)  # the last block has most of the weights and least of the work
EMBEDDED = Path(__file__).resolve().parents[2] / "pretrained-model" / "vgg19_q8.npz"

SEGMENT_BLOCKS = ((1, 2, 3), (4,), (5,))

Weights = dict[str, tuple[np.ndarray, np.ndarray]]  # layer -> kernel, bias


@dataclass(frozen=True)
class Segment:
    """Some blocks of the network that follow each other, which can be computed on their own.

    first_block, last_block  1 to 5
    layers     those of its activations that are asked for
    reach_px   of the picture, how far beyond its own cell one of its activations sees in what the segment takes
    grid_px    tiles of a picture have to begin at multiples of it, so that its poolings and Winograd's tiles lie as in
               the whole picture
    channels, dtype  of what it takes: an image, or what the segment before leaves
    run        x [height, width, channels] -> layer -> activation [height, width, channels], and what the next segment
               takes; the last one leaves None
    """

    first_block: int
    last_block: int
    layers: tuple[str, ...]
    reach_px: int
    grid_px: int
    channels: int
    dtype: tf.DType
    run: Callable[[tf.Tensor], tuple[dict[str, tf.Tensor], tf.Tensor | None]]


@dataclass(frozen=True)
class Network:
    """The network: an image -> layer -> activation [positions, channels]. It consists of segments.

    The image is float32 [height, width, 3] in [0, 1]; an activation is bfloat16 where the convolutions are, else
    float32: float16 would not hold the sums of its squares.
    """

    segments: tuple[Segment, ...]

    def __call__(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the activations by layer, [positions, channels]."""
        x: tf.Tensor | None = image
        found: dict[str, tf.Tensor] = {}
        for segment in self.segments:
            some, x = segment.run(x)
            found |= {layer: flat(activation) for layer, activation in some.items()}
        return found


def flat(activation: tf.Tensor) -> tf.Tensor:
    """Return an activation [height, width, channels] as [positions, channels]."""
    return tf.reshape(activation, [-1, activation.shape[-1]])


def load_weights(source: str | None = None) -> Weights:
    """Load kernels and biases of all layers.

    source  None: the file in pretrained-model/; 'imagenet': Keras' own download; else a path to .npz, .mat or .h5.

    Raises UserError where the file is missing, damaged, or does not hold VGG19.
    """
    if source == "imagenet":
        return _from_keras_download()
    path = Path(source) if source else EMBEDDED
    readers = {".npz": _from_npz, ".mat": _from_matconvnet, ".h5": _from_keras_file, ".hdf5": _from_keras_file}
    expected = "expected VGG19 as this project's .npz, MatConvNet's .mat or Keras' .h5"
    if path.suffix.lower() not in readers:
        raise UserError(f"weights {path}: {expected}, or the word imagenet")
    if not path.is_file():
        raise UserError(f"weights {path}: no such file; {expected}, or the word imagenet")
    try:
        weights = readers[path.suffix.lower()](path)
    except UserError:
        raise
    except Exception as error:  # four file formats, each with its own parsers and errors
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"weights {path}: damaged, cut short or foreign ({reason}); {expected}") from error
    _check(weights, f"weights {path}")
    return weights


def weights_sha256(weights: Weights) -> str:
    """Return the SHA-256 of all numbers, the same for the same network whatever file it came in."""
    digest = hashlib.sha256()
    for layer in LAYERS:
        for array in weights[layer]:
            digest.update(array.tobytes())
    return digest.hexdigest()


def build_network(
    weights: Weights, layers: Iterable[str], *, pooling: str = "max", precision: str = "float32"
) -> Network:
    """Return the network from an image to the activations, after ReLU, of `layers`.

    pooling    'max' as trained, or 'avg' as Gatys et al. advise.
    precision  'float32', 'bfloat16' or 'float16', the type of the convolutions.
    """
    wanted = frozenset(layers)
    needed = LAYERS[: 1 + max(LAYERS.index(layer) for layer in wanted)]
    groups = [[layer for layer in needed if block_of(layer) in blocks] for blocks in SEGMENT_BLOCKS]
    groups = [group for group in groups if group]
    return Network(
        tuple(
            _segment(weights, group, wanted, last=group is groups[-1], pooling=pooling, precision=precision)
            for group in groups
        )
    )


def _segment(
    weights: Weights, layers: list[str], wanted: Collection[str], *, last: bool, pooling: str, precision: str
) -> Segment:
    """Return the segment of these layers, which ends with a pooling unless it is the last one."""
    pool = {"max": tf.nn.max_pool2d, "avg": tf.nn.avg_pool2d}[pooling]
    dtype = tf.dtypes.as_dtype(precision)
    convolutions = {
        layer: convolution(weights[layer][0], precision, TILE_PX_PER_BLOCK[block_of(layer) - 1]) for layer in layers
    }
    biases = {layer: tf.constant(weights[layer][1], dtype) for layer in layers}
    found_dtype = tf.bfloat16 if precision == "bfloat16" else tf.float32
    gradient_scale = FLOAT16_GRADIENT_SCALE if precision == "float16" else 1.0
    first_block, last_block = block_of(layers[0]), block_of(layers[-1])

    def run(x: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor | None]:
        if first_block == 1:
            x = tf.cast(_with_scaled_gradient(x, 1 / gradient_scale) * 255.0 - tf.constant(MEAN_RGB), dtype)
        x, block = x[None], 0
        found = {}
        for layer, following in itertools.zip_longest(layers, layers[1:]):
            if block_of(layer) != block:
                block = block_of(layer)
                tiles = Tiles(x, TILE_PX_PER_BLOCK[block - 1])
            x = convolutions[layer](x, tiles)
            pooled = not last if following is None else block_of(following) != block
            if pooled and pooling == "max" and layer not in wanted:
                x, pooled = pool(x, 2, 2, "VALID"), False  # the maximum and ReLU commute; on a quarter, it is quicker
            x = tf.nn.relu(tf.nn.bias_add(x, biases[layer]))
            if layer in wanted:
                found[layer] = _with_scaled_gradient(tf.cast(tf.squeeze(x, 0), found_dtype), gradient_scale)
            x = pool(x, 2, 2, "VALID") if pooled else x
        return found, None if last else tf.squeeze(x, 0)

    return Segment(
        first_block,
        last_block,
        tuple(layer for layer in layers if layer in wanted),
        sum(stride_px(block_of(layer)) for layer in layers),
        stride_px(last_block) * (TILE_PX_PER_BLOCK[last_block - 1] if precision == "float32" else 2),
        3 if first_block == 1 else weights[layers[0]][0].shape[2],
        tf.float32 if first_block == 1 else dtype,
        run,
    )


def _with_scaled_gradient(x: tf.Tensor, factor: float) -> tf.Tensor:
    """Return x; its gradient is multiplied by the factor."""
    if factor == 1:
        return x
    return tf.custom_gradient(lambda y: (tf.identity(y), lambda upstream: factor * upstream))(x)


def _check(weights: Weights, name: str) -> None:
    """Raise UserError unless every layer is there with VGG19's shapes and finite numbers."""
    channels_in = 3
    for layer in LAYERS:
        channels_out = CHANNELS_PER_BLOCK[block_of(layer) - 1]
        kernel, bias = weights.get(layer, (np.empty(0), np.empty(0)))
        expected = (3, 3, channels_in, channels_out)
        if kernel.shape != expected or bias.shape != (channels_out,):
            found = f"is {kernel.shape}" if kernel.size else "is missing"
            raise UserError(f"{name}: is not VGG19: the kernel of {layer} {found}, expected {expected}")
        if not (np.isfinite(kernel).all() and np.isfinite(bias).all()):
            raise UserError(f"{name}: damaged: {layer} holds numbers that are not finite")
        channels_in = channels_out


def _from_npz(path: Path) -> Weights:
    """Read 8-bit codes into a codebook of 256 values per layer; see pretrained-model/README.md."""
    if not zipfile.is_zipfile(path):
        raise UserError(f"weights {path}: damaged or cut short; fetch {path.name} again")
    with np.load(path, allow_pickle=False) as stored:
        layers = [layer for layer in LAYERS if f"{layer}/codes" in stored]
        kernels = {layer: stored[f"{layer}/codebook"][stored[f"{layer}/codes"]] for layer in layers}
        return _rgb_input({layer: (kernel, stored[f"{layer}/bias"]) for layer, kernel in kernels.items()})


def _from_matconvnet(path: Path) -> Weights:
    """Read imagenet-vgg-verydeep-19.mat: a cell of layers with 'weights' or, before 2015, 'filters' and 'biases'.

    Kernels are [height, width, in, out] and take RGB (vlfeat.org/matconvnet/pretrained).
    """
    stored = scipy.io.loadmat(path, simplify_cells=True)
    weights: Weights = {}
    for layer in stored.get("net", stored)["layers"]:
        if layer["name"] in LAYERS:
            kernel, bias = layer["weights"] if "weights" in layer else (layer["filters"], layer["biases"])
            weights[layer["name"]] = (np.asarray(kernel, np.float32), np.asarray(bias, np.float32).reshape(-1))
    return weights


def _from_keras_file(path: Path) -> Weights:
    """Read a .h5 of weights or of a whole model: under a group named block1_conv1 lie one kernel and one bias."""
    import h5py  # comes with TensorFlow

    arrays: dict[str, list[np.ndarray]] = {layer: [] for layer in LAYERS}

    def collect(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            for layer in LAYERS:
                if keras_name(layer) in name.split("/"):
                    arrays[layer].append(np.asarray(item, np.float32))

    with h5py.File(path, "r") as stored:
        stored.visititems(collect)
    return _rgb_input({layer: _kernel_and_bias(found) for layer, found in arrays.items() if found})


def _from_keras_download() -> Weights:
    try:
        model = tf.keras.applications.VGG19(weights="imagenet", include_top=False)
    except Exception as error:  # urllib's errors arrive wrapped in a bare Exception
        raise UserError(f"weights imagenet: Keras could not download them: {str(error).splitlines()[0]}") from error
    return _rgb_input({layer: _kernel_and_bias(model.get_layer(keras_name(layer)).get_weights()) for layer in LAYERS})


def _kernel_and_bias(arrays: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    kernel, bias = sorted(arrays, key=np.ndim, reverse=True)
    return kernel, bias


def _rgb_input(weights: Weights) -> Weights:
    """Turn the first kernel, stored for BGR as in the original Caffe model, to RGB."""
    if LAYERS[0] in weights:
        kernel, bias = weights[LAYERS[0]]
        weights[LAYERS[0]] = np.ascontiguousarray(kernel[:, :, ::-1]), bias
    return weights
