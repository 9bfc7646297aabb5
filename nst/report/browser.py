"""Pages and pictures shown in a browser: of the growing picture, and at the end of a run."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable
from pathlib import Path


def open_file(path: Path, tell: Callable[[str], None]) -> None:
    """Open a page or a picture; tell the user where no program does."""
    open_address(path.absolute().as_uri(), tell, str(path))


def open_address(address: str, tell: Callable[[str], None], name: str | None = None) -> None:
    """Open an address; tell the user where no program does.

    name  of what is at the address, for the user
    """
    try:
        opened = webbrowser.open(address)
    except (OSError, webbrowser.Error):
        opened = False
    if not opened:
        tell(f"{name or address}: no program opens it here; open it by hand")
