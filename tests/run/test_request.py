"""A request carries the wish for one picture; its settings name the files of some roles."""

from pathlib import Path

from nst.run.request import settings_naming
from nst.settings import Settings


def test_settings_name_the_files_of_their_roles_and_no_others():
    paths = {
        "content": (Path("cat.jpg"),),
        "style": (Path("stone.jpg"),),
        "init": (Path("x/first.png"),),
        "weights": (Path("x/vgg.npz"),),
        "style_mask": (Path("left.png"), Path("right.png")),
        "content_mask": (Path("sky.png"),),
        "run": (Path("art/checkpoint.npz"),),
    }
    wanted = Settings(
        init="x/first.png", weights="x/vgg.npz", style_mask=("left.png", "right.png"), content_mask="sky.png"
    )
    assert settings_naming(Settings(), paths) == wanted
    assert settings_naming(wanted, {}) == wanted
