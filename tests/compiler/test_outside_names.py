"""`input x as "input.1"`, `output y as "386:0"`: the names of the compiled model."""

from __future__ import annotations

import numpy as np
import pytest

from compiler.driver import compile_graph
from grammar.diagnostics import DefinitionError
from tests.define import define

NET = """
net n {
    input x as "input": f32[2, 4]
    input w as "w/in:0": f32[2, 4]
    x -> conv(2, 1) as trunk -> relu
    output y as "trunk"
    add(y, w)
    output z as "trunk/Conv" : [2, 4]
    expect rf(y) == 1
}
"""


def test_inputs_and_outputs_are_called_so_in_the_model_and_when_it_runs() -> None:
    net = define(NET)
    model = compile_graph(net.graph)
    assert [value.name for value in model.graph.input] == ["input", "w/in:0"]
    assert [value.name for value in model.graph.output] == ["trunk", "trunk/Conv"]
    feeds = {"input": np.ones((3, 2, 4), np.float32), "w/in:0": np.ones((3, 2, 4), np.float32)}
    for device in ("cpu", "numpy"):
        found = net.run(feeds, device=device)
        np.testing.assert_allclose(found["trunk/Conv"], found["trunk"] + 1, rtol=1e-6)


def test_a_name_may_hold_values_and_braces() -> None:
    net = define('net n(i=3) { input x as "in{i}": f32[2]; relu; output y as "a{{0}}" }')
    assert [node.name for node in net.graph.inputs()] == ["in3"]
    assert list(net.graph.outputs) == ["a{0}"]


def test_an_output_that_is_called_like_its_layer_has_another_name_all_the_same() -> None:
    net = define('net n { input x: f32[2]; relu as c; output c as "c:0"; output d = tanh }')
    assert list(net.graph.outputs) == ["c:0", "d"]
    assert [value.name for value in net.model().graph.output] == ["c:0", "d"]
    net = define("net n { input x: f32[2]; relu as c; output c; x; output x }")
    assert net.graph.outputs == {"c": "c", "x": "x"}


MISTAKES = {
    "a layer's": 'relu as c; output c; output d as "c" = tanh',
    "two outputs": 'relu; output y as "a"; output z as "a" = tanh',
    "an input's": 'relu; output y as "x"',
    "empty": 'relu; output y as ""',
    "not to be seen": 'relu; output y as "a\\nb"',
    "a parameter's": 'dense(2) as fc; output y as "fc.weight"',
}


@pytest.mark.parametrize("body", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_name_that_the_model_cannot_have_is_refused(body: str) -> None:
    with pytest.raises(DefinitionError) as found:
        define(f"net n {{ input x: f32[2]; {body} }}")
    (diagnostic,) = found.value.diagnostics
    assert diagnostic.code == "E204"
