"""What a command reads it never writes over, by whatever name: refused before anything is read."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import click
import numpy as np
import pytest
from PIL import Image

from netc.main import COMMANDS
from netc.options import FOLDER, OUTPUT, Command
from tests.netc.command import netc

NET = """
use half from "used.netdef"
net n {
    input x: f32[3, 8, 8]
    half() -> relu
    output y
    gap -> flatten
    output z labels "names.txt"
}
train t {
    data x: f32[3, 8, 8], target: f32[3]
    made = n(x)
    minimize mse(made.z, target)
    update n with sgd(0.1)
    batch 2; epochs 1
}
"""
USED = "block half() { conv(3, 2, stride=2) }\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one of everything that is read."""
    monkeypatch.chdir(tmp_path)
    Path("n.netdef").write_text(NET)
    Path("used.netdef").write_text(USED)
    Path("names.txt").write_text("red\ngreen\nblue\n")
    Path("rules.txt").write_text("a=a\n")
    assert netc("compile", "n.netdef", "-o", "m.onnx", "--external-data").exit_code == 0
    assert netc("import", "m.onnx", "-o", "i.netdef", "--weights", "w.safetensors").exit_code == 0
    np.save("x.npy", np.ones((2, 3, 8, 8), np.float32))
    Path("photos").mkdir()
    for name in ("a", "b"):
        Image.new("RGB", (8, 8), name and "red").save(f"photos/{name}.png")
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def same(path: str) -> str:
    return path


def dotted(path: str) -> str:
    return f"photos/../{path}"


def linked(path: str) -> str:
    """The name of a symbolic link to a file, with the same suffix."""
    name = f"soft{Path(path).suffix}"
    Path(name).symlink_to(path)
    return name


def hard(path: str) -> str:
    """Another name of the same file."""
    name = f"hard{Path(path).suffix}"
    os.link(path, name)
    return name


CALLS = {
    "compile": "compile n.netdef -o n.netdef",
    "compile with weights": "compile n.netdef --weights w.safetensors -o w.safetensors",
    "compile with rules": "compile n.netdef --weights w.npz --rename-file rules.txt -o rules.txt",
    "compile over a used file": "compile n.netdef -o used.netdef",
    "compile over class names": "compile n.netdef -o names.txt",
    "import": "import m.onnx -o m.onnx",
    "import weights": "import m.onnx -o o.netdef --weights m.onnx",
    "quantize": "quantize m.onnx --calibrate x.npy -o m.onnx",
    "quantize over samples": "quantize m.onnx --calibrate x.npy -o x.npy",
    "quantize a definition": "quantize n.netdef --calibrate x=x.npy -o x.npy",
    "compile a step": "compile n.netdef --train t -o n.netdef",
    "compile a step over a used file": "compile n.netdef --train t -o used.netdef",
    "maps": "maps n.netdef --image photos/a.png -o photos/a.png",
    "run": "run n.netdef --input x.npy --out x.npy",
    "run by name": "run m.onnx --input x=x.npy --out x.npy",
    "run on a pattern": "run n.netdef --image photos/* --out photos/b.png",
    "run on a folder": "run n.netdef --image photos --out photos/a.png",
}


def test_a_training_does_not_write_over_the_weights_that_it_begins_with(here: Path) -> None:
    Path("run").mkdir()
    Path("run/weights.safetensors").write_bytes(Path("w.safetensors").read_bytes())
    np.savez("t.npz", x=np.zeros((4, 3, 8, 8), np.float32), target=np.zeros((4, 2), np.float32))
    before = contents(here)
    call = "train n.netdef --data t.npz --weights run/weights.safetensors --out run"
    result = netc(*call.split())
    assert result.exit_code == 2 and "run/weights.safetensors is read" in result.output
    assert contents(here) == before


@pytest.mark.parametrize("way", [same, dotted, linked, hard])
@pytest.mark.parametrize("name", CALLS)
def test_an_output_that_is_an_input_is_refused(
    here: Path, name: str, way: Callable[[str], str]
) -> None:
    *call, output = CALLS[name].split()
    output = way(output)
    before = contents(here)
    result = netc(*call, output)
    assert result.exit_code == 2, result.output
    assert f"{output} is read" in result.output and "is not written over" in result.output
    assert contents(here) == before


def test_pictures_do_not_go_over_the_pictures_that_they_are_of(here: Path) -> None:
    before = contents(here)
    result = netc("run", "n.netdef", "--image", "photos", "--out", "photos", "--format", "picture")
    assert result.exit_code == 2 and "a.png is read" in result.output
    assert contents(here) == before


def test_a_default_output_is_no_exception(here: Path) -> None:
    Path("n.onnx").symlink_to("used.netdef")
    result = netc("compile", "n.netdef")
    assert result.exit_code == 2 and "n.onnx is read" in result.output
    Path("m.netdef").symlink_to("m.onnx")
    result = netc("import", "m.onnx")
    assert result.exit_code == 2 and "m.netdef is read (as m.onnx)" in result.output


def test_a_picture_of_a_net_is_drawn_over_nothing_that_is_read(here: Path) -> None:
    for name in ("n.netdef", "used.netdef", "m.onnx"):
        Path("p.svg").symlink_to(name)
        subject = "m.onnx" if name == "m.onnx" else "n.netdef"
        result = netc("plot", subject, "-o", "p.svg")
        assert result.exit_code == 2 and "p.svg is read" in result.output
        Path("p.svg").unlink()


def test_weights_beside_a_step_are_written_over_nothing_that_is_read(here: Path) -> None:
    before = contents(here)
    Path("s.safetensors").symlink_to("n.netdef")
    result = netc("compile", "n.netdef", "--train", "t", "-o", "s.onnx")
    assert result.exit_code == 2 and "s.safetensors is read (as " in result.output
    Path("s.safetensors").unlink()
    result = netc("compile", "n.netdef", "--train", "t", "-o", "s.safetensors")
    assert result.exit_code == 2 and "would be written twice" in result.output
    assert contents(here) == before


def test_a_folder_of_maps_has_no_picture_that_is_read(here: Path) -> None:
    call = ["maps", "n.netdef", "--no-gradients", "--image"]
    assert netc(*call, "photos/a.png", "-o", "maps").exit_code == 0
    made = sorted(Path("maps").iterdir())[0]
    Image.new("RGB", (8, 8), "red").save(made)
    before = contents(here)
    result = netc(*call, str(made), "-o", "maps")
    assert result.exit_code == 2 and f"{made} is read" in result.output
    assert contents(here) == before


def test_two_outputs_are_two_files(here: Path) -> None:
    result = netc("import", "m.onnx", "-o", "a.npz", "--weights", "photos/../a.npz")
    assert result.exit_code == 2 and "would be written twice" in result.output
    assert not Path("a.npz").exists()


def test_another_file_beside_is_written(here: Path) -> None:
    assert netc("compile", "n.netdef", "-o", "m.onnx").exit_code == 0
    assert netc("run", "n.netdef", "--input", "x.npy", "--out", "y.npz").exit_code == 0
    assert netc("run", "n.netdef", "--image", "photos", "--out", "photos/y.npz").exit_code == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_that_writes_knows_its_outputs(name: str) -> None:
    module = import_module(f"netc.commands.{name}{'_' if name == 'import' else ''}")
    command: click.Command = module.command
    outputs = {"-o", "--output", "--out"}
    for parameter in command.params:
        if outputs & {*parameter.opts}:
            assert parameter.type in (OUTPUT, FOLDER) and isinstance(command, Command)
        if parameter.name == "file" and isinstance(command, Command):
            assert parameter.type is not click.STRING
