"""TODO."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nst
from nst.errors import UserError
from nst.run.checkpoint import Checkpoint
from nst.run.input_files import INPUTS, Paths, sha256_by_name
from nst.settings import Settings, describe
from nst.system.atomic_files import file_sha256, read_text
from nst.values import FIELDS, read_value, refuse_control_characters

CHANGE_NO_PIXEL = ("threads", "max_memory", "tile", "snapshot_every", "checkpoint_every")
COMPARED_VERSIONS = ("neural_art", "tensorflow")


def is_begun(checkpoint: Checkpoint, paths: Paths, settings: Settings) -> bool:
    """Return whether a checkpoint is of a run with these inputs and settings, apart from those that change no pixel."""
    recorded = checkpoint.record.get("settings", {})
    files = {role: [file_sha256(path) for path in found] for role, found in paths.items()}
    begun = {role: [digest for _, digest in found] for role, found in checkpoint.inputs.items() if role != "weights"}
    return files == begun and all(recorded.get(name) == value for name, value in deciding(settings).items())


def deciding(settings: Settings) -> dict[str, Any]:
    """Return the settings that decide the pixels, as a record has them: of a path only the name."""
    described = describe(settings).items()
    return {name: _without_folders(value) for name, value in described if name not in CHANGE_NO_PIXEL}


def make_record(paths: Paths, settings: Settings, result: str, facts: dict[str, Any]) -> dict[str, Any]:
    """Return what is needed to make the picture again, without any path of the machine but names."""
    packages = ("tensorflow", "keras", "numpy", "scipy", "pillow")
    return {
        "files": {role: [path.name for path in paths] for role, paths in paths.items()},
        "sha256": sha256_by_name(paths),
        "result": result,
        "settings": {name: _without_folders(value) for name, value in describe(settings).items()},
        **facts,
        "versions": {
            "neural_art": nst.__version__,
            "python": platform.python_version(),
            **{p: version(p) for p in packages},
        },
    }


def _without_folders(value: Any) -> Any:
    """Return a setting as it is, and of a path only the name."""
    if isinstance(value, list):
        return [_without_folders(part) for part in value]
    return Path(value).name if isinstance(value, str) else value


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


def read_record(path: Path) -> Record:
    """Return the record of a run from its picture or its settings.json. Raises UserError where there is none."""
    if path.suffix.lower() == ".json":
        text = read_text(path)
    else:
        if not path.is_file():
            raise UserError(f"{path}: {'is a folder; name a picture in it' if path.is_dir() else 'no such file'}")
        from nst.pictures.picture_files import read_comment

        text = read_comment(path) or ""
        if not text.strip():
            raise UserError(
                f"{path}: holds no record of how it was made; name a picture of neural_art, or settings.json"
            )
    try:
        return checked_record(path, json.loads(text))
    except (ValueError, RecursionError):  # no JSON, not what a record holds, or lists in lists in lists
        raise UserError(f"{path}: its record is damaged or not of neural_art; name another, or give flags") from None


def find_input(record: Record, role: str, name: str, known: Path | None = None, digest: str | None = None) -> str:
    """Return the path of an input that the record names: beside it, in the current folder or among the samples.

    known   where it was, if the record tells
    digest  its SHA-256, if the record has it for this role; else that of the name counts

    Raises UserError unless one is found, and is the same file by its SHA-256 where the record has that.
    """
    from nst.run.input_files import SAMPLES

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


def places_of(record: Record, role: str) -> list[tuple[Any, ...]]:
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


def _there_and_here(name: str, there: str, here: str) -> str:
    return f"{name} {there}, here {here}" if there != here else ""


def _warning(record: Record, differences: list[str]) -> list[str]:
    words = "; ".join(filter(None, differences))
    return [f"{record.source}: made with {words}: pixels may differ"] if words else []


def checked_record(path: Path, content: Any) -> Record:
    """Return the record that `content`, out of JSON, is. Raises ValueError for no record, UserError for a setting."""
    from nst.run.input_files import INITS

    try:
        settings = dict(content["settings"].items())
        files = {role: tuple(map(file_name, names)) for role, names in content["files"].items() if role in INPUTS}
        hashes = _texts(content["sha256"])
        versions = _texts({name: content["versions"][name] for name in COMPARED_VERSIONS})
        network = _texts({name: content[name] for name in ("precision", "weights_sha256")})
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(path) from error
    if len(files.get("content", ())) != 1 or not files.get("style"):
        raise ValueError(path)
    refuse_control_characters(path, content)
    unknown = next((name for name in settings if name not in FIELDS), None)
    if unknown is not None:
        raise UserError(f"{path}: {unknown}: there is no such setting; its record is damaged or of another version")
    settings = {name: read_value(path, name, value) for name, value in settings.items()}
    for role, words in (("init", INITS), ("weights", (None, "imagenet"))):
        if settings.get(role, words[0]) not in words:
            settings[role] = file_name(settings[role])
            files[role] = (settings[role],)
    return Record(path, files, settings, hashes, versions, network["precision"], network["weights_sha256"])


def file_name(value: str) -> str:
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
