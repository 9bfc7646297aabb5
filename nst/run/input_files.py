"""The input pictures of a run: found, read once, and known by their SHA-256.

A picture may come from a pipe. A pipe can be read but once, so its bytes are first put into a temporary file.
"""

from __future__ import annotations

import functools
import glob
import hashlib
import itertools
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from nst.errors import UserError, os_error_reason, suggestion
from nst.pictures.formats import USUAL_FORMATS, is_picture_name, is_readable_name
from nst.pictures.picture_files import Picture, over_white, read_picture
from nst.places import SAMPLES
from nst.run.request import INITS, Paths, Request
from nst.settings import Settings
from nst.system.atomic_files import STDIN
from nst.system.temporary import temporary_folder
from nst.transfer.inputs import Inputs, shown_part

LARGEST_STRETCH = 0.02  # The fraction by which a mask may be wider or narrower than the photo.

Digests = dict[str, tuple[str, ...]]  # The SHA-256 of each file of a role, in the order of Paths.


def find_pictures(request: Request) -> Request:
    """Return a request whose files are found: folders of styles as their pictures, and the files that settings name.

    Raises UserError for a file that does not exist.
    """
    (content,) = request.paths["content"]
    styles = find_styles(request.paths["style"])
    paths: Paths = {"content": (find_picture(content),), "style": styles, **find_files_of(request.settings)}
    return replace(request, paths=paths)


def find_styles(names: Iterable[Path]) -> tuple[Path, ...]:
    """Return the styles that are named, and of a folder each picture in it. Raises UserError."""
    return tuple(path for name in names for path in pictures_of(find_picture(name)))


def find_files_of(settings: Settings) -> Paths:
    """Return the pictures that settings name: the first picture and masks, by role. Raises UserError."""
    paths: Paths = {}
    if settings.init not in INITS:
        paths["init"] = (_find_first_picture(settings.init),)
    if settings.style_mask:
        paths["style_mask"] = tuple(find_picture(Path(name)) for name in settings.style_mask)
    if settings.source_mask:
        paths["source_mask"] = tuple(find_picture(Path(name)) for name in settings.source_mask)
    if settings.content_mask is not None:
        paths["content_mask"] = (find_picture(Path(settings.content_mask)),)
    return paths


def _find_first_picture(name: str) -> Path:
    """Return the picture that settings.init names. Raises UserError."""
    try:
        return find_picture(Path(name))
    except UserError as error:
        words = f"; --init takes {', '.join(INITS)}, or a picture{suggestion(name, INITS)}"
        raise UserError(f"{error}{words}") from error


def find_picture(name: Path) -> Path:
    """Return the path as given, or the sample picture of that name; a temporary file for a pipe. Raises UserError."""
    if str(name) == STDIN:
        return _from_stdin()
    try:
        for path in (name, sample(name)):
            if path.is_fifo():
                return _from_pipe(path)
            if path.exists():
                return path
    except OSError as error:  # A name is too long, or a folder may not be entered.
        raise UserError(f"{name}: cannot be read: {os_error_reason(error)}") from error
    if glob.has_magic(str(name)):
        hint = "; a pattern stands for photos, as CONTENT, not for styles"
    else:
        hint = suggestion(name.name, _picture_names(name.parent) + _picture_names(SAMPLES))
    raise UserError(f"{name}: no such file, here or among the samples{hint}")


def _picture_names(folder: Path) -> list[str]:
    """Return the names of the pictures in a folder, none where there is no such folder."""
    try:
        return [path.name for path in folder.iterdir() if is_picture(path)]
    except OSError:
        return []


def samples() -> list[str]:
    """Return the names of the sample pictures."""
    return sorted(_picture_names(SAMPLES))


def sample(name: Path) -> Path:
    """Return the path that a sample picture of that name has."""
    return SAMPLES / name


def find_contents(
    name: Path, *, recursive: bool = False, is_other: Callable[[Path], bool] = lambda path: False
) -> list[Path]:
    """Return the photos that CONTENT stands for: a file, those in a folder, or those that match a pattern.

    recursive  whether the folders within a folder count too
    is_other   whether a name is that of something else than a photo, such as a video, that counts too where a pattern
               matches it, or where a folder holds no photo

    Raises UserError where there is none.
    """
    if not is_pattern(name):
        path = find_picture(name)
        others = others_of(path, is_other, recursive=recursive) if path.is_dir() else []
        if others and not any(map(is_picture, _items(path, recursive=recursive))):
            return others
        return pictures_of(path, recursive=recursive)
    matches = sorted(glob.glob(str(name), recursive=True))  # noqa: PTH207  Path.glob takes no pattern from the root
    found = _once(path for path in map(Path, matches) if is_picture(path) or _is_other(path, is_other))
    if not found:
        raise UserError(f"{name}: no picture has such a name")
    return found


def folder_within(name: Path, photo: Path) -> Path:
    """Return the folder of a photo, from the folder on that CONTENT, or the beginning of a pattern, names."""
    root = name if name.is_dir() else sample(name)
    if is_pattern(name):
        plain = itertools.takewhile(lambda part: not glob.has_magic(part), name.parts[:-1])
        root = Path(*plain) if "**" in name.parts else photo.parent
    return photo.parent.relative_to(root) if photo.parent.is_relative_to(root) else Path()


def left_out(folder: Path) -> list[Path]:
    """Return the files in a folder that are pictures by their names, but are not read."""
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    named = [path for path in found if is_picture_name(path) and not path.name.startswith(".") and path.is_file()]
    return [path for path in named if not is_picture(path)]


def stands_for_many(name: Path) -> bool:
    """Return whether CONTENT is a folder, here or among the samples, or a pattern."""
    return is_pattern(name) or next((path.is_dir() for path in (name, sample(name)) if _exists(path)), False)


def is_pattern(name: Path) -> bool:
    """Return whether a name is a pattern, and not that of a file."""
    return glob.has_magic(str(name)) and not is_there(name)


def is_there(name: Path) -> bool:
    """Return whether a name is that of a file or a folder, here or among the samples."""
    return _exists(name) or _exists(sample(name))


def _exists(path: Path) -> bool:
    """Return whether there is a file at a path that could be read, also for a path that no file can have."""
    try:
        return path.exists()
    except OSError:
        return False


def pictures_of(path: Path, *, recursive: bool = False) -> list[Path]:
    """Return a picture, or the pictures in a folder sorted by name. Raises UserError where there is none.

    recursive  whether the folders within the folder count too
    """
    if not path.is_dir():
        return [path]
    found = _once(sorted(item for item in _items(path, recursive=recursive) if is_picture(item)))
    if not found:
        words = f"{path}: is a folder without pictures; put {USUAL_FORMATS} files in it"
        inner = not recursive and any(item.is_dir() for item in path.iterdir())
        raise UserError(words + (", or give --recursive for the folders within it" if inner else ""))
    return found


def others_of(folder: Path, is_other: Callable[[Path], bool], *, recursive: bool = False) -> list[Path]:
    """Return the files in a folder that are not pictures but something else by their names, sorted by name."""
    return _once(sorted(item for item in _items(folder, recursive=recursive) if _is_other(item, is_other)))


def _is_other(path: Path, is_other: Callable[[Path], bool]) -> bool:
    return is_other(path) and not path.name.startswith(".") and path.is_file()


def _items(folder: Path, *, recursive: bool) -> Iterator[Path]:
    """Yield what is in a folder, or all files within it."""
    return _all_within(folder) if recursive else folder.iterdir()


def is_picture(path: Path) -> bool:
    """Return whether a file is a picture, by its suffix. Hidden files, such as ._a.jpg of macOS, are none."""
    return is_readable_name(path) and not path.name.startswith(".") and path.is_file()


def _all_within(folder: Path) -> Iterator[Path]:
    """Yield all files within a folder, those of hidden folders left out. No folder is entered twice."""
    entered = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        folders[:] = [] if real in entered else [name for name in folders if not name.startswith(".")]
        if real not in entered:
            yield from (Path(place, name) for name in files)
        entered.add(real)


def _once(paths: Iterable[Path]) -> list[Path]:
    """Return the paths without those that are another name of an earlier one through a link to a folder."""
    return list({(path.parent.resolve(), path.name): path for path in reversed(list(paths))}.values())[::-1]


def read_inputs(request: Request) -> tuple[Picture, Inputs, Digests, tuple[str, ...]]:
    """Read all input pictures, each file once.

    Returns the photo, the arrays of a run, the files' SHA-256, and what the user should know of how they were read.

    Raises UserError.
    """
    paths = request.paths
    read = functools.cache(functools.partial(_read, most_mb=request.settings.max_memory))
    photo, _ = read(paths["content"][0])
    fits = _mask_for("photo", photo.image)
    styles = [read(path)[0] for path in paths["style"]]
    sources = [
        _mask_for("style", style.image)(path, read(path)[0])
        for style, path in zip(styles, paths.get("source_mask", ()), strict=False)
    ]
    inputs = Inputs(
        photo.image,
        tuple(style.image for style in styles),
        request.settings,
        start=next((over_white(read(path)[0]) for path in paths.get("init", ())), None),
        style_masks=tuple(fits(path, read(path)[0]) for path in paths.get("style_mask", ())),
        shown=tuple(shown_part(style.alpha, source) for style, source in itertools.zip_longest(styles, sources)),
        content_mask=next((fits(path, read(path)[0]) for path in paths.get("content_mask", ())), None),
    )
    digests = {role: tuple(read(path)[1] for path in files) for role, files in paths.items()}
    notes = dict.fromkeys(note for files in paths.values() for path in files for note in read(path)[0].notes)
    return photo, inputs, digests, tuple(notes)


def _read(path: Path, *, most_mb: float) -> tuple[Picture, str]:
    """Return a picture and the SHA-256 of its file."""
    try:
        payload = path.read_bytes()
    except OSError:
        read_picture(path)  # The reader says in words what is wrong.
        raise
    return read_picture(path, payload, most_mb=most_mb), hashlib.sha256(payload).hexdigest()


def _mask_for(what: str, photo: np.ndarray) -> Callable[[Path, Picture], np.ndarray]:
    """Return a function from a picture of an image's shape to its lightness, [height, width] in [0, 1].

    what  the word for the image, for errors
    """

    def mask_of(path: Path, picture: Picture) -> np.ndarray:
        mask = over_white(picture).mean(axis=-1)
        (height, width), (wanted_height, wanted_width) = mask.shape, photo.shape[:2]
        if abs(width / height * wanted_height / wanted_width - 1) > LARGEST_STRETCH:
            raise UserError(
                f"{path}: a mask of {width}x{height} px does not fit on the {what} of "
                f"{wanted_width}x{wanted_height} px; give one of the same shape"
            )
        if mask.max() == 0:
            raise UserError(f"{path}: the mask is black, so nothing would change; paint white where it applies")
        return mask

    return mask_of


@functools.cache
def _from_pipe(path: Path) -> Path:
    """Return a temporary file with the bytes of a pipe, the same for each picture that the pipe is for."""
    with path.open("rb") as pipe:
        return _copied(pipe, path.name)


@functools.cache
def _from_stdin() -> Path:
    """Return a temporary file with the bytes of stdin. Raises UserError where these would be typed."""
    if sys.stdin.isatty():
        raise UserError(f"{STDIN}: stdin is the terminal; send a picture there, as in: - stone.jpg < photo.jpg")
    return _copied(sys.stdin.buffer, "stdin")


def _copied(pipe: BinaryIO, name: str) -> Path:
    """Return a temporary file of a name with all that a pipe gives. The file goes when the process ends."""
    copy = temporary_folder() / name
    with copy.open("wb") as file:
        shutil.copyfileobj(pipe, file)
    return copy
