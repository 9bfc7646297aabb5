"""The layers of the package: a module imports only modules with a lower number in the map of nst/__init__.py."""

import ast
import re

from conftest import PROJECT

import nst

NUMBERS = {
    name: int(number) for name, number in re.findall(r"^ +(\w+)\.py +\[(\d+)\]", nst.__doc__ or "", re.MULTILINE)
}


def imported(path):
    """Return the modules of nst that a file imports anywhere, also within functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        found |= {name.removeprefix("nst.") for name in names if name.startswith("nst.")}
    return found


def test_the_map_names_every_module():
    files = {path.stem for path in (PROJECT / "nst").glob("*.py")} - {"__init__"}
    assert files == set(NUMBERS)


def test_modules_import_only_lower_layers():
    for name, number in NUMBERS.items():
        for other in imported(PROJECT / "nst" / f"{name}.py"):
            assert NUMBERS[other] < number, f"{name} [{number}] imports {other} [{NUMBERS[other]}]"


def test_only_the_command_and_the_report_print():
    for path in (PROJECT / "nst").glob("*.py"):
        calls = [
            node.func.id
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        ]
        assert path.stem == "report" or "print" not in calls
        assert "exit" not in calls
