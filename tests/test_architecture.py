"""The floors of the package, and the layers within each of its folders: see the maps in their __init__.py."""

import ast
import re

import pytest
from conftest import PROJECT

NST = PROJECT / "nst"
MODULES = {
    ".".join(path.relative_to(PROJECT).with_suffix("").parts): path
    for path in NST.rglob("*.py")
    if path.name != "__init__.py"
}
WINGS = sorted(path.parent.name for path in NST.glob("*/__init__.py"))


def numbers_in(init):
    """Return the number of each module or folder that the map in an __init__.py names."""
    text = ast.get_docstring(ast.parse(init.read_text()), clean=False)
    return {name: int(number) for name, number in re.findall(r"^ +(\w+)(?:\.py|/) +\[(\d+)\]", text, re.MULTILINE)}


FLOORS = numbers_in(NST / "__init__.py")
LAYERS = {wing: numbers_in(NST / wing / "__init__.py") for wing in WINGS}


def imported(path):
    """Return the modules of nst that a file imports anywhere, also within functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & set(MODULES)


def floor_of(module):
    return FLOORS[module.split(".")[1]]


def layer_of(module):
    _, wing, name = module.split(".")
    return LAYERS[wing][name]


def circle_from(module, seen=()):
    """Return a chain of imports that leads back into itself, or None."""
    if module in seen:
        return [*seen, module]
    return next(filter(None, (circle_from(other, (*seen, module)) for other in imported(MODULES[module]))), None)


def test_the_maps_name_every_module_and_no_other():
    assert set(FLOORS) == {path.stem for path in NST.glob("*.py")} - {"__init__"} | set(WINGS)
    for wing in WINGS:
        assert set(LAYERS[wing]) == {path.stem for path in (NST / wing).glob("*.py")} - {"__init__"}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_lower_floors_and_lower_layers(module):
    for other in imported(MODULES[module]):
        if module.count(".") == other.count(".") == 2 and module.split(".")[1] == other.split(".")[1]:
            assert layer_of(other) < layer_of(module), f"{module} imports {other}"
        elif floor_of(other) == floor_of(module) == 1:
            assert circle_from(module) is None
        else:
            assert floor_of(other) < floor_of(module), f"{module} imports {other}"


def test_maps_import_nothing():
    for wing in WINGS:
        assert len(ast.parse((NST / wing / "__init__.py").read_text()).body) == 1


def test_only_runs_and_batches_import_the_job():
    for module in [*MODULES, "neural_art"]:
        path = MODULES.get(module, PROJECT / "neural_art.py")
        assert "nst.run.job" not in imported(path) or module.split(".")[1:2] in (["run"], ["batch"], ["video"]), module


def test_only_the_report_prints_and_nothing_exits():
    for module, path in MODULES.items():
        calls = [
            node.func.id
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        ]
        assert module in ("nst.report.renderers", "nst.batch.progress") or "print" not in calls, module
        assert "exit" not in calls, module


def test_files_and_dataclasses_stay_small():
    """No file above 330 lines and no dataclass above 10 fields, but for Settings, which holds one for each choice."""
    for module, path in MODULES.items():
        text = path.read_text()
        assert len(text.splitlines()) <= 330 or module == "nst.settings", module
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef) and any("dataclass" in ast.unparse(d) for d in node.decorator_list):
                fields = [item for item in node.body if isinstance(item, ast.AnnAssign)]
                assert len(fields) <= 10 or node.name == "Settings", f"{module}.{node.name}: {len(fields)} fields"
