"""The options of Settings: how the value of one field is read from words, checked, and written in words.

A field of Settings carries its Option in its metadata. Settings itself, presets and rules about two fields at once are
in settings.py; the options of the command that are not settings are in call_options.py.
"""

import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, field
from typing import Any

from nst.errors import UserError, suggestion
from nst.layers import format_layer_weights, parse_layer_weights

GONE = {  # Settings of earlier versions, by name: what to use now.
    "copies": "is gone: pictures are compared at their own size alone; --compose gives large forms",
    "strokes": "is gone: strokes come from --match-weight",
}
ELSEWHERE = {  # The flags of other programs, by name: what is like them here.
    "--steps": ("iterations", "num-iterations", "max-iterations", "num-steps", "num-iter", "epochs"),
    "--size": ("image-size", "img-size", "max-size", "width", "end-scale", "size-pixels", "content-size"),
    "the first word, CONTENT": ("content", "content-image", "content-img", "base"),
    "the words after CONTENT": ("style", "styles", "style-image", "style-images", "style-imgs", "ref"),
    "--output": ("output-image", "out", "img-name", "img-output-dir"),
    "--style-scale": ("style-scales", "style-scale-fac", "style-size"),
    "--style-weights": ("style-blend-weights", "style-imgs-weights"),
    "--tv-weight": ("total-variation-weight",),
    "--preserve-color": ("original-colors", "preserve-colors", "color-control"),
    "--snapshot-every": ("save-iter", "save-every", "checkpoint-iterations", "saving-freq"),
    "--watch": ("web", "browser"),
    "--init": ("init-image", "initial", "init-img-type", "starting-point"),
    "--init-noise": ("noise-ratio", "initial-noiseblend"),
    "--smallest-scale": ("min-scale",),
    "--learning-rate": ("step-size", "lr"),
    "--seed": ("random-seed",),
    "--pooling": ("pool-type", "pooling-type"),
    "--weights": ("model-weights", "model-file", "network"),
    "--tile": ("tile-size",),
    "--content-layers": ("content-layer",),
}
LARGEST = 1e12  # The upper limit of a number that has no other limit.
LISTS = ("layers", "numbers", "paths")  # The kinds whose values are lists.
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
# The units that a user may write after a number, with their sizes. A number alone is in the first unit of its kind.
UNITS: dict[str, dict[str, float]] = {
    "time": {
        **dict.fromkeys(("s", "sec", "second", "seconds"), 1),
        **dict.fromkeys(("m", "min", "minute", "minutes"), 60),
        **dict.fromkeys(("h", "hr", "hour", "hours"), 3600),
    },
    "memory": {"mb": 1, "m": 1, "mib": 1.048576, "gb": 1000, "g": 1000, "gib": 1073.741824, "tb": 1e6},
}
EXAMPLES = {"time": "a time such as 90s, 10m or 1h30m", "memory": "an amount such as 800MB or 4GB"}


@dataclass(frozen=True)
class Option:
    """How a field of Settings is read, checked and explained.

    kind            int, float, bool, text, px, time (in seconds), memory (in MB), or a list: layers, numbers, paths
    group           the heading in --help
    limits          the smallest and the largest number
    choices         the only values, if not empty
    words           words that may be given instead of a number
    metavar         the value's name in --help, if the kind's own does not fit
    unset           the words that --help shows for an empty default
    changes_pixels  whether another value makes another picture
    same_for_batch  whether all pictures of a batch have the same value, so that no row of a batch file may hold it
    """

    kind: str
    group: str
    help: str
    limits: tuple[float, float] = (0, LARGEST)
    choices: tuple[Any, ...] = ()
    words: tuple[str, ...] = ()
    metavar: str | None = None
    unset: str = "none"
    changes_pixels: bool = True
    same_for_batch: bool = False


def option(default: Any, kind: str, group: str, help: str, **others: Any) -> Any:
    """Return a dataclass field with a default and an Option."""
    return field(default=default, metadata={"option": Option(kind, group, help, **others)})


def option_of(item: Field[Any]) -> Option:
    """Return the Option of a field of Settings."""
    found: Option = item.metadata["option"]
    return found


def flag(name: str) -> str:
    """Return the flag of a field: '--style-layers' for 'style_layers'."""
    return "--" + name.replace("_", "-")


def field_name(key: str) -> str:
    """Return the field of a key in a file: 'style_layers' for 'style-layers' and for 'style_layers'."""
    return key.replace("-", "_")


def read_setting(item: Field[Any], value: Any) -> Any:
    """Return the value of one field, read and checked. Raises UserError."""
    read = parse_setting(item, value)
    check_setting(item, read)
    return read


def parse_setting(item: Field[Any], value: Any) -> Any:
    """Return the value of a field from a user's words; a value that is not made of words is returned as it is.

    Raises UserError for words that cannot be read. The limits of the field are not checked.
    """
    kind = option_of(item).kind
    if kind == "layers" and isinstance(value, Mapping):
        value = [f"{layer}:{weight}" for layer, weight in value.items()]
    if isinstance(value, list) and kind in LISTS:
        if kind == "layers":
            return () if value in [[word] for word in option_of(item).words] else parse_layer_weights(value)
        return tuple(_parse_number(item, word) if kind == "numbers" else word for word in value)
    if not isinstance(value, str) or kind in ("text", "bool", *LISTS) or value in option_of(item).words:
        return value
    return _parse_number(item, value)


def check_setting(item: Field[Any], value: Any) -> None:
    """Raise UserError unless the value of a field has the right type and is within its limits or among its choices."""
    kind = option_of(item).kind
    if kind in ("numbers", "paths"):
        if not isinstance(value, tuple):
            raise UserError(f"{flag(item.name)} {value}: must be a list")
        for part in value:
            _check_one(item, part)
    elif kind != "layers":
        _check_one(item, value)


def json_value(item: Field[Any], value: Any) -> Any:
    """Return the value of a field as JSON holds it and as `parse_setting` reads it."""
    if option_of(item).kind == "layers":
        return format_layer_weights(value) or list(option_of(item).words)
    return list(value) if isinstance(value, tuple) else value


def default_words(item: Field[Any]) -> str:
    """Return the default of a field in words, for --help."""
    return format_value(json_value(item, item.default), option_of(item).unset)


def format_value(value: Any, unset: str = "–") -> str:
    """Return the value of a setting, as JSON holds it, in words for people.

    unset  the words for None, an empty text and an empty list
    """
    if value is None or value in ("", []):
        return unset
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | tuple):
        return " ".join(map(format_value, value))
    if isinstance(value, float) and float(f"{value:g}") == value:
        return f"{value:g}"
    return str(value)


def _parse_number(item: Field[Any], word: Any) -> Any:
    """Return the number that a user wrote; a value that is not text is returned as it is."""
    kind = option_of(item).kind
    if not isinstance(word, str):
        return word
    if kind in EXAMPLES:
        return _parse_amount(item, word)
    if kind == "px":
        word = word.lower().removesuffix("px").rstrip()
    whole = kind in ("int", "px")
    try:
        return int(word) if whole else float(word)
    except ValueError:
        wanted = " or ".join(["a whole number" if whole else "a number", *map(repr, option_of(item).words)])
        raise UserError(f"{flag(item.name)} {word}: must be {wanted}") from None


def _parse_amount(item: Field[Any], word: str) -> float:
    """Return the seconds of '90s', '10 min' or '1h30m', or the megabytes of '800MB', '4G' or '4 GiB'."""
    kind = option_of(item).kind
    amount = r"([\d.]+)\s*([a-z]+)\s*"
    try:
        if not re.fullmatch(f"({amount})+", word.lower()):
            return float(word)
        return sum(float(number) * UNITS[kind][unit] for number, unit in re.findall(amount, word.lower()))
    except (ValueError, KeyError):
        raise UserError(f"{flag(item.name)} {word}: must be {EXAMPLES[kind]}") from None


def _check_one(item: Field[Any], value: Any) -> None:
    """Raise UserError unless a value, or one member of a list, is right for a field."""
    wanted, name = option_of(item), flag(item.name)
    if wanted.choices and value not in wanted.choices:
        hint = suggestion(str(value), map(str, wanted.choices))
        raise UserError(f"{name} {value}: must be {' or '.join(map(str, wanted.choices))}{hint}")
    if wanted.kind == "bool" and not isinstance(value, bool):
        raise UserError(f"{name} {value}: must be true or false")
    if wanted.kind in ("text", "paths") and not isinstance(value, str) and value != item.default:
        raise UserError(f"{name} {value}: must be text")
    if wanted.kind in ("int", "float", "px", "numbers", *UNITS) and value not in wanted.words:
        _check_number(name, value, whole=wanted.kind in ("int", "px"), limits=wanted.limits)


def _check_number(name: str, value: Any, *, whole: bool, limits: tuple[float, float]) -> None:
    """Raise UserError unless a value is a number, a whole one if `whole`, within the limits."""
    smallest, largest = limits
    number = isinstance(value, int) if whole else isinstance(value, int | float)
    if not number or isinstance(value, bool) or not (smallest <= value <= largest):
        kind = "a whole number" if whole else "a number"
        raise UserError(f"{name} {value}: must be {kind} from {smallest:g} to {largest:g}")
