"""`netc run` on ONNX models of others: types and shapes that netc itself never writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.netc.command import netc


def one_node(
    path: Path, op: str, kinds: tuple[int, int], shape: Sequence[int | str], **attributes: Any
) -> Path:
    """A model of one node with an input x and an output y."""
    x, y = (helper.make_tensor_value_info(n, k, shape) for n, k in zip("xy", kinds, strict=True))
    graph = helper.make_graph([helper.make_node(op, ["x"], ["y"], **attributes)], "g", [x], [y])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), path
    )
    return path


@pytest.mark.parametrize("kind", ["uint8", "int8", "uint16", "int32", "uint64"])
def test_whole_numbers_are_ranked_by_their_value(tmp_path: Path, kind: str) -> None:
    number = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    model = one_node(tmp_path / "m.onnx", "Identity", (number, number), ("N", 3))
    np.save(tmp_path / "x.npy", np.array([[0, 7, 2]], kind))
    result = netc("run", model, "--input", tmp_path / "x.npy", "--format", "csv")
    assert result.exit_code == 0, result.output
    assert [line.split(",")[3] for line in result.stdout.splitlines()[1:]] == ["1", "2", "0"]


def test_yes_and_no_are_numbers_too(tmp_path: Path) -> None:
    model = one_node(tmp_path / "m.onnx", "Not", (TensorProto.BOOL, TensorProto.BOOL), ("N", 3))
    np.save(tmp_path / "x.npy", np.array([[True, False, True]]))
    result = netc("run", model, "--input", tmp_path / "x.npy")
    assert result.exit_code == 0, result.output
    assert "1. class 1  1.000000" in result.stdout


def test_bfloat16_outputs_are_written_as_float32(tmp_path: Path) -> None:
    kinds = (TensorProto.FLOAT, TensorProto.BFLOAT16)
    model = one_node(tmp_path / "m.onnx", "Cast", kinds, ("N", 2), to=TensorProto.BFLOAT16)
    np.save(tmp_path / "x.npy", np.array([[1.5, -2.0]], np.float32))
    result = netc("run", model, "--input", tmp_path / "x.npy", "--out", tmp_path / "y.npz")
    assert result.exit_code == 0, result.output
    array = np.load(tmp_path / "y.npz")["y"]
    assert array.dtype == np.float32 and array.tolist() == [[1.5, -2.0]]


@pytest.mark.parametrize(
    ("kind", "shape", "said"),
    [
        (TensorProto.STRING, ("N", 3), "x is a tensor(string), and what runs here are tensors"),
        (TensorProto.FLOAT, (), "the input x is a single number, or of any shape"),
    ],
)
def test_inputs_that_have_no_samples_are_refused(
    tmp_path: Path, kind: int, shape: Sequence[int | str], said: str
) -> None:
    result = netc("run", one_node(tmp_path / "m.onnx", "Identity", (kind, kind), shape), "--random")
    assert result.exit_code == 2 and said in result.output and "Traceback" not in result.output


@pytest.mark.parametrize("name", ["x", "y"])
def test_names_that_are_no_text_are_refused(tmp_path: Path, name: str) -> None:
    kinds = (TensorProto.FLOAT, TensorProto.FLOAT)
    path = one_node(tmp_path / "m.onnx", "Relu", kinds, ("N", 3))
    path.write_bytes(path.read_bytes().replace(name.encode() + b"\x12", b"\xff\x12"))
    for call in (["run", path, "--random"], ["bench", path, "--seconds", "0"]):
        result = netc(*call, "--device", "cpu")
        assert result.exit_code == 2 and result.output.startswith("error: "), result.output


def test_a_model_without_inputs_is_refused(tmp_path: Path) -> None:
    value = helper.make_tensor("v", TensorProto.FLOAT, [1], [3.0])
    node = helper.make_node("Constant", [], ["y"], value=value)
    info = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([node], "g", [], [info])
    path = tmp_path / "m.onnx"
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), path
    )
    result = netc("run", path, "--random")
    assert result.exit_code == 2 and "has no input" in result.output
