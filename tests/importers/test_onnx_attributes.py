"""Attributes and domains of ONNX that nobody reads are told of."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from compiler.importers.from_onnx import import_onnx
from grammar.diagnostics import DefinitionError


def model(kind: str, inputs: tuple[str, ...] = ("x",), domain: str = "", **attributes: Any) -> Any:
    """A model of one operator on a map of three channels."""
    weight = helper.make_tensor("w", TensorProto.FLOAT, [4, 3, 3, 3], np.ones(108).tolist())
    node = helper.make_node(kind, inputs, ["y"], domain=domain, **attributes)
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 8, 8])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph([node], "g", [image], [y], [weight])
    domains = [helper.make_opsetid("", 21), *([helper.make_opsetid(domain, 1)] if domain else [])]
    return helper.make_model(graph, opset_imports=domains)


@pytest.mark.parametrize(
    "made, words",
    [
        (
            model("Conv", ("x", "w"), dilation=[2, 2]),
            ["Conv y", "no attribute dilation at opset 21", "did you mean `dilations`?"],
        ),
        (model("Conv", ("x", "w"), group=1.5), ["its attribute group is of type int"]),
        (model("Relu", alpha=0.1), ["it has no attribute alpha"]),
        (model("Relu", ("x", "x")), ["it has 2 inputs, of which it takes 1 at most"]),
        (model("Relu", domain="mine"), ["mine.Relu y", "the language has no such operator"]),
    ],
)
def test_what_no_runtime_takes_is_refused(made: onnx.ModelProto, words: list[str]) -> None:
    with pytest.raises(DefinitionError) as caught:
        import_onnx(made, "m.onnx")
    said = str(caught.value)
    assert said.count("error[") == 1 and all(word in said for word in words)


def test_attributes_at_their_defaults_need_no_reader() -> None:
    found = import_onnx(model("MaxPool", kernel_shape=[2, 2], storage_order=0), "m.onnx")
    assert not found.warnings
