"""VGG19's weights, from four kinds of file: this project's .npz, MatConvNet's .mat, Keras' .h5 and Keras' download."""

import hashlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from nst.errors import UserError
from nst.layers import CHANNELS_PER_BLOCK, LAYERS, block_of, keras_name
from nst.places import WEIGHTS

# The weights that come with this project.
EMBEDDED = WEIGHTS / "vgg19_q8.npz"
EXPECTED = "expected VGG19 as this project's .npz, MatConvNet's .mat or Keras' .h5"
Weights = dict[str, tuple[np.ndarray, np.ndarray]]  # layer -> (kernel, bias)


def load_weights(source: str | None = None) -> Weights:
    """Load kernels and biases of all layers.

    source  None for the file in pretrained-model/, 'imagenet' for Keras' own download, else a path to .npz, .mat or .h5

    Raises UserError where the file is missing, damaged, or does not hold VGG19.
    """
    if source == "imagenet":
        return _from_keras_download()
    check_weights(source)
    path = Path(source) if source else EMBEDDED
    try:
        weights = READERS[path.suffix.lower()](path)
    except UserError:
        raise
    except Exception as error:  # Each file format has parsers and errors of its own.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"weights {path}: damaged, cut short or foreign ({reason}); {EXPECTED}") from error
    _check(weights, f"weights {path}")
    return weights


def check_weights(source: str | None) -> None:
    """Raise UserError where it is plain without reading that `source` holds no weights."""
    path = Path(source) if source else EMBEDDED
    if source == "imagenet":
        return
    if path.suffix.lower() not in READERS:
        raise UserError(f"weights {path}: {EXPECTED}, or the word imagenet")
    if not path.is_file():
        raise UserError(f"weights {path}: no such file; {EXPECTED}, or the word imagenet")


def weights_sha256(weights: Weights) -> str:
    """Return the SHA-256 of all numbers. It is the same for the same network in any kind of file."""
    digest = hashlib.sha256()
    for layer in LAYERS:
        for array in weights[layer]:
            digest.update(array.tobytes())
    return digest.hexdigest()


def _check(weights: Weights, name: str) -> None:
    """Raise UserError unless every layer is there, with VGG19's shapes and finite numbers."""
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
    """Read this project's .npz: per layer, 8-bit codes and a codebook of 256 values; see pretrained-model/README.md."""
    if not zipfile.is_zipfile(path):
        raise UserError(f"weights {path}: damaged or cut short; fetch {path.name} again")
    with np.load(path, allow_pickle=False) as stored:
        layers = [layer for layer in LAYERS if f"{layer}/codes" in stored]
        kernels = {layer: stored[f"{layer}/codebook"][stored[f"{layer}/codes"]] for layer in layers}
        return _rgb_input({layer: (kernel, stored[f"{layer}/bias"]) for layer, kernel in kernels.items()})


def _from_matconvnet(path: Path) -> Weights:
    """Read imagenet-vgg-verydeep-19.mat: a cell of layers with 'weights' or, before 2015, 'filters' and 'biases'.

    Its kernels are [height, width, in, out] for RGB input (vlfeat.org/matconvnet/pretrained).
    """
    import scipy.io  # Only here: it takes long to import.

    stored = scipy.io.loadmat(path, simplify_cells=True)
    weights: Weights = {}
    for layer in stored.get("net", stored)["layers"]:
        if layer["name"] in LAYERS:
            kernel, bias = layer["weights"] if "weights" in layer else (layer["filters"], layer["biases"])
            weights[layer["name"]] = (np.asarray(kernel, np.float32), np.asarray(bias, np.float32).reshape(-1))
    return weights


def _from_keras_file(path: Path) -> Weights:
    """Read a .h5 of weights or of a whole model: the group block1_conv1 holds one kernel and one bias, and so on."""
    import h5py  # It comes with TensorFlow.

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
    """Let Keras download its own VGG19."""
    import tensorflow as tf

    try:
        model = tf.keras.applications.VGG19(weights="imagenet", include_top=False)
    except Exception as error:  # Keras wraps urllib's errors in a bare Exception.
        raise UserError(f"weights imagenet: Keras could not download them: {str(error).splitlines()[0]}") from error
    return _rgb_input({layer: _kernel_and_bias(model.get_layer(keras_name(layer)).get_weights()) for layer in LAYERS})


def _kernel_and_bias(arrays: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    kernel, bias = sorted(arrays, key=np.ndim, reverse=True)
    return kernel, bias


def _rgb_input(weights: Weights) -> Weights:
    """Return weights for RGB input: in the files, the first kernel is for BGR, as in the original Caffe model."""
    if LAYERS[0] in weights:
        kernel, bias = weights[LAYERS[0]]
        weights[LAYERS[0]] = np.ascontiguousarray(kernel[:, :, ::-1]), bias
    return weights


READERS = {".npz": _from_npz, ".mat": _from_matconvnet, ".h5": _from_keras_file, ".hdf5": _from_keras_file}
