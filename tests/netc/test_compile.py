"""`netc compile`: files whole or not at all, the same bytes each time."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from tests.netc.command import netc

NET = """net n {
    input x: f32[3, 16, 16]
    conv(8, 3x3, bias=false) -> bn -> relu -> dropout -> identity
    gap -> flatten -> dense(4) as head
    output probs = softmax
}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "n.netdef"
    path.write_text(NET)
    return path


def test_the_model_is_valid_and_carries_what_it_came_from(file: Path, tmp_path: Path) -> None:
    target = tmp_path / "n.onnx"
    result = netc("compile", file, "-o", target)
    assert result.exit_code == 0 and "268 parameters" in result.stdout
    model = onnx.load(target)
    onnx.checker.check_model(model, full_check=True)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 21)]
    assert model.ir_version == 10
    batch = model.graph.input[0].type.tensor_type.shape.dim[0]
    assert batch.dim_param == "N"
    metadata = {p.key: p.value for p in model.graph.node[0].metadata_props}
    assert metadata["netc.source"] == "n.netdef:3"


def test_the_passes_leave_only_what_computes(file: Path, tmp_path: Path) -> None:
    netc("compile", file, "-o", tmp_path / "n.onnx")
    ops = [node.op_type for node in onnx.load(tmp_path / "n.onnx").graph.node]
    assert ops == ["Conv", "Relu", "GlobalAveragePool", "Flatten", "Gemm", "Softmax"]
    netc("compile", file, "-o", tmp_path / "n.onnx", "--no-optimize")
    plain = [node.op_type for node in onnx.load(tmp_path / "n.onnx").graph.node]
    assert plain.count("BatchNormalization") == 1 and plain.count("Identity") == 2


def test_batch_and_opset_are_as_asked(file: Path, tmp_path: Path) -> None:
    netc("compile", file, "-o", tmp_path / "n.onnx", "--batch", 8, "--opset", 17)
    model = onnx.load(tmp_path / "n.onnx")
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_value == 8
    assert model.opset_import[0].version == 17 and model.ir_version == 8


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_same_source_flags_and_seed_give_the_same_bytes(file: Path, tmp_path: Path) -> None:
    digests = set()
    for turn, (hash_seed, folder) in enumerate((("0", "."), ("12345", "/"))):
        target = tmp_path / f"{turn}.onnx"
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(Path.cwd())}
        call = [sys.executable, "-m", "netc", "compile", str(file), "-o", str(target)]
        subprocess.run(call, check=True, cwd=folder, env=environment, capture_output=True)
        digests.add(digest(target))
    assert len(digests) == 1
    netc("compile", file, "-o", tmp_path / "other.onnx", "--seed", 1)
    assert digest(tmp_path / "other.onnx") not in digests


def test_a_parameters_numbers_depend_on_seed_and_name_only(file: Path, tmp_path: Path) -> None:
    netc("compile", file, "-o", tmp_path / "a.onnx", "--no-optimize")
    file.write_text(NET.replace("    gap", "    conv(8, 3x3, pad=1)\n    gap"))
    netc("compile", file, "-o", tmp_path / "b.onnx", "--no-optimize")

    def head(name: str) -> bytes:
        tensors = onnx.load(tmp_path / name).graph.initializer
        return next(t.raw_data for t in tensors if t.name == "head.weight")

    assert head("a.onnx") == head("b.onnx")


def test_a_bad_definition_writes_nothing_and_keeps_the_old_file(file: Path, tmp_path: Path) -> None:
    target = tmp_path / "n.onnx"
    target.write_bytes(b"old")
    file.write_text(NET.replace("3x3", "33x33"))
    result = netc("compile", file, "-o", target)
    assert result.exit_code == 1
    assert target.read_bytes() == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["n.netdef", "n.onnx"]


def test_a_folder_that_is_not_there_is_the_calls_fault(file: Path, tmp_path: Path) -> None:
    result = netc("compile", file, "-o", tmp_path / "nowhere" / "n.onnx")
    assert result.exit_code == 2 and "nowhere" in result.stderr


def test_several_nets_need_a_choice(tmp_path: Path) -> None:
    result = netc("compile", "vgg", "-o", tmp_path / "n.onnx")
    assert result.exit_code == 2 and "--net" in result.stderr and "vgg_a" in result.stderr


@pytest.mark.parametrize(
    ("stage", "said"),
    [("ast", "Definition"), ("graph", "conv1 = "), ("shapes", "head: [4]")],
)
def test_each_stage_can_be_the_last(file: Path, stage: str, said: str) -> None:
    result = netc("compile", file, "--emit", stage)
    assert result.exit_code == 0 and said in result.stdout
