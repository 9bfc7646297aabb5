"""The states of a run and of a batch's picture, and all that a report tells of a picture of a batch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

TO_DO, CHANGED = "to do", "changed"  # A picture that is planned; CHANGED was made with other settings or inputs.
STARTED, DONE, FAILED, STOPPED = "started", "done", "failed", "stopped"  # A picture in a batch's manifest.
MISSING = "missing"  # A picture on the page of a batch that has not ended in this batch: to do, changed or started.
STARTING, RUNNING = "starting", "running"  # A watched run before its end, which is DONE, FAILED or STOPPED.
SHEET = "sheet"  # A contact sheet in a batch's manifest.


@dataclass(frozen=True)
class PictureStatus:
    """All that is known of a picture of a batch.

    title     the name of the result without suffix
    state     DONE, FAILED, STOPPED or TO_DO; in a plan DONE, TO_DO or CHANGED
    result    the path of the result, also before it is made
    content   the path of the photo
    seconds   the time of the picture's last run, in whichever call of the batch; None where no run has ended
    error     the reason of a failure, in one line
    settings  field name -> value as JSON knows it, of the settings that differ among the pictures of the batch
    folder    the run's folder: settings.json, losses.csv, snapshots
    clip      whether the content is a clip, and so the result
    """

    title: str
    state: str
    result: Path
    content: Path
    styles: tuple[Path, ...]
    seconds: float | None
    error: str | None
    settings: dict[str, Any]
    folder: Path
    clip: bool = False

    def described(self) -> dict[str, Any]:
        """Return the status as an item of "jobs" in docs/result.schema.json."""
        return {
            "title": self.title,
            "state": self.state,
            "path": str(self.result),
            "content": str(self.content),
            "styles": [str(style) for style in self.styles],
            "seconds": self.seconds,
            "error": self.error,
            "settings": self.settings,
        }
