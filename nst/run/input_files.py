"""The input pictures of a run: found, read once, and known by their SHA-256."""

from __future__ import annotations

import functools
import glob
import hashlib
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from nst.errors import UserError, os_error_reason, suggestion
from nst.network.device import device
from nst.pictures.formats import USUAL_FORMATS, is_picture_name, is_readable_name
from nst.pictures.picture_files import Picture, over_white, read_picture
from nst.places import SAMPLES
from nst.run.clip_names import is_clip_name, is_numbered, is_video_name, numbered_files
from nst.run.pipes import from_pipe, from_stdin
from nst.run.request import INITS, Paths, Request
from nst.settings import Settings
from nst.system.atomic_files import STDIN, file_sha256
from nst.transfer.inputs import Inputs, shown_part

LARGEST_STRETCH = 0.02  # The fraction by which a mask may be wider or narrower than the photo.

Digests = dict[str, tuple[str, ...]]  # The SHA-256 of each file of a role, in the order of Paths.


def find_pictures(request: Request, find_moving: Callable[[Path], Path] | None = None) -> Request:
    """Return a request whose files are found: folders of styles as their pictures, and the files that settings name.

    find_moving  finds the content and the masks that are laid over it, where these may be other than pictures

    Raises UserError for a file that does not exist.
    """
    (content,) = request.paths["content"]
    styles = find_styles(request.paths["style"])
    paths: Paths = {"content": ((find_moving or find_picture)(content),), "style": styles}
    paths |= find_files_of(request.settings, find_moving)
    return replace(request, paths=paths)


def find_styles(names: Iterable[Path]) -> tuple[Path, ...]:
    """Return the styles that are named, and of a folder each picture in it. Raises UserError."""
    return tuple(path for name in names for path in pictures_of(find_picture(name)))


def find_files_of(settings: Settings, find_moving: Callable[[Path], Path] | None = None) -> Paths:
    """Return the pictures that settings name: the first picture and masks, by role. Raises UserError.

    find_moving  see find_pictures
    """
    find_mask = find_moving or _find_still_mask
    paths: Paths = {}
    if settings.init not in INITS:
        paths["init"] = (_find_first_picture(settings.init),)
    if settings.style_mask:
        paths["style_mask"] = tuple(find_mask(Path(name)) for name in settings.style_mask)
    if settings.source_mask:
        paths["source_mask"] = tuple(_find_still_mask(Path(name)) for name in settings.source_mask)
    if settings.content_mask is not None:
        paths["content_mask"] = (find_mask(Path(settings.content_mask)),)
    return paths


def _find_still_mask(name: Path) -> Path:
    """Return the path of a mask that is a picture. Raises UserError."""
    if is_clip_name(name):
        raise UserError(f"{name}: is a clip, and a mask of a picture, or of a style, is a picture; give one")
    return find_picture(name)


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
        return from_stdin()
    try:
        for path in (name, sample(name)):
            if path.is_fifo():
                return from_pipe(path)
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


def find_contents(name: Path, *, recursive: bool = False) -> list[Path]:
    """Return the photos that CONTENT stands for: a file, those in a folder, or those that match a pattern.

    Videos count too where a pattern matches them, or where a folder holds no photo.

    recursive  whether the folders within a folder count too

    Raises UserError where there is none.
    """
    if not is_pattern(name):
        path = find_picture(name)
        videos = videos_in(path, recursive=recursive) if path.is_dir() else []
        if videos and not _within(path, is_picture, recursive=recursive):
            return videos
        return pictures_of(path, recursive=recursive)
    matches = sorted(glob.glob(str(name), recursive=True))  # noqa: PTH207  Path.glob takes no pattern from the root
    found = _once(path for path in map(Path, matches) if is_picture(path) or _is_video(path))
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
    found = _once(_within(path, is_picture, recursive=recursive))
    if not found:
        words = f"{path}: is a folder without pictures; put {USUAL_FORMATS} files in it"
        inner = not recursive and any(item.is_dir() for item in path.iterdir())
        raise UserError(words + (", or give --recursive for the folders within it" if inner else ""))
    return found


def frames_of(path: Path) -> list[Path]:
    """Return the pictures that are the frames of a clip: of a pattern, or all in a folder; of any other path none."""
    if is_numbered(path):
        return numbered_files(path)
    return _within(path, is_picture) if path.is_dir() else []


def input_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, or of a clip's frames."""
    frames = frames_of(path)
    return frames_sha256(frames) if frames else file_sha256(path)


def frames_sha256(frames: Iterable[Path], sha256: Callable[[Path], str | None] = file_sha256) -> str:
    """Return the SHA-256 of a clip's frames: of the name and the SHA-256 of each, in their order.

    sha256  returns the SHA-256 of a file, None for an unreadable one
    """
    digest = hashlib.sha256()
    for frame in frames:
        digest.update(f"{sha256(frame)} {frame.name}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def videos_in(folder: Path, *, recursive: bool = False) -> list[Path]:
    """Return the videos in a folder sorted by name.

    recursive  whether the folders within the folder count too
    """
    return _once(_within(folder, _is_video, recursive=recursive))


def _is_video(path: Path) -> bool:
    return is_video_name(path) and not path.name.startswith(".") and path.is_file()


def _within(folder: Path, is_wanted: Callable[[Path], bool], *, recursive: bool = False) -> list[Path]:
    """Return what is wanted of a folder, or of all files within it, sorted by name."""
    return sorted(filter(is_wanted, _all_within(folder) if recursive else folder.iterdir()))


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
    most_mb = 0 if device().is_gpu else request.settings.max_memory  # Pictures are not read in the GPU's memory.
    read = functools.cache(functools.partial(_read, most_mb=most_mb))
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
