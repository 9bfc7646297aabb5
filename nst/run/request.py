"""The wish for one picture, passed unchanged from the command, a batch or a worker to the run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nst.options import flag
from nst.settings import Settings

Paths = dict[
    str, tuple[Path, ...]
]  # The files of each role: content, style, init, style_mask, source_mask, content_mask.

ROLES = {  # How the user names the files of each role.
    "content": "CONTENT",
    "style": "STYLE",
    **{role: flag(role) for role in ("init", "weights", "style_mask", "source_mask", "content_mask")},
}
SINGLE = ("content", "init", "weights", "content_mask")  # The roles of one file.
MOVING = ("content", "style_mask", "content_mask")  # The roles of files that may be clips.
STDOUT = "-"  # The output that stands for stdout.
INITS = ("content", "noise", "style")  # The values of settings.init that name no file.
WEIGHTS_WITHOUT_FILE = (None, "imagenet")


@dataclass(frozen=True)
class Request:
    """One picture to make.

    paths      the input files by role; as the user named them until they are found
    output     the result's path; None for a free name in `folder`
    folder     where a result without a name goes; None for output/
    overwrite  whether an existing result may be replaced
    plot       whether to plot the costs to losses.png
    report     whether to write report.html
    verbose    whether TensorFlow's own messages are shown
    reads      other files that the call reads, which no result may replace
    clip       whether the content is a clip, in a batch
    """

    paths: Paths
    settings: Settings
    output: Path | None = None
    folder: Path | None = None
    overwrite: bool = False
    plot: bool = False
    report: bool = True
    verbose: bool = False
    reads: tuple[Path, ...] = ()
    clip: bool = False

    def inputs(self) -> list[Path]:
        """Return all files that the picture is made from."""
        weights = self.settings.weights
        own = [] if weights in WEIGHTS_WITHOUT_FILE else [Path(str(weights))]
        return [*(path for paths in self.paths.values() for path in paths), *own, *self.reads]


def settings_naming(settings: Settings, paths: Paths) -> Settings:
    """Return settings that name the given files of the roles that settings name: init, weights and masks."""
    named: dict[str, Any] = {
        role: str(files[0]) if role in SINGLE else tuple(map(str, files))
        for role, files in paths.items()
        if role in ROLES and role not in ("content", "style")
    }
    return replace(settings, **named)
