"""What became of a picture of a batch, for whoever tells of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

SHEET = "sheet"  # in a manifest, of a contact sheet
TO_DO, CHANGED, STARTED, DONE, FAILED, STOPPED = "to do", "changed", "started", "done", "failed", "stopped"


@dataclass(frozen=True)
class Entry:
    """A picture of a batch.

    title     its name in the batch's folder, without suffix
    state     done, failed, stopped, or to do; in a plan, done, to do, or changed since it was done
    result    where it is, or would be
    seconds   that it took, in whichever run of the batch made it; None where it is not done
    error     why it failed, in one line
    settings  field name -> value as JSON knows it of those that are not the same in all pictures of the batch
    folder    of the run: settings.json, losses.csv, snapshots
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

    def described(self) -> dict[str, Any]:
        """Return what docs/result.schema.json describes as a job."""
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
