"""`netc verify`: agreement, the layer that a bisection finds, models against models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import runtime.reference
from runtime.reference import run_kernel
from tests.netc.command import netc

DEFINITION = """
block unit(c, stride=1) {
    conv(c, 3x3, stride=stride, pad=1, bias=false) -> bn -> relu
}

net small {
    input image: f32[3, 16, 16]
    for i in range(3) {
        unit(4 + 2 * i) as "stage{i}"
    }
    gap -> flatten -> dense(5)
    output logits
}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    file = tmp_path / "small.netdef"
    file.write_text(DEFINITION)
    return file


@pytest.fixture
def model(small: Path) -> Path:
    target = small.with_suffix(".onnx")
    assert netc("compile", small, "-o", target, "--no-optimize").exit_code == 0
    return target


def test_a_definition_is_verified_with_the_weights_of_a_file(small: Path, model: Path) -> None:
    assert netc("verify", small, "--weights", model, "--dtype", "f16").exit_code == 0
    assert netc("verify", small, model, "--seed", "1").exit_code == 1
    assert netc("verify", small, model, "--seed", "1", "--weights", model).exit_code == 0
    renamed = netc("verify", small, "--weights", model, "--rename", "stage0.*=")
    assert renamed.exit_code == 2
    assert "the weights do not fit small: 5 missing" in renamed.stderr
    refused = netc("verify", model, "--weights", model)
    assert refused.exit_code == 2 and "has its weights inside" in refused.stderr


def with_weight_changed(model: Path, name: str, to: str = "other.onnx") -> Path:
    """The same model with one number of one array changed."""
    proto = onnx.load(model)
    for tensor in proto.graph.initializer:
        if tensor.name == name:
            array = numpy_helper.to_array(tensor).copy()
            array.flat[0] += 1
            tensor.CopyFrom(numpy_helper.from_array(array, name))
    changed = model.with_name(to)
    onnx.save(proto, changed)
    return changed


def skew(monkeypatch: pytest.MonkeyPatch, op_name: str, channels: int) -> None:
    """Make NumPy compute one kind of layer wrongly, where it gives so many channels."""

    def skewed(op: Any, inputs: Any, arrays: Any, **_: Any) -> Any:
        result = run_kernel(op, inputs, arrays)
        if op.name == op_name and result.shape[1] == channels:
            result = result.copy()
            result[1, 2, 3, 4] += 1
        return result

    monkeypatch.setattr(runtime.reference, "run_kernel", skewed)


def test_a_net_that_agrees_is_told_in_one_line(small: Path) -> None:
    result = netc("verify", small, "--bisect", "--batch", 3)
    assert result.exit_code == 0
    assert result.output.count("\n") == 1
    assert "agree at 12 layers" in result.output


def bisected(file: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a bisection says of a net whose first batch norm of six channels is computed wrongly."""
    skew(monkeypatch, "bn", channels=6)
    result = netc("verify", file, "--bisect")
    assert result.exit_code == 1
    assert "bn stage1.bn1 differs" in result.output
    return result.output


def test_a_bisection_names_the_layer_through_blocks_and_loops(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = bisected(small, monkeypatch)
    lines = output.splitlines()
    (row,) = (i for i, line in enumerate(lines) if line.startswith("3 "))
    assert lines[row + 1].index("^") == lines[row].index("bn")
    assert "V101" in output and "in stage1: unit(6), line 9, i = 1" in output
    assert "largest difference at [1, 2, 3, 4]" in output
    assert "the layer itself is computed differently" in output


@pytest.mark.parametrize("dtype", ["f32", "f16", "bf16"])
def test_json_tells_all_of_it_in_any_precision(
    small: Path, monkeypatch: pytest.MonkeyPatch, dtype: str
) -> None:
    skew(monkeypatch, "relu", channels=8)
    result = netc("verify", small, "--bisect", "--dtype", dtype, "--format", "json")
    assert result.exit_code == 1
    (net,) = json.loads(result.output)["nets"]
    found = net["culprit"]
    assert (found["layer"], found["op"], found["line"], found["column"]) == (
        "stage2.relu1",
        "relu",
        3,
        DEFINITION.splitlines()[2].index("relu") + 1,
    )
    assert found["index"] == [1, 2, 3, 4] and found["shape"] == [2, 8, 16, 16]
    assert found["value"] == pytest.approx(found["reference"] - 1, abs=0.05)
    assert [step["block"] for step in found["trail"]] == ["unit"]
    (taken,) = found["inputs"]
    assert taken["name"] == "stage2.bn1" and taken["share"] <= 1
    assert found["alone"]["share"] > 1


def test_what_half_precision_cannot_hold_is_said_to_be_too_large(tmp_path: Path) -> None:
    file = tmp_path / "large.netdef"
    chain = "scale(6e4) -> add { identity; identity } -> flatten"
    file.write_text(f"net large {{\n input x: f32[2, 4, 4]\n {chain}\n output y\n}}\n")
    result = netc("verify", file, "--dtype", "f16", "--bisect")
    assert result.exit_code == 1
    assert "first difference: scale1, line 3: no number on one side" in result.output
    assert "a number on one side, none on the other" in result.output
    assert "float16 ends at 65,504" in result.output
    assert "inf times" not in result.output
    assert "RuntimeWarning" not in result.output + result.stderr


def test_without_bisection_every_layer_that_differs_is_listed(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skew(monkeypatch, "bn", channels=6)
    result = netc("verify", small, "--format", "json")
    assert result.exit_code == 1
    (net,) = json.loads(result.output)["nets"]
    assert net["culprit"] is None
    assert [f["node"] for f in net["failures"]][:2] == ["stage1.bn1", "stage1.relu1"]
    assert len(net["failures"]) > 4


def test_an_onnx_model_is_held_against_its_import(model: Path) -> None:
    result = netc("verify", model)
    assert result.exit_code == 0
    assert "agree at 12 layers" in result.output


def test_a_bisection_points_into_the_listing_of_an_imported_model(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "stage1.bn1 = BatchNormalization(stage1.conv1" in bisected(model, monkeypatch)


def test_layers_that_the_import_merges_are_compared_by_their_outputs(tmp_path: Path) -> None:
    """A bias added behind a convolution becomes its bias: the convolution's tensor is gone."""
    random = np.random.default_rng(0)
    arrays = {"w": random.standard_normal((4, 3, 3, 3)), "b": random.standard_normal((4, 1, 1))}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["convolved"]),
        helper.make_node("Add", ["convolved", "b"], ["biased"]),
        helper.make_node("Relu", ["biased"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "merged",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4, 6, 6])],
        [numpy_helper.from_array(a.astype(np.float32), n) for n, a in arrays.items()],
    )
    file = tmp_path / "merged.onnx"
    opset = helper.make_opsetid("", 21)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=10), file)
    result = netc("verify", file)
    assert result.exit_code == 0, result.output
    assert "agree at 1 layer," in result.output


def test_an_imported_model_with_open_sizes_is_verified_at_valid_ones(tmp_path: Path) -> None:
    file = tmp_path / "open.netdef"
    file.write_text(
        """net n {
        input image: f32[3, H, 20]
        assert H % 2 == 0
        conv(4, 5x5) -> add { maxpool(2) -> upsample(2); identity }
        output y
    }"""
    )
    assert netc("compile", file, "-o", tmp_path / "open.onnx").exit_code == 0
    for dtype in ("f32", "f16"):
        result = netc("verify", tmp_path / "open.onnx", "--dtype", dtype)
        assert result.exit_code == 0, result.output


def test_an_imported_model_is_verified_in_another_precision(model: Path) -> None:
    result = netc("verify", model, "--dtype", "f16")
    assert result.exit_code == 0
    assert "float16" in result.output


def test_two_models_agree_or_the_first_tensor_that_differs_is_named(model: Path) -> None:
    assert netc("verify", model, model).exit_code == 0
    changed = with_weight_changed(model, "stage1.conv1.weight")
    plain = netc("verify", model, changed)
    assert plain.exit_code == 1
    assert "DIFFER at 1 tensor," in plain.output
    result = netc("verify", model, changed, "--bisect")
    assert result.exit_code == 1
    assert "Conv stage1.conv1 differs" in result.output
    assert "input stage0.relu1, [2, 4, 16, 16]: off by 0" in result.output


def test_names_in_a_model_cannot_steer_the_terminal(model: Path) -> None:
    changed = onnx.load(model)
    name = changed.graph.output[0].name
    for node in changed.graph.node:
        node.output[:] = [f"{name}\x1b[31m" if n == name else n for n in node.output]
    changed.graph.output[0].name += "\x1b[31m"
    onnx.save(changed, model.with_name("strange.onnx"))
    said = netc("verify", model.with_name("strange.onnx"), model, color=True).stdout
    assert rf"{name}\x1b[31m" in said and "\x1b" not in said


def test_a_definition_against_a_model_points_into_the_definition(small: Path, model: Path) -> None:
    assert netc("verify", small, model).exit_code == 0
    changed = with_weight_changed(model, "stage2.conv1.weight")
    result = netc("verify", small, changed, "--bisect")
    assert result.exit_code == 1
    assert "conv stage2.conv1 differs" in result.output and "small.netdef:3:5" in result.output


def test_a_model_that_cannot_be_imported_is_refused_with_its_operators(tmp_path: Path) -> None:
    info = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4])
    graph = helper.make_graph([helper.make_node("Det", ["x"], ["y"])], "odd", [info], [out])
    file = tmp_path / "odd.onnx"
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), file
    )
    result = netc("verify", file)
    assert result.exit_code == 1
    assert "E601" in result.output


def test_two_models_take_given_inputs(model: Path, tmp_path: Path) -> None:
    image = tmp_path / "image.npy"
    np.save(image, np.zeros((1, 3, 16, 16), np.float32))
    changed = with_weight_changed(model, "stage0.conv1.weight")
    assert netc("verify", model, changed).exit_code == 1
    black = netc("verify", model, changed, "--input", f"image={image}")
    assert black.exit_code == 0, "a weight does nothing to a black picture"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{model}", "{wide}"], "the input image is ['N', 3, 16, 16] in one model and"),
        (["{model}", "absent.onnx"], "there is no file absent.onnx"),
        (["{model}", "{text}"], "no ONNX model"),
        (["{text}"], "no ONNX model"),
        (["{model}", "{model}", "--dtype", "f16"], "precision inside"),
        (["{model}", "--net", "small"], "no --net"),
        (
            ["{model}", "--device", "auto"],
            "cuda, tensorrt, openvino, tensorrt-rtx, not on auto",
        ),
        (["{model}", "--input", "image=x.npy"], "--input is for two models"),
        (["{model}", "{model}", "--input", "x.npy"], "--input takes name=x.npy"),
        (["{model}", "{two}"], "the models differ in their outputs: logits and logits, extra"),
    ],
)
def test_a_call_at_fault_is_refused(
    model: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    text = tmp_path / "text.onnx"
    text.write_text("not a model")
    wide = tmp_path / "wide.netdef"
    wide.write_text("net wide {\n    input image: f32[1, 16, 16]\n    relu\n    output logits\n}\n")
    two = tmp_path / "two.onnx"
    proto = onnx.load(model)
    proto.graph.output.append(onnx.ValueInfoProto())
    proto.graph.output[-1].CopyFrom(proto.graph.output[0])
    proto.graph.output[-1].name = "extra"
    proto.graph.node.append(helper.make_node("Identity", ["logits"], ["extra"]))
    onnx.save(proto, two)
    names = {"model": model, "wide": wide, "text": text, "two": two}
    result = netc("verify", *(a.format(**names) for a in arguments))
    assert result.exit_code == 2, result.output
    assert said in result.output
