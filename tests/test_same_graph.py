"""Two graphs of one net are told to be the same, and those of two nets what they differ in."""

from __future__ import annotations

import pytest

from compiler.graph import Graph
from compiler.initialise import scatter
from runtime.random_inputs import sizes_for
from tests.define import define
from tests.same_graph import difference

SAME = [
    ('conv(4, 3, pad="same")', "conv(4, 3, pad=1)"),
    ("conv(2, 3) -> dropout(0.2)", "identity -> conv(2, 3, pad=0)"),
    ("maxpool(2, ceil=true)", "maxpool(2, pad=[(0, 0), (0, 1)])"),
    ("avgpool(2, pad=0, count_pad=false)", "avgpool(2)"),
    ("gap", "adaptive_avgpool(1)"),
    ("gmp", "maxpool(6x7)"),
    ("upsample(2, mode=\"bilinear\")", "resize(12x14, mode=\"linear\")"),
    ("upsample(2)", "resize(12x14)"),
    ("flatten", "reshape([-1]) -> reshape([14, 6]) -> flatten"),
    ("relu", "transpose([1, 2, 0]) -> transpose([2, 0, 1]) -> relu"),
    ("channels(1, 1)", "split(2, part=1)"),
    ("concat { channels(0, 0); channels(1, 1) }", "identity"),
    ("concat { relu; concat { tanh; relu } }", "concat { relu; tanh; relu }"),
    ("add { relu; tanh; exp }", "add { exp; add { tanh; relu } }"),
    ("add { relu; const([[[1]], [[2]]]) }", "add { relu; const([[[0.5]], [[1]]]) -> scale(2) }"),
    ("scale(0.1)", "scale(0.100000001)"),
    ("softmax(axis=-1)", "softmax(axis=2)"),
    ("pad([(1, 0), (0, 2)]) -> conv(2, 3, pad=1)", "conv(2, 3, pad=[(2, 1), (1, 3)])"),
    ("deconv(2, 3, pad=[(1, 0), (0, 1)])", "deconv(2, 3) -> crop(7, 8, 1, 0)"),
    ('upsample(1, mode="bilinear") -> pad(0) -> scale(1) -> relu', "shift(0) -> relu"),
    ("shift([1, 2])", "add { identity; const([[[1]], [[2]]]) }"),
    ("scale(2)", "mul { const([2, 2, 2, 2, 2, 2, 2]); identity }"),
    ("mean { relu; tanh }", "add { tanh; relu } -> scale(0.5)"),
    ('pad(1, mode="replicate") -> conv(2, 3)', 'conv(2, 3, pad=1, pad_mode="replicate")'),
    ("deconv(2, 3, stride=2x2, output_pad=1)", "deconv(2, 3x3, stride=2, output_pad=1x1)"),
    ("i = const([1, 0]); take(x, i)", "concat { channels(1, 1); channels(0, 0) }"),
    ("add { conv(2, 3) as c; conv(2, 3) like c }", "conv(2, 3) as c -> add { identity; identity }"),
    ("reduce_mean(axis=[1, 2])", "gap -> flatten"),
    ("reduce_max(axis=0)", "reduce_max(axis=0, keep=true) -> reshape([6, 7])"),
    ('resize(1, align="asymmetric", scale=0.2)', 'resize(1, align="asymmetric")'),
    (
        'resize(1, mode="linear", align="asymmetric", scale=0.2)',
        'resize(1, mode="linear", align="asymmetric")',
    ),
    ("min { const([[[3]]]); relu; const([[[2]]]) }", "min { relu; const([[[2]]]) }"),
    ("scale(2)", "scale(2) -> concat { channels(0, 0); channels(1, 1) }"),
    ("scale([2, 3])", "concat { channels(0, 0) -> scale(2); channels(1, 1) -> scale(3) }"),
    ("layernorm(axis=[1, 2])", "layernorm(axis=[-2, -1])"),
    ("pad(2) -> upsample(2) -> conv(2, 17)", "pad(2) -> resize(20x22) -> conv(2, 17)"),
    (
        'pad(1) -> pad(2, mode="reflect") -> conv(2, 11)',
        'pad(1) -> conv(2, 11, pad=2, pad_mode="reflect")',
    ),
]  # fmt: skip
OTHERS = [
    ("conv(4, 3) -> gap", "conv(4, 4) -> gap", "arrays"),
    ("conv(4, 3)", "conv(4, 3) as other", "arrays"),
    ("conv(4, 3, pad=1)", "conv(4, 3, pad=2, dilation=2)", "layers"),
    ("conv(4, 3, pad=1)", 'conv(4, 3, pad=1, pad_mode="reflect")', "layers"),
    ("avgpool(3, stride=1, pad=1)", "avgpool(3, stride=1, pad=1, count_pad=false)", "layers"),
    ("maxpool(3, stride=1, pad=1)", "avgpool(3, stride=1, pad=1)", "layers"),
    ("relu", "relu -> relu", "layers"),
    ("reduce_sum(axis=0)", "reduce_sum(axis=0, keep=true)", "outputs"),
    ('resize(1x7, mode="linear", scale=[0.2, 1.0])', 'resize(1x7, mode="linear")', "layers"),
    ("relu", "tanh", "layers"),
    ("min { const([[[3]]]); relu; const([[[2]]]) }", "min { relu; const([[[3]]]) }", "layers"),
    ("scale([2, 3])", "concat { channels(0, 0) -> scale(2); channels(1, 1) }", "layers"),
    ("scale(2) -> shift(1)", "scale(2) -> shift(1.01)", "layers"),
    ("scale(2) -> shift(1)", "shift(1) -> scale(2)", "layers"),
    ("normalize(0.5, 0.5)", "normalize(0.5, 0.25)", "layers"),
    ("max { identity; relu }", "min { identity; relu }", "layers"),
    ("mul { identity; identity }", "mul { identity; identity; identity }", "layers"),
    ("reduce_mean(axis=1, keep=true)", "reduce_max(axis=1, keep=true)", "layers"),
    ("transpose([0, 2, 1])", "reshape([2, 7, 6])", "layers"),
    ("concat { relu; tanh }", "concat { tanh; relu }", "layers"),
    ("z = x -> relu; sub(x, z)", "z = x -> relu; sub(z, x)", "layers"),
    ("scale(0.1)", "scale(0.11)", "layers"),
    ("pad(1) -> conv(2, 3)", "pad(1) -> conv(2, 3, dilation=2, pad=1)", "layers"),
    ("pad(2) -> crop(6, 7, 1, 1) -> conv(2, 3)", "pad(2) -> crop(6, 7) -> conv(2, 3)", "layers"),
    ("pad(1) -> relu", "pad([(2, 0), (1, 1)]) -> relu", "layers"),
    ("deconv(2, 3, pad=[(1, 0), (0, 1)])", "deconv(2, 3) -> crop(7, 8, 0, 0)", "layers"),
    ("bn", "bn(momentum=0.01)", "layers"),
    ("shift([1, 2])", "shift([2, 1])", "layers"),
    ("mean { relu; tanh }", "add { relu; tanh }", "layers"),
    ('conv(2, 3, pad=1, pad_mode="replicate")', 'conv(2, 3, pad=1, pad_mode="reflect")', "layers"),
    ("i = const([1, 0]); take(x, i)", "i = const([1, 1]); take(x, i)", "layers"),
    ("deconv(2, 3, stride=2)", "deconv(2, 2, stride=2, output_pad=1) -> conv(2, 1)", "arrays"),
    ("bn", "bn(eps=0.001)", "layers"),
    ("softmax", "softmax(axis=1)", "layers"),
    ("conv(4, 1)", "conv(4, 1) -> slice(0, 2)", "outputs"),
    ('upsample(2, mode="bilinear")', 'resize(12x14, mode="linear", align="corners")', "layers"),
    ('resize(5x5, mode="linear")', 'resize(5x5, mode="linear", align="asymmetric")', "layers"),
]  # fmt: skip


def graph_of(body: str) -> Graph:
    """The graph of a net of these layers."""
    return scatter(define(f"net t {{ input x: f32[2, 6, 7]; {body}; output y }}").graph)


@pytest.mark.parametrize(("body", "other"), SAME)
def test_words_for_the_same_are_the_same(body: str, other: str) -> None:
    one, two = graph_of(body), graph_of(other)
    assert difference(one, two, {}) == ""
    assert difference(two, one, {}) == ""


@pytest.mark.parametrize(("body", "other", "what"), OTHERS)
def test_another_net_is_told_of(body: str, other: str, what: str) -> None:
    assert difference(graph_of(body), graph_of(other), {}).startswith(f"{what}: ")


def test_numbers_are_compared() -> None:
    one = graph_of("conv(4, 3)")
    two = one.with_values({**one.values, "conv1.bias": one.values["conv1.bias"] + 1})
    assert difference(one, two, {}).startswith("numbers: conv1.bias ")


def test_a_graph_of_open_sizes_is_compared_at_some() -> None:
    one = scatter(define("net t { input x: f32[2, H, 7]; upsample(2); output y }").graph)
    two = scatter(define("net t { input x: f32[2, 16, 7]; resize(32x14); output y }").graph)
    assert difference(one, two, sizes_for(one)) == ""
    assert difference(one, two, {"H": 9}).startswith("inputs: ")
