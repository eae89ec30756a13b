"""What PyTorch's exporter writes of a module is read as its layers, its parameters as they are."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from compiler.importers.define import Defined, define
from compiler.importers.from_onnx import import_onnx
from compiler.ops.gathering import Take
from grammar.diagnostics import DefinitionError
from tests.importers.again import assert_means, assert_same, layers
from tests.importers.onnx_text import onnx_model

Shapes = dict[str, tuple[int, ...]]
CONV: Shapes = {"conv.weight": (4, 3, 3, 3), "conv.bias": (4,)}


def model_of(nodes: str, weights: Shapes, **constants: object) -> onnx.ModelProto:
    """A model of a map [3, 8, 8]; names in quotes are as PyTorch writes them."""
    return onnx_model(nodes, weights=weights, constants=constants)


def assert_unchanged(model: onnx.ModelProto, defined: Defined) -> None:
    """The parameters have the names, shapes and numbers of the model, and there are no others."""
    held = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    held = {name: value for name, value in held.items() if "." in name}
    assert set(defined.graph.values) == set(held)
    for name, value in held.items():
        np.testing.assert_array_equal(defined.graph.values[name], value)


def test_one_kernel_in_the_code_for_each_channel_is_a_filter() -> None:
    kernel = np.tile([[[[0.0, -1.0, 0.0], [-1.0, 5.0, -1.0], [0.0, -1.0, 0.0]]]], (3, 1, 1, 1))
    for name in ("/Constant_9_output_0", "/Expand_output_0", "/sharpen/Constant_output_0"):
        model = model_of(f'y = Conv<group=3, pads=[1, 1, 1, 1]>(x, "{name}")', {}, **{name: kernel})
        assert not assert_means(model, "filter").graph.values
    model = model_of("y = Conv<group=3>(x, k)", {}, k=kernel)
    assert_means(model, "conv")


NORM: Shapes = {"norm.weight": (3,), "norm.bias": (3,)}
MLP: Shapes = NORM | {"fc1.bias": (6,), "fc2.bias": (3,)}
LAST = "h = Transpose<perm=[0, 2, 3, 1]>(x)"
BACK = "y = Transpose<perm=[0, 3, 1, 2]>(z)"
NORMED = 'n = LayerNormalization<axis=-1>(h, "norm.weight", "norm.bias")'


@pytest.mark.parametrize(
    ("between", "wanted"),
    [
        (f"{NORMED} z = Identity(n)", "layernorm"),
        ("z = Softmax<axis=-1>(h)", "softmax"),
        (f"{NORMED} r = Relu(n) z = LogSoftmax<axis=1>(r)", "layernorm relu log_softmax"),
        (
            f"""{NORMED} a = MatMul(n, m) b = Add("fc1.bias", a) r = Relu(b)
                c = MatMul(r, w) z = Add("fc2.bias", c)""",
            "layernorm dense relu dense",
        ),
    ],
)
def test_layers_between_transposes_go_along_the_axis_that_was_moved(
    between: str, wanted: str
) -> None:
    """PyTorch's LayerNorm and Linear know the last axis alone."""
    turned = 'm = Transpose("fc1.weight") w = Transpose("fc2.weight")' if "fc1" in between else ""
    weights = MLP | {"fc1.weight": (6, 3), "fc2.weight": (3, 6)} if turned else {}
    weights = weights or (NORM if "norm" in between else {})
    model = model_of(f"{turned} {LAST} {between} {BACK}", weights)
    assert_unchanged(model, assert_means(model, wanted))


def test_layers_of_several_axes_stay_where_their_numbers_would_be_rearranged() -> None:
    norm = 'z = LayerNormalization<axis=1>(h, "norm.weight", "norm.bias")'
    weights: Shapes = {"norm.weight": (8, 8, 3), "norm.bias": (8, 8, 3)}
    model = model_of(f"{LAST} {norm} {BACK}", weights)
    assert_unchanged(model, assert_means(model, "transpose layernorm transpose"))


@pytest.mark.parametrize("behind", ["Add", "Mul"])
def test_numbers_in_the_code_behind_a_layer_leave_its_parameters_as_they_are(behind: str) -> None:
    code = {"/Constant_output_0": np.array([[[1.5]], [[2.0]], [[-3.0]], [[0.25]]])}
    nodes = f'h = Conv(x, "conv.weight", "conv.bias") y = {behind}(h, "/Constant_output_0")'
    model = model_of(nodes, CONV, **code)
    assert_unchanged(model, assert_means(model, "conv shift" if behind == "Add" else "conv scale"))


@pytest.mark.parametrize(("kept", "share"), [(0.99, 0.01), (0.9, 0.1), (0.997, 0.003), (0.0, 0.1)])
def test_the_momentum_of_a_batch_norm_is_read(kept: float, share: float) -> None:
    names = ("weight", "bias", "running_mean", "running_var")
    given = ", ".join(f'"bn.{name}"' for name in names)
    model = model_of(
        f"y = BatchNormalization<momentum={kept}>(x, {given})",
        {f"bn.{name}": (3,) for name in names},
    )
    model.graph.initializer[3].CopyFrom(
        onnx.numpy_helper.from_array(np.ones(3, np.float32), "bn.running_var")
    )
    defined = assert_means(model, "bn")
    (op,) = (node.op for node in defined.graph.nodes() if node.op.name == "bn")
    assert op.momentum == share  # type: ignore[attr-defined]


def test_a_pad_that_several_windows_take_is_the_padding_of_each() -> None:
    weights: Shapes = {"a.weight": (4, 3, 3, 3), "b.weight": (4, 3, 3, 3)}
    border = {"border": [0, 0, 2, 0, 0, 0, 0, 1]}
    both = 'p = Pad(x, border) s = Conv(p, "a.weight") t = Conv(p, "b.weight")'
    model = model_of(f"{both} y = Mul(s, t)", weights, **border)
    assert_unchanged(model, assert_means(model, "conv conv mul"))
    nodes = f"{both} q = Relu(p) m = Mul(s, t) g = ReduceMax<axes=[1, 2, 3]>(q) y = Mul(m, g)"
    defined = define(import_onnx(model_of(nodes, weights, **border)))
    assert layers(defined).startswith("pad relu")
    assert_same(model_of(nodes, weights, **border), defined)


SAME_FOR_ALL = "sh = Shape(x) n = Gather(sh, zero) r = Reshape(n, one)"


@pytest.mark.parametrize(
    ("nodes", "shape", "wanted"),
    [
        ('e = Expand("a.gain", s) m = Reshape(e, t) y = Mul(x, m)', (3,), "param reshape mul"),
        ('y = Mul(x, "a.gain")', (3, 1, 1), "param mul"),
        ('y = Add(x, "a.gain")', (1, 3, 8, 8), "param add"),
        ('y = Mul(x, "a.gain")', (1,), "param mul"),
    ],
)
def test_what_a_module_learns_by_itself_keeps_its_name_and_shape(
    nodes: str, shape: tuple[int, ...], wanted: str
) -> None:
    """Also where it is made one for each sample first, and is no whole number."""
    made = f"{SAME_FOR_ALL} s = Concat<axis=0>(r, three) t = Concat<axis=0>(r, three, one, one)"
    model = onnx_model(
        f"{made} {nodes}",
        weights={"a.gain": shape},
        constants={"zero": [0], "one": [1], "three": [3]},
    )
    defined = assert_means(model, wanted)
    (value,) = defined.graph.values.values()
    held = onnx.numpy_helper.to_array(model.graph.initializer[0])
    np.testing.assert_array_equal(value.reshape(held.shape), held)
    assert [*defined.graph.values] == ["a.gain"]


def test_a_table_of_a_module_is_looked_up() -> None:
    made = f"{SAME_FOR_ALL} s = Concat<axis=0>(r, five, three)"
    nodes = f'{made} e = Expand("a.table", s) g = Gather<axis=1>(e, k) y = Add(x, g)'
    model = onnx_model(
        nodes,
        "float[N, 4, 3] x",
        weights={"a.table": (5, 3)},
        constants={"zero": [0], "one": [1], "three": [3], "five": [5], "k": [0, 4, 4, 1]},
    )
    assert_unchanged(model, assert_means(model, "param const take add"))


def test_a_constant_in_a_shape_that_is_not_known_is_refused() -> None:
    nodes = f"{SAME_FOR_ALL} t = Concat<axis=0>(three, r) m = Reshape(k, t) y = Mul(x, m)"
    constants = {"zero": [0], "one": [1], "three": [3], "k": np.ones((3, 2))}
    model = onnx_model(nodes, constants=constants)
    with pytest.raises(DefinitionError, match="a constant of the sizes 3, N"):
        import_onnx(model)


def test_an_embedding_takes_whole_numbers() -> None:
    nodes = """g = Gather("emb.weight", tokens) sh = Shape(tokens) n = Gather(sh, zero)
        s = Concat<axis=0>(n, three, four) t = Reshape(g, s) y = Relu(t)"""
    model = onnx_model(
        nodes,
        "int64[N, 3] tokens",
        weights={"emb.weight": (5, 4)},
        constants={"zero": [0], "three": [3], "four": [4]},
    )
    defined = define(import_onnx(model))
    assert layers(defined) == "gather relu" and "input tokens: i64[3]" in defined.text
    assert_unchanged(model, defined)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_places_of_each_sample_are_taken_by_an_input(axis: int) -> None:
    moved = [axis + 1, *(place for place in (1, 2, 3) if place != axis + 1)]
    back = [0, *[3, 4][:axis], 1, 2, *[3, 4][axis:]]
    nodes = f"""b = Transpose<perm={[0, *moved]}>(x) c = Cast<to=7>(i) d = Cast<to=7>(c)
        u = Unsqueeze(d, last) g = GatherND<batch_dims=1>(b, u) y = Transpose<perm={back}>(g)"""
    model = onnx_model(nodes, "float[N, 5, 6, 7] x, int64[N, 2, 3] i", constants={"last": [-1]})
    assert assert_means(model, "take").graph["take1"].op == Take(axis)


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ("u = Unsqueeze(i, k) y = GatherND(x, u)", "no such operator"),
        ("u = Unsqueeze(i, l) y = GatherND<batch_dims=1>(x, u)", "more than one number each"),
        ("c = Cast<to=7>(x) u = Unsqueeze(c, k) y = GatherND<batch_dims=1>(x, u)", "no float"),
    ],
)
def test_places_that_are_not_of_each_sample_are_refused(nodes: str, said: str) -> None:
    inputs = "float[N, 5, 6] x, int64[N, 2] i"
    with pytest.raises(DefinitionError, match=said):
        import_onnx(onnx_model(nodes, inputs, constants={"k": [-1], "l": [1]}))


def test_an_input_that_nothing_takes_is_one() -> None:
    model = onnx_model("y = Relu(x)", "float[N, 3] x, int64[N, 3] other")
    assert "input other: i64[3]" in define(import_onnx(model)).text


@pytest.mark.parametrize(("kind", "compared"), [("max", "Greater"), ("min", "Less")])
def test_the_larger_by_a_comparison_is_the_larger(kind: str, compared: str) -> None:
    """A constant is written for each of its uses."""
    row = np.array([[[0.5]], [[-1.0]], [[2.0]]])
    nodes = f"""h = Relu(x) c = {compared}OrEqual(h, x) m = Where(c, h, x)
        d = {compared}(m, "/a_output_0") y = Where(d, m, "/b_output_0")"""
    model = model_of(nodes, {}, **{"/a_output_0": row, "/b_output_0": row})
    assert_means(model, f"relu {kind} const {kind}")
    other = model_of(nodes, {}, **{"/a_output_0": row, "/b_output_0": -row})
    with pytest.raises(DefinitionError, match=f"{compared} d cannot be expressed"):
        import_onnx(other)


def test_a_module_that_is_called_again_has_one_parameter() -> None:
    act = onnx.helper.make_node("PRelu", ["x", "m.act.weight"], ["a"], "/m/act/PRelu")
    again = onnx.helper.make_node("PRelu", ["a", "m.act.weight"], ["b"], "/m/act_1/PRelu")
    other = onnx.helper.make_node("PRelu", ["b", "m.act.weight"], ["y"], "/m/other/PRelu")
    model = onnx_model("y = Relu(x)", weights={"m.act.weight": (1,)})
    del model.graph.node[:]
    model.graph.node.extend([act, again, other])
    defined = assert_means(model, "prelu prelu prelu")
    assert [*defined.graph.values] == ["m.act.weight", "m.other.weight"]  # stored once, if alike


def test_the_logarithm_of_a_sigmoid_is_one_layer() -> None:
    assert_means(model_of("s = Sigmoid(x) y = Log(s)", {}), "log_sigmoid")


def test_ones_and_zeros_of_the_code_are_nothing_learned() -> None:
    nodes = 'y = LayerNormalization<axis=-1>(x, "/a_output_0", "/b_output_0")'
    numbers = {"/a_output_0": np.ones(8), "/b_output_0": np.zeros(8)}
    defined = assert_means(model_of(nodes, {}, **numbers), "layernorm")
    assert "affine=false" in defined.text and not defined.graph.values


@pytest.mark.parametrize(
    ("powers", "order"), [("a = Abs(x) q = Pow(a, three)", 3), ("q = Pow(x, two)", 2)]
)
def test_roots_of_sums_of_powers_are_a_pooling(powers: str, order: int) -> None:
    sums = "p = Pad(q, border) s = Conv<group=3, strides=[2, 1], pads=[0, 1, 0, 0]>(p, ones)"
    constants: dict[str, object] = {"border": [0, 0, 1, 0, 0, 0, 0, 1], "two": 2.0, "three": 3.0}
    constants |= {"ones": np.ones((3, 1, 2, 3)), "root": 1 / order, "other": 0.4}
    model = model_of(f"{powers} {sums} y = Pow(s, root)", {}, **constants)
    defined = assert_means(model, "lppool")
    assert f"p={order}" in defined.text or order == 2
    assert "lppool" not in layers(
        define(import_onnx(model_of(f"{powers} {sums} y = Pow(s, other)", {}, **constants)))
    )


def test_odd_powers_of_what_may_be_negative_are_no_pooling() -> None:
    nodes = "q = Pow(x, three) s = Conv<group=3>(q, ones) y = Pow(s, root)"
    constants: dict[str, object] = {"ones": np.ones((3, 1, 2, 3)), "root": 1 / 3, "three": 3.0}
    assert "lppool" not in layers(define(import_onnx(model_of(nodes, {}, **constants))))


def test_softsign_is_read_where_it_is_written_out() -> None:
    model = model_of("a = Abs(x) b = Add(a, one) y = Div(x, b)", {}, one=np.array(1.0))
    assert_means(model, "softsign")


def test_gelu_by_tanh_is_read_where_it_is_written_out() -> None:
    nodes = """s = Mul(x, x) c = Mul(x, s) k = Mul(third, c) a = Add(x, k) b = Mul(root, a)
        t = Tanh(b) u = Add(one, t) p = Mul(x, u) y = Mul(half, p)"""
    numbers = {"third": 0.044715, "root": (2 / np.pi) ** 0.5, "one": 1.0, "half": 0.5}
    defined = assert_means(model_of(nodes, {}, **numbers), "gelu")
    assert "gelu(approximate=true)" in defined.text


def test_one_number_that_a_norm_learns_is_its_own() -> None:
    nodes = 'y = LayerNormalization<axis=-1>(x, "norm.weight", "norm.bias")'
    weights: Shapes = {"norm.weight": (1,), "norm.bias": (1,)}
    model = onnx_model(nodes, "float[N, 3, 1] x", weights=weights)
    assert_unchanged(model, assert_means(model, "layernorm"))


TAPS = np.ones((3, 1, 2, 2))


@pytest.mark.parametrize(
    ("pads", "counts", "wanted"),
    [
        ([0, 0, 0, 0], [[4.0]], "avgpool(2, stride=3, dilation=2)"),
        ([1, 0, 0, 0], [[4.0]], "avgpool(2, stride=3, dilation=2, pad=[(1, 0), 0])"),
        ([1, 0, 0, 0], [[2.0], [4.0], [4.0]], "count_pad=false"),
        ([0, 0, 1, 1], [[4.0, 4.0, 2.0]] * 2 + [[2.0, 2.0, 1.0]], "ceil=true"),
    ],
)
def test_sums_divided_by_what_counts_are_means(
    pads: list[int], counts: list[list[float]], wanted: str
) -> None:
    """PyTorch's own pooling knows no dilation."""
    nodes = f"""s = Conv<group=3, strides=[3, 3], dilations=[2, 2], pads={pads}>(x, "/a/Expand_1")
        y = Div(s, "/a/Conv_1")"""
    model = model_of(nodes, {}, **{"/a/Expand_1": TAPS, "/a/Conv_1": np.array([[counts]])})
    defined = assert_means(model, "avgpool")
    assert not defined.graph.values and ("ceil" in wanted) == ("ceil" in defined.text)
    assert ("count_pad=false" in wanted) == ("count_pad=false" in defined.text)


def test_sums_divided_by_something_else_stay_sums() -> None:
    nodes = """s = Conv<group=3, strides=[2, 2], dilations=[2, 2]>(x, "/a/Expand_1")
        y = Div(s, "/a/Conv_1")"""
    for taps, count in ((TAPS, 5.0), (2 * TAPS, 4.0), (TAPS[:, :, :1], 4.0)):
        model = model_of(nodes, {}, **{"/a/Expand_1": taps, "/a/Conv_1": np.array(count)})
        assert_means(model, "conv scale")


@pytest.mark.parametrize("along", [2, 3])
def test_pixels_weighted_along_an_axis_are_a_resize(along: int) -> None:
    """Eight pixels as five, each at i * 8/5: no way of `F.interpolate` to place them."""
    places = np.arange(5) * 8 / 5
    low = np.floor(places)
    shape = [1, 1, 1, 1]
    shape[along] = 5
    constants = {
        "l": low.astype(int),
        "h": np.minimum(low + 1, 7).astype(int),
        "u": (1 - places + low).reshape(shape),
        "v": (places - low).reshape(shape),
    }
    nodes = f"""a = Gather<axis={along}>(x, l) b = Mul(a, u) c = Gather<axis={along}>(x, h)
        d = Mul(c, v) y = Add(b, d)"""
    defined = assert_means(model_of(nodes, {}, **constants), "resize")
    assert 'mode="linear"' in defined.text and 'align="asymmetric"' in defined.text
    constants["v"] = constants["v"][..., ::-1, :] if along == 2 else constants["v"][..., ::-1]
    assert "resize" not in layers(define(import_onnx(model_of(nodes, {}, **constants))))


def test_what_one_transpose_moves_for_several_goes_along_the_axis() -> None:
    nodes = f"""{LAST} m = Transpose("fc1.weight") a = MatMul(h, m) b = Add(a, "fc1.bias")
        i = Transpose<perm=[0, 3, 1, 2]>(b) {NORMED} k = Transpose<perm=[0, 3, 1, 2]>(n)
        y = Add(i, k)"""
    weights = NORM | {"fc1.weight": (3, 3), "fc1.bias": (3,)}
    model = model_of(nodes, weights)
    assert_unchanged(model, assert_means(model, "dense layernorm add"))


def test_a_move_behind_a_layer_joins_the_one_before_it() -> None:
    """The exporter writes moving back, and to the next axes, as one permutation."""
    nodes = f"""{LAST} {NORMED} t = Transpose<perm=[0, 3, 2, 1]>(n)
        z = Softmax<axis=-1>(t) y = Transpose<perm=[0, 1, 3, 2]>(z)"""
    model = model_of(nodes, NORM)
    assert_unchanged(model, assert_means(model, "layernorm softmax"))


def test_factors_in_the_code_of_a_module_are_no_layer_of_its_name() -> None:
    node = onnx.helper.make_node("Mul", ["x", "/head/Constant_output_0"], ["y"], "/head/Mul")
    factors = np.array([[[0.0]], [[-0.5]], [[1.0]]])
    model = model_of("y = Relu(x)", {}, **{"/head/Constant_output_0": factors})
    model.graph.node[0].CopyFrom(node)
    assert not assert_means(model, "scale").graph.values


def test_the_response_of_one_channel_to_itself_is_an_lrn() -> None:
    nodes = """s = Mul(x, x) r = Reshape(s, wide) p = AveragePool<kernel_shape=[1, 1, 1]>(r)
        q = Reshape(p, back) a = Mul(q, alpha) k = Add(a, k0) d = Pow(k, beta) y = Div(x, d)"""
    constants = {"wide": [-1, 1, 3, 64, 1], "back": [-1, 3, 8, 8]}
    numbers = {"alpha": 0.5, "k0": 1.0, "beta": 0.25}
    defined = assert_means(model_of(nodes, {}, **constants, **numbers), "lrn")
    assert "lrn(1, alpha=0.5, beta=0.25)" in defined.text


def test_squares_that_another_layer_takes_stay_behind_a_response() -> None:
    norm = "a = Mul(s, alpha) k = Add(a, k0) d = Pow(k, beta) l = Div(x, d)"
    numbers = {"alpha": 0.5, "k0": 1.0, "beta": 0.25}
    for other, wanted in (("s", "add lrn power"), ("d", "add lrn power power scale shift")):
        model = model_of(f"s = Mul(x, x) {norm} y = Add(l, {other})", {}, **numbers)
        defined = define(import_onnx(model))
        assert sorted(layers(defined).split()) == wanted.split()
        assert_same(model, defined)


def test_a_number_that_a_module_holds_is_a_tensor_that_it_is_compared_with() -> None:
    for name in ("const1", "/Constant_output_0"):
        model = model_of(f'y = Min(x, "{name}")', {}, **{name: np.array([[0.25]])})
        model.producer_name = "pytorch"
        assert_means(model, "const min")
    assert_means(model_of("y = Min(x, k)", {}, k=np.array(0.25)), "clip")


def test_what_a_module_holds_and_does_not_learn_is_fixed() -> None:
    """`netc.from_torch` says which arrays are parameters."""
    model = model_of('y = Add(x, "a.table")', {"a.table": (1, 8, 8)})
    assert_means(model, "param add")
    model.metadata_props.add(key="netc.learned", value="a.weight")
    assert_means(model, "const add")
    model.metadata_props[0].value = "a.weight\na.table"
    assert_means(model, "param add")


def test_a_kernel_that_nobody_learns_is_a_filter_by_whatever_name() -> None:
    kernel = np.tile([[[[0.0, -1.0], [-1.0, 2.0]]]], (3, 1, 1, 1))
    model = model_of('y = Conv<group=3>(x, "sharpen.kernel")', {}, **{"sharpen.kernel": kernel})
    assert_means(model, "conv")
    model.metadata_props.add(key="netc.learned", value="")
    assert not assert_means(model, "filter").graph.values


def test_a_norm_of_one_channel_that_learns_nothing_is_shared() -> None:
    norm = 'BatchNormalization({}, "/n/o", "/n/z", "bn.running_mean", "bn.running_var")'
    nodes = f"h = {norm.format('x')} y = {norm.format('h')}"
    numbers = {"/n/o": [1.0], "/n/z": [0.0], "bn.running_mean": [0.5], "bn.running_var": [2.0]}
    model = onnx_model(nodes, "float[N, 1, 8] x", constants=numbers)
    for node, name in zip(model.graph.node, ("/bn/Norm", "/bn_1/Norm"), strict=True):
        node.name = name
    assert [*assert_means(model, "bn bn").graph.values] == ["bn.running_mean", "bn.running_var"]


@pytest.mark.parametrize(
    ("nodes", "fixed", "learned"),
    [
        (
            's = Sigmoid("a.gate") t = Mul(x, s) y = Add(t, s)',
            "param mul param add",
            "param sigmoid reshape mul add",
        ),
        (
            'o = Transpose<perm=[1, 0]>("a.gate") e = Exp(o) y = Mul(x, e)',
            "param mul",
            "param transpose exp reshape mul",
        ),
        (
            'l = LessOrEqual("a.gate", k) c = Where(l, again, "a.gate") y = Max(x, c)',
            "param max",
            "param const max reshape max",
        ),
    ],
)
def test_only_what_a_model_says_it_learns_keeps_the_layers_over_it(
    nodes: str, fixed: str, learned: str
) -> None:
    numbers = np.linspace(-1, 1, 64, dtype=np.float32).reshape(8, 8)
    given = {"k": numbers, "again": numbers} if "again" in nodes else {}
    model = model_of(nodes, {"a.gate": (8, 8)}, **given)
    assert "a.gate" not in assert_means(model, fixed).graph.values
    model.metadata_props.add(key="netc.learned", value="a.gate")
    held = assert_means(model, learned).graph.values["a.gate"]
    (gate,) = (tensor for tensor in model.graph.initializer if tensor.name == "a.gate")
    np.testing.assert_array_equal(held, onnx.numpy_helper.to_array(gate))


def test_a_weight_worked_out_of_what_is_learned_stays_a_layers_numbers() -> None:
    nodes = 's = Sigmoid("conv.mask") w = Mul("conv.weight", s) y = Conv(x, w)'
    model = model_of(nodes, {"conv.weight": (4, 3, 3, 3), "conv.mask": (4, 3, 3, 3)})
    model.metadata_props.add(key="netc.learned", value="conv.weight\nconv.mask")
    assert_means(model, "conv")


def test_what_no_layer_makes_of_a_parameter_is_fixed() -> None:
    model = model_of('s = CumSum("a.gate", axis) y = Add(x, s)', {"a.gate": (8, 8)}, axis=0)
    model.metadata_props.add(key="netc.learned", value="a.gate")
    assert_means(model, "const add")


def test_a_row_of_zeros_that_is_learned_is_no_pad() -> None:
    nodes = 'z = Shape<end=1>(x) s = Concat<axis=0>(z, r) e = Expand("a.row", s)'
    nodes += " y = Concat<axis=1>(e, x)"
    for learned, wanted in (("", "pad_channels"), ("a.row", "param concat")):
        numbers = {"a.row": np.zeros((1, 1, 8, 8), np.float32), "r": np.array([1, 8, 8])}
        model = model_of(nodes, {}, **numbers)
        model.metadata_props.add(key="netc.learned", value=learned)
        assert_means(model, wanted)
