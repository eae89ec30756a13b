"""The pieces of a model's bytes are those that protobuf makes."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import netc
from runtime.serialise import pieces, varint


def made(**more: onnx.TensorProto) -> onnx.ModelProto:
    """A model with something in many fields, on both sides of the graph and the initializers."""
    infos = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", 3]) for n in ("x", "y")]
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"], name="sum", doc_string="a sum")],
        "g",
        infos[:1],
        infos[1:],
        list(more.values()),
        doc_string="graph",
        value_info=[helper.make_tensor_value_info("z", TensorProto.FLOAT, [])],
    )
    model = helper.make_model(graph, producer_name="p", doc_string="model", domain="d")
    helper.set_model_props(model, {"key": "value", "other": ""})
    model.functions.add().name = "f"
    return model


def tensor(name: str, size: int) -> onnx.TensorProto:
    return numpy_helper.from_array(np.arange(size, dtype=np.float32), name)


MODELS = {
    "nothing": onnx.ModelProto(),
    "an empty graph": onnx.ModelProto(graph=onnx.GraphProto()),
    "no initializer": made(),
    "a few": made(w=tensor("w", 3), v=tensor("v", 0), u=tensor("u", 5000)),
    "text and numbers": made(
        w=numpy_helper.from_array(np.array(["a", ""], dtype=object), "w"),
        v=helper.make_tensor("v", TensorProto.INT64, [1], [-1]),
    ),
    "a net": netc.load("lenet5", "lenet5").model(),
}


@pytest.mark.parametrize("name", MODELS)
def test_pieces_are_the_bytes_of_protobuf(name: str) -> None:
    model = MODELS[name]
    assert b"".join(pieces(model)) == model.SerializeToString(deterministic=True)


def test_fields_that_this_onnx_does_not_know_are_kept() -> None:
    unknown = varint(1000 << 3) + varint(300)
    model = onnx.ModelProto.FromString(made(w=tensor("w", 3)).SerializeToString() + unknown)
    assert unknown in b"".join(pieces(model))


def test_lengths_are_written_in_bytes_of_seven_bits() -> None:
    assert [varint(n) for n in (0, 127, 128, 300)] == [b"\0", b"\x7f", b"\x80\1", b"\xac\2"]
