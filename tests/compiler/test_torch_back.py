"""What PyTorch makes of the written source is read as the net that it was written of."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from compiler.graph import Graph
from compiler.torch.source import write_source
from netc.net import Net
from runtime.errors import CallError
from tests.define import define
from tests.same_graph import difference

WITH_TORCH = pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")

# What PyTorch has no layer for, or writes in its own way: an input, and layers behind it.
WAYS_BACK = {
    "dilated mean": ("[3, 9, 8]", "avgpool(3, stride=2, dilation=2, pad=1, count_pad=false)"),
    "dilated mean of all": ("[3, 9, 8]", "avgpool(3, stride=2, dilation=2, pad=1)"),
    "mean that overhangs": ("[2, 8, 7]", "avgpool(1x2, pad=0x1, dilation=2, ceil=true, stride=2)"),
    "mean of unequal pads": ("[1, 9]", "avgpool(4, stride=2, pad=[(0, 1)], count_pad=false)"),
    "means of a thin volume": ("[2, 1, 5, 3]", "avgpool(3, stride=1, pad=1)"),
    "means of what is there": ("[2, 1, 5, 3]", "avgpool(3, stride=1, pad=1, count_pad=false)"),
    "means of an open volume": ("[2, D, 5, 3]", "avgpool(3, stride=1, pad=1, count_pad=false)"),
    "mean in a block": ("[3, 9, 8]", "seq { avgpool(3, dilation=2); scale(2) } as features"),
    "ceil that adds nothing": ("[3, H, W]", "avgpool(3, stride=1, ceil=true)"),
    "cubic by a factor": ("[4, 9, 9]", 'resize(13x13, mode="cubic", scale=1.5)'),
    "linear by factors": ("[4, 9, 9]", 'resize(13x9, mode="linear", scale=[1.5, 1.0])'),
    "asymmetric": ("[3, 9, 8]", 'resize(13x5, mode="linear", align="asymmetric")'),
    "asymmetric in depth": ("[2, 3, 4, 5]", 'resize(5x4x2, mode="linear", align="asymmetric")'),
    "to one pixel": ("[4, 5]", 'resize(1, mode="linear", align="asymmetric")'),
    "at its own size": ("[3, 5]", 'resize(5, mode="linear", align="asymmetric")'),
    "cubic by factors, asymmetric": (
        "[3, 9, 8]",
        'resize(17x8, mode="cubic", align="asymmetric", scale=[1.9, 1.0])',
    ),
    "response of one channel": ("[2, 3, 1, 5]", "lrn(1, alpha=0.5, beta=0.25, k=1)"),
    "response of cubes": ("[4, 3, 2, 5]", "lrn(3, alpha=0.5, beta=0.25, k=1)"),
    "least of one number and others": (
        "[4, 3]",
        "min { identity; const([[0.5]]); clip(lo=0, hi=6) } -> max { const([[0.25]]); identity }",
    ),
    "least of one tensor": ("[4, 8]", "min { identity; identity; identity }"),
    "square": ("[1, 9]", "mul { identity; identity; identity }"),
    "factors of a block": ("[4, 5, 1]", "seq { relu; scale([0.0, -0.5, 0.5, 1.0]) } as head"),
    "means in a row": ("[16]", "normalize(mean=0.5, std=0.5) -> scale(3) -> shift(0.25)"),
    "a slope of one channel": ("[1, 18, 5]", "prelu(channelwise=true)"),
    "a pad before weights": (
        "[3, 9, 9]",
        "pad([(2, 2), (2, 1)]) -> weightedpool([[1, 2], [2, 1]])",
    ),
    "parts that do not divide": ("[4, 9, 8]", "adaptive_avgpool(4x3) -> adaptive_maxpool(3x2)"),
    "parts of a row": ("[4, 9]", "adaptive_maxpool(4) -> adaptive_avgpool(3) -> gmp"),
    "parts behind a pad": ("[4, 5, 5]", "pad([(1, 0), (0, 2)]) -> adaptive_maxpool(3x7)"),
    "a threshold": ("[4, 9]", "thresholded_relu(0.5)"),
    "a norm of statistics alone, twice": (
        "[4, 5, 5]",
        "bn(affine=false) as b -> relu -> conv(4, 3, pad=1); bn(affine=false) like b",
    ),
    "a norm behind a pad": ("[4, 5, 5]", "pad(1) -> bn(affine=false)"),
    "fixed numbers of a block": (
        "[1, 5]",
        "seq { min { identity; const(shape=[1, 5]) }; relu } as head",
    ),
    "a norm that two share": ("[1, 5, 3]", "bn(affine=false) as one; bn(affine=false) like one"),
    "moved behind fixed numbers": (
        "[9]",
        "sub { const([9, 8, 7, 6, 5, 4, 3, 2, 1]); relu } -> reshape([9, 1])",
    ),
    "a slice that ends between two steps": ("[10]", "slice(7, 8, step=2)"),
    "places that an input says": ("[5, 4, 3]; input i: i64[2, 2]", "take(x, i, axis=1)"),
    "places of vectors": (
        "[5]; input i: i64[5]",
        "v = i -> gather(rows=5, channels=2); take(v, i) -> relu",
    ),
    "a norm of one channel of open size": ("[1, H]", "instancenorm -> dense(3, axis=0)"),
    "one pixel by factors": (
        "[6, 3, 1]",
        'resize(1x1, mode="linear", align="asymmetric", scale=[0.5, 1.5])',
    ),
    "a mean along all pixels": ("[3, 4]", "reduce_mean(axis=1) -> softmax"),
    "a stride beside kernels": ("[2, 9, 9]", "avgpool(1, stride=3); avgpool(1); avgpool(1)"),
    "layers along one axis": (
        "[4, 5, 3]",
        "add { dense(3, axis=0); dense(3, axis=0) -> layernorm(axis=[0, 1]) }",
    ),
    "norms behind one another": (
        "[6, 3, 5, 5]",
        "layernorm(axis=[1, 2]) -> layernorm(axis=[0, 2]) -> layernorm(axis=[0, 1])",
    ),
}


def graph_of(name: str) -> Graph:
    """One of these nets."""
    shape, layers = WAYS_BACK[name]
    return define(f"net n {{ input x: f32{shape}; {layers}; output y }}").graph


@WITH_TORCH
@pytest.mark.parametrize("name", [*WAYS_BACK])
def test_the_way_back_leads_to_the_same_net(name: str) -> None:
    from tests.torch_source import BOUND, check, read_back_apart

    graph = graph_of(name)
    assert max(check(graph)[:2]) < BOUND
    assert read_back_apart(graph) == ""


@WITH_TORCH
def test_an_example_says_what_the_inputs_are_called() -> None:
    from netc import from_torch

    torch = import_module("torch")

    x, chain = torch.rand(2, 3), torch.nn.Sequential(torch.nn.Linear(3, 4))
    net = from_torch(chain, {"image": x}, name="one_layer")
    assert (net.name, inputs_of(net)) == ("one_layer", ["image"])
    assert inputs_of(from_torch(chain, {"output": x})) == ["output"]
    for names, wanted in (("least most", "most least"), ("a b", "a b"), ("also most", "most also")):
        net = from_torch(difference_of(), dict.fromkeys(names.split(), x))
        assert inputs_of(net) == wanted.split()


@WITH_TORCH
@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["most", "leest"], "forward takes most, least, also, and no 'leest'"),
        (["least"], "the example has 1: least .*missing a required argument: 'most'"),
        (["a", "b", "c", "d"], "the example has 4: a, b, c, d .*too many"),
        (["an image"], "an input is called by a word, not 'an image'"),
        ([], "the example is a tensor, a tuple of them or a mapping"),
    ],
)
def test_names_that_a_module_does_not_take_are_refused_with_words(
    names: list[str], said: str
) -> None:
    from netc import from_torch

    torch = import_module("torch")

    with pytest.raises(CallError, match=said):
        from_torch(difference_of(), {name: torch.rand(2, 3) for name in names})
    with pytest.raises(CallError, match="the module does not run on the example: "):
        from_torch(torch.nn.Linear(5, 4), torch.rand(2, 3))
    with pytest.raises(CallError, match="a network is called by a word, not 'a net'"):
        from_torch(difference_of(), torch.rand(2, 3), name="a net")


def inputs_of(net: Net) -> list[str]:
    """What the inputs are called."""
    return [node.name for node in net.graph.inputs()]


def difference_of() -> Any:
    """A module of two tensors, or three."""

    def forward(self: Any, most: Any, least: Any = None, also: Any = None) -> Any:
        made = most if least is None else most - least
        return made if also is None else made * also

    return type("Difference", (import_module("torch").nn.Module,), {"forward": forward})()


@WITH_TORCH
def test_a_derivative_of_roundings_is_told_from_another_one() -> None:
    from tests.torch_source import but_for_noise

    torch = import_module("torch")
    numbers = torch.nn.Parameter(torch.tensor([0.5, 2.0], dtype=torch.float64))
    found, ours = np.array([7.0, 2.0]), np.array([1.0, 3.0])
    noisy = but_for_noise(lambda: (numbers**2).sum(), numbers, found, ours)
    assert noisy.tolist() == [7.0, 3.0]  # 3 is no slope there
    half = but_for_noise(lambda: (numbers.detach() * numbers).sum(), numbers, found, ours)
    assert half.tolist() == [1.0, 3.0]  # half of the slope is found everywhere


def test_a_slice_says_where_it_ends_unless_the_axis_does() -> None:
    name = "a slice that ends between two steps"
    assert "x[:, 7:9:2]" in write_source(graph_of(name))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("scale(2) -> shift(1)", "scale(2) -> shift(1.01)"),
        ("normalize(0.5, 0.5)", "normalize(0.5, 0.25)"),
        ("shift(1) -> scale(2)", "scale(2) -> shift(1)"),
        ("max { identity; relu }", "min { identity; relu }"),
        ("avgpool(3, pad=1)", "avgpool(3, pad=1, count_pad=false)"),
        ('resize(5x5, mode="linear")', 'resize(5x5, mode="linear", align="asymmetric")'),
        ("mul { identity; identity }", "mul { identity; identity; identity }"),
        ("reduce_mean(axis=1, keep=true)", "reduce_max(axis=1, keep=true)"),
    ],
)
def test_other_nets_are_told_apart(one: str, other: str) -> None:
    graphs = [
        define(f"net n {{ input x: f32[3, 9, 9]; {x}; output y }}").graph for x in (one, other)
    ]
    assert difference(graphs[0], graphs[1], {}) and not difference(graphs[0], graphs[0], {})


def test_a_thin_volume_is_padded_before_its_mean_is_taken() -> None:
    source = write_source(graph_of("means of a thin volume"))
    assert "F.avg_pool3d(F.pad(x, (1, 1, 1, 1, 1, 1)), kernel_size=3, stride=1)" in source
