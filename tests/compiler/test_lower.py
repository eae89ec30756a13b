"""Names in the ONNX model: layers, parameters and outputs may be called alike in a definition."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from compiler.initialise import scatter
from compiler.onnx import LOWERINGS
from compiler.onnx.lower import lower
from compiler.ops.activate import Relu
from compiler.ops.base import ShapeError
from grammar.diagnostics import DefinitionError
from runtime.reference import run_reference
from tests.define import define
from tests.opcheck import run_onnx


@pytest.mark.parametrize(
    "body",
    [
        'conv(3, 1) as "c.bias" -> conv(3, 1) as c; output y',
        'conv(3, 1) as c -> relu as "c.weight" -> bn as b -> tanh as "b.running_mean"; output y',
        "output conv1; conv(3, 1) as conv1x; output y",
        "side = conv(3, 1); output conv1",
        "output conv1 = relu; conv(3, 1); output y",
        "relu as z; output a; output z; tanh; output y",
    ],
)
@pytest.mark.parametrize("expose", [False, True])
def test_equal_names_are_told_apart(body: str, expose: bool) -> None:
    graph = scatter(define(f"net n {{ input x: f32[3, 4, 5]\n {body} }}").graph)
    model = lower(graph, expose=expose)
    names = [node.name for node in model.graph.node]
    assert len({*names}) == len(names)
    feeds = {"x": np.random.default_rng(0).standard_normal((2, 3, 4, 5)).astype(np.float32)}
    found = dict(zip((o.name for o in model.graph.output), run_onnx(model, feeds), strict=True))
    onnx.checker.check_model(model, full_check=True)
    for output, wanted in run_reference(graph, feeds, np.float64).items():
        np.testing.assert_allclose(found[output], wanted, rtol=1e-4, atol=1e-5)


def test_a_layer_that_cannot_be_lowered_is_told_of_at_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lowered(op: Relu, emit: object, *inputs: str) -> str:
        raise ShapeError("E307", "no such sizes")

    monkeypatch.setitem(LOWERINGS, Relu, lowered)
    graph = define("net n {\n    input x: f32[3, 4, 5]\n    relu\n    output y\n}").graph
    with pytest.raises(DefinitionError) as error:
        lower(graph)
    (found,) = error.value.diagnostics
    assert (found.code, found.message, found.span.line) == ("E307", "no such sizes", 3)
