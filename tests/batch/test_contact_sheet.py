"""The contact sheet: each picture in its place, each row and column with its name."""

import numpy as np

from nst.batch.contact_sheet import GAP_PX, Sheet, write_sheet
from nst.pictures.picture_files import read_image, write_picture


def flat(path, color):
    write_picture(path, np.full((30, 40, 3), color, np.float32))
    return path


def test_pictures_stand_in_their_rows_and_columns(tmp_path):
    colors = [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    paths = [flat(tmp_path / f"{k}.png", color) for k, color in enumerate(colors)]
    (tmp_path / "damaged.png").write_bytes(b"no picture")
    cells = {(0, 0): paths[0], (0, 1): paths[1], (0, 2): None, (1, 0): paths[2], (1, 2): tmp_path / "damaged.png"}
    rows, columns = ["tv-weight 0", "tv-weight " + "9" * 99], ["style-weight 20", "style-weight 40", "<b>ü\u2603</b>"]
    write_sheet(tmp_path / "sheet.png", Sheet("cat_stone", rows, columns, cells))
    sheet = read_image(tmp_path / "sheet.png")
    width, height = 256, 192
    left, top = sheet.shape[1] - 3 * (width + GAP_PX), sheet.shape[0] - 2 * (height + GAP_PX)
    for (row, column), path in cells.items():
        y, x = top + row * (height + GAP_PX) + height // 2, left + column * (width + GAP_PX) + width // 2
        expected = colors[paths.index(path)] if path in paths else (235 / 255,) * 3
        np.testing.assert_allclose(sheet[y, x], expected, atol=0.01)
    assert sheet[top:, : left - GAP_PX].min() < 0.3  # ink
    assert sheet[:top].min() < 0.3


def test_a_sheet_of_no_pictures_is_one_all_the_same(tmp_path):
    write_sheet(tmp_path / "sheet.png", Sheet("", [""], ["steps 1"], {(0, 0): None}))
    assert read_image(tmp_path / "sheet.png").shape[1] == 256 + 2 * GAP_PX
