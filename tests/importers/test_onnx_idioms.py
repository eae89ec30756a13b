"""Joins, and what exporters write out in several operators: each is one layer."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from compiler.importers.define import define
from compiler.importers.from_onnx import import_onnx
from compiler.importers.imported import UnreadableError
from grammar.diagnostics import DefinitionError
from tests.importers.again import assert_means, assert_same
from tests.importers.onnx_text import onnx_model

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
    "the pooling of a norm in PyTorch": (
        """p = Pow(x, three) m = AveragePool<kernel_shape=[2, 2]>(p) s = Sign(m) a = Abs(m)
        r = Relu(a) u = Mul(s, r) y = Mul(u, six)""",
        "power avgpool scale",
    ),
    "relu6": ("y = Clip(x, zero, six)", "relu6"),
    "clip": ("y = Clip(x, minus, one)", "clip"),
    "relu written with Max": ("y = Max(x, zero)", "relu"),
    "leaky ReLU": ("y = LeakyRelu<alpha=0.2>(x)", "leaky_relu"),
    "a constant factor and offset": ("m = Mul(x, half) y = Add(m, three)", "scale shift"),
    "one constant divided by": ("y = Div(x, three)", "scale"),
    "channels to pixels": ('y = DepthToSpace<blocksize=2, mode="CRD">(c)', "pixel_shuffle"),
    "a power": ("y = Pow(x, three)", "power"),
    "nothing": ("i = Identity(x) y = Dropout(i)", "dropout"),
    "a constant cast like a tensor": ("c = CastLike(half, x) y = Mul(x, c)", "scale"),
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
    model = onnx_model(nodes, "float[N, 6] x", weights={"w": (6,), "b": (6,)}, constants=constants)
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


def test_pixels_dealt_out_with_channels_are_no_channel_shuffle() -> None:
    """[8, 4, 4] as [4, 4, 8] splits half a channel off, not a group of them."""
    nodes = "r = Reshape(x, half) t = Transpose<perm=[0, 2, 1, 3]>(r) y = Reshape(t, whole)"
    constants = {"half": [-1, 4, 4, 8], "whole": [-1, 8, 4, 4]}
    model = onnx_model(nodes, "float[N, 8, 4, 4] x", constants=constants)
    assert_means(model, "reshape transpose reshape")


def test_channel_shuffle_written_with_five_axes_is_channel_shuffle() -> None:
    nodes = "r = Reshape(x, five) t = Transpose<perm=[0, 2, 1, 3, 4]>(r) y = Reshape(t, four)"
    constants = {"five": [-1, 2, 3, 4, 4], "four": [-1, 6, 4, 4]}
    model = onnx_model(nodes, "float[N, 6, 4, 4] x", constants=constants)
    assert "channel_shuffle(2)" in assert_means(model, "channel_shuffle").text


def test_softplus_with_a_threshold_is_softplus() -> None:
    """Beyond 20 PyTorch takes x itself, from which log(1 + e^x) differs by 2e-9."""
    nodes = "g = Greater(x, bound) s = Softplus(x) y = Where(g, x, s)"
    assert_means(onnx_model(nodes, constants={"bound": 20.0}), "softplus")


VIEW = {"row": [-1], "zero": 0, "one": 1, "twelve": 12, "axes": [1, 2, 3], "nothing": [[[[0]]]]}


def test_a_view_of_memory_is_another_shape() -> None:
    """`as_strided` of a whole tensor: every value at its own place."""
    constants = VIEW | {"all": np.arange(12).reshape(1, 4, 3, 1)}
    nodes = "r = Reshape(x, row) v = Gather(r, all) y = Relu(v)"
    model = onnx_model(nodes, "float[1, 2, 3, 2] x", constants=constants)
    assert "reshape([4, 3, 1]) -> relu" in define(import_onnx(model)).text


def test_a_view_of_any_number_of_samples_is_another_shape() -> None:
    nodes = """s = Shape(x) n = Gather(s, zero) i = Range(zero, n, one) j = Mul(i, twelve)
        u = Unsqueeze(j, axes) a = Add(u, channel) b = Add(a, pixel) c = Add(nothing, b)
        r = Reshape(x, row) v = Gather(r, c) y = Relu(v)"""
    pixels = {"channel": [[[[0]], [[6]]]], "pixel": np.arange(6).reshape(1, 1, 3, 2)}
    model = onnx_model(nodes, "float[N, 2, 3, 2] x", constants=VIEW | pixels)
    assert_means(model, "relu")


def test_a_view_of_some_values_only_takes_them() -> None:
    constants = {"row": [-1], "some": np.arange(1, 13).reshape(1, 12)}
    nodes = "r = Reshape(x, row) y = Gather(r, some)"
    model = onnx_model(nodes, "float[1, 2, 3, 3] x", constants=constants)
    assert_means(model, "flatten const take flatten")


def test_an_if_that_shapes_decide_is_its_branch() -> None:
    """`squeeze(1)` of a tensor whose shape the exporter did not know."""
    nodes = """s = Shape(x) n = Gather(s, one) e = Equal(n, one) p = Tanh(x)
        z = If(e) <
            then_branch = t () => (a) { a = Squeeze(p, axis) },
            else_branch = f () => (b) { b = Identity(p) }
        > y = Relu(z)"""
    constants = {"one": 1, "axis": [1]}
    taken = onnx_model(nodes, "float[N, 1, 6] x", constants=constants)
    assert_means(taken, "tanh flatten relu")
    left = onnx_model(nodes, "float[N, 2, 6] x", constants=constants)
    assert "    tanh -> relu\n" in define(import_onnx(left)).text


def test_an_if_that_the_network_decides_is_control_flow() -> None:
    nodes = """m = ReduceMax<keepdims=0>(x) g = Greater(m, zero)
        y = If(g) <
            then_branch = t () => (a) { a = Relu(x) },
            else_branch = f () => (b) { b = Tanh(x) }
        >"""
    with pytest.raises(DefinitionError) as caught:
        import_onnx(onnx_model(nodes, constants={"zero": 0.0}))
    assert "cannot be expressed" in str(caught.value)


def test_pads_computed_from_two_shapes_are_numbers() -> None:
    """A U-Net that pads what comes up to the size of its skip, as PyTorch exports it."""
    nodes = """p = MaxPool<kernel_shape=[2, 2], strides=[2, 2]>(x)
        u = ConvTranspose<strides=[2, 2]>(p, w)
        s = Shape(x) h = Gather(s, two) t = Shape(u) v = Gather(t, two) d = Sub(h, v)
        half = Div(d, two) rest = Sub(d, half) a = Unsqueeze(half, axis) b = Unsqueeze(rest, axis)
        given = Concat<axis=0>(zero, zero, a, b) l = Shape(given) k = Sub(eight, l)
        z = ConstantOfShape<value = int64[1] {0}>(k) all = Concat<axis=0>(given, z)
        q = Reshape(all, pairs)
        f = Slice(q, minus, least, axis, minus) g = Transpose(f) e = Reshape(g, minus)
        y = Pad(u, e)"""
    numbers = {"two": 2, "axis": [0], "zero": [0], "eight": [8]}
    model = onnx_model(
        nodes,
        "float[N, 3, 9, 8] x",
        weights={"w": (3, 3, 2, 2)},
        constants=numbers | {"pairs": [-1, 2], "minus": [-1], "least": [-(2**62)]},
    )
    assert "[(0, 1), (0, 0)]" in assert_means(model, "maxpool deconv pad").text


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
        "float[2, 3, 8, 8] x",
        constants={"by": [1.0, 1.0, 2.0, 2.0], "to": [2, 3, 16, 16], "odd": [2, 3, 11, 13]},
    )
    assert_means(model, wanted)


def with_functions(calls: int) -> onnx.ModelProto:
    """A model whose functions call each the one before it twice, the first a Relu."""
    imports = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("own", 1)]
    model = onnx_model(f"y = F{calls}(x)")
    model.graph.node[0].domain = "own"
    bodies = [[onnx.helper.make_node("Relu", ["a"], ["b"])]] + [
        [
            onnx.helper.make_node(f"F{number}", ["a"], ["h"], domain="own"),
            onnx.helper.make_node(f"F{number}", ["h"], ["b"], domain="own"),
        ]
        for number in range(calls)
    ]
    model.functions.extend(
        onnx.helper.make_function("own", f"F{number}", ["a"], ["b"], body, imports)
        for number, body in enumerate(bodies)
    )
    model.opset_import.extend(imports[1:])
    return model


def test_functions_of_a_model_are_written_out() -> None:
    assert_means(with_functions(2), "relu relu relu relu")


def test_functions_that_grow_beyond_reason_are_refused() -> None:
    with pytest.raises(UnreadableError, match="once its functions are written out"):
        import_onnx(with_functions(40))


def test_a_function_that_calls_itself_is_refused() -> None:
    model = with_functions(1)
    model.functions[0].node[0].domain, model.functions[0].node[0].op_type = "own", "F1"
    with pytest.raises(UnreadableError, match="once its functions are written out"):
        import_onnx(model)


WRITTEN_OUT = {
    "centred, scaled, shifted": "c = Sub(h, mean) f = Mul(c, scale) y = Add(f, shift)",
    "scaled and shifted": "f = Mul(h, scale) y = Add(f, shift)",
    "divided by the deviation": """c = Sub(h, mean) d = Div(c, var_) f = Mul(d, scale)
        y = Add(f, shift)""",
}


@pytest.mark.parametrize("nodes", WRITTEN_OUT.values(), ids=WRITTEN_OUT.keys())
def test_batch_norm_written_out_behind_a_convolution_is_batch_norm(nodes: str) -> None:
    per_channel = dict.fromkeys(("mean", "scale", "shift", "var_"), (4, 1, 1))
    model = onnx_model(f"h = Conv(x, w) {nodes}", weights={"w": (4, 3, 3, 3), **per_channel})
    assert "bias=false" in assert_means(model, "conv bn").text


def test_a_factor_behind_a_convolution_is_no_batch_norm() -> None:
    model = onnx_model("h = Conv(x, w) y = Mul(h, f)", weights={"w": (4, 3, 3, 3), "f": (4, 1, 1)})
    assert_means(model, "conv scale")


def test_names_that_several_layers_share_are_that_of_the_one_that_computes() -> None:
    parts = [f"net/block_{n}/bn/FusedBatchNormV3" for n in range(6)] + ["net/block_1/conv/Conv2D"]
    model = onnx_model("y = Conv(x, w)", weights={"w": (4, 3, 3, 3)})
    name = ";".join(parts)
    model.graph.initializer[0].name = model.graph.node[0].input[1] = name
    assert "as net.block_1.conv" in assert_means(model, "conv").text.replace('"', "")


def test_zeros_for_every_sample_are_a_constant() -> None:
    """Their shape is computed from the batch: put beside the channels, or a value added."""
    nodes = """s = Shape(x) i = Gather(s, zero) n = Unsqueeze(i, first) to = Concat<axis=0>(n, rest)
        z = ConstantOfShape(to) c = Concat<axis=1>(z, x)
        t = ConstantOfShape<value = float[1] {2.5}>(to) y = Add(c, t)"""
    constants = {"zero": 0, "first": [0], "rest": [1, 8, 8]}
    assert_means(onnx_model(nodes, constants=constants), "pad_channels shift")


def test_zeros_of_a_symbolic_size_are_refused() -> None:
    nodes = "s = Shape(x) z = ConstantOfShape(s) y = Add(x, z)"
    with pytest.raises(DefinitionError, match="a constant of the sizes N, 3, H, W"):
        import_onnx(onnx_model(nodes, "float[N, 3, H, W] x"))


@pytest.mark.parametrize("more", ["", " y = Relu(m)", " y = Sub(m, m)"])
def test_one_number_a_sample_is_read_and_written_as_such(more: str) -> None:
    """[N], and not [N, 1]."""
    text = f"{'m' if more else 'y'} = ReduceMean<axes=[1, 2, 3], keepdims=0>(x){more}"
    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 13]>\n'
        f"g (float[N, 4, 8, 8] x) => (float[N] y) {{ {text} }}"
    )
    defined = define(import_onnx(model, "g.onnx"))
    assert defined.graph[defined.graph.outputs["y"]].shape == ()
    assert_same(model, defined)
