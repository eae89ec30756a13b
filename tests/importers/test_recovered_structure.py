"""Small nets with the habits of published ones come back as a person would write them."""

from __future__ import annotations

from collections.abc import Iterator

import onnx

from compiler.driver import compile_graph
from compiler.importers.define import define
from compiler.importers.from_caffe import import_caffe
from compiler.importers.from_onnx import import_onnx
from compiler.initialise import scatter
from compiler.options import CompileOptions
from grammar.source import Source
from tests.define import define as define_text
from tests.importers.again import assert_means
from tests.importers.caffe_models import layer
from tests.importers.onnx_text import onnx_model


def imported_again(text: str) -> str:
    """A definition after a journey through ONNX."""
    model = compile_graph(scatter(define_text(text).graph), CompileOptions(optimise=False))
    return define(import_onnx(model, "n.onnx")).text


def residuals() -> Iterator[str]:
    """Two stages of residual units, the letter of each in the middle of all its names."""
    flow, channels = "data", 8
    for stage, letters in ((2, "abc"), (3, "ab")):
        for letter in letters:
            word, skip = f"{stage}{letter}", flow
            parts = [("branch2a", flow, 3), ("branch2b", f"res{word}_branch2a", 3)]
            if letter == "a":
                parts.append(("branch1", flow, 1))
                skip = f"res{word}_branch1"
            for part, bottom, size in parts:
                name = f"res{word}_{part}"
                stride = f"stride: {2 if letter == 'a' and part != 'branch2b' else 1}"
                fields = f"num_output: {channels} kernel_size: {size} pad: {size // 2} {stride}"
                fields = f"convolution_param {{ {fields} bias_term: false }}"
                yield layer("Convolution", name, bottom, name, fields)
                yield layer("BatchNorm", f"bn{word}_{part}", name, name)
                if part == "branch2a":
                    yield layer("ReLU", f"{name}_relu", name, name)
            flow = f"res{word}"
            yield layer("Eltwise", flow, f"{skip} {flow}_branch2b", flow)
            yield layer("ReLU", f"{flow}_relu", flow, flow)
        channels *= 2


def test_names_that_differ_in_a_word_in_their_middle_are_one_block() -> None:
    top = 'input: "data" input_dim: 1 input_dim: 3 input_dim: 16 input_dim: 16'
    text = define(import_caffe(Source("x.prototxt", "\n".join([top, *residuals()])))).text
    assert text.count("block ") == 1 and "block basic(c, name, stride=1) {" in text
    for part in ("branch1", "branch2a", "branch2b"):
        assert f'as "res{{name}}_{part}"' in text and f'as "bn{{name}}_{part}"' in text
    assert 'basic(8, "2b") as ""' in text and 'basic(16, "3a", stride=2) as ""' in text


def test_rows_of_one_block_are_not_cut_where_another_row_is_shorter() -> None:
    text = imported_again("""block dense_layer() {
    concat {
        identity
        bn -> relu -> conv(8, 1x1) -> relu -> conv(4, 3x3, pad=1)
    }
}

net n {
    input x: f32[3, 16, 16]

    conv(8, 3x3, pad=1) as stem
    for i in range(4) { dense_layer() as "block1.layer{i}" }
    avgpool(2x2)
    for i in range(6) { dense_layer() as "block2.layer{i}" }
    avgpool(2x2)
    for i in range(5) { dense_layer() as "block3.layer{i}" }
    output y
}
""")
    assert text.count("block dense_layer") == text.count("\nblock ") == 1
    for number, length in ((1, 4), (2, 6), (3, 5)):
        row = f'for i in range({length}) {{ dense_layer() as "block{number}.layer{{i}}" }}'
        assert row in text


def test_a_gate_stays_in_the_block_of_the_layers_before_it() -> None:
    """Squeeze and excite within inverted residuals of two activations."""
    text = imported_again("""block inverted(c, squeezed, act, stride=1) {
    conv(4 * in.c, 1x1) as expand -> act
    conv(4 * in.c, 3x3, stride=stride, pad=1, groups = 4 * in.c) as depth -> act
    mul {
        gap -> conv(squeezed, 1x1) as fc1 -> relu -> conv(4 * in.c, 1x1) as fc2 -> sigmoid
        identity
    }
    conv(c, 1x1) as project
}

net n {
    input x: f32[3, 16, 16]

    conv(8, 3x3, pad=1) as stem
    inverted(12, 4, relu, stride=2) as "f.0"
    inverted(16, 6, relu) as "f.1"
    inverted(20, 4, hardswish, stride=2) as "f.2"
    inverted(24, 6, hardswish) as "f.3"
    inverted(24, 8, hardswish) as "f.4"
    output y
}
""")
    assert text.count("\nblock ") == text.count("block inverted") == 2
    assert [line.split("as ")[1][:5] for line in text.splitlines() if "    inverted" in line] == [
        f'"f.{i}"' for i in range(5)
    ]


def test_what_a_block_scales_by_has_the_channels_that_enter() -> None:
    """A gate that blocks and the net itself share is a block of its own, told one count."""
    text = imported_again("""block gate(squeezed) {
    mul {
        gap -> conv(squeezed, 1x1) as fc1 -> relu -> conv(in.c, 1x1) as fc2 -> sigmoid
        identity
    }
}

block separable(c) {
    conv(c, 1x1) as a -> relu -> conv(c, 3x3, pad=1, groups=c) as b -> relu
    gate(c // 2) as se
}

net n {
    input x: f32[8, 16, 16]

    gate(2) as se
    separable(12) as "f.0"
    separable(16) as "f.1"
    separable(20) as "f.2"
    gate(10) as last
    output y
}
""")
    assert "block squeeze_excite(c) {" in text and "conv(in.c, 1x1)" in text


def test_a_shortcut_lies_outside_of_the_path_that_the_other_names_share() -> None:
    text = imported_again("""block unit(c, stride=1) {
    add {
        conv(c, 1x1) as "f.a" -> relu -> conv(c, 3x3, stride=stride, pad=1) as "f.b"
        if in.c != c { conv(c, 1x1, stride=stride) as proj } else { identity }
    } -> relu
}

net n {
    input x: f32[3, 16, 16]

    conv(8, 3x3, pad=1) as stem
    for s in range(2) { for i in range(3) {
        unit(8 * (s + 1), stride = 2 if s + i == 1 and i == 0 else 1) as "body.s{s}.u{s}-{i}"
    } }
    output y
}
""")
    assert text.count("\nblock ") == 1 and 'as "f.a"' in text and "as proj" in text
    assert 'as "body.s1.u1-{i}"' in text or 'as "body.s1.u1-0"' in text


NESTED = {"a": (4, 3, 1, 1), "b": (4, 3, 1, 1), "c": (4, 4, 1, 3), "d": (4, 4, 3, 1)}


def test_branches_of_a_branch_are_a_concat_within_the_concat() -> None:
    """Inception's widest module, whose two concats exporters write as one."""
    nodes = """p = Conv(x, a) q = Conv(x, b) r = Conv<pads=[0, 1, 0, 1]>(q, c)
        s = Conv<pads=[1, 0, 1, 0]>(q, d) t = Relu(x) y = Concat<axis=1>(p, r, s, t)"""
    wanted = "conv conv conv conv concat relu concat"
    text = assert_means(onnx_model(nodes, weights=NESTED), wanted).text
    assert text.count("concat {") == 2 and "->" in text and " as x" not in text


def test_a_concat_within_another_takes_no_layers_name() -> None:
    """The first of these would be called as the second is."""
    nodes = """q = Relu(x) r = Tanh(q) s = Sigmoid(q) concat = Concat<axis=1>(r, s, x)
        e = Elu(concat) concat_1 = Concat<axis=1>(e, x) concat_2 = Tanh(concat_1)
        concat_within = Concat<axis=1>(concat_2, x) y = Relu(concat_within)"""
    wanted = "relu tanh sigmoid concat concat elu concat tanh concat relu"
    assert_means(onnx_model(nodes), wanted)


def test_normalisation_by_a_pooling_along_the_channels_is_lrn() -> None:
    """`LocalResponseNorm` as PyTorch exports it: the channels an axis of the map, zeros around."""
    nodes = """q = Mul(x, x) u = Reshape(q, five) p = Pad(u, around)
        a = AveragePool<kernel_shape=[5, 1, 1], strides=[1, 1, 1]>(p) s = Reshape(a, four)
        m = Mul(s, alpha) k = Add(m, two) w = Pow(k, beta) y = Div(x, w)"""
    constants = {
        "five": [-1, 1, 8, 6, 7],
        "four": [-1, 8, 6, 7],
        "around": [0, 0, 2, 0, 0, 0, 0, 2, 0, 0],
        "alpha": 0.25,
        "two": 2.0,
        "beta": 0.75,
    }
    model = onnx_model(nodes, "float[N, 8, 6, 7] x", constants=constants)
    assert "lrn(5, alpha=0.25, k=2)" in assert_means(model, "lrn").text


def test_a_layer_is_called_after_its_module_when_only_a_shared_bias_has_a_name() -> None:
    """Biases of zeros are stored once, under the name of the first layer."""
    nodes = "h = MatMul(x, v1) f = Add(h, b) r = Relu(f) g = MatMul(r, v2) y = Add(g, b)"
    model = onnx_model(nodes, "float[N, 6] x", weights={"v1": (6, 6), "v2": (6, 6)})
    zeros = onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(model.graph.initializer[0])[0])
    zeros.name = "b"
    model.graph.initializer.append(zeros)
    renamed = {"v1": "onnx::MatMul_7", "v2": "onnx::MatMul_8", "b": "mlp.0.bias"}
    for tensor in model.graph.initializer:
        tensor.name = renamed[tensor.name]
    for node, name in zip(model.graph.node, (0, 0, 1, 2, 2), strict=True):
        node.name = f"/mlp/mlp.{name}/{node.op_type}"
        node.input[:] = [renamed.get(taken, taken) for taken in node.input]
    text = define(import_onnx(model)).text
    assert 'dense(6) as "0" -> relu' in text and 'dense(6) as "2"' in text


def test_a_name_that_another_layer_has_gives_way_to_the_module() -> None:
    """Two normalisations, of equal factors stored once and of offsets of their own."""
    nodes = "a = LayerNormalization(x, ones, b1) t = Tanh(a) y = LayerNormalization(t, ones, b2)"
    model = onnx_model(nodes, "float[N, 6] x", weights={"ones": (6,), "b1": (6,), "b2": (6,)})
    renamed = {"ones": "f.0.norm.weight", "b1": "f.0.norm.bias", "b2": "f.1.norm.bias"}
    for tensor in model.graph.initializer:
        tensor.name = renamed[tensor.name]
    for node, name in zip(model.graph.node, ("f.0/norm", "f.1", "f.1/norm"), strict=True):
        node.name = f"/f/{name}/{node.op_type}"
        node.input[:] = [renamed.get(taken, taken) for taken in node.input]
    text = define(import_onnx(model)).text
    assert 'as "f.0.norm"' in text and 'as "f.1.norm"' in text


DUAL_PATH = """
block unit(c, wide, stride=1) {
    bn -> relu -> conv(c, 1x1) -> relu
    conv(c, 3x3, stride=stride, pad=1, groups=4) -> relu
    conv(wide, 1x1)
}
net dual {
    input x: f32[16, 16, 16]
    a = x -> channels(0, 9)
    b = x -> channels(10, 15)
    concat(a, b) -> unit(8, 12) as y1
    c = add { a; y1 -> channels(0, 9) }
    d = concat { b; y1 -> channels(10, 11) }
    concat(c, d) -> unit(8, 12) as y2
    e = add { c; y2 -> channels(0, 9) }
    f = concat { d; y2 -> channels(10, 11) }
    concat(e, f) -> unit(8, 14) as y3
    g = add { e; y3 -> channels(0, 9) }
    h = concat { f; y3 -> channels(10, 13) }
    concat(g, h) -> relu
    output z
}
"""


def test_a_block_may_begin_with_the_norm_behind_a_join_of_named_tensors() -> None:
    text = imported_again(DUAL_PATH)
    assert text.count("block ") == 1 and text.count("conv(") == 3
    assert text.split("{")[1].lstrip().startswith("bn")


GATES = """
net wave {
    input x: f32[4, 64]
    mul {
        conv(4, 3, pad=[(2, 0)]) as "filter.0" -> tanh
        conv(4, 3, pad=[(2, 0)]) as "gate.0" -> sigmoid
    }
    mul {
        conv(4, 3, pad=[(4, 0)], dilation=2) as "filter.1" -> tanh
        conv(4, 3, pad=[(4, 0)], dilation=2) as "gate.1" -> sigmoid
    }
    mul {
        conv(4, 3, pad=4, dilation=4) as "filter.2" -> tanh
        conv(4, 3, pad=4, dilation=4) as "gate.2" -> sigmoid
    }
    mul {
        conv(4, 3, pad=[(8, 0)], dilation=4) as "filter.3" -> tanh
        conv(4, 3, pad=[(8, 0)], dilation=4) as "gate.3" -> sigmoid
    }
    output y
}
"""


def test_pads_of_one_side_that_are_so_many_dilations_are_no_parameter() -> None:
    causal = GATES.replace("pad=4, dilation=4", "pad=[(8, 0)], dilation=4")
    text = imported_again(causal)
    assert "conv(4, 3, pad=[(2 * dilation, 0)], dilation=dilation)" in text
    assert text.count("conv(") == 2


def test_pads_that_do_not_all_follow_from_the_dilation_stay_as_they_are() -> None:
    text = imported_again(GATES)
    assert "* dilation" not in text and "pad=4, dilation=4" in text


def test_a_pooling_that_steps_by_its_kernel_says_its_stride_beside_another() -> None:
    pools = "avgpool(1, stride=3); avgpool(1); avgpool(1)"
    text = imported_again(f"net n {{ input x: f32[2, 9, 9]; {pools}; output y }}")
    assert "for i in range(3) { avgpool(1x1, stride = 3 if i == 0 else 1) }" in text
