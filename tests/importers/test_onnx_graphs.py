"""What exporters write: each graph, written by hand, is read as these layers, with its result."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from compiler.importers.define import define
from compiler.importers.from_onnx import import_onnx
from grammar.diagnostics import DefinitionError
from tests.importers.again import assert_means, assert_same
from tests.importers.onnx_text import onnx_model

ROW = "float[N, 6] x"


DENSE = {
    "Gemm, weight transposed": "y = Gemm<transB=1>(x, w, b)",
    "Gemm with factors": "y = Gemm<transB=1, alpha=0.5, beta=2.0>(x, w, b)",
    "Gemm of a transposed constant": "v = Transpose<perm=[1, 0]>(w) y = Gemm(x, v, b)",
    "MatMul and Add": "v = Transpose(w) h = MatMul(x, v) y = Add(h, b)",
    "MatMul and Add, bias first": "v = Transpose(w) h = MatMul(x, v) y = Add(b, h)",
}


@pytest.mark.parametrize("nodes", DENSE.values(), ids=DENSE.keys())
def test_a_product_with_a_matrix_is_dense(nodes: str) -> None:
    model = onnx_model(nodes, ROW, weights={"w": (4, 6), "b": (4,)})
    assert "bias=false" not in assert_means(model, "dense").text


def test_a_product_without_bias_is_dense_without_bias() -> None:
    model = onnx_model("y = MatMul(x, w)", ROW, weights={"w": (6, 4)})
    assert "bias=false" in assert_means(model, "dense").text


FLAT = {
    "Flatten": "f = Flatten(x)",
    "Flatten, axis from the end": "f = Flatten<axis=-3>(x)",
    "Reshape to -1": "f = Reshape(x, to)",
    "Reshape, batch copied": "f = Reshape(x, keep)",
    "Shape, Gather, Concat": """s = Shape(x) n = Gather<axis=0>(s, zero)
        u = Unsqueeze(n, axis0) l = Concat<axis=0>(u, minus) f = Reshape(x, l)""",
    "Shape, Slice, Concat": """s = Shape(x) n = Slice(s, axis0, axis1) l = Concat<axis=0>(n, minus)
        f = Reshape(x, l)""",
}


@pytest.mark.parametrize("nodes", FLAT.values(), ids=FLAT.keys())
def test_ways_to_flatten_are_flatten(nodes: str) -> None:
    constants = {"to": [-1, 192], "keep": [0, -1], "zero": 0, "axis0": [0], "axis1": [1]}
    model = onnx_model(
        f"{nodes} y = Gemm<transB=1>(f, w, b)",
        weights={"w": (4, 192), "b": (4,)},
        constants={**constants, "minus": [-1]},
    )
    assert_means(model, "flatten dense")


POOLED = {
    "GlobalAveragePool": "p = GlobalAveragePool(x) y = Flatten(p)",
    "ReduceMean": "y = ReduceMean<axes=[2, 3], keepdims=0>(x)",
    "ReduceMean from the end, and Squeeze": """p = ReduceMean<axes=[-1, -2]>(x)
        y = Squeeze(p, axes)""",
    "ReduceMean along each axis": """a = ReduceMean<axes=[3]>(x) b = ReduceMean<axes=[2]>(a)
        y = Flatten(b)""",
}


@pytest.mark.parametrize("nodes", POOLED.values(), ids=POOLED.keys())
def test_the_mean_of_a_map_is_gap(nodes: str) -> None:
    defined = assert_means(onnx_model(nodes, constants={"axes": [2, 3]}), "gap flatten")
    assert "gap : [3, 1, 1]\n    output y = flatten" in defined.text


WINDOWS = {
    "auto_pad SAME_UPPER": (
        'y = Conv<auto_pad="SAME_UPPER", strides=[2, 2]>(x, w, b)',
        'conv(4, 3x3, stride=2, pad="same")',
    ),
    "auto_pad SAME_LOWER": (
        'y = Conv<auto_pad="SAME_LOWER", strides=[2, 2]>(x, w, b)',
        'conv(4, 3x3, stride=2, pad="same_lower")',
    ),
    "auto_pad SAME_UPPER of stride 1": (
        'y = Conv<auto_pad="SAME_UPPER">(x, w, b)',
        "conv(4, 3x3, pad=1)",
    ),
    "auto_pad VALID": ('y = Conv<auto_pad="VALID">(x, w, b)', "conv(4, 3x3) :"),
    "Pad before Conv": (
        "p = Pad(x, pads) y = Conv(p, w, b)",
        "conv(4, 3x3, pad=[(1, 2), (1, 2)])",
    ),
    "Pad and the pads of Conv": (
        "p = Pad(x, pads) y = Conv<pads=[1, 1, 1, 1]>(p, w, b)",
        "conv(4, 3x3, pad=[(2, 3), (2, 3)])",
    ),
    "Pad before Pad before Conv": (
        "p = Pad(x, pads) q = Pad(p, pads) y = Conv(q, w, b)",
        "conv(4, 3x3, pad=[(2, 4), (2, 4)])",
    ),
    "reflected Pad before Conv": (
        'p = Pad<mode="reflect">(x, ones) y = Conv(p, w, b)',
        'conv(4, 3x3, pad=1, pad_mode="reflect")',
    ),
}


@pytest.mark.parametrize("nodes, wanted", WINDOWS.values(), ids=WINDOWS.keys())
def test_padding_of_every_form_is_an_argument_of_conv(nodes: str, wanted: str) -> None:
    pads = {"pads": [0, 0, 1, 1, 0, 0, 2, 2], "ones": [0, 0, 1, 1, 0, 0, 1, 1]}
    model = onnx_model(nodes, weights={"w": (4, 3, 3, 3), "b": (4,)}, constants=pads)
    assert f"    {wanted}" in assert_means(model, "conv").text


@pytest.mark.parametrize("opset", [7, 8, 9, 11, 12, 13, 15, 17, 18, 19, 21])
def test_a_net_reads_the_same_in_every_opset(opset: int) -> None:
    dropout = "d = Dropout<ratio=0.3>(f)" if opset < 12 else "d = Dropout(f, ratio)"
    clip = "r = Clip<min=0.0, max=6.0>(n)" if opset < 11 else "r = Clip(n, low, high)"
    squeeze = "f = Squeeze<axes=[2, 3]>(g)" if opset < 13 else "f = Squeeze(g, axes)"
    axes = "<axes=[2, 3]>(r)" if opset < 18 else "(r, axes)"
    model = onnx_model(
        f"""c = Conv<pads=[1, 1, 1, 1], kernel_shape=[3, 3]>(x, w, b)
        n = BatchNormalization<epsilon=1e-3>(c, scale, shift, mean, var) {clip}
        g = ReduceMean{axes} {squeeze} {dropout} e = Gemm<transB=1>(d, v, c2) i = Identity(e)
        y = Softmax<axis=1>(i)""",
        weights={"w": (4, 3, 3, 3), "b": (4,), "v": (5, 4), "c2": (5,)}
        | {"scale": (4,), "shift": (4,), "mean": (4,), "var": (4,)},
        constants=({"ratio": 0.3} if opset > 11 else {})
        | ({"low": 0.0, "high": 6.0} if opset > 10 else {})
        | ({"axes": [2, 3]} if opset > 12 else {}),
        opset=opset,
    )
    defined = assert_means(model, "conv bn relu6 gap flatten dropout dense softmax")
    assert "conv(4, 3x3, pad=1) -> bn(eps=0.001) -> relu6" in defined.text


def test_upsample_of_old_opsets_is_upsample() -> None:
    nodes = 'y = Upsample<mode="nearest", scales=[1.0, 1.0, 2.0, 2.0]>(x)'
    assert "upsample(2)" in assert_means(onnx_model(nodes, opset=7), "upsample").text


def test_softmax_of_old_opsets_takes_all_from_its_axis_on() -> None:
    """Before opset 13 the tensor is seen as a matrix, its rows everything after the axis."""
    assert_means(onnx_model("y = Softmax(x)", opset=11), "flatten softmax reshape")
    assert_means(onnx_model("y = Softmax<axis=1>(x)", opset=13), "softmax")


def test_a_fixed_batch_may_be_any_and_is_noted() -> None:
    model = onnx_model(
        "h = Relu(x) r = Reshape(h, to) y = Gemm<transB=1>(r, w, b)",
        "float[2, 3, 8, 8] x",
        weights={"w": (4, 192), "b": (4,)},
        constants={"to": [2, 192]},
    )
    text = assert_means(model, "relu flatten dense").text
    assert "the batch, fixed to 2 in the model, may be any here" in text


def test_constant_nodes_are_weights() -> None:
    nodes = "w = Constant<value = float[2, 3, 1, 1] {1, 2, 3, 4, 5, 6}>() y = Conv(x, w)"
    assert_means(onnx_model(nodes), "conv")


def test_a_factor_by_a_name_of_its_own_is_a_convolution_of_one_pixel() -> None:
    model = onnx_model("h = Relu(x) y = Mul(h, w)", weights={"w": (3, 1, 1)})
    model.graph.initializer[0].name = model.graph.node[1].input[1] = "own.weight"
    defined = assert_means(model, "relu conv")
    np.testing.assert_array_equal(
        next(v for k, v in defined.graph.values.items() if k.endswith("weight")).ravel(),
        onnx.numpy_helper.to_array(model.graph.initializer[0]).ravel(),
    )


PARTS = {
    "Slice of channels": ("y = Slice(x, one, three, one)", "channels(1, 2)"),
    "Slice of both axes": ("y = Slice(x, ones, ends, axes)", "crop(4, 3, top=1, left=1)"),
    "Slice about the centre": ("y = Slice(x, ones, minus, axes)", "crop(6, 6)"),
    "Slice in steps": ("y = Slice(x, one, far, axis, three)", "slice(1, 7, step=3, axis=1)"),
    "Slice backwards": ("y = Slice(x, minus1, back, axis, minus1)", "slice(7, 0, step=-1, axis=1)"),
    "Gather of one channel": ("y = Gather<axis=1>(x, place)", "channels(2, 2)"),
    "Gather in steps": ("y = Gather<axis=2>(x, even)", "slice(0, 6, step=2, axis=1)"),
}


@pytest.mark.parametrize("nodes, wanted", PARTS.values(), ids=PARTS.keys())
def test_parts_are_channels_crops_and_slices(nodes: str, wanted: str) -> None:
    constants = {"one": [1], "three": [3], "ones": [1, 1], "ends": [5, 4], "axes": [2, 3]}
    constants |= {"minus": [-1, -1], "far": [2**63 - 1], "axis": [2], "minus1": [-1]}
    model = onnx_model(
        nodes, constants={**constants, "back": [-(2**31)], "place": 2, "even": [0, 2, 4, 6]}
    )
    defined = assert_means(model, layers_of(wanted, nodes))
    assert wanted in defined.text


def layers_of(wanted: str, nodes: str) -> str:
    """A single place takes its axis away."""
    return wanted.partition("(")[0] + (" reshape" if "place" in nodes else "")


def test_a_border_of_a_map_of_any_size_is_cut_off() -> None:
    model = onnx_model(
        "y = Slice(x, starts, ends, axes)",
        "float[N, 3, H, W] x",
        constants={"starts": [1, 2], "ends": [-1, -4], "axes": [2, 3]},
    )
    assert "crop(H - 2, W - 6, top=1, left=2)" in assert_means(model, "crop").text


NESTED = {
    "a pooling": "p = MaxPool<kernel_shape=[2, 2], strides=[2, 2]>(x)",
    "a convolution": "p = Conv<pads=[1, 1, 1, 1], strides=[2, 2]>(x, w)",
}


@pytest.mark.parametrize("nodes", NESTED.values(), ids=NESTED.keys())
def test_sizes_that_are_rounded_down_are_written_and_read(nodes: str) -> None:
    model = onnx_model(
        f"{nodes} t = Transpose<perm=[0, 2, 3, 1]>(p) s = Shape(p) n = Gather<axis=0>(s, zero)"
        "l = Concat<axis=0>(n, rest) y = Reshape(t, l)",
        "float[N, 4, H, W] x",
        weights={"w": (4, 4, 3, 3)},
        constants={"zero": [0], "rest": [-1, 4]},
    )
    assert "floor(" in define(import_onnx(model)).text
    assert_same(model, define(import_onnx(model)))


SEQUENCES = {
    "along a sequence": ("float[N, 20, 4] x", "[0, 2, 1]", "[0, 2, 1]", (6, 4, 3)),
    "of a map": ("float[N, 9, 7, 3] x", "[0, 3, 1, 2]", "[0, 2, 3, 1]", (5, 3, 3, 2)),
}


@pytest.mark.parametrize("shape, there, back, weight", SEQUENCES.values(), ids=SEQUENCES.keys())
def test_a_convolution_between_transposes_stays_between_them(
    shape: str, there: str, back: str, weight: tuple[int, ...]
) -> None:
    model = onnx_model(
        f"t = Transpose<perm={there}>(x) c = Conv(t, w) y = Transpose<perm={back}>(c)",
        shape,
        weights={"w": weight},
    )
    assert_means(model, "transpose conv transpose")


def test_a_clip_of_any_size_keeps_the_names_of_its_sizes() -> None:
    defined = assert_means(onnx_model("y = Relu(x)", "float[N, 3, T, H, W] x"), "relu")
    assert "input x: f32[3, T, H, W]" in defined.text


@pytest.mark.parametrize("kind", ["Conv", "ConvTranspose"])
def test_a_kernel_shape_that_the_weight_has_says_nothing_new(kind: str) -> None:
    model = onnx_model(f"y = {kind}<kernel_shape=[3, 3]>(x, w)", weights={"w": (3, 3, 3, 3)})
    assert not import_onnx(model).warnings
    other = onnx_model(f"y = {kind}<kernel_shape=[3, 2]>(x, w)", weights={"w": (3, 3, 3, 3)})
    with pytest.raises(DefinitionError, match="its kernel_shape is"):
        import_onnx(other)
