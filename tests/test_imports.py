"""What the parts of the house know of each other, and what a command loads."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

import netc
from netc.main import COMMANDS

ROOT = Path(__file__).parent.parent
FLOW = ("grammar", "compiler", "runtime", "netc")  # each imports itself and those before it
HEAVY = ("numpy", "onnx", "onnxruntime", "PIL")
LIGHT = {
    "check": ["check", "resnet"],
    "summary": ["summary", "lenet5", "--net", "lenet5"],
    "explain": ["explain", "lenet5", "--net", "lenet5"],
    "fmt": ["fmt", "--check", "netdefs/lenet5.netdef"],
    "list": ["list"],
}
FILES = [path for part in FLOW for path in sorted((ROOT / part).rglob("*.py"))]


def imported(path: Path) -> set[str]:
    """The top-level names of everything that a file imports, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relatively"
            found.add(node.module or "")
    return {name.partition(".")[0] for name in found}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    part = path.relative_to(ROOT).parts[0]
    above = FLOW[FLOW.index(part) + 1 :]
    assert not imported(path) & {*above, "tests", "benchmarks"}


def folders_used() -> dict[str, set[str]]:
    """For each folder of the compiler the other ones that its files import."""
    folders = {path.name for path in (ROOT / "compiler").iterdir() if path.is_dir()}
    found: dict[str, set[str]] = {}
    for path in FILES:
        part, folder, *rest = path.relative_to(ROOT).parts
        if part != "compiler" or not rest:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("compiler."):
                name = (node.module or "").split(".")[1]
                found.setdefault(folder, set()).update({name} & folders - {folder})
    return found


def test_folders_of_the_compiler_import_one_another_one_way() -> None:
    used = folders_used()
    assert used["ops"] == {"domain"} and not used["domain"]
    list(TopologicalSorter(used).static_order())  # raises CycleError


def loaded_by(arguments: list[str]) -> set[str]:
    """The top-level modules that a whole `netc` process has loaded when it ends."""
    code = f"import sys\nfrom netc.main import main\nmain({arguments!r}, standalone_mode=False)\n"
    report = "import atexit, sys\natexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
    done = subprocess.run(
        [sys.executable, "-c", report + code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in done.stderr.splitlines()[-1].split()}


@pytest.mark.parametrize("command", [c for c in LIGHT if c in COMMANDS])
def test_a_command_that_computes_nothing_loads_no_numerical_library(command: str) -> None:
    loaded = loaded_by(LIGHT[command])
    assert "compiler" in loaded
    assert not loaded & set(HEAVY)


@pytest.mark.parametrize("suffix", [".svg", ".html"])
def test_a_picture_of_a_definition_loads_no_numerical_library(tmp_path: Path, suffix: str) -> None:
    assert not loaded_by(["plot", "resnet18", "-o", str(tmp_path / f"x{suffix}")]) & set(HEAVY)


def test_check_loads_no_library_that_it_has_no_use_for() -> None:
    assert not loaded_by(LIGHT["check"]) & {"networkx", "rich", "safetensors"}


def test_the_help_loads_nothing_but_click() -> None:
    assert not loaded_by(["--help"]) & {"compiler", "grammar", "runtime", "lark", "rich", *HEAVY}


def test_a_check_of_nets_loads_nothing_of_trainings() -> None:
    code = "from netc.main import main; main(['check', 'lenet5'], standalone_mode=False)"
    report = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); "
    done = subprocess.run(
        [sys.executable, "-c", report + code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "compiler.training" not in done.stderr.splitlines()[-1].split()


def test_each_public_name_is_there_and_no_other() -> None:
    assert {*netc.HOMES} == {*netc.__all__} and {*netc.__all__} <= {*dir(netc)}
    for name, home in netc.HOMES.items():
        wanted = getattr(import_module(home), name)
        assert getattr(netc, name) is wanted and getattr(netc, name) is wanted  # no module by then
    assert all(getattr(netc, name) is not None for name in netc.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        netc.nothing  # noqa: B018


def test_compile_loads_numpy_and_onnx_but_no_runtime(tmp_path: Path) -> None:
    loaded = loaded_by(["compile", "sharpen", "-o", str(tmp_path / "x.onnx")])
    assert {"numpy", "onnx"} <= loaded
    assert "onnxruntime" not in loaded
