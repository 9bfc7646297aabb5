"""Batch files and sweeps: what a row may say, and what is wrong with it, by file and row."""

import json
from pathlib import Path

import pytest

from nst.batch.job_file import read_rows
from nst.errors import UserError

ROW = {"content": "a cat.jpg", "style": ("stone.jpg", "my night.jpg"), "steps": 3, "balance": False, "tv_weight": 0.5}
FORMS = {
    "jobs.toml": '[[job]]\ncontent = "a cat.jpg"\nstyle = ["stone.jpg", "my night.jpg"]\nsteps = 3\nbalance = false\n'
    "tv-weight = 0.5\n",
    "jobs.jsonl": json.dumps({**ROW, "seed": None}) + "\n\n",
    "jobs.csv": "content,style,steps,balance,tv-weight,seed\na cat.jpg,\"stone.jpg 'my night.jpg'\",3,no,0.5,\n\n",
}


@pytest.mark.parametrize(("name", "text"), FORMS.items())
def test_all_forms_say_the_same(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    title, (row,) = read_rows(tmp_path / name)
    assert title == "jobs"
    assert row.values == ROW
    assert row.where.startswith(str(tmp_path / name))


def test_a_byte_order_mark_and_line_breaks_of_windows_are_read(tmp_path):
    (tmp_path / "jobs.csv").write_bytes(b"\xef\xbb\xbfcontent,style\r\na.jpg,b.jpg\r\n")
    _, (row,) = read_rows(tmp_path / "jobs.csv")
    assert row.values == {"content": "a.jpg", "style": ("b.jpg",)}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("jobs.txt", "", "a batch file is .toml, .csv or .jsonl"),
        ("jobs.cvs", "", "did you mean .csv?"),
        ("jobs.csv", "", "jobs.csv: has no rows"),
        ("jobs.csv", "content,style\n", "jobs.csv: has no rows"),
        ("jobs.csv", "content,sytle\na,b\n", "jobs.csv: line 1: sytle: there is no such key; did you mean style?"),
        ("jobs.csv", "tv-weight,tv_weight\n1,2\n", "line 1: tv-weight: is the name of two columns"),
        ("jobs.csv", "content,steps\na,2\nb,1,c\n", "jobs.csv: line 3: has 3 cells for 2 columns"),
        ("jobs.csv", 'content,steps\n"a\nb",x\n', "jobs.csv: line 2: steps x: must be a whole number"),
        ("jobs.csv", 'content\n"a\n', "jobs.csv: line 2: is not CSV"),
        ("jobs.csv", 'content,style\na,"b \'c"\n', "line 2: style b 'c: no closing quotation"),
        ("jobs.csv", "content,balance\na,maybe\n", "line 2: balance maybe: must be true or false"),
        ("jobs.csv", "content,threads\na,2\n", "line 2: threads: is the same for all pictures"),
        ("jobs.toml", "steps = 2", "jobs.toml: steps: there is no such key; write each picture under [[job]]"),
        ("jobs.toml", "[job]\nsteps = 2", "jobs.toml: [job]: write [[job]]"),
        ("jobs.toml", "job = [3]", "jobs.toml: job 1: must be flags by name"),
        ("jobs.toml", "[[job]]\nsteps = 2\n[[job]]\nsteps = 0", "jobs.toml: job 2: steps 0: must be"),
        ("jobs.toml", "[[job]\n", "jobs.toml: is not TOML"),
        ("jobs.jsonl", '{"steps": 2}\n{"steps": }\n', "jobs.jsonl: line 2: is not JSON"),
        ("jobs.jsonl", "[1]\n", "jobs.jsonl: line 1: must be flags by name"),
        ("jobs.jsonl", '{"content": "a\\u0000b"}\n', "jobs.jsonl: line 1: has a NUL character"),
        ("jobs.jsonl", '{"content": 3}\n', "jobs.jsonl: line 1: content = 3: must be text in quotes"),
    ],
)
def test_mistakes_name_file_and_row(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError) as error:
        read_rows(tmp_path / name)
    assert message in str(error.value)


def test_a_missing_file_is_said_so(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_rows(tmp_path / "none.csv")


@pytest.mark.parametrize(
    "text",
    [
        "Content;Style-Weights;output\ncat.jpg;0,5 2,25;a.png\n",
        "content\tstyle-weights\toutput\ncat.jpg\t0.5 2.25\ta.png\n",
        "content,style-weights,output\ncat.jpg,0.5 2.25,a.png\n",
    ],
    ids=["semicolons", "tabs", "commas"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_table_as_spreadsheets_write_it(tmp_path, text, encoding):
    path = tmp_path / "jobs.csv"
    path.write_text(text, encoding=encoding)
    _, rows = read_rows(path)
    assert [row.values for row in rows] == [{"content": "cat.jpg", "style_weights": (0.5, 2.25), "output": "a.png"}]


def test_a_name_with_a_comma_keeps_it_among_semicolons(tmp_path):
    (tmp_path / "jobs.csv").write_text("content;output;size\na,b.jpg;1,2.png;64\n")
    _, rows = read_rows(tmp_path / "jobs.csv")
    assert rows[0].values["content"] == "a,b.jpg"


def test_a_cell_that_is_the_name_of_a_file_is_that_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("my painting.jpg", "it's.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "jobs.csv").write_text(
        "content,style\na.jpg,my painting.jpg\na.jpg,it's.jpg\na.jpg,cat.jpg stone.jpg\n"
    )
    _, rows = read_rows(Path("jobs.csv"))
    assert [row.values["style"] for row in rows] == [("my painting.jpg",), ("it's.jpg",), ("cat.jpg", "stone.jpg")]
