"""What a call asks for: its flags over a TOML file over the record in an earlier result or a preset.

Also what the command says of settings without a run: all of them as TOML, the presets, the layers. Nothing is printed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nst.errors import UserError
from nst.run.input_files import INPUTS, SINGLE
from nst.run.record import Record, checked_record, file_name, find_input, places_of, read_record
from nst.settings import (
    DEFAULT_PRESET,
    Settings,
    flag,
    make_settings,
)
from nst.values import CALL_KEYS, FIELDS, read_config

if TYPE_CHECKING:
    from nst.run.checkpoint import Checkpoint

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
        record = replace(checked_record(path, checkpoint.record), inputs=checkpoint.inputs)
        output = folder.parent / (folder.name + Path(file_name(checkpoint.record["result"])).suffix)
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
            paths = tuple(find_input(call.record, role, *place) for place in places_of(call.record, role))
            found[role] = paths[0] if role in SINGLE else paths
    content, styles = found.pop("content", call.content), found.pop("style", call.style)
    missing = [INPUTS[role] for role, given in (("content", content), ("style", styles)) if not given]
    if missing:
        raise UserError(f"the following arguments are required: {', '.join(missing)}; see --help")
    return content, styles, replace(call.settings, **found)
