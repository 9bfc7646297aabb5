"""What a call asks for: its flags over a TOML file over the record in an earlier result or a preset.

Also what the command says of settings without a run: all of them as TOML, the presets, the layers. Nothing is printed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nst
from nst.errors import UserError, suggestion
from nst.layers import CHANNELS_PER_BLOCK, LAYERS, block_of, keras_name
from nst.settings import (
    DEFAULT_PRESET,
    Settings,
    describe,
    field_name,
    flag,
    make_settings,
    option_of,
    presets,
    read_setting,
)
from nst.system.atomic_files import file_sha256, read_text, read_toml

if TYPE_CHECKING:
    from nst.run.checkpoint import Checkpoint

FIELDS = {item.name: item for item in fields(Settings)}
CALL_KEYS: dict[str, type] = {
    "content": str,
    "style": list,
    "output": str,
    "preset": str,
    "overwrite": bool,
    "plot": bool,
    "report": bool,
    "watch": bool,
    "watch_port": int,
    "watch_host": str,
    "verbose": bool,
    "each_style": bool,
}
INPUTS = {  # role of a file -> how it is given
    "content": "CONTENT",
    "style": "STYLE",
    **{role: flag(role) for role in ("init", "weights", "style_mask", "content_mask")},
}
SINGLE = ("content", "init", "weights", "content_mask")
# What changes no pixel, or hardly one.
WITH_RESUME = (
    "snapshot_every",
    "checkpoint_every",
    "threads",
    "max_memory",
    "tile",
    "plot",
    "report",
    "watch",
    "watch_port",
    "watch_host",
    "verbose",
)
COMPARED_VERSIONS = ("neural_art", "tensorflow")


@dataclass(frozen=True)
class Record:
    """What a run wrote of itself into its picture and its settings.json. Inputs are known by name, not by path."""

    source: Path
    files: dict[str, tuple[str, ...]]  # by role, see INPUTS
    settings: dict[str, Any]
    hashes: dict[str, str]  # file name -> SHA-256; empty in a record that has none
    versions: dict[str, str]
    precision: str
    weights_sha256: str
    inputs: Mapping[str, list[list[str | None]]] = field(default_factory=dict)  # see Checkpoint; of a result, none


@dataclass(frozen=True)
class Call:
    """What one call of the command asks for. `sought`: which of the record's files nothing else names.

    resume    what a run goes on from; `record` and `output` are of its folder
    warnings  what the user should know of that
    """

    settings: Settings
    content: str | None = None
    style: tuple[str, ...] = ()
    output: str | None = None
    overwrite: bool = False
    plot: bool = False
    report: bool = True
    watch: bool = False
    watch_port: int | None = None
    watch_host: str | None = None
    verbose: bool = False
    each_style: bool = False
    record: Record | None = None
    sought: tuple[str, ...] = ()
    resume: Checkpoint | None = None
    warnings: tuple[str, ...] = ()


def read_call(arguments: Mapping[str, Any]) -> Call:
    """Return what the given flags, by field name, ask for, with the files that `config` and `settings_from` name.

    A flag wins over the file, the file over the record or the preset. Raises UserError.
    """
    if arguments.get("resume") is not None:
        return _read_resumption(arguments)
    config, result = arguments.get("config"), arguments.get("settings_from")
    values = {} if config is None else read_config(Path(config))
    values |= {name: value for name, value in arguments.items() if name in FIELDS or name in CALL_KEYS}
    record = None if result is None else read_record(Path(result))
    if record and "preset" in values:
        raise UserError(f"preset {values['preset']}: --settings-from stands in its place; give one of them")
    preset = values.pop("preset", DEFAULT_PRESET)
    overrides = {name: value for name, value in values.items() if name in FIELDS}
    values["style"] = tuple(values.get("style", ()))
    return Call(
        make_settings(preset, {**(record.settings if record else {}), **overrides}),
        record=record,
        sought=tuple(role for role in record.files if not values.get(role)) if record else (),
        **{name: value for name, value in values.items() if name in CALL_KEYS},
    )


def _read_resumption(arguments: Mapping[str, Any]) -> Call:
    """Return what --resume FOLDER asks for, from the checkpoint there. Raises UserError for flags that are settled."""
    from nst.run.checkpoint import NAME, read_checkpoint  # NumPy, which no other call needs here

    folder = Path(arguments["resume"])
    folder = folder if folder.name.strip(".") else folder.resolve()
    told = (*FIELDS, *CALL_KEYS, "config", "settings_from")
    given = {name: value for name, value in arguments.items() if name in told and value is not None}
    settled = [name for name in given if name not in (*WITH_RESUME, *INPUTS)]
    if settled:
        also = ", ".join(map(flag, WITH_RESUME))
        raise UserError(f"{flag(settled[0])}: is settled by --resume {folder}; give only {also}, or files that moved")
    checkpoint, warnings = read_checkpoint(folder)
    path = folder / NAME
    try:
        record = replace(_checked_record(path, checkpoint.record), inputs=checkpoint.inputs)
        output = folder.parent / (folder.name + Path(_file_name(checkpoint.record["result"])).suffix)
    except (LookupError, TypeError, ValueError) as error:
        raise UserError(f"{path}: its record is damaged or not of neural_art; start the run anew") from error
    settings = make_settings(DEFAULT_PRESET, {**record.settings, **{k: v for k, v in given.items() if k in FIELDS}})
    if checkpoint.state and settings.optimizer == "lbfgs":
        warnings.append(f"{folder}: L-BFGS starts to remember anew at the picture there: pixels may differ")
    return Call(
        settings,
        given.get("content"),
        tuple(given.get("style", ())),
        output=str(output),
        plot=given.get("plot", False),
        report=given.get("report", True),
        watch=given.get("watch", False),
        watch_port=given.get("watch_port"),
        watch_host=given.get("watch_host"),
        verbose=given.get("verbose", False),
        record=record,
        sought=tuple(role for role in record.files if not given.get(role)),
        resume=checkpoint,
        warnings=tuple(warnings),
    )


def find_inputs(call: Call) -> tuple[str, tuple[str, ...], Settings]:
    """Return CONTENT, the STYLEs and the settings, with the files that only the record names. Raises UserError."""
    found: dict[str, Any] = {}
    if call.record:
        for role in call.sought:
            paths = tuple(find_input(call.record, role, *place) for place in _places(call.record, role))
            found[role] = paths[0] if role in SINGLE else paths
    content, styles = found.pop("content", call.content), found.pop("style", call.style)
    missing = [INPUTS[role] for role, given in (("content", content), ("style", styles)) if not given]
    if missing:
        raise UserError(f"the following arguments are required: {', '.join(missing)}; see --help")
    return content, styles, replace(call.settings, **found)


def read_config(path: Path) -> dict[str, Any]:
    """Return field name -> value of a TOML file of flags by name. Raises UserError that names file and key."""
    table = read_toml(path)
    _refuse_control_characters(path, table)
    return read_values(path, table)


def read_values(where: object, table: Mapping[str, Any]) -> dict[str, Any]:
    """Return field name -> value of flags by name, out of the file or the part of one that `where` names.

    Raises UserError that names it and the key.
    """
    values: dict[str, Any] = {}
    for key, value in table.items():
        name = known_name(where, key)
        if name in values:
            raise UserError(f"{where}: {key}: given twice, with - and with _; give it once")
        values[name] = read_value(where, key, value)
    return values


def known_name(where: object, key: str) -> str:
    """Return the field or the option of a call that a key in a file names. Raises UserError where there is none."""
    name = field_name(key)
    if name not in FIELDS and name not in CALL_KEYS:
        known = [other.replace("_", "-") for other in (*FIELDS, *CALL_KEYS)]
        raise UserError(f"{where}: {key}: there is no such key{suggestion(name.replace('_', '-'), known)}")
    return name


def read_record(path: Path) -> Record:
    """Return the record of a run from its picture or its settings.json. Raises UserError where there is none."""
    if path.suffix.lower() == ".json":
        text = read_text(path)
    else:
        if not path.is_file():
            raise UserError(f"{path}: {'is a folder; name a picture in it' if path.is_dir() else 'no such file'}")
        from nst.pictures.picture_files import read_comment  # Pillow, which no other call needs here

        text = read_comment(path) or ""
        if not text.strip():
            raise UserError(
                f"{path}: holds no record of how it was made; name a picture of neural_art, or settings.json"
            )
    try:
        return _checked_record(path, json.loads(text))
    except (ValueError, RecursionError):  # no JSON, not what a record holds, or lists in lists in lists
        raise UserError(f"{path}: its record is damaged or not of neural_art; name another, or give flags") from None


def find_input(record: Record, role: str, name: str, known: Path | None = None, digest: str | None = None) -> str:
    """Return the path of an input that the record names: beside it, in the current folder or among the samples.

    known   where it was, if the record tells
    digest  its SHA-256, if the record has it for this role; else that of the name counts

    Raises UserError unless one is found, and is the same file by its SHA-256 where the record has that.
    """
    from nst.run.job import SAMPLES

    digest = digest or record.hashes.get(name)
    if record.hashes and digest is None and role != "weights":
        raise UserError(f"{record.source}: more than one of its inputs is called {name}; give {INPUTS[role]}")
    places = [*([known] if known else []), record.source.parent / name, Path(name), SAMPLES / name]
    found = [path for path in places if path.is_file()]
    if not found:
        where = f"beside it, here or in {SAMPLES.name}/"
        raise UserError(f"{record.source}: its {role} {name} is not {where}; give {INPUTS[role]}")
    for path in found:
        if digest is None or file_sha256(path) == digest:
            return str(path)
    raise UserError(
        f"{found[0]}: is not the {role} that {record.source} was made from: another SHA-256; give {INPUTS[role]}"
    )


def _places(record: Record, role: str) -> list[tuple[Any, ...]]:
    """Return the name of each file of a role, and of a checkpoint where it was and its SHA-256."""
    known = record.inputs.get(role)
    if known is None:
        return [(name,) for name in record.files[role]]
    return [(name, Path(str(path)), digest) for name, (path, digest) in zip(record.files[role], known, strict=True)]


def version_warnings(record: Record) -> list[str]:
    """Return a line for pixels that may differ because the record is of other versions than those installed."""
    here = {"neural_art": nst.__version__, "tensorflow": version("tensorflow")}
    return _warning(record, [_there_and_here(name, record.versions[name], here[name]) for name in COMPARED_VERSIONS])


def network_warnings(record: Record, written: Record) -> list[str]:
    """Return a line for pixels that may differ because the run that `written` is of had another network."""
    weights = "other weights" if record.weights_sha256 != written.weights_sha256 else ""
    return _warning(record, [weights, _there_and_here("precision", record.precision, written.precision)])


def config_text(settings: Settings) -> str:
    """Return all settings as TOML that `read_config` reads, grouped as in --help, each with its help."""
    lines: list[str] = []
    group = None
    for name, value in describe(settings).items():
        option = option_of(FIELDS[name])
        if option.group != group:
            lines += [f"#### {option.group}", ""]
            group = option.group
        others = "".join(f" or {choice}" for choice in option.choices if choice != value)
        line = f"{_key(name)} = {toml_value(value)}" + (f"  #{others}" if others else "")
        lines += [f"# {option.help}", line if value is not None else f'# {_key(name)} = "{option.metavar}"', ""]
    return "\n".join(lines[:-1])


def presets_text() -> str:
    """Return each preset with its purpose and what it changes, with the default in brackets."""
    default = describe(Settings())
    lines = []
    for preset, (purpose, _) in presets().items():
        lines.append(f"{preset}: {purpose}")
        changed = {name: value for name, value in describe(make_settings(preset)).items() if value != default[name]}
        lines += [
            f"    {_key(name)} = {toml_value(value)}  [{toml_value(default[name])}]" for name, value in changed.items()
        ]
    return "\n".join(lines)


def layers_text() -> str:
    """Return a line for each layer of VGG19: three spellings, channels, and where it is a default, its weight."""
    defaults = {"style": dict(Settings().style_layers), "content": dict(Settings().content_layers)}
    lines = [f"{'layer':9}{'or':9}{'or':14}{'channels':10}default"]
    for layer in LAYERS:
        uses = ", ".join(f"{use} {weights[layer]:g}" for use, weights in defaults.items() if layer in weights)
        channels = CHANNELS_PER_BLOCK[block_of(layer) - 1]
        spellings = f"{layer:9}{layer.replace('conv', 'relu'):9}{keras_name(layer):14}"
        lines.append(f"{spellings}{channels:8}  {uses}".rstrip())
    return "\n".join(lines)


def toml_value(value: Any) -> str:
    """Return a bool, number, text or list of them as TOML."""
    if isinstance(value, list):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _there_and_here(name: str, there: str, here: str) -> str:
    return f"{name} {there}, here {here}" if there != here else ""


def _warning(record: Record, differences: list[str]) -> list[str]:
    words = "; ".join(filter(None, differences))
    return [f"{record.source}: made with {words}: pixels may differ"] if words else []


def _key(name: str) -> str:
    return flag(name).removeprefix("--")


def read_value(where: object, key: str, value: Any) -> Any:
    """Return a setting or an option of the call as read from a file, in which a number is no text."""
    name = field_name(key)
    if name in CALL_KEYS:
        if CALL_KEYS[name] is list:
            value = [value] if isinstance(value, str) else value
            if not _is_list_of_text(value):
                raise UserError(f"{where}: {key} = {toml_value(value)}: must be text in quotes, or a list of it")
            return tuple(value)
        if type(value) is not CALL_KEYS[name]:
            wanted = {bool: "true or false", int: "a whole number"}.get(CALL_KEYS[name], "text in quotes")
            raise UserError(f"{where}: {key} = {toml_value(value)}: must be {wanted}")
        return value
    item: Field[Any] = FIELDS[name]
    kind = option_of(item).kind
    if kind == "layers" and not isinstance(value, dict) and not _is_list_of_text(value):
        raise UserError(f'{where}: {key} = {toml_value(value)}: must be a list such as ["conv1_1:0.5", "conv4_1"]')
    if kind == "paths" and not _is_list_of_text(value):
        raise UserError(f'{where}: {key} = {toml_value(value)}: must be a list such as ["left.png", "right.png"]')
    if kind == "numbers" and not (isinstance(value, list) and not any(isinstance(part, str) for part in value)):
        raise UserError(f"{where}: {key} = {toml_value(value)}: must be a list such as [3, 1]")
    others = option_of(item).words
    if isinstance(value, str) and kind in ("int", "float", "px") and value not in others:
        wanted = " or ".join(["a number without quotes", *map(toml_value, others)])
        raise UserError(f"{where}: {key} = {toml_value(value)}: must be {wanted}")
    try:
        return read_setting(item, value)
    except UserError as error:
        words = str(error)
        raise UserError(f"{where}: {words[2:] if words.startswith(flag(name)) else f'{key}: {words}'}") from error


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def _checked_record(path: Path, content: Any) -> Record:
    """Return the record that `content`, out of JSON, is. Raises ValueError for no record, UserError for a setting."""
    from nst.run.job import INITS

    try:
        settings = dict(content["settings"].items())
        files = {role: tuple(map(_file_name, names)) for role, names in content["files"].items() if role in INPUTS}
        hashes = _texts(content["sha256"])
        versions = _texts({name: content["versions"][name] for name in COMPARED_VERSIONS})
        network = _texts({name: content[name] for name in ("precision", "weights_sha256")})
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(path) from error
    if len(files.get("content", ())) != 1 or not files.get("style"):
        raise ValueError(path)
    _refuse_control_characters(path, content)
    unknown = next((name for name in settings if name not in FIELDS), None)
    if unknown is not None:
        raise UserError(f"{path}: {unknown}: there is no such setting; its record is damaged or of another version")
    settings = {name: read_value(path, name, value) for name, value in settings.items()}
    for role, words in (("init", INITS), ("weights", (None, "imagenet"))):
        if settings.get(role, words[0]) not in words:
            settings[role] = _file_name(settings[role])
            files[role] = (settings[role],)
    return Record(path, files, settings, hashes, versions, network["precision"], network["weights_sha256"])


def _file_name(value: str) -> str:
    """Return the name of a file without its folder: a record from elsewhere leads to no other place on this machine."""
    if not isinstance(value, str):
        raise TypeError
    name = Path(value).name
    if not name:
        raise ValueError(value)
    return name


def _texts(values: dict[str, Any]) -> dict[str, str]:
    if not all(isinstance(value, str) for value in values.values()):
        raise TypeError
    return values


def _refuse_control_characters(path: Path, content: Any) -> None:
    """Raise UserError for a text, out of a file, that no file name and no layer has: with a line break or NUL."""
    for text in _strings(content):
        if any(ord(character) < 32 for character in text):
            raise UserError(f"{path}: {json.dumps(text)}: has a control character; take it out")


def _strings(content: Any) -> Iterator[str]:
    """Yield every key and text in what JSON or TOML holds."""
    pending = [content]
    while pending:
        part = pending.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict | list):
            pending += part
            pending += part.values() if isinstance(part, dict) else []
