"""The parser of the command line: every flag explained, completed, and refused in one line."""

import shutil
import subprocess
import sys

import pytest
from conftest import PROJECT

import neural_art
from nst.command.completion import SHELLS
from nst.command.options_page import options_page
from nst.command.short_help import NEEDED
from nst.options import ELSEWHERE


def test_the_page_of_options_is_that_of_the_parser():
    """Else: write options_page(make_parser()) to docs/options.md."""
    page = options_page(neural_art.make_parser())
    assert (PROJECT / "docs" / "options.md").read_text() == page
    for action in neural_art.make_parser()._actions:
        assert any(f"`{flag}" in page for flag in action.option_strings or [action.metavar])


def test_help_fits_a_screen_and_names_flags_that_are_there(capsys):
    with pytest.raises(SystemExit) as ended:
        neural_art.main(["--help"])
    assert ended.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 23 and max(map(len, lines)) < 80
    known = neural_art.make_parser()._option_string_actions
    for words in NEEDED:
        for part in words.split(", "):
            assert part.split()[0] in known
    assert neural_art.main(["--help-all"]) == 0
    text = capsys.readouterr().out
    assert all(flag in text for flag in known)


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("--iterations=500", "--iterations=500: is --steps here; see --help"),
        ("--num_iterations", "--num_iterations: is --steps here"),
        ("-image_size", "-image_size: is --size here"),
        ("--styles", "--styles: is the words after CONTENT here"),
        ("--preserve-colors", "--preserve-colors: is --preserve-color here"),
        ("--stepps", "did you mean --steps?"),
    ],
)
def test_the_flags_of_other_programs_are_answered_with_ours(refused, word, answer):
    assert answer in refused(["cat.jpg", "stone.jpg", word])


def test_what_other_programs_call_is_called_otherwise_here():
    known = neural_art.make_parser()._option_string_actions
    for here, names in ELSEWHERE.items():
        assert here in known or "CONTENT" in here
        assert not any(f"--{name}" in known for name in names)


def test_completion_knows_flags_choices_and_files(capsys, refused, monkeypatch):
    assert neural_art.main(["--completion", "bash"]) == 0
    script = capsys.readouterr().out
    assert "--style-layers" in script
    assert "___preset_choices=(default best course fast)" in script
    assert "_pos_0_COMPGEN=_neural_art_pictures" in script
    assert "___style_layers_choices=(conv1_1" in script
    monkeypatch.setitem(sys.modules, "shtab", None)
    message = "--completion: needs shtab; pip install -r requirements-completion.txt"
    assert message in refused(["--completion", "bash"])


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_its_completion(shell, capsys):
    assert neural_art.main(["--completion", shell]) == 0
    script = capsys.readouterr().out
    assert "style-loss" in script and "covariance" in script


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("python neural_art.py --style-lo", ["--style-loss"]),
        ("neural_art.py --preset be", ["best"]),
        ("python neural_art.py starry", ["starry_night.jpg", "starry_night_large.jpg"]),
        ("python neural_art.py cat.jpg stone.jpg --style-layers conv5_", [f"conv5_{n}" for n in (1, 2, 3, 4)]),
        ("python other.py --style-lo", []),
    ],
)
def test_bash_completes(line, found, tmp_path):
    script = subprocess.run(
        [sys.executable, str(PROJECT / "neural_art.py"), "--completion", "bash"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    words = line.split()
    function = "_neural_art_with_python" if words[0] == "python" else "_shtab_neural_art_py"
    program = f"""{script}
COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; {function}; printf '%s\\n' "${{COMPREPLY[@]}}" """
    run = subprocess.run(["bash", "-c", program], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert sorted(set(run.stdout.split())) == found, run.stderr


def test_flag_errors_do_not_wait_for_tensorflow():
    code = "import sys, neural_art; neural_art.main(['a', 'b', '--steps', 'x']); print('tensorflow' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, check=True)
    assert run.stdout == "False\n"
