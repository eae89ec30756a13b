"""The passes: what each changes, what it leaves alone, and that a broken rewrite is caught."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from compiler.driver import compile_graph
from compiler.graph import Graph
from compiler.initialise import scatter
from compiler.ops import OPS
from compiler.ops.scale import Normalize, Scale, Shift
from compiler.options import CompileOptions
from compiler.passes import PASSES, optimise
from compiler.passes.fold_constants import fold_constants
from compiler.rewriting import Rewriting, rewritten
from grammar.diagnostics import DefinitionError
from runtime.reference import run_reference
from tests.define import define
from tests.opcheck import make, one_op
from tests.ops.examples import EXAMPLES


def graph_of(body: str) -> Graph:
    """A net with random numbers that is this pipeline over [4, 6, 6]."""
    text = f"net n {{\n    input x: f32[4, 6, 6]\n    {body}\n    output y\n}}\n"
    return scatter(define(text).graph, 0)


def ops(graph: Graph) -> list[str]:
    """The ops of a graph in order, its inputs left out."""
    return [node.op.name for node in graph.nodes() if node.op.name != "input"]


CONSTANTS = {
    "scale(-1) -> shift(1)": ["normalize"],
    "scale(2) -> shift(1)": ["normalize"],
    "shift(1) -> scale(-0.5) -> normalize(3, 2) -> scale(-4)": ["normalize"],
    "scale([1, -2, 3, -4]) -> shift([4, 3, 2, 1])": ["normalize"],
    "scale([1, 0, 3, -4]) -> shift(1)": ["scale", "shift"],  # a deviation of 1/0 is none
    "scale(1e-200) -> scale(1e-200)": ["scale", "scale"],
    "scale(2) -> relu -> shift(1)": ["scale", "relu", "shift"],
    "scale(-1) -> add { identity; shift(1) }": ["scale", "shift", "add"],  # taken twice
}


@pytest.mark.parametrize("body", CONSTANTS)
def test_constants_in_a_row_become_one_layer(body: str) -> None:
    before = graph_of(body)
    after = optimise(before)
    assert ops(after) == CONSTANTS[body]
    feeds = {"x": np.random.default_rng(0).standard_normal((2, 4, 6, 6))}
    wanted, got = (run_reference(g, feeds, np.float64)["y"] for g in (before, after))
    np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-12)


def test_the_numbers_of_a_layer_that_goes_stay_with_those_that_share_them() -> None:
    before = graph_of("conv(4, 3x3) as a\n    conv(4, 1x1) as b\n    conv(4, 1x1) like b")
    rewriting = Rewriting(before)
    first, second, third = [n for n in before.nodes() if n.op.name == "conv"]
    rewriting.put(replace(third, inputs=(first.name,)))  # past the second
    after = rewriting.finished()
    assert [node.owner for node in after.nodes()] == ["", "", ""]
    np.testing.assert_array_equal(
        after.values[f"{third.name}.weight"], before.values[f"{second.name}.weight"]
    )


def test_no_two_constants_follow_one_another_after_the_fold() -> None:
    random = np.random.default_rng(1)
    makers = [
        lambda: f"scale({random.choice([-2, -1, 0.5, 3])})",
        lambda: f"shift({random.choice([-2, 0.25, 3])})",
        lambda: f"normalize({random.choice([-1, 2])}, {random.choice([0.5, 4])})",
    ]
    for _ in range(20):
        body = " -> ".join(random.choice(makers)() for _ in range(random.integers(2, 6)))  # type: ignore[arg-type]
        nodes = list(rewritten(graph_of(body), fold_constants).nodes())
        constant = [isinstance(node.op, Scale | Shift | Normalize) for node in nodes]
        assert not any(a and b for a, b in pairwise(constant)), body


LEFT = {
    "conv(3, 3x3) -> bn": ["conv"],
    "conv(3, 3x3, bias=false) -> bn -> bn": ["conv", "bn"],
    "identity -> dropout -> relu -> flatten -> flatten": ["relu", "flatten"],
    "add { conv(3, 1x1) as a; conv(3, 1x1) like a } -> bn": ["conv", "conv", "add", "bn"],
}


@pytest.mark.parametrize("body", LEFT)
def test_what_the_passes_leave(body: str) -> None:
    before = graph_of(body)
    after = optimise(before)
    assert ops(after) == LEFT[body]
    assert {*after.values} == {*after.parameters()}


def test_a_layer_that_leads_nowhere_goes_with_its_numbers() -> None:
    before = graph_of("side = conv(2, 1x1)\n    relu")
    after = optimise(before)
    assert "conv" in ops(before) and ops(after) == ["relu"] and not after.values


@pytest.mark.parametrize("name", OPS)
def test_a_pass_says_which_ops_it_looks_for(name: str) -> None:
    for arguments, shapes in EXAMPLES.get(name, [({}, [(3, 4, 5)])]):
        op = make(OPS[name], **arguments)
        graph = scatter(one_op(op, *shapes), 0)
        for rewrite, ops in PASSES.items():
            rewriting = Rewriting(graph)
            rewrite(rewriting)
            assert rewriting.finished() is graph or isinstance(op, ops)


@pytest.mark.parametrize("name", [name for name, op in OPS.items() if op.most_inputs is None])
def test_a_join_of_one_branch_goes(name: str) -> None:
    assert ops(optimise(graph_of(f"relu -> {name} {{ tanh }}"))) == ["relu", "tanh"]


def breaking(rewriting: Rewriting) -> None:
    """Another shape for what is no input."""
    for node in rewriting.each():
        if node.inputs:
            rewriting.put(replace(node, shape=(9, *node.shape[1:])))


def test_a_rewrite_that_breaks_the_graph_is_caught_where_it_broke() -> None:
    with pytest.raises(DefinitionError, match="relu1 is \\[9, 6, 6\\]"):
        rewritten(graph_of("relu"), breaking)


def test_a_rewrite_is_trusted_outside_of_the_debug_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NETC_DEBUG")
    after = rewritten(graph_of("relu"), breaking)
    assert after[after.outputs["y"]].shape == (9, 6, 6)


def test_no_optimisation_leaves_every_layer() -> None:
    model = compile_graph(graph_of("scale(-1) -> shift(1)"), CompileOptions(optimise=False))
    assert [node.op_type for node in model.graph.node][:2] == ["Mul", "Add"]


@pytest.mark.parametrize("name", ["conv1.bias", "conv1.weight", "conv1.weight.bias", "conv1"])
def test_a_layer_that_goes_takes_no_array_of_another_by_its_name(name: str) -> None:
    """A layer may be called as another's array."""
    label = "conv(4, 1) -> " if name != "conv1" else "conv(4, 1) as other -> "
    graph = graph_of(f'{label}add {{ identity }} as "{name}"')
    left = optimise(graph)
    assert ops(left) == ["conv"] and left.values.keys() == graph.values.keys()
