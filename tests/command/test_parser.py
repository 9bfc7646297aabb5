"""The parser of the command line: every flag explained, completed, and refused in one line."""

import subprocess
import sys

from conftest import PROJECT

import neural_art


def test_every_flag_is_in_the_readme_with_its_default_and_help():
    rows = [
        line for line in (PROJECT / "README.md").read_text().replace("\\|", "|").splitlines() if line.startswith("| `")
    ]
    for action in neural_art.make_parser()._actions:
        name = next((flag for flag in action.option_strings if flag.startswith("--")), action.metavar)
        explanation, _, default = action.help.rstrip("]").partition(" [")
        row = next((row for row in rows if row.startswith(f"| `{name}")), "")
        assert explanation in row, name
        assert default in row, name


def test_completion_knows_flags_choices_and_files(capsys, refused, monkeypatch):
    assert neural_art.main(["--completion", "bash"]) == 0
    script = capsys.readouterr().out
    assert "--style-layers" in script
    assert "___preset_choices=(default best course fast)" in script
    assert "_pos_0_COMPGEN=_shtab_compgen_files" in script
    monkeypatch.setitem(sys.modules, "shtab", None)
    message = "--completion: needs shtab; pip install -r requirements-completion.txt"
    assert message in refused(["--completion", "bash"])


def test_flag_errors_do_not_wait_for_tensorflow():
    code = "import sys, neural_art; neural_art.main(['a', 'b', '--steps', 'x']); print('tensorflow' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, check=True)
    assert run.stdout == "False\n"
