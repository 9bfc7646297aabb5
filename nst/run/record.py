"""The record of a run: all that is needed to make its picture again. Only this module writes and reads records.

A record stands in settings.json, in the picture itself, and in a checkpoint, which also says where the inputs are.
"""

from __future__ import annotations

import itertools
import json
import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nst
from nst.errors import UserError
from nst.options import option_of
from nst.pictures.formats import is_readable_name
from nst.preset_files import describe
from nst.run.input_files import Digests, frames_of, input_sha256, sample
from nst.run.request import INITS, MOVING, ROLES, WEIGHTS_WITHOUT_FILE, Paths, Request
from nst.settings import Settings
from nst.system.atomic_files import read_text
from nst.values import FIELDS, read_value, refuse_control_characters

COMPARED_VERSIONS = ("neural_art", "tensorflow")
NETWORK_FACTS = ("precision", "weights_sha256")
PACKAGES = ("tensorflow", "keras", "numpy", "scipy", "pillow")

Located = dict[str, list[list[str | None]]]  # The path and the SHA-256 of each file of a role; of weights, None.


@dataclass(frozen=True)
class Record:
    """All that is needed to make a picture again. Inputs are known by name, not by path.

    source          the file that holds the record, or the result that it is of
    files           the names of the files of each role, see ROLES
    sha256          SHA-256 by file name; a name that two different files share is left out
    result          the name of the picture; empty in records of early versions
    settings        values by field name as JSON knows them; a path is a name
    versions        by package
    precision       the type of the network's convolutions
    weights_sha256  of the network's numbers
    device          that computed, by its name, see Device; empty in records of early versions
    located         where the inputs are, in a checkpoint's record alone
    """

    source: Path
    files: dict[str, tuple[str, ...]]
    sha256: dict[str, str]
    result: str
    settings: dict[str, Any]
    versions: dict[str, str]
    precision: str
    weights_sha256: str
    device: str = ""
    located: Located = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the record as JSON knows it, without any path of the machine."""
        return {
            "files": {role: list(names) for role, names in self.files.items()},
            "sha256": self.sha256,
            "result": self.result,
            "settings": self.settings,
            "precision": self.precision,
            "device": self.device,
            "weights_sha256": self.weights_sha256,
            "versions": self.versions,
        }

    @property
    def computed_on(self) -> str:
        """Return the device and the precision in words."""
        return f"{self.device or 'device'} in {self.precision}"

    def digests_of(self, role: str) -> list[str | None]:
        """Return the SHA-256 of each file of a role, None where the record does not tell."""
        if role in self.located:
            return [digest for _, digest in self.located[role]]
        return [self.sha256.get(name) for name in self.files.get(role, ())]


def make_record(request: Request, output: Path, digests: Digests, network_facts: Mapping[str, str]) -> Record:
    """Return the record of a run that makes `output`; network_facts are the precision, weights_sha256 and device."""
    found: dict[str, set[str]] = {}
    for path, digest in _files_and_digests(request.paths, digests):
        found.setdefault(path.name, set()).add(digest)
    return Record(
        output,
        files={role: tuple(path.name for path in files) for role, files in request.paths.items()},
        sha256={name: several.pop() for name, several in found.items() if len(several) == 1},
        result=output.name,
        settings=_settings_by_name(request.settings),
        versions={
            "neural_art": nst.__version__,
            "python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
        },
        precision=network_facts["precision"],
        weights_sha256=network_facts["weights_sha256"],
        device=network_facts["device"],
        located=_located(request, digests),
    )


def deciding(settings: Settings) -> dict[str, Any]:
    """Return the settings that change pixels, as a record has them."""
    values = _settings_by_name(settings)
    return {name: value for name, value in values.items() if option_of(FIELDS[name]).changes_pixels}


def is_of(record: Record, settings: Settings, digests: Digests) -> bool:
    """Return whether a checkpoint's record is of these inputs and of these settings, as far as they change pixels."""
    begun = {role: tuple(record.digests_of(role)) for role in record.located if role != "weights"}
    decided = deciding(settings)
    return digests == begun and all(record.settings.get(name) == value for name, value in decided.items())


def read_record(path: Path) -> Record:
    """Return the record in a picture or in a settings.json. Raises UserError where there is none."""
    text = read_text(path) if path.suffix.lower() == ".json" else _comment_of(path)
    try:
        return record_from_json(path, json.loads(text))
    except (ValueError, RecursionError):  # No JSON, no record's JSON, or lists in lists in lists.
        raise UserError(f"{path}: its record is damaged or not of neural_art; name another, or give flags") from None


def record_from_json(path: Path, values: Any, located: Located | None = None) -> Record:
    """Return the record that JSON out of a file holds. Raises ValueError for no record, UserError for a setting."""
    try:
        settings = dict(values["settings"].items())
        files = {role: tuple(map(_file_name, names)) for role, names in values["files"].items() if role in ROLES}
        later = {name: values.get(name, "") for name in ("result", "device")}
        texts = _texts({**later, **{name: values[name] for name in NETWORK_FACTS}})
        sha256, versions = _texts(values["sha256"]), _texts(values["versions"])
        missing = [name for name in COMPARED_VERSIONS if name not in versions]
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(path) from error
    if len(files.get("content", ())) != 1 or not files.get("style") or missing:
        raise ValueError(path)
    refuse_control_characters(path, values)
    for name, value in settings.items():
        if name not in FIELDS:
            raise UserError(f"{path}: {name}: there is no such setting; its record is damaged or of another version")
        read_value(path, name, value)
    for role, words in (("init", INITS), ("weights", WEIGHTS_WITHOUT_FILE)):
        if settings.get(role, words[0]) not in words:
            settings[role] = _file_name(settings[role])
            files[role] = (settings[role],)
    if texts["result"]:
        texts["result"] = _file_name(texts["result"])
    return Record(
        path, files=files, sha256=sha256, settings=settings, versions=versions, **texts, located=located or {}
    )


def find_input(record: Record, role: str, index: int) -> Path:
    """Return the path of an input that the record names: where it was, beside the record, here, or among the samples.

    Where several files have that name, the one with the recorded SHA-256. Raises UserError where there is none.
    """
    name, digest = record.files[role][index], record.digests_of(role)[index]
    if record.sha256 and digest is None and role != "weights":
        raise UserError(f"{record.source}: more than one of its inputs is called {name}; give {ROLES[role]}")
    known = [Path(str(record.located[role][index][0]))] if role in record.located else []
    places = [*known, record.source.parent / name, Path(name), sample(Path(name))]
    found = _once(path for path in places if path.is_file())
    if not found and role in MOVING and name != os.pardir:
        found = _once(path for path in places if _has_frames(path))
    if not found:
        where = "beside it, here or among the samples"
        raise UserError(f"{record.source}: its {role} {name} is not {where}; give {ROLES[role]}")
    if len(found) == 1 or digest is None:
        return found[0]
    return next((path for path in found if input_sha256(path) == digest), found[0])


def _once(paths: Iterable[Path]) -> list[Path]:
    """Return paths without those that lead to the same place as an earlier one."""
    return list({path.resolve(): path for path in reversed(list(paths))}.values())[::-1]


def _has_frames(path: Path) -> bool:
    """Return whether a path is that of a clip's frames. What is named like a picture is a picture, and no folder."""
    return bool(frames_of(path)) and not (path.is_dir() and is_readable_name(path))


def check_recorded(record: Record, role: str, paths: tuple[Path, ...], digests: tuple[str, ...]) -> None:
    """Raise UserError unless the files are those of the record, where the record has their SHA-256."""
    for path, digest, wanted in zip(paths, digests, record.digests_of(role), strict=True):
        if wanted is not None and digest != wanted:
            raise UserError(
                f"{path}: is not the {role} that {record.source} was made from: another SHA-256; give {ROLES[role]}"
            )


def version_warnings(record: Record) -> list[str]:
    """Return a line of warning where the record is of other versions than those installed: pixels may differ."""
    here = {"neural_art": nst.__version__, "tensorflow": version("tensorflow")}
    return _warning(record, [_there_and_here(name, record.versions[name], here[name]) for name in COMPARED_VERSIONS])


def network_warnings(record: Record, network_facts: Mapping[str, str]) -> list[str]:
    """Return a line of warning where the record is of another network than the one loaded: pixels may differ."""
    weights = "other weights" if record.weights_sha256 != network_facts["weights_sha256"] else ""
    return _warning(record, [weights, _there_and_here("precision", record.precision, network_facts["precision"])])


def _comment_of(path: Path) -> str:
    """Return the record in a picture, as text. Raises UserError."""
    if not path.is_file():
        raise UserError(f"{path}: {'is a folder; name a picture in it' if path.is_dir() else 'no such file'}")
    from nst.pictures.picture_files import read_comment

    text = read_comment(path) or ""
    if not text.strip():
        raise UserError(f"{path}: holds no record of how it was made; name a picture of neural_art, or settings.json")
    return text


def _located(request: Request, digests: Digests) -> Located:
    located: Located = {
        role: [[str(path.absolute()), digest] for path, digest in zip(files, digests[role], strict=True)]
        for role, files in request.paths.items()
    }
    weights = request.settings.weights
    if weights not in WEIGHTS_WITHOUT_FILE:
        located["weights"] = [[str(Path(str(weights)).absolute()), None]]
    return located


def _files_and_digests(paths: Paths, digests: Digests) -> list[tuple[Path, str]]:
    return list(zip(itertools.chain(*paths.values()), itertools.chain(*digests.values()), strict=True))


def _settings_by_name(settings: Settings) -> dict[str, Any]:
    """Return all settings as JSON knows them, of a path only the name."""
    return {name: _without_folders(value) for name, value in describe(settings).items()}


def _without_folders(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_folders(part) for part in value]
    return Path(value).name if isinstance(value, str) else value


def _there_and_here(name: str, there: str, here: str) -> str:
    return f"{name} {there}, here {here}" if there != here else ""


def _warning(record: Record, differences: list[str]) -> list[str]:
    words = "; ".join(filter(None, differences))
    return [f"{record.source}: made with {words}: pixels may differ"] if words else []


def _file_name(value: str) -> str:
    """Return the name of a file without its folder: a foreign record leads to no other place on this machine."""
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
