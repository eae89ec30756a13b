"""Attributes that end the process inside ONNX Runtime are told of before it sees them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from runtime.hazards import LIMITS, hazards, of_nothing
from runtime.onnx_file import all_graphs
from runtime.session import RunError, open_session
from tests.importers.onnx_text import onnx_model
from tests.netc.command import netc


def told(model: onnx.ModelProto) -> list[str]:
    graphs = list(all_graphs(model))
    return [*hazards(graphs, model.functions), *of_nothing(model, graphs)]


def model_of(*nodes: onnx.NodeProto) -> onnx.ModelProto:
    model = onnx_model("y = Relu(x)")
    model.graph.node.extend(nodes)
    return model


def referring(name: str, other: str) -> onnx.AttributeProto:
    """An attribute that has the number of its function's own attribute."""
    return onnx.AttributeProto(name=name, ref_attr_name=other, type=onnx.AttributeProto.INT)


@pytest.mark.parametrize("value", [0, -1, 2**32, 2**62, -(2**63)])
def test_no_group_and_more_than_32_bits(value: int) -> None:
    bad = helper.make_node("ConvTranspose", ["x", "w"], ["d"], group=value)
    assert told(model_of(bad)) == [
        f"ConvTranspose d has group={value}, and it must be from 1 to 2,147,483,647"
    ]
    good = helper.make_node("ConvTranspose", ["x", "w"], ["d"], group=3)
    assert told(model_of(good)) == []


def test_every_limit_has_a_number_beyond_it() -> None:
    for kind, limits in LIMITS.items():
        for name in limits:
            beyond: dict[str, Any] = {name: -1.0 if name == "scale" else -1}
            bad = helper.make_node(kind, ["x"], ["d"], **beyond)
            assert len(told(model_of(bad))) == 1, (kind, name)


def test_a_deviation_that_is_no_number() -> None:
    bad = helper.make_node("RandomNormal", [], ["d"], scale=float("nan"), shape=[1])
    assert told(model_of(bad)) == [
        "RandomNormal d has scale=nan, and it must be more than 0 to 2,147,483,647"
    ]


def test_inside_a_branch() -> None:
    inner = helper.make_node("ConvTranspose", ["x", "w"], ["d"], group=0)
    branch = helper.make_graph([inner], "b", [], [onnx.ValueInfoProto(name="d")])
    outer = helper.make_node("If", ["c"], ["i"], then_branch=branch, else_branch=branch)
    assert "group=0" in told(model_of(outer))[0]


@pytest.mark.parametrize("given", [True, False])
def test_handed_down_to_a_function(given: bool) -> None:
    """Through two functions under two names, or by the default of one."""
    inner = helper.make_node("ConvTranspose", ["a", "w"], ["b"])
    inner.attribute.append(referring("group", "g"))
    middle = helper.make_node("inner", ["a", "w"], ["b"], domain="own")
    middle.attribute.append(referring("g", "h"))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    model = model_of(
        helper.make_node("outer", ["x", "x"], ["z"], domain="own", h=0 if given else 1)
    )
    model.functions.extend(
        helper.make_function("own", name, ["a", "w"], ["b"], [node], opsets, [attribute])
        for name, node, attribute in (("inner", inner, "g"), ("outer", middle, "h"))
    )
    if not given:
        model.functions[0].attribute_proto.append(helper.make_attribute("g", 0))
    assert len(told(model)) == 1


@pytest.mark.parametrize(
    "kind, domain, inputs, told_of",
    [
        ("Attention", "com.microsoft", ["x", "w"], True),
        ("Attention", "com.microsoft", ["x", "w", ""], True),
        ("Attention", "com.microsoft", ["x", "w", "b"], False),
        ("Attention", "", ["x", "w", "b"], False),
        ("LayerNormalization", "", ["x", "w", ""], True),
        ("LayerNormalization", "", ["x", "w"], False),
        ("Einsum", "", ["x", ""], True),
        ("Max", "", ["x", "", "w"], True),
        ("Sum", "", ["x", "w"], False),
        ("Clip", "", ["x", "", "w"], False),
        ("OneHot", "", ["x", "none", "w"], True),
        ("OneHot", "", ["none", "x", "w"], False),
        ("SkipLayerNormalization", "com.microsoft", ["x", "none", "w"], True),
    ],
)
def test_inputs_that_are_read_though_they_hold_nothing(
    kind: str, domain: str, inputs: list[str], told_of: bool
) -> None:
    model = model_of(helper.make_node(kind, inputs, ["d"], domain=domain))
    model.graph.initializer.append(onnx.TensorProto(name="none", data_type=1, dims=[0, 4]))
    assert bool(told(model)) == told_of


def recurrent(kind: str, first: str = "") -> onnx.ModelProto:
    """A recurrent layer of 3 units on sequences [a, 3, 2], behind another operator."""
    rows = 3 * {"LSTM": 4, "GRU": 3, "RNN": 1}[kind]
    text = f"{first}\ny = {kind}<hidden_size = 3>({'s' if first else 'x'}, w, r)"
    return onnx_model(text, "float[a, 3, 2] x", weights={"w": (1, rows, 2), "r": (1, rows, 3)})


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_a_recurrent_layer_of_nothing(kind: str) -> None:
    """RNN is none of them: it gives a result without values."""
    nothing = (
        "b = Constant<value_ints = [0]>() a = Constant<value_ints = [1]>() s = Slice(x, b, b, a)"
    )
    model = recurrent(kind, nothing)
    expected = [f"{kind} y has no values in its input s"] if kind != "RNN" else []
    assert told(model) == expected
    model = recurrent(kind)
    assert told(model) == []
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 0
    assert told(model) == [text.replace("input s", "input x") for text in expected]


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_a_recurrent_layer_that_is_given_nothing(kind: str) -> None:
    session = open_session(recurrent(kind).SerializeToString(), "cpu")
    with pytest.raises(RunError, match="an LSTM or GRU needs values"):
        session.run({"x": np.zeros((0, 3, 2))})
    assert session.run({"x": np.zeros((2, 3, 2))})["y"].shape == (2, 1, 3, 3)


@pytest.mark.parametrize("command", ["bench", "run", "verify", "import"])
def test_each_command_tells_and_lives(command: str, tmp_path: Path) -> None:
    model = onnx_model("y = ConvTranspose<group = 0>(x, w)", weights={"w": (3, 2, 3, 3)})
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    more: dict[str, list[object]] = {"run": ["--random"], "import": ["-o", tmp_path / "m.netdef"]}
    said = netc(command, tmp_path / "m.onnx", *more.get(command, []))
    assert said.exit_code == 2 and said.stderr.count("\n") == 1
    assert "ConvTranspose y has group=0" in said.stderr
