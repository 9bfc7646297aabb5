"""What a run starts from besides its inputs: an earlier run, stopped or finished."""

from __future__ import annotations

from dataclasses import dataclass

from nst.run.checkpoint import Checkpoint
from nst.run.record import Record, version_warnings


@dataclass(frozen=True)
class Origin:
    """The earlier run that a run resumes or repeats; by default there is none.

    record      of the earlier run
    found       the roles whose files the record alone names, so that they must be the recorded files
    checkpoint  the state from which the run resumes
    if_begun    whether the run resumes from a checkpoint in its folder that is of the same inputs and settings
    warnings    lines that the user should know
    """

    record: Record | None = None
    found: tuple[str, ...] = ()
    checkpoint: Checkpoint | None = None
    if_begun: bool = False
    warnings: tuple[str, ...] = ()

    def all_warnings(self) -> list[str]:
        """Return the warnings, and that of a record of other versions."""
        return [*self.warnings, *(version_warnings(self.record) if self.record else [])]
