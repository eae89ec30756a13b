"""Attributes of ONNX operators: counted, held against what they may be, and told where not read."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

from compiler.importers.from_onnx import import_onnx
from compiler.importers.from_onnx.reading import CONVERTERS, Reading
from grammar.diagnostics import DefinitionError
from tests.importers.again import assert_same, define
from tests.importers.onnx_text import onnx_model

MAP = "float[N, 4, 8, 8] x"
ONE = "float[1, 4, 8, 8] x"
WEIGHTS = {"last": (8,), "both": (8, 8)}


def model_of(
    nodes: str, inputs: str, constants: dict[str, Any], opset: int = 17
) -> onnx.ModelProto:
    return onnx_model(nodes, inputs, weights=WEIGHTS, constants=constants, opset=opset)


# Nodes that begin at `t`, which is the input or the input with its batch elsewhere, and end in `z`.
RIGHT: dict[str, tuple[str, dict[str, Any], int]] = {
    "flatten from behind": ("z = Flatten<axis = -3>(t)", {}, 17),
    "flatten before the last": ("z = Flatten<axis = -1>(t)", {}, 17),
    "softmax from behind": ("z = Softmax<axis = -2>(t)", {}, 17),
    "softmax of an old opset": ("z = Softmax<axis = 3>(t)", {}, 11),
    "softmax of an old opset along the channels": ("z = Softmax(t)", {}, 11),
    "layer norm": ("z = LayerNormalization(t, last)", {}, 17),
    "layer norm of a map": ("z = LayerNormalization<axis = -2>(t, both)", {}, 17),
    "slice from behind": (
        "z = Slice(t, s, e, a, d)",
        {"s": [-1], "e": [-9], "a": [-1], "d": [-2]},
        17,
    ),
    "gather from behind": ("z = Gather<axis = -2>(t, i)", {"i": [-1, -3]}, 17),
    "a single place": ("z = Gather<axis = -1>(t, i)", {"i": -2}, 17),
    "uneven split": ("z, r = Split<axis = -1, num_outputs = 2>(t)", {}, 18),
    "concat from behind": ("z = Concat<axis = -1>(t, t)", {}, 17),
    "transpose without an order": ("z = Transpose(t)", {}, 17),
    "unsqueeze from behind": ("z = Unsqueeze(t, a)", {"a": [-2]}, 17),
    "axes named twice": ("z = ReduceSum(t, a)", {"a": [-1, 3]}, 17),
    "axes that are kept not": ("z = ReduceMax<axes = [-1], keepdims = 0>(t)", {}, 13),
    "zero keeps a size": ("z = Reshape(t, s)", {"s": [0, 0, 64]}, 17),
    "resize along named axes": (
        'z = Resize<axes = [-1, -2], mode = "linear">(t, , , s)',
        {"s": [4, 12]},
        18,
    ),
    "a policy for both axes": (
        'z = Resize<axes = [3, 2], keep_aspect_ratio_policy = "not_larger">(t, , , s)',
        {"s": [4, 12]},
        18,
    ),
    "antialias": (
        'z = Resize<antialias = 1, mode = "cubic">(t, , f)',
        {"f": [1.0, 1.0, 0.5, 0.5]},
        18,
    ),
    "pads of named axes": ("z = Pad(t, p, v, a)", {"p": [1, 2], "v": 2.0, "a": [-1]}, 18),
    "pads of an old opset": ("z = Pad<pads = [0, 0, 1, 2, 0, 0, 3, 4]>(t)", {}, 10),
    "squeeze without axes": ("z = Squeeze(t)", {}, 17),
}


MOVING = ("transpose without an order", "flatten before the last", "squeeze without axes")


@pytest.mark.parametrize("inputs", [MAP, ONE])
@pytest.mark.parametrize("before", ["", "2, 0, 3, 1", "1, 0, 2, 3"])
@pytest.mark.parametrize("case", RIGHT)
def test_the_same_numbers_or_a_refusal(case: str, before: str, inputs: str) -> None:
    """With the batch in front always numbers; where it is elsewhere, a refusal may be all."""
    nodes, constants, opset = RIGHT[case]
    start = f"t = Transpose<perm = [{before}]>(x)" if before else "t = Identity(x)"
    model = model_of(f"{start} {nodes} y = Relu(z)", inputs, constants, opset)
    try:
        imported = import_onnx(model)
    except DefinitionError as error:
        assert {found.code for found in error.diagnostics} == {"E601"}
        assert before or case in MOVING
        return
    assert not imported.warnings
    assert_same(model, define(imported), interpret=False)


WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "an axis too far": (
        "y = Slice(x, s, e, s)",
        {"s": [4], "e": [5]},
        "no axis 4 in a tensor of rank 4",
    ),
    "flatten": ("y = Flatten<axis = 6>(x)", {}, "no axis 6"),
    "unsqueeze twice": ("y = Unsqueeze(x, a)", {"a": [2, -4]}, "names an axis twice"),
    "an order of too few": ("y = Transpose<perm = [0, 2, 1]>(x)", {}, "none of 4 axes"),
    "an order that repeats": ("y = Transpose<perm = [0, 2, 2, 1]>(x)", {}, "none of 4 axes"),
    "parts of too few": (
        "y, z, w = Split<axis = 1>(x, s)",
        {"s": [2, 2]},
        "4 into 3 parts of 2, 2",
    ),
    "parts of another sum": (
        "y, z = Split<axis = 1>(x, s)",
        {"s": [2, 3]},
        "4 into 2 parts of 2, 3",
    ),
    "a flag of two": (
        "y = MaxPool<kernel_shape = [2, 2], ceil_mode = 2>(x)",
        {},
        "neither 0 nor 1",
    ),
    "a factor that is no number": (
        "y = Resize(x, , f)",
        {"f": [1.0, 1.0, np.nan, 2.0]},
        "factors are",
    ),
    "a factor of 0": ("y = Resize(x, , f)", {"f": [1.0, 1.0, 0.0, 2.0]}, "factors are"),
    "sizes below 1": ("y = Resize(x, , , s)", {"s": [1, 4, -1, 8]}, "sizes are 1, 4, -1, 8"),
    "nearest pixels that are averaged": (
        "y = Resize<antialias = 1>(x, , f)",
        {"f": [1.0, 1.0, 0.5, 0.5]},
        "onnx cannot resize so",
    ),
    "another batch": ("y = Resize(x, , , s)", {"s": [3, 4, 16, 16]}, "resizes the batch"),
    "pads of too few": ("y = Pad(x, p)", {"p": [1, 1]}, "2 pads for 4 axes"),
    "a step of 0": (
        "y = Slice(x, s, e, a, d)",
        {"s": [0], "e": [4], "a": [2], "d": [0]},
        "step is 0",
    ),
    "starts of too few": (
        "y = Slice(x, s, e, a)",
        {"s": [0], "e": [4, 4], "a": [2, 3]},
        "not as many",
    ),
    "a place too far": ("y = Gather<axis = 1>(x, i)", {"i": [4]}, "no axis 4"),
    "a word": ('y = MaxPool<kernel_shape = [2, 2], auto_pad = "SAME">(x)', {}, "auto_pad is SAME"),
    "a norm beyond float32": (
        "y = LpPool<kernel_shape = [2, 2], p = 103>(x)",
        {},
        "p of lppool must be a whole number of at least 1 and at most 16, got 103",
    ),
    "a factor of another size": (
        "y = LayerNormalization(x, f)",
        {"f": [1.0, 2.0, 3.0]},
        "stretches its input",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_no_runtime_takes_is_refused_in_words(case: str) -> None:
    nodes, constants, words = WRONG[case]
    opset = 18 if "Resize" in nodes else 17
    with pytest.raises(DefinitionError) as caught:
        import_onnx(model_of(nodes, ONE, constants, opset))
    assert words in str(caught.value) and "E901" not in str(caught.value)


@pytest.mark.parametrize("before", ["t = Identity(x)", "t = Transpose<perm = [1, 0, 2, 3]>(x)"])
def test_an_attribute_that_nobody_asks_for_is_told(
    before: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the operator is read as a layer or as one on a view."""
    converter = CONVERTERS["LeakyRelu"]

    def careless(reading: Reading) -> Any:
        made = converter(reading)
        reading.read.clear()
        return made

    monkeypatch.setitem(CONVERTERS, "LeakyRelu", careless)
    imported = import_onnx(
        model_of(f"{before} y = LeakyRelu<alpha = 0.3>(t)", ONE, {})
        if "Identity" in before
        else model_of(
            f"{before} z = LeakyRelu<alpha = 0.3>(t) y = Transpose<perm=[1,0,2,3]>(z)", MAP, {}
        )
    )
    assert [found.message for found in imported.warnings] == ["LeakyRelu is read without its alpha"]
