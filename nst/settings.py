"""Settings: every choice of a run with its default, range and help, written once. Flags and JSON come from here.

To add one, add a field; `add_flags`, `make_settings`, `describe` and the README's test follow from it.
"""

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from nst.errors import UserError, suggestion
from nst.layers import LayerWeights, format_layer_weights, parse_layer_weights
from nst.system.atomic_files import read_text, read_toml

ORIGINAL_SIZE = "original"
AUTO_TILE, NO_TILES = "auto", "off"
STYLE_LAYERS: LayerWeights = (
    ("conv1_1", 0.125),
    ("conv2_1", 0.125),
    ("conv3_1", 0.125),
    ("conv3_4", 0.125),
    ("conv4_1", 0.125),
    ("conv5_1", 0.125),
    ("conv5_2", 0.125),
    ("conv5_4", 0.125),
)
LARGEST = 1e12
PRESETS = Path(__file__).resolve().parent / "presets"
DEFAULT_PRESET = "default"


@dataclass(frozen=True)
class Option:
    """How a field of Settings is read, checked and explained.

    kind   int, float, bool, text, px, time (in seconds), memory (in MB), or a list: layers, numbers, paths
    words  that px may be instead of a number
    unset  what --help shows where there is no default
    """

    kind: str
    group: str
    help: str
    low: float = 0
    high: float = LARGEST
    choices: tuple[Any, ...] = ()
    words: tuple[str, ...] = ()
    metavar: str | None = None
    unset: str = "none"
    changes_pixels: bool = True
    same_for_batch: bool = False


METAVARS = {
    "int": "N",
    "float": "X",
    "text": "TEXT",
    "px": "PX",
    "layers": "LAYER[:WEIGHT]",
    "numbers": "X",
    "time": "TIME",
    "memory": "MEMORY",
    "paths": "PATH",
}
UNITS = {"time": {"s": 1, "m": 60, "h": 3600}, "memory": {"MB": 1, "GB": 1000}}  # the first for a number alone
EXAMPLES = {"time": "a time such as 90s, 10m or 1h", "memory": "an amount such as 800MB or 4GB"}
LISTS = ("layers", "numbers", "paths")


def _option(default: Any, kind: str, group: str, help: str, **limits: Any) -> Any:
    return field(default=default, metadata={"option": Option(kind, group, help, **limits)})


@dataclass(frozen=True)
class Settings:
    """All that decides what a run computes. Immutable; raises UserError for a value outside its range."""

    strength: float = _option(
        0.5, "float", "look", "one knob from the photo, 0, to the painting, 1; multiplies alpha and beta", high=1
    )
    content_weight: float = _option(
        0.28, "float", "look", "alpha: weight of the content; more keeps the photo clearer", metavar="ALPHA"
    )
    style_weight: float = _option(1.0, "float", "look", "beta: weight of the style", metavar="BETA")
    style_layers: LayerWeights = _option(
        STYLE_LAYERS, "layers", "look", "layers that the style is taken from, as conv1_1:0.5 relu4_1 block5_conv1:2"
    )
    content_layers: LayerWeights = _option(
        (("conv4_2", 1.0),), "layers", "look", "layers that the content is taken from"
    )
    style_loss: str = _option(
        "gram",
        "text",
        "look",
        "what of a layer's activations is compared: gram, their Gram matrix; covariance, their mean and covariance; "
        "moments, the mean and deviation of each channel",
        choices=("gram", "covariance", "moments"),
    )
    tv_weight: float = _option(0.0, "float", "look", "weight of total variation; more is smoother")
    balance: bool = _option(
        True,
        "bool",
        "look",
        "divide each layer's cost by that of a picture with nothing in it, so that weights compare",
    )
    style_weights: tuple[float, ...] = _option(
        (), "numbers", "styles", "weight of each style in a blend", unset="equal", metavar="WEIGHT"
    )
    style_scale: tuple[float, ...] = _option(
        (1.0,),
        "numbers",
        "styles",
        "size of each style, or of all, beside the result's: larger makes larger strokes",
        low=0.05,
        high=20,
        metavar="X",
    )
    style_mask: tuple[str, ...] = _option(
        (), "paths", "styles", "for each style a picture that is white where it belongs, laid over the photo"
    )
    content_mask: str | None = _option(
        None, "text", "styles", "a picture that is white where the photo may change", metavar="PATH"
    )
    preserve_color: str = _option(
        "none",
        "text",
        "styles",
        "keep the photo's colours: luminance paints in lightness alone; statistics and histogram first give the style "
        "the photo's colours, by mean and covariance or in full",
        choices=("none", "luminance", "statistics", "histogram"),
    )
    size: int | str = _option(
        512,
        "px",
        "size",
        "long side of the result in px, or 'original' for the content's own",
        low=16,
        high=20000,
        words=(ORIGINAL_SIZE,),
    )
    smallest_scale: int = _option(
        128, "int", "size", "long side in px of the coarsest scale, where the picture starts", low=16, high=20000
    )
    copies: bool = _option(True, "bool", "size", "let the cost see the picture at all coarser scales too")
    init: str = _option("content", "text", "start", "first picture: content, noise, style or a PATH", metavar="WHAT")
    match_colors: bool = _option(
        True, "bool", "start", "give the first picture the style's mean colour and colour covariance"
    )
    init_noise: float = _option(0.0, "float", "start", "share of noise mixed into the first picture", high=1)
    seed: int = _option(0, "int", "start", "seed of the noise", high=2**32 - 1)
    strokes: float = _option(
        1.0,
        "float",
        "start",
        "share of the style's own strokes that finer scales start with where the photo is plain",
        high=1,
    )
    optimizer: str = _option(
        "adam", "text", "optimisation", "adam or lbfgs (SciPy's L-BFGS-B)", choices=("adam", "lbfgs")
    )
    steps: int = _option(
        14, "int", "optimisation", "steps at the full size, or at 512 px if that is smaller", low=1, high=1_000_000
    )
    coarse_steps: float = _option(
        2.0, "float", "optimisation", "how many times as many steps at half the size", low=0.1, high=100
    )
    fine_steps: float = _option(
        0.7, "float", "optimisation", "how many times as many steps at each doubling beyond 512 px", low=0.1, high=100
    )
    max_time: float = _option(
        0.0,
        "time",
        "optimisation",
        "spend at most so long, as 90s, 10m or 1h, with fewer steps at each scale but one at least; 0 for no limit",
    )
    until_converged: bool = _option(
        False,
        "bool",
        "optimisation",
        "end a scale before its steps are done once each gains less than a thousandth of the cost",
    )
    learning_rate: float = _option(
        8.0, "float", "optimisation", "Adam's first step in levels of 255", low=1e-6, high=255
    )
    decay: str = _option(
        "cosine", "text", "optimisation", "of the learning rate to 0 within each scale", choices=("cosine", "none")
    )
    beta1: float = _option(0.75, "float", "optimisation", "Adam's decay of the mean gradient", high=0.9999)
    beta2: float = _option(0.8, "float", "optimisation", "Adam's decay of the mean squared gradient", high=0.999999)
    basis: str = _option(
        "bands",
        "text",
        "optimisation",
        "what Adam steps in: pixels, or bands of coarse to fine detail",
        choices=("bands", "pixels"),
    )
    weights: str | None = _option(
        None,
        "text",
        "network",
        "VGG19's weights: a PATH to .npz, .mat or .h5, or 'imagenet' for Keras' download",
        metavar="WHERE",
        unset="embedded file",
    )
    pooling: str = _option(
        "max", "text", "network", "of VGG19: max as trained, avg as in Gatys et al.", choices=("max", "avg")
    )
    precision: str = _option(
        "auto",
        "text",
        "network",
        "type of the convolutions; auto takes bfloat16 where the processor computes in it; float16 is for GPUs",
        choices=("auto", "float32", "bfloat16", "float16"),
    )
    threads: int = _option(
        0,
        "int",
        "network",
        "processor threads; 0 leaves it to TensorFlow",
        high=1024,
        changes_pixels=False,
        same_for_batch=True,
    )
    max_memory: float = _option(
        0.0,
        "memory",
        "network",
        "the most memory to take, as 800MB or 4GB; larger pictures are computed in tiles; 0 for most of what is free",
        changes_pixels=False,
    )
    tile: int | str = _option(
        AUTO_TILE,
        "px",
        "network",
        "side in px of tiles, in which larger pictures are computed, with the same result; 'auto' as the memory asks "
        "for, 'off' for none",
        low=64,
        high=20000,
        words=(AUTO_TILE, NO_TILES),
        changes_pixels=False,
    )
    bit_depth: int = _option(
        8, "int", "output", "bits a channel of the result; 16 for .png and .tif", low=8, high=16, choices=(8, 16)
    )
    snapshot_every: int = _option(
        25, "int", "output", "write a snapshot every so many steps; 0 for none", high=1_000_000, changes_pixels=False
    )
    checkpoint_every: float = _option(
        30.0,
        "float",
        "output",
        "seconds between checkpoints, from which --resume goes on; 0 for none",
        changes_pixels=False,
    )

    def __post_init__(self) -> None:
        for item in fields(self):
            _check(item, getattr(self, item.name))
        if not any(self.cost_weights):
            raise UserError("--content-weight and --style-weight: are both 0, with --strength; raise one of them")
        if self.style_weights and not any(self.style_weights):
            raise UserError("--style-weights: are all 0; raise one of them")

    @property
    def cost_weights(self) -> tuple[float, float]:
        """Return alpha and beta. Strength multiplies them by the squares of two numbers that are both 1 at 0.5."""
        content, style = 2 * (1 - self.strength), 2 * self.strength
        return self.content_weight * content**2, self.style_weight * style**2

    @property
    def departure(self) -> float:
        """Return how far a run departs from the photo in its first picture and in Adam's steps: 1, below 0.5 less.

        Adam moves every number by about as much, however little there is to gain.
        """
        return min(1.0, 2 * self.strength)


@cache
def presets() -> dict[str, tuple[str, dict[str, Any]]]:
    """Return name -> (purpose, values by field name) of each file in presets/, the default first.

    A preset is a file for --config. Its first line is a comment that says what it is for.
    """
    paths = sorted(PRESETS.glob("*.toml"), key=lambda path: (path.stem != DEFAULT_PRESET, path.stem))
    return {
        path.stem: (
            read_text(path).splitlines()[0].removeprefix("# "),
            {field_name(key): value for key, value in read_toml(path).items()},
        )
        for path in paths
    }


def make_settings(preset: str = DEFAULT_PRESET, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Return the preset's Settings with `overrides`: field name -> value, or the words that a user wrote for it.

    Raises UserError for an unknown preset or name, and for a value that cannot be read or is out of range.
    """
    if preset not in presets():
        raise UserError(f"preset {preset}: there is none{suggestion(preset, presets())} ({', '.join(presets())})")
    known = {item.name: item for item in fields(Settings)}
    values = {}
    for name, value in {**presets()[preset][1], **(overrides or {})}.items():
        if name not in known:
            raise UserError(f"setting {name}: there is none{suggestion(name, known)}")
        values[name] = _read(known[name], value)
    return replace(Settings(), **values)


def read_setting(item: Field[Any], value: Any) -> Any:
    """Return one field's value, read and checked by itself as `make_settings` does. Raises UserError."""
    read = _read(item, value)
    _check(item, read)
    return read


def describe(settings: Settings) -> dict[str, Any]:
    """Return field name -> value as JSON knows it; `make_settings` reads it back."""
    return {item.name: _words(item, getattr(settings, item.name)) for item in fields(settings)}


def flag(name: str) -> str:
    """Return the flag of a field: '--style-layers' of 'style_layers'."""
    return "--" + name.replace("_", "-")


def field_name(key: str) -> str:
    """Return the field of a key in a file: 'style_layers' of 'style-layers', and of itself."""
    return key.replace("-", "_")


def option_of(item: Field[Any]) -> Option:
    """Return how a field of Settings is read, checked and explained."""
    option: Option = item.metadata["option"]
    return option


def default_words(item: Field[Any]) -> str:
    words = _words(item, item.default)
    if isinstance(words, bool):
        return "on" if words else "off"
    if words is None or words == []:
        return option_of(item).unset
    return " ".join(map(str, words)) if isinstance(words, list) else str(words)


def _words(item: Field[Any], value: Any) -> Any:
    """Return a field's value as JSON knows it and as `_read` reads it."""
    if option_of(item).kind == "layers":
        return format_layer_weights(value)
    return list(value) if isinstance(value, tuple) else value


def _read(item: Field[Any], value: Any) -> Any:
    """Return the field's value from a user's words. What is no string or list of words is taken as it is."""
    kind = option_of(item).kind
    if kind == "layers" and isinstance(value, Mapping):
        value = [f"{layer}:{weight}" for layer, weight in value.items()]
    if isinstance(value, list) and kind in LISTS:
        if kind == "layers":
            return parse_layer_weights(value)
        return tuple(_read_number(item, word) if kind == "numbers" else word for word in value)
    if not isinstance(value, str) or kind in ("text", "bool", *LISTS) or value in option_of(item).words:
        return value
    return _read_number(item, value)


def _read_number(item: Field[Any], word: Any) -> Any:
    """Return the number that a user wrote. What is no string is taken as it is."""
    kind = option_of(item).kind
    if not isinstance(word, str):
        return word
    if kind in UNITS:
        return _read_amount(item, word)
    whole = kind in ("int", "px")
    try:
        return int(word) if whole else float(word)
    except ValueError:
        wanted = " or ".join(["a whole number" if whole else "a number", *map(repr, option_of(item).words)])
        raise UserError(f"{flag(item.name)} {word}: must be {wanted}") from None


def _read_amount(item: Field[Any], word: str) -> float:
    """Return the seconds of 90s, 10m or 1h, or the MB of 4GB; a number alone is in the first unit."""
    kind = option_of(item).kind
    unit = next((unit for unit in UNITS[kind] if word.endswith(unit)), "")
    try:
        return float(word.removesuffix(unit)) * UNITS[kind].get(unit, 1)
    except ValueError:
        raise UserError(f"{flag(item.name)} {word}: must be {EXAMPLES[kind]}") from None


def _check(item: Field[Any], value: Any) -> None:
    """Raise UserError unless the value is among the field's choices or within its range."""
    option = option_of(item)
    if option.kind in ("numbers", "paths"):
        if not isinstance(value, tuple):
            raise UserError(f"{flag(item.name)} {value}: must be a list")
        for part in value:
            _check_one(item, part)
    elif option.kind != "layers":
        _check_one(item, value)


def _check_one(item: Field[Any], value: Any) -> None:
    option = option_of(item)
    if option.choices and value not in option.choices:
        hint = suggestion(str(value), map(str, option.choices))
        raise UserError(f"{flag(item.name)} {value}: must be {' or '.join(map(str, option.choices))}{hint}")
    if option.kind == "bool" and not isinstance(value, bool):
        raise UserError(f"{flag(item.name)} {value}: must be true or false")
    if option.kind in ("text", "paths") and not isinstance(value, str) and value != item.default:
        raise UserError(f"{flag(item.name)} {value}: must be text")
    if option.kind in ("int", "float", "px", "numbers", *UNITS) and value not in option.words:
        whole = option.kind in ("int", "px")
        number = isinstance(value, int) if whole else isinstance(value, int | float)
        if not number or isinstance(value, bool) or not (option.low <= value <= option.high):
            kind = "a whole number" if whole else "a number"
            raise UserError(f"{flag(item.name)} {value}: must be {kind} from {option.low:g} to {option.high:g}")
