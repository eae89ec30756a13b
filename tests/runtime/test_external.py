"""ONNX files from strangers: what lies outside the model's folder is never read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from onnx import TensorProto, helper, numpy_helper

from netc.main import main
from runtime.external import ModelError
from runtime.onnx_file import check_model_file
from runtime.session import open_session

WEIGHT = np.arange(12, dtype=np.float32).reshape(4, 3)


def pointing_at(location: str, **entries: str) -> onnx.TensorProto:
    """A tensor whose data lies elsewhere."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4, 3])
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    return tensor


def model_with(tensor: onnx.TensorProto, wrap: str = "initializer") -> onnx.ModelProto:
    """A model that holds a tensor: as an initializer, or where a checker may not look."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4])
    nodes = [helper.make_node("Gemm", ["x", "w"], ["y"], transB=1)]
    graph = helper.make_graph(nodes, "g", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    if wrap == "initializer":
        model.graph.initializer.append(tensor)
        return model
    constant = helper.make_node("Constant", [], ["w"])
    constant.attribute.append(helper.make_attribute("value", tensor))
    match wrap:
        case "attribute":
            model.graph.node.insert(0, constant)
        case "sparse":
            sparse = model.graph.sparse_initializer.add()
            sparse.values.CopyFrom(tensor)
        case "function":
            model.functions.add().node.append(constant)
        case "subgraph":
            inner = helper.make_graph([constant], "inner", [], [])
            model.graph.node.append(helper.make_node("If", ["x"], [], then_branch=inner))
        case "training":
            model.training_info.add().algorithm.initializer.append(tensor)
    return model


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file that no model may read, beside the model's folder."""
    secret = tmp_path / "secret.bin"
    secret.write_bytes(WEIGHT.tobytes())
    (tmp_path / "model").mkdir()
    return secret


def save(model: onnx.ModelProto, secret: Path) -> Path:
    path = secret.parent / "model" / "m.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def test_data_beside_the_model_is_read(outside: Path) -> None:
    path = save(model_with(pointing_at("deep/w.bin")), outside)
    (path.parent / "deep").mkdir()
    (path.parent / "deep" / "w.bin").write_bytes(WEIGHT.tobytes())
    x = np.ones((1, 3), np.float32)
    np.testing.assert_array_equal(open_session(path, "cpu").run({"x": x})["y"], x @ WEIGHT.T)


@pytest.mark.parametrize(
    "location",
    ["../secret.bin", "deep/../../secret.bin", "..\\secret.bin", "./../secret.bin"],
)
def test_a_path_out_of_the_folder_is_refused(outside: Path, location: str) -> None:
    with pytest.raises(ModelError, match="leaves the model's folder"):
        check_model_file(save(model_with(pointing_at(location)), outside))


@pytest.mark.parametrize("location", ["", "{secret}", "C:\\secret.bin", "\\\\host\\share\\w.bin"])
def test_a_path_that_does_not_begin_beside_the_model_is_refused(
    outside: Path, location: str
) -> None:
    tensor = pointing_at(location.format(secret=outside))
    with pytest.raises(ModelError, match="no path beside the model"):
        check_model_file(save(model_with(tensor), outside))


def test_symbolic_links_are_refused_wherever_they_stand(outside: Path) -> None:
    folder = outside.parent / "model"
    (folder / "w.bin").symlink_to(outside)
    (folder / "deep").symlink_to(outside.parent, target_is_directory=True)
    for location in ("w.bin", "deep/secret.bin"):
        with pytest.raises(ModelError, match="symbolic link"):
            check_model_file(save(model_with(pointing_at(location)), outside))


def test_hard_links_are_refused(outside: Path) -> None:
    os.link(outside, outside.parent / "model" / "w.bin")
    with pytest.raises(ModelError, match="hard link"):
        check_model_file(save(model_with(pointing_at("w.bin")), outside))


@pytest.mark.parametrize("location", ["missing.bin", "*/_ORT_MEM_ADDR_/*", ".", "/dev/zero"])
def test_what_is_no_plain_file_is_refused(outside: Path, location: str) -> None:
    with pytest.raises(ModelError, match=r"no file|no path beside"):
        check_model_file(save(model_with(pointing_at(location)), outside))


@pytest.mark.parametrize(
    "entries",
    [{"offset": "-4"}, {"offset": "1000"}, {"length": "49"}, {"offset": "8", "length": "48"}],
)
def test_bytes_beyond_the_file_are_refused(outside: Path, entries: dict[str, str]) -> None:
    (outside.parent / "model" / "w.bin").write_bytes(WEIGHT.tobytes())
    with pytest.raises(ModelError, match=r"it has 48"):
        check_model_file(save(model_with(pointing_at("w.bin", **entries)), outside))


@pytest.mark.parametrize("wrap", ["attribute", "sparse", "function", "subgraph", "training"])
def test_tensors_are_found_wherever_a_model_can_hold_them(outside: Path, wrap: str) -> None:
    with pytest.raises(ModelError, match="leaves the model's folder"):
        check_model_file(save(model_with(pointing_at("../secret.bin"), wrap), outside))


def test_a_model_without_external_data_is_not_read(outside: Path) -> None:
    tensor = numpy_helper.from_array(WEIGHT, "w")
    check_model_file(save(model_with(tensor), outside))


@pytest.mark.parametrize("content", [b"", b"no model, but a location", b"\x08location\xff"])
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"is no ONNX model|no model that ONNX Runtime takes"):
        open_session(path, "cpu")


COMMANDS: dict[str, Callable[[Path], list[str]]] = {
    "run": lambda path: ["run", str(path), "--random"],
    "bench": lambda path: ["bench", str(path)],
    "bench against": lambda path: ["bench", "lenet5", "--net", "lenet5", "--against", str(path)],
    "quantize": lambda path: ["quantize", str(path), "--calibrate", str(path.parent)],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_opens_such_a_model(outside: Path, command: str) -> None:
    path = save(model_with(pointing_at("../secret.bin")), outside)
    before = sorted(path.parent.iterdir())
    result = CliRunner().invoke(main, COMMANDS[command](path))
    assert result.exit_code == 2
    assert "leaves the model's folder" in result.output
    assert sorted(path.parent.iterdir()) == before
