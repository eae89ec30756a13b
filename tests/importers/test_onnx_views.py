"""Tensors whose batch moves, that have many axes, that are stretched: layers once they are maps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compiler.importers.define import define
from compiler.importers.from_onnx import import_onnx
from grammar.diagnostics import DefinitionError
from tests.importers.again import assert_means, assert_same
from tests.importers.onnx_text import onnx_model

OPEN, ONE = "float[N, 4, 6, 8] x", "float[1, 4, 6, 8] x"

MOVED: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "there and back": (
        OPEN,
        "t = Transpose<perm=[1, 0, 2, 3]>(x) r = Relu(t) y = Transpose<perm=[1, 0, 2, 3]>(r)",
        "relu",
        {},
    ),
    "with other axes": (
        OPEN,
        "t = Transpose<perm=[3, 2, 0, 1]>(x) r = Tanh(t) y = Transpose<perm=[2, 3, 1, 0]>(r)",
        "tanh",
        {},
    ),
    "stacked and summed": (
        OPEN,
        """r = Relu(x) a = Unsqueeze(x, z) b = Unsqueeze(r, z) c = Concat<axis=0>(a, b)
        y = ReduceSum<keepdims=0>(c, z)""",
        "reshape relu reshape concat reduce_sum",
        {"z": [0]},
    ),
    "a sequence first": (
        "float[N, 4, 8] x",
        """t = Transpose<perm=[2, 0, 1]>(x) m = MatMul(t, w) b = Add(m, v)
        s = Softmax<axis=2>(b) y = Transpose<perm=[1, 0, 2]>(s)""",
        "transpose dense softmax",
        {},
    ),
    "channels split through the batch": (
        ONE,
        """r = Reshape(x, apart) t = Transpose<perm=[1, 0, 2]>(r) h = Reshape(t, halves)
        a = Gather<axis=0>(h, zero) b = Gather<axis=0>(h, one) y = Sub(a, b)""",
        "",
        {"apart": [2, 2, 48], "halves": [2, -1, 2, 6, 8], "zero": 0, "one": 1},
    ),
    "the batch of 1 dropped and put back": (
        ONE,
        "s = Squeeze(x, z) r = Relu(s) y = Unsqueeze(r, z)",
        "relu",
        {"z": [0]},
    ),
}


@pytest.mark.parametrize("shape, nodes, wanted, constants", MOVED.values(), ids=MOVED.keys())
def test_a_batch_that_moves_comes_back(
    shape: str, nodes: str, wanted: str, constants: dict[str, Any]
) -> None:
    model = onnx_model(nodes, shape, weights={"w": (4, 5), "v": (5,)}, constants=constants)
    defined = define(import_onnx(model))
    assert_same(model, defined)
    if wanted:
        assert_means(model, wanted)


@pytest.mark.parametrize("order", [(0, 3, 5, 1, 2, 4), (0, 1, 3, 5, 2, 4), (0, 5, 3, 1, 4, 2)])
def test_six_axes_are_moved_by_transposes_of_fewer(order: tuple[int, ...]) -> None:
    sizes = (1, 4, 3, 2, 4, 2)
    channels = [sizes[axis] for axis in order]
    to = [1, channels[1] * channels[2] * channels[3], *channels[4:]]
    model = onnx_model(
        f"a = Reshape(x, apart) t = Transpose<perm={list(order)}>(a) y = Reshape(t, to)",
        ONE,
        constants={"apart": list(sizes), "to": to},
    )
    defined = define(import_onnx(model))
    assert_same(model, defined)
    if order[4:] == (2, 4):
        assert "pixel_unshuffle(2)" in defined.text


@pytest.mark.parametrize("block", [2, 3])
def test_space_to_depth_of_a_map_of_any_size(block: int) -> None:
    model = onnx_model(
        """s = Shape(x) h = Gather<axis=0>(s, i2) w = Gather<axis=0>(s, i3)
        hh = Div(h, d) ww = Div(w, a) l = Concat<axis=0>(mc, hh, d, ww, a)
        r = Reshape(x, l) t = Transpose<perm=[0, 1, 3, 5, 2, 4]>(r)
        m = Concat<axis=0>(mine, hh, ww) y = Reshape(t, m)""",
        "float[N, 4, H, W] x",
        constants={
            "i2": [2], "i3": [3], "d": [block], "a": [block],
            "mc": [-1, 4], "mine": [-1, 4 * block**2],
        },
    )  # fmt: skip
    defined = define(import_onnx(model))
    assert f"assert H % {block} == 0" in defined.text
    assert f"pixel_unshuffle({block})" in defined.text


STRETCHED = {
    "a gate": ("g = GlobalAveragePool(x) e = Expand(g, s) y = Mul(x, e)", "gap mul"),
    "a norm": (
        "n = ReduceL2<axes=[1]>(x) c = Clip(n, tiny) e = Expand(c, s) y = Div(x, e)",
        "l2norm",
    ),
    "a pixel for itself": (
        "g = GlobalAveragePool(x) e = Expand(g, s) y = Relu(e)",
        "gap concat concat relu",
    ),
    "by a constant": ("g = GlobalAveragePool(x) y = Mul(g, row)", "gap param mul"),
}


@pytest.mark.parametrize("nodes, wanted", STRETCHED.values(), ids=STRETCHED.keys())
def test_what_is_stretched_is_joined_as_it_is(nodes: str, wanted: str) -> None:
    model = onnx_model(
        nodes,
        ONE,
        constants={"s": [1, 4, 6, 8], "tiny": 1e-12, "row": [[[[1.5, 2.0, 0.25]]]]},
    )
    defined = define(import_onnx(model))
    assert_same(model, defined)
    layers = [n.op.name for n in defined.graph.nodes() if n.op.name not in ("input", "identity")]
    assert " ".join(layers).startswith(wanted)


BORDERS = {
    "negative": ("y = Pad(x, p)", {"p": [0, 0, -1, 2, 0, 0, -2, -1]}),
    "negative, of channels": ("y = Pad(x, p)", {"p": [0, -1, 0, 0, 0, -1, 0, 0]}),
    "minus infinity before a maxpool": (
        "b = Pad(x, p, v) y = MaxPool<kernel_shape=[3, 3], strides=[2, 2]>(b)",
        {"p": [0, 0, 0, 1, 0, 0, 1, 1], "v": -float("inf")},
    ),
    "the least number before a padded maxpool": (
        "b = Pad(x, p, v) y = MaxPool<kernel_shape=[4, 4], pads=[1, 1, 1, 1]>(b)",
        {"p": [0, 0, 1, 1, 0, 0, 1, 1], "v": -3.4028234663852886e38},
    ),
    "reflected channels": ('y = Pad<mode="reflect">(x, p)', {"p": [0, 2, 1, 0, 0, 1, 0, 3]}),
}


@pytest.mark.parametrize("nodes, constants", BORDERS.values(), ids=BORDERS.keys())
def test_borders_of_every_kind(nodes: str, constants: dict[str, Any]) -> None:
    model = onnx_model(nodes, "float[N, 3, 7, 8] x", constants=constants)
    assert_same(model, define(import_onnx(model)))


@pytest.mark.parametrize("mode", ["reflect", "edge"])
def test_a_wave_is_padded_with_itself(mode: str) -> None:
    model = onnx_model(
        f'y = Pad<mode="{mode}">(x, p)', "float[N, 16] x", constants={"p": [0, 2, 0, 3]}
    )
    assert_means(model, "reshape pad flatten")


BESIDE = {
    "zeros behind": ("y = Concat<axis=1>(x, zeros)", "pad_channels"),
    "zeros on both sides": ("y = Concat<axis=1>(zeros, x, zeros)", "pad_channels"),
    "between two tensors": (
        "r = Relu(x) y = Concat<axis=1>(x, zeros, r)",
        "relu pad_channels concat",
    ),
    "a row of zeros": ("y = Concat<axis=2>(x, row)", "pad"),
    "coordinates": ("y = Concat<axis=1>(x, places)", "param concat"),
}


@pytest.mark.parametrize("nodes, wanted", BESIDE.values(), ids=BESIDE.keys())
def test_a_constant_beside_a_tensor_is_padding_and_an_offset(nodes: str, wanted: str) -> None:
    places = [[[[(h + 1.0) / 6 + 0.1 * w for w in range(8)] for h in range(6)]]]
    zeros = [[[[0.0] * 8] * 6] * 2]
    model = onnx_model(
        nodes, ONE, constants={"zeros": zeros, "row": [[[[0.0] * 8]] * 4], "places": places}
    )
    defined = define(import_onnx(model))
    assert_same(model, defined)
    names = [node.op.name for node in defined.graph.nodes()]
    assert sorted(n for n in names if n not in ("input", "identity")) == sorted(wanted.split())


NORMS = ["ReduceL1", "ReduceL2", "ReduceSumSquare"]


@pytest.mark.parametrize("kind", NORMS)
@pytest.mark.parametrize("axes, keep", [("[1]", 1), ("[2, 3]", 0), ("[3]", 0), ("[1, 2, 3]", 1)])
def test_norms_are_sums_of_powers(kind: str, axes: str, keep: int) -> None:
    model = onnx_model(f"y = {kind}<axes={axes}, keepdims={keep}>(x)", OPEN)
    assert_same(model, define(import_onnx(model)))


@pytest.mark.parametrize("p", [1, 2])
def test_a_tensor_is_divided_by_its_norm(p: int) -> None:
    model = onnx_model(f"y = LpNormalization<axis=1, p={p}>(x)", OPEN)
    assert_same(model, define(import_onnx(model)))


BLOCKED = {
    "a layer behind another": (
        "a = Sign(x) b = Erf(a) y = Relu(b)", ["Sign a", "Erf b"]
    ),
    "a batch that does not come back": (
        "t = Transpose<perm=[2, 0, 1, 3]>(x) y = GlobalAveragePool(t)",
        ["GlobalAveragePool y"],
    ),
    "an output with its batch elsewhere": (
        "y = Transpose<perm=[2, 0, 1, 3]>(x)", ["output y"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("nodes, wanted", BLOCKED.values(), ids=BLOCKED.keys())
def test_every_operator_that_blocks_by_itself_is_listed(nodes: str, wanted: list[str]) -> None:
    with pytest.raises(DefinitionError) as found:
        import_onnx(onnx_model(nodes, OPEN))
    said = [d.message.partition(" cannot be expressed")[0] for d in found.value.diagnostics]
    assert said == wanted


JOINED = {
    "products of computed tensors": (
        "t = Transpose<perm=[0, 1, 3, 2]>(x) a = MatMul(x, t) y = MatMul(a, x)"
    ),
    "a skip": "c = Conv(x, w) r = Relu(x) y = Add(c, r)",
    "a gate": "g = GlobalAveragePool(x) y = Mul(x, g)",
    "a gate that is stretched": """g = GlobalAveragePool(x) s = Shape(x) e = Expand(g, s)
        y = Mul(e, x)""",
}


@pytest.mark.parametrize("nodes", JOINED.values(), ids=JOINED.keys())
def test_maps_of_any_size_are_joined(nodes: str) -> None:
    model = onnx_model(nodes, "float[N, 4, H, W] x", weights={"w": (4, 4, 1, 1)})
    assert_same(model, define(import_onnx(model)))


FRACTIONS = "s = Shape(x) f = Cast<to=1>(s) d = Div(f, h) y = Floor(d)"


def test_what_computes_with_fractions_of_sizes_is_refused_in_words() -> None:
    model = onnx_model(
        f"{FRACTIONS} o = Relu(x)", "float[N, 4, H, W] x", constants={"h": 2.5}, outputs="y, o"
    )
    with pytest.raises(DefinitionError, match="fractions of a symbolic size"):
        import_onnx(model)


def test_a_size_left_over_that_no_division_gives_is_refused_in_words() -> None:
    model = onnx_model(
        """s = Shape(x) w = Gather<axis=0>(s, i3) l = Concat<axis=0>(n, two, w, rest)
        y = Reshape(x, l)""",
        "float[N, 4, H, W] x",
        constants={"i3": [3], "n": [0], "two": [8], "rest": [-1]},
    )
    with pytest.raises(DefinitionError, match="does not divide"):
        import_onnx(model)


TENSORS = {
    "positions of tokens": (
        "float[N, 4, 8] x",
        "t = Add(x, pos) m = MatMul(t, w) y = Add(m, v)",
        "param add dense",
        {"pos": [[[0.1 * i + 0.01 * j for j in range(8)] for i in range(4)]]},
    ),
    "a row of a map of any size": (
        OPEN,
        "y = Mul(x, each)",
        "param mul",
        {"each": [[0.5 * i] for i in range(6)]},
    ),
    "a number for each place": (
        "float[N, 3, 8] x",
        "a = Mul(x, row) y = Sub(row, a)",
        "param mul param sub",
        {"row": [0.5 * i for i in range(8)]},
    ),
    "the larger of two": (
        "float[N, 3, 8] x",
        "a = Max(x, row) y = Min(a, row)",
        "param max param min",
        {"row": [0.5 * i - 2 for i in range(8)]},
    ),
    "a reduction over the channels of any map": (
        OPEN,
        "a = ReduceMean<axes=[1]>(x) b = ReduceMax<axes=[1]>(x) y = Concat<axis=1>(a, b)",
        "reduce_mean reduce_max concat",
        {},
    ),
    "a sum over a map of any size": (OPEN, "y = ReduceSum(x, s)", "reduce_sum", {"s": [1, 3]}),
    "a token for every sample": (
        "float[N, 4, 8] x",
        """s = Shape(x) n = Gather(s, zero) u = Unsqueeze(n, first) to = Concat<axis=0>(u, rest)
        t = Expand(token, to) y = Concat<axis=1>(t, x)""",
        "param concat",
        {"zero": 0, "first": [0], "rest": [1, 8], "token": [[[0.5 * i for i in range(8)]]]},
    ),
    "a token that is expanded by -1": (
        "float[N, 4, 8] x",
        """s = Shape(x) n = Gather(s, zero) u = Unsqueeze(n, first) to = Concat<axis=0>(u, rest)
        l = Shape(to) o = ConstantOfShape<value = int64[1] {1}>(l) m = Mul(o, less)
        e = Equal(to, m) k = Where(e, o, to) t = Expand(token, k) y = Concat<axis=1>(t, x)""",
        "param concat",
        {
            "zero": 0,
            "first": [0],
            "rest": [-1, -1],
            "less": -1,
            "token": [[[0.5 * i for i in range(8)]]],
        },
    ),
    "attention": (
        "float[N, 2, 5, 4] x",
        """t = Transpose<perm=[0, 1, 3, 2]>(x) a = MatMul(x, t) p = Softmax<axis=-1>(a)
        y = MatMul(p, x)""",
        "transpose matmul softmax matmul",
        {},
    ),
    "a matrix for each head": (
        "float[N, 2, 5, 4] x",
        "y = MatMul(x, heads)",
        "param matmul",
        {"heads": [[[0.1 * (i + j + k) for k in range(3)] for j in range(4)] for i in range(2)]},
    ),
    "unit length": (
        OPEN,
        "n = ReduceL2<axes=[1]>(x) c = Clip(n, tiny) y = Div(x, c)",
        "l2norm",
        {"tiny": 1e-12},
    ),
}


@pytest.mark.parametrize("shape, nodes, wanted, constants", TENSORS.values(), ids=TENSORS.keys())
def test_constants_and_products_of_any_shape(
    shape: str, nodes: str, wanted: str, constants: dict[str, Any]
) -> None:
    model = onnx_model(nodes, shape, weights={"w": (8, 5), "v": (5,)}, constants=constants)
    assert_means(model, wanted)


def test_positions_and_tokens_keep_the_names_that_pytorch_gave_them() -> None:
    model = onnx_model(
        "y = Add(x, pos_embed)", "float[N, 4, 8] x", weights={"pos_embed": (1, 4, 8)}
    )
    defined = assert_means(model, "param add")
    assert [*defined.graph.parameters()] == ["pos_embed"]


def test_a_factor_that_pytorch_named_is_a_parameter_of_that_name() -> None:
    gamma = {"blocks.0.gamma": (4, 1, 1)}
    model = onnx_model('y = Mul(x, "blocks.0.gamma")', OPEN, weights=gamma)
    defined = assert_means(model, "param mul")
    assert [*defined.graph.parameters()] == ["blocks.0.gamma"]
    assert defined.graph.parameters()["blocks.0.gamma"].shape == (4, 1, 1)


@pytest.mark.parametrize(
    "order, apart, together, layer",
    [
        ("0, 1, 4, 2, 5, 3", [-1, 4, 2, 2, 6, 6], [-1, 4, 12, 12], "pixel_shuffle"),
        ("0, 1, 3, 5, 2, 4", [-1, 4, 6, 2, 6, 2], [-1, 16, 6, 6], "pixel_unshuffle"),
    ],
)
def test_pixels_of_a_map_in_another_shape_are_dealt_out(
    order: str, apart: list[int], together: list[int], layer: str
) -> None:
    """MobileViT unfolds its patches from [C, patch, patches], which is no map yet."""
    nodes = f"r = Reshape(x, apart) t = Transpose<perm=[{order}]>(r) y = Reshape(t, together)"
    constants = {"apart": apart, "together": together}
    model = onnx_model(nodes, "float[N, 4, 4, 36] x", constants=constants)
    assert_means(model, f"reshape {layer}")


@pytest.mark.parametrize(
    "inputs, is_read", [("float[2, 3, 4] x", True), ("float[N, 3, 4] x", False)]
)
@pytest.mark.parametrize("same", [True, False])
def test_a_constant_for_each_sample_of_a_batch_is_one_for_all(
    inputs: str, is_read: bool, same: bool
) -> None:
    """Positions that an exporter worked out for the batch of its example."""
    row = np.arange(12.0).reshape(1, 3, 4)
    constant = np.concatenate([row, row if same else row + 1])
    model = onnx_model("r = Relu(x) y = Add(r, c)", inputs, constants={"c": constant})
    if is_read and same:
        assert_same(model, define(import_onnx(model)))
    else:
        with pytest.raises(DefinitionError, match="differs along the batch"):
            import_onnx(model)
