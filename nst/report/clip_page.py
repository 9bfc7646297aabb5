"""The report of a clip as a single page: some of its frames under a slider, times, settings and versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from nst.report.pages import embedded, environment, relative_link
from nst.report.run_page import command_for, settings_rows
from nst.report.status import STOPPED
from nst.system.atomic_files import write_text

FRAME_PX = 720  # The long side of a frame on the page.


@dataclass(frozen=True)
class PaintedClip:
    """All that the report of a clip tells.

    content, styles, result  the names of the files
    state     DONE or STOPPED
    frames    the number of frames that are done
    shown     some frames: number, frame and picture, as images
    record    the fields of settings.json
    warnings  all that were told during the run
    as_clip   whether the content is a clip only because the user said so
    """

    content: str
    styles: tuple[str, ...]
    result: str
    state: str
    frames: int
    seconds: float
    shown: Sequence[tuple[int, np.ndarray, np.ndarray]]
    record: Mapping[str, Any]
    warnings: Sequence[str] = ()
    as_clip: bool = False


def write_clip_page(path: Path, clip: PaintedClip) -> None:
    """Write the report of a clip, whole or not at all. Raises OSError."""
    shown = []
    for number, frame, picture in clip.shown:
        before = embedded(f"frame {number} of the clip", frame, FRAME_PX, rough=True)
        after = embedded(f"frame {number}, painted", picture, FRAME_PX)
        shown.append((number, replace(before, key=f"frame-{number}"), replace(after, key=f"picture-{number}")))
    command = command_for(path.parent.name, to_resume=clip.state == STOPPED)
    page = environment().get_template("clip.html")
    text = page.render(
        clip=clip,
        shown=shown,
        file=relative_link(path.parent.parent / clip.result, path.parent),
        command=f"{command} --as-clip" if clip.as_clip and clip.state != STOPPED else command,
        settings=settings_rows(clip.record["settings"]),
        made=datetime.now().astimezone(),
    )
    write_text(path, text)
