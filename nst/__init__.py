"""Neural style transfer: redraw a photo in the style of a painting.

The floors of the package. A module imports only modules of lower floors, or of its own folder as the map in its
__init__.py says. Each folder's __init__.py lists its modules and defines the terms that they use.

    places.py    [1] where weights, samples and results are, in a clone and installed
    errors.py    [1] UserError: what the user can mend, in words; shown without a traceback
    layers.py    [1] the layers of VGG19: names in three spellings, channels, "NAME:WEIGHT"
    options.py   [1] an Option: how the value of a setting is read, checked and written in words
    settings.py  [1] Settings: every default with type, limits and help
    preset_files.py [1] the presets in presets/, and settings made from a preset and a user's words
    call_options.py [1] the options of a call that are not settings
    values.py    [1] how a setting or an option of the call is written in a file
    system/      [1] what the machine gives: files, memory, signals
    pictures/    [2] picture files, colours, sizes. No TensorFlow.
    network/     [3] VGG19
    transfer/    [4] style transfer itself: arrays in, an array out. No files, no printing.
    report/      [5] progress, costs, pages
    run/         [6] one picture: files in, files out
    api.py       [7] redraw: arrays in, an array out, for other programs
    video/       [8] one clip: frames in, frames out
    command/     [9] the words of the command line
    batch/       [10] many pictures
    __main__.py  [11] the command, as python -m nst
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nst.api import Cancelled as Cancelled
    from nst.api import redraw as redraw
    from nst.errors import UserError as UserError
    from nst.pictures.picture_files import read_image as read_image
    from nst.pictures.picture_files import write_picture as write_picture
    from nst.preset_files import make_settings as make_settings
    from nst.settings import Settings as Settings
    from nst.transfer.state import Step as Step
    from nst.transfer.style_loss import StyleLoss as StyleLoss

__version__ = "0.2.0"
PUBLIC = {
    "Cancelled": "api",
    "redraw": "api",
    "UserError": "errors",
    "read_image": "pictures.picture_files",
    "write_picture": "pictures.picture_files",
    "make_settings": "preset_files",
    "Settings": "settings",
    "StyleLoss": "transfer.style_loss",
    "Step": "transfer.state",
}
__all__ = list(PUBLIC)


def __getattr__(name: str) -> object:
    """Return a public name, imported only now, because TensorFlow takes seconds to import."""
    if name not in PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"nst.{PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *PUBLIC]
