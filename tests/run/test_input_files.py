"""The pictures of a run are found by their names."""

from PIL import Image, features

from nst.pictures.decoding import readable_suffixes
from nst.run.input_files import find_contents


def test_a_folder_stands_for_its_pictures_in_every_format_that_is_read(tmp_path):
    known = {".avif": "avif", ".jp2": "jpg_2000", ".jpg": "jpg", ".PNG": "zlib"}
    names = [f"picture{suffix}" for suffix, feature in known.items() if features.check(feature)]
    for name in names:
        Image.new("RGB", (6, 5)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "folder.png").mkdir()
    assert len(names) >= 2
    assert sorted(path.name for path in find_contents(tmp_path)) == sorted(names)


def test_formats_that_the_program_does_not_read_are_no_pictures():
    assert {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".gif", ".bmp", ".psd"} <= readable_suffixes()
    assert not {".eps", ".pdf", ".txt", ".svg", ""} & readable_suffixes()
