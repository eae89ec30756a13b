"""What exporters write: each graph, written by hand, is read as these layers, with its result."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from compiler.importers.define import Defined, define
from compiler.importers.from_onnx import import_onnx
from tests.importers.again import assert_same
from tests.importers.onnx_text import onnx_model

IMAGE = "float[N, 3, 8, 8] x"
ROW = "float[N, 6] x"


def layers(defined: Defined) -> str:
    """The ops of a network but for its inputs and bare branches, in order."""
    names = [node.op.name for node in defined.graph.nodes()]
    return " ".join(name for name in names if name not in ("input", "identity"))


def assert_means(model: onnx.ModelProto, wanted: str) -> Defined:
    """The model is read as these layers, and they give its outputs."""
    defined = define(import_onnx(model, "test.onnx"))
    assert layers(defined) == wanted
    assert_same(model, defined)
    return defined


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


JOINS = {
    "Sum of three": ("y = Sum(x, a, b)", "add"),
    "Mean of three": ("y = Mean(x, a, b)", "mean"),
    "Max": ("y = Max(x, a, b)", "max"),
    "Min": ("y = Min(a, b)", "min"),
    "gate": ("y = Mul(a, b)", "mul"),
    "difference": ("y = Sub(a, b)", "sub"),
    "quotient": ("y = Div(a, b)", "div"),
    "Concat": ("y = Concat<axis=1>(x, a, b)", "concat"),
    "Concat, axis from the end": ("y = Concat<axis=-3>(x, a, b)", "concat"),
}


@pytest.mark.parametrize("nodes, join", JOINS.values(), ids=JOINS.keys())
def test_operators_of_several_tensors_are_joins_with_branches(nodes: str, join: str) -> None:
    defined = assert_means(
        onnx_model(f"a = Tanh(x) b = Sigmoid(x) {nodes}"), f"tanh sigmoid {join}"
    )
    assert f"    {join} {{\n" in defined.text


def test_a_gate_of_one_number_for_each_channel_reaches_every_pixel() -> None:
    nodes = "g = GlobalAveragePool(x) s = Sigmoid(g) y = Mul(x, s)"
    assert "gap -> sigmoid" in assert_means(onnx_model(nodes), "gap sigmoid mul").text


IDIOMS = {
    "gelu": (
        "d = Div(x, root) e = Erf(d) o = Add(e, one) m = Mul(x, o) y = Mul(m, half)",
        "gelu",
    ),
    "silu": ("s = Sigmoid(x) y = Mul(x, s)", "silu"),
    "hardswish": (
        "a = Add(x, three) c = Clip(a, zero, six) m = Mul(x, c) y = Div(m, six)",
        "hardswish",
    ),
    "mish": ("p = Softplus(x) t = Tanh(p) y = Mul(x, t)", "mish"),
    "relu6": ("y = Clip(x, zero, six)", "relu6"),
    "clip": ("y = Clip(x, minus, one)", "clip"),
    "relu written with Max": ("y = Max(x, zero)", "relu"),
    "leaky ReLU": ("y = LeakyRelu<alpha=0.2>(x)", "leaky_relu"),
    "a constant factor and offset": ("m = Mul(x, half) y = Add(m, three)", "scale shift"),
    "one constant divided by": ("y = Div(x, three)", "scale"),
    "channels to pixels": ('y = DepthToSpace<blocksize=2, mode="CRD">(c)', "pixel_shuffle"),
    "a power": ("y = Pow(x, three)", "power"),
    "nothing": ("i = Identity(x) y = Dropout(i)", "dropout"),
}


@pytest.mark.parametrize("nodes, wanted", IDIOMS.values(), ids=IDIOMS.keys())
def test_what_exporters_write_out_is_one_layer(nodes: str, wanted: str) -> None:
    numbers = {"one": 1.0, "half": 0.5, "three": 3.0, "zero": 0.0, "six": 6.0, "minus": -1.0}
    if "DepthToSpace" in nodes:
        nodes = f"c = Concat<axis=1>(x, x, x, x) {nodes}"
        wanted = f"concat {wanted}"
    assert_means(onnx_model(nodes, constants={**numbers, "root": 2.0**0.5}), wanted)


def test_layer_norm_written_out_is_layer_norm() -> None:
    nodes = """m = ReduceMean<axes=[-1]>(x) d = Sub(x, m) s = Pow(d, two)
        v = ReduceMean<axes=[-1]>(s) e = Add(v, eps) r = Sqrt(e) q = Div(d, r)
        f = Mul(q, w) y = Add(f, b)"""
    constants = {"two": 2.0, "eps": 1e-5}
    model = onnx_model(nodes, ROW, weights={"w": (6,), "b": (6,)}, constants=constants)
    assert_means(model, "layernorm")


def test_group_norm_written_with_instances_is_group_norm() -> None:
    nodes = """r = Reshape(x, to) i = InstanceNormalization<epsilon=1e-5>(r, ones, zeros)
        s = Shape(x) o = Reshape(i, s) f = Mul(o, w) y = Add(f, b)"""
    model = onnx_model(
        nodes,
        "float[N, 4, 8, 8] x",
        weights={"w": (4, 1, 1), "b": (4, 1, 1)},
        constants={"to": [0, 2, -1], "ones": [1.0, 1.0], "zeros": [0.0, 0.0]},
    )
    assert "groupnorm(2)" in assert_means(model, "groupnorm").text


def test_channel_shuffle_written_with_five_axes_is_channel_shuffle() -> None:
    nodes = "r = Reshape(x, five) t = Transpose<perm=[0, 2, 1, 3, 4]>(r) y = Reshape(t, four)"
    constants = {"five": [-1, 2, 3, 4, 4], "four": [-1, 6, 4, 4]}
    model = onnx_model(nodes, "float[N, 6, 4, 4] x", constants=constants)
    assert "channel_shuffle(2)" in assert_means(model, "channel_shuffle").text


ENLARGED = {
    "Resize": ('y = Resize<mode="nearest">(x, , by)', "upsample"),
    "Resize, bilinear": ('y = Resize<mode="linear">(x, , by)', "upsample"),
    "Resize to a size": ('y = Resize<mode="nearest">(x, , , to)', "upsample"),
    "Resize to a size that is no multiple": (
        'y = Resize<mode="linear", coordinate_transformation_mode="align_corners">(x, , , odd)',
        "resize",
    ),
}


@pytest.mark.parametrize("nodes, wanted", ENLARGED.values(), ids=ENLARGED.keys())
def test_resize_is_upsample_or_resize(nodes: str, wanted: str) -> None:
    model = onnx_model(
        nodes,
        constants={"by": [1.0, 1.0, 2.0, 2.0], "to": [2, 3, 16, 16], "odd": [2, 3, 11, 13]},
    )
    assert_means(model, wanted)


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


def test_a_factor_for_each_channel_is_a_convolution_of_one_pixel() -> None:
    model = onnx_model("h = Relu(x) y = Mul(h, w)", weights={"w": (3, 1, 1)})
    defined = assert_means(model, "relu conv")
    np.testing.assert_array_equal(
        next(v for k, v in defined.graph.values.items() if k.endswith("weight")).ravel(),
        onnx.numpy_helper.to_array(model.graph.initializer[0]).ravel(),
    )
