"""What a call asks for: its flags over a TOML file over the record in an earlier result or a preset.

The files that flags name (--config, --settings-from) are read once, by read_files; all else works on values.
"""

from __future__ import annotations

import glob
import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nst.call_options import OPTIONS, names_with
from nst.errors import UserError
from nst.options import flag, option_of
from nst.pictures.picture_files import WRITTEN_FORMATS
from nst.preset_files import DEFAULT_PRESET, make_settings
from nst.run.checkpoint import read_checkpoint
from nst.run.folder import RunFolder
from nst.run.origin import Origin
from nst.run.record import Record, find_input, read_record
from nst.run.request import ROLES, Paths, Request, settings_naming
from nst.settings import Settings
from nst.system.shell import shell_words
from nst.values import FIELDS, read_config

MANY_STYLES = 3  # The least number of styles that may be the photos of a pattern.


@dataclass(frozen=True)
class Call:
    """What one call of the command asks for.

    request     the wish, with its files as the user named them
    origin      the earlier run that the call resumes or repeats
    each_style  whether each style makes a picture of its own
    recursive   whether photos in folders within a folder count
    watch       whether a browser may watch
    open        whether the result is opened at the end
    as_clip     whether an animated picture or a folder is one clip
    watch_host, watch_port  where; None for the usual ones
    """

    request: Request
    origin: Origin
    each_style: bool = False
    recursive: bool = False
    watch: bool = False
    open: bool = False
    as_clip: bool = False
    watch_host: str | None = None
    watch_port: int | None = None


def read_files(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given flags over those in the file that `config` names, and the record that `settings_from` names.

    Raises UserError.
    """
    values = dict(arguments)
    if values.get("resume") is not None:
        return values
    config, result = values.pop("config", None), values.get("settings_from")
    if config is not None:
        values = {**read_config(Path(config)), **values, "reads": (Path(config),)}
    if result is not None:
        values["settings_from"] = read_record(Path(result))
    return values


def read_call(values: Mapping[str, Any]) -> Call:
    """Return the call that flags and file values ask for; see read_files. A flag wins over the file, the file over
    the record or the preset. Raises UserError.
    """
    if values.get("resume") is not None:
        return _read_resumption(values)
    record: Record | None = values.get("settings_from")
    if record and "preset" in values:
        raise UserError(f"preset {values['preset']}: --settings-from stands in its place; give one of them")
    given = {name: value for name, value in values.items() if name in FIELDS}
    settings = make_settings(values.get("preset", DEFAULT_PRESET), {**(record.settings if record else {}), **given})
    return _call(values, settings, Origin(record, _found(record, values)))


def _read_resumption(values: Mapping[str, Any]) -> Call:
    """Return the call that --resume asks for, from the checkpoint there.

    Raises UserError for flags that the stopped run has settled.
    """
    path = Path(values["resume"])
    if path.is_file() or (
        path.suffix.lower() in WRITTEN_FORMATS and not path.is_dir()
    ):  # The result beside the folder.
        path = path.with_suffix("")
    folder = RunFolder.at(path if path.name.strip(".") else path.resolve())
    told = (*FIELDS, *names_with("in_file"), *names_with("with_resume"), "config", "settings_from")
    given = {name: value for name, value in values.items() if name in told and value is not None}
    settled = [name for name in given if not _goes_with_resume(name)]
    if settled:
        also = [flag(name) for name in (*FIELDS, *OPTIONS) if _goes_with_resume(name) and name not in ROLES]
        words = f"is settled by --resume {folder.path}; give only {', '.join(also)}, or files that moved"
        raise UserError(f"{flag(settled[0])}: {words}")
    checkpoint, warnings = read_checkpoint(folder)
    record = checkpoint.record
    if not record.result:
        raise UserError(f"{folder.checkpoint}: its record is damaged or not of neural_art; start the run anew")
    changed = {name: value for name, value in given.items() if name in FIELDS}
    settings = make_settings(DEFAULT_PRESET, {**record.settings, **changed})
    if checkpoint.state and settings.optimizer == "lbfgs":
        warnings.append(f"{folder.path}: L-BFGS starts to remember anew at the picture there: pixels may differ")
    origin = Origin(record, _found(record, given), checkpoint, warnings=tuple(warnings))
    output = folder.output.with_name(folder.path.name + Path(record.result).suffix)
    return _call({**given, "output": str(output)}, settings, origin)


def _goes_with_resume(name: str) -> bool:
    """Return whether a setting or an option goes with --resume: it changes no pixel, or names a file that moved."""
    if name in FIELDS:
        return not option_of(FIELDS[name]).changes_pixels or name in ROLES
    return OPTIONS[name].with_resume or name in ROLES


def _call(values: Mapping[str, Any], settings: Settings, origin: Origin) -> Call:
    output = None if values.get("output") is None else Path(values["output"])
    content, folder = values.get("content"), None
    if output and (values["output"].endswith(("/", os.sep)) or os.path.isdir(output)):  # noqa: PTH112  Never raises.
        output, folder = None, output
    request = Request(
        paths={
            "content": (Path(content),) if content else (),
            "style": tuple(map(Path, values.get("style", ()))),
        },
        settings=settings,
        output=output,
        folder=folder,
        overwrite=values.get("overwrite", False),
        plot=values.get("plot", False),
        report=values.get("report", True),
        verbose=values.get("verbose", False),
        reads=(*values.get("reads", ()), *(Path(values[name]) for name in ("batch",) if values.get(name))),
    )
    return Call(
        request,
        origin,
        each_style=values.get("each_style", False),
        recursive=values.get("recursive", False),
        watch=values.get("watch", False),
        open=values.get("open", False),
        as_clip=values.get("as_clip", False),
        watch_host=values.get("watch_host"),
        watch_port=values.get("watch_port"),
    )


def _found(record: Record | None, given: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the roles of a record's files that no flag names."""
    return tuple(role for role in record.files if not given.get(role)) if record else ()


def refuse_expanded_pattern(call: Call) -> None:
    """Raise UserError where a shell has put the names of many photos in place of a pattern, and all but one are styles.

    Only for words of the command line.
    """
    paths = [path for role in ("content", "style") for path in call.request.paths[role]]
    if call.request.settings.style_weights:
        return
    for photos, rest in ((paths[:-1], paths[-1:]), (paths, ())):
        if len(photos) - 1 + len(rest) < MANY_STYLES + (not rest) or len({path.parent for path in photos}) > 1:
            continue
        names = [path.name for path in photos]
        start = _common_start(names)
        end = _common_start([name[len(start) :][::-1] for name in names])[::-1]
        pattern = photos[0].parent / f"{glob.escape(start)}*{glob.escape(end)}"
        if set(glob.glob(str(pattern))) == set(map(str, photos)):  # noqa: PTH207  As a shell expands it.
            quoted = shell_words([str(pattern), *map(str, rest)])
            words = f"for a picture of each photo, quote the pattern: {quoted}; for a blend, give --style-weights"
            raise UserError(f"{photos[0]} in a blend of {len(paths) - 1} styles looks like {pattern} unquoted; {words}")


def _common_start(names: Sequence[str]) -> str:
    same = itertools.takewhile(lambda characters: len(set(characters)) == 1, zip(*names, strict=False))
    return "".join(characters[0] for characters in same)


def name_inputs(call: Call) -> Request:
    """Return the request of a call with all files named: by flags, or by the record alone. Raises UserError."""
    request, record = call.request, call.origin.record
    named: Paths = dict(request.paths)
    if record:
        for role in call.origin.found:
            named[role] = tuple(find_input(record, role, index) for index in range(len(record.files[role])))
    missing = [ROLES[role] for role in ("content", "style") if not named[role]]
    if missing:
        raise UserError(f"the following arguments are required: {', '.join(missing)}; see --help")
    paths = {"content": named["content"], "style": named["style"]}
    return replace(request, paths=paths, settings=settings_naming(request.settings, named))
