"""TODO."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nst.errors import UserError
from nst.pictures.picture_files import Picture, read_image, read_picture
from nst.settings import Settings, flag
from nst.system.atomic_files import file_sha256
from nst.transfer.inputs import Inputs

PROJECT = Path(__file__).resolve().parents[2]
SAMPLES = PROJECT / "images"
INITS = ("content", "noise", "style")
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif")  # of pictures in a folder of styles
LARGEST_STRETCH = 0.02  # by which a mask may be wider or narrower than the photo
Paths = dict[str, tuple[Path, ...]]  # by role: content, style, init, style_mask, content_mask
INPUTS = {  # role of a file -> how it is given
    "content": "CONTENT",
    "style": "STYLE",
    **{role: flag(role) for role in ("init", "weights", "style_mask", "content_mask")},
}
SINGLE = ("content", "init", "weights", "content_mask")


def find_pictures(content: str, styles: Sequence[str], settings: Settings) -> Paths:
    """Return the path of each input by its role, folders of styles as what is in them. Raises UserError."""
    paths: Paths = {
        "content": (find_picture(content),),
        "style": tuple(path for name in styles for path in pictures_of(find_picture(name))),
    }
    if settings.init not in INITS:
        paths["init"] = (find_picture(settings.init),)
    if settings.style_mask:
        paths["style_mask"] = tuple(map(find_picture, settings.style_mask))
    if settings.content_mask is not None:
        paths["content_mask"] = (find_picture(settings.content_mask),)
    return paths


def find_picture(name: str) -> Path:
    """Return the path as given, or the picture of that name among the samples. Raises UserError."""
    for path in (Path(name), SAMPLES / name):
        if path.exists():
            return path
    raise UserError(f"{name}: no such file, here or in {SAMPLES.name}/")


def pictures_of(path: Path) -> list[Path]:
    """Return a picture, or those in a folder by name. Raises UserError where there is none."""
    if not path.is_dir():
        return [path]
    found = sorted(item for item in path.iterdir() if is_picture(item))
    if not found:
        raise UserError(f"{path}: is a folder without pictures; put JPEG, PNG, WebP, TIFF, BMP or GIF files in it")
    return found


def is_picture(path: Path) -> bool:
    """Return whether a file is a picture, by its suffix."""
    return path.suffix.lower() in SUFFIXES and path.is_file()


def read_inputs(paths: Paths, settings: Settings) -> tuple[Picture, Inputs]:
    """Read all inputs and return the photo with all that its file holds, and what a run is made from."""
    (content_path,) = paths["content"]
    photo = read_picture(content_path)
    start, content_mask = paths.get("init"), paths.get("content_mask")
    inputs = Inputs(
        photo.image,
        tuple(map(read_image, paths["style"])),
        settings,
        start=read_image(start[0]) if start else None,
        style_masks=tuple(read_mask(path, photo.image) for path in paths.get("style_mask", ())),
        content_mask=read_mask(content_mask[0], photo.image) if content_mask else None,
    )
    return photo, inputs


def read_mask(path: Path, photo: np.ndarray) -> np.ndarray:
    """Return the lightness of a picture of the photo's shape as [height, width] in [0, 1]. Raises UserError."""
    mask = read_image(path).mean(axis=-1)
    (height, width), (wanted_height, wanted_width) = mask.shape, photo.shape[:2]
    if abs(width / height * wanted_height / wanted_width - 1) > LARGEST_STRETCH:
        raise UserError(
            f"{path}: a mask of {width}x{height} px does not fit on the photo of {wanted_width}x{wanted_height} px; "
            "give one of the same shape"
        )
    if mask.max() == 0:
        raise UserError(f"{path}: the mask is black, so nothing would change; paint white where it applies")
    return mask


def located_inputs(paths: Paths, settings: Settings) -> dict[str, list[list[str | None]]]:
    """Return role -> path and SHA-256 of each file, as a checkpoint holds them."""
    found: dict[str, list[list[str | None]]] = {
        role: [[str(path.absolute()), file_sha256(path)] for path in files] for role, files in paths.items()
    }
    if settings.weights not in (None, "imagenet"):
        found["weights"] = [[str(Path(str(settings.weights)).absolute()), None]]
    return found


def check_same_inputs(folder: Path, inputs: dict[str, list[list[str | None]]], paths: Paths) -> None:
    """Raise UserError unless the files are those that a run was begun with."""
    for role, files in paths.items():
        wanted = [digest for _, digest in inputs.get(role, [])]
        if len(files) != len(wanted):
            raise UserError(f"{role}: got {len(files)} for {len(wanted)} of {folder}; give as many, or none")
        for path, digest in zip(files, wanted, strict=True):
            if file_sha256(path) != digest:
                raise UserError(
                    f"{path}: is not the {role} that {folder} was begun with: another SHA-256; give that one"
                )


def sha256_by_name(paths: Paths) -> dict[str, str]:
    """Return file name -> SHA-256. A name that two different files share is left out, as it would tell of neither."""
    found: dict[str, set[str]] = {}
    for path in itertools.chain(*paths.values()):
        found.setdefault(path.name, set()).add(file_sha256(path))
    return {name: digests.pop() for name, digests in found.items() if len(digests) == 1}
