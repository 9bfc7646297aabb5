"""Which frames of a clip are redrawn: from --start to --end, all of them or as many a second as --fps says."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from nst.errors import UserError
from nst.settings import Settings
from nst.video.clips import Clip, Frame
from nst.video.mask_clips import MaskClip, check_long_enough, frames_with_masks


def check_times(settings: Settings) -> None:
    """Raise UserError for times that cannot be read, or that are in the wrong order."""
    start, end = (_parsed(name, getattr(settings, name)) for name in ("start", "end"))
    if start and end and start.is_number == end.is_number and end.value <= start.value:
        raise UserError(f"--end {settings.end}: is not after --start {settings.start}; give a later time")


def selected(clip: Clip, settings: Settings, masks: Sequence[MaskClip] = ()) -> Iterator[Frame]:
    """Yield the frames of a clip that are redrawn, with the times in the clip at which they are shown.

    masks  that are clips; see frames_with_masks

    Raises UserError where a mask is too short.
    """
    start, end = (_parsed(name, getattr(settings, name)) for name in ("start", "end"))
    chosen = _between(frames_with_masks(clip, masks), clip, start, end)
    for frame in _at_rate(chosen, clip, settings.fps) if settings.fps else chosen:
        check_long_enough(clip, masks, frame)
        yield frame


def planned_frames(clip: Clip, settings: Settings, seconds_per_frame: float) -> int:
    """Return about how many frames are redrawn.

    seconds_per_frame  of the clip
    """
    start, end = (_parsed(name, getattr(settings, name)) for name in ("start", "end"))
    first = 0 if start is None else start.frame(seconds_per_frame)
    last = clip.count if end is None else min(clip.count, end.frame(seconds_per_frame))
    count = max(1, last - first)
    return max(1, round(count * seconds_per_frame * settings.fps)) if settings.fps else count


class _Moment:
    """A time in a clip: a number of seconds, or the number of a frame."""

    def __init__(self, value: float, *, is_number: bool) -> None:
        self.value = value
        self.is_number = is_number

    def frame(self, seconds_per_frame: float) -> int:
        """Return the number of the frame that is shown then."""
        return round(self.value if self.is_number else self.value / seconds_per_frame)

    def is_before(self, number: int, seconds: float) -> bool:
        """Return whether a frame comes before this time."""
        return number < self.value if self.is_number else seconds < self.value - 1e-6


def _parsed(name: str, text: str | None) -> _Moment | None:
    """Return the time that a user wrote, or None. Raises UserError."""
    if text is None:
        return None
    if match := re.fullmatch(r"(\d+)f", text):
        return _Moment(int(match[1]), is_number=True)
    try:
        parts = [float(part) for part in text.split(":")]
        seconds = sum(part * 60**power for power, part in enumerate(reversed(parts)))
    except ValueError:
        parts, seconds = [], math.nan
    if not 1 <= len(parts) <= 3 or not 0 <= seconds < math.inf:
        raise UserError(f"--{name} {text}: must be a time such as 12.5 or 1:30, or a frame such as 300f")
    return _Moment(seconds, is_number=False)


def _between(frames: Iterator[Frame], clip: Clip, start: _Moment | None, end: _Moment | None) -> Iterator[Frame]:
    origin = None
    for number, frame in enumerate(frames):
        origin = frame.time if origin is None else origin
        seconds = float((frame.time - origin) * clip.time_base)
        if start and start.is_before(number, seconds):
            continue
        if end and not end.is_before(number, seconds):
            return
        yield frame


def _at_rate(frames: Iterator[Frame], clip: Clip, fps: float) -> Iterator[Frame]:
    """Yield at each time of a rate the frame that is shown then."""
    shown: Frame | None = None
    first = number = 0
    step = Fraction(1) / Fraction(fps).limit_denominator(1001) / clip.time_base

    for frame in frames:
        first = frame.time if shown is None else first
        while shown is not None and first + number * step < frame.time:
            yield shown._replace(time=first + round(number * step))
            number += 1
        shown = frame
    if shown is not None and first + number * step <= shown.time:
        yield shown._replace(time=first + round(number * step))
