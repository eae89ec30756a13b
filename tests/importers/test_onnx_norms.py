"""Normalisations as frameworks write them out are the layer that they are."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from compiler.importers.define import define
from compiler.importers.from_onnx import import_onnx
from grammar.diagnostics import DefinitionError
from tests.importers.again import assert_means, assert_same, layers
from tests.importers.onnx_text import onnx_model

# As tf2onnx writes Keras' moments, `inv = rsqrt(variance + eps) * gamma` and `x * inv - mean * inv
# + beta`, with {axes} and the axis of the channels split where they are grouped.
MOMENTS = """m = ReduceMean<axes=[{axes}]>({x}) d = Sub({x}, m) q = Mul(d, d)
    v = ReduceMean<axes=[{axes}]>(q) e = Add(v, eps) s = Sqrt(e) i = Reciprocal(s)"""
KERAS = {
    "all": "f = Mul(i, gamma) p = Mul({x}, f) n = Neg(m) r = Mul(n, f) o = Add(r, beta)"
    " {y} = Add(p, o)",
    "folded": "f = Mul(i, gamma) p = Mul({x}, f) r = Mul(m, f) o = Sub(beta, r) {y} = Add(p, o)",
    "no scale": "p = Mul({x}, i) n = Neg(m) r = Mul(n, i) o = Add(r, beta) {y} = Add(p, o)",
    "no offset": "f = Mul(i, gamma) p = Mul({x}, f) n = Neg(m) r = Mul(n, f) {y} = Add(p, r)",
    "neither": "p = Mul({x}, i) r = Mul(m, i) {y} = Sub(p, r)",
}


def keras(form: str, axes: str, x: str = "x", y: str = "y") -> str:
    """A normalisation over axes as Keras computes it."""
    return f"{MOMENTS} {KERAS[form]}".format(axes=axes, x=x, y=y)


def model_of(
    nodes: str, inputs: str, learned: tuple[int, ...], **constants: object
) -> onnx.ModelProto:
    return onnx_model(
        nodes,
        inputs,
        weights={"gamma": learned, "beta": learned},
        constants={"eps": 1e-3, **constants},
        opset=15,
    )


@pytest.mark.parametrize("form", KERAS)
@pytest.mark.parametrize("groups", [2, 1, 6])
def test_group_norm_of_keras_is_group_norm(form: str, groups: int) -> None:
    """Channels last, split in two axes; a group for each channel is an instance norm."""
    split = [-1, 5, 4, groups, 6 // groups]
    nodes = "a = Reshape(x, apart) " + keras(form, "1, 2, 4", "a", "b") + " y = Reshape(b, whole)"
    model = model_of(
        nodes,
        "float[N, 5, 4, 6] x",
        (1, 1, 1, *split[3:]),
        apart=split,
        whole=[-1, 5, 4, 6],
    )
    norm = "instancenorm" if groups == 6 else "groupnorm"
    defined = assert_means(model, f"transpose {norm} transpose")
    assert ("affine=false" in defined.text) == (form == "neither" and groups != 6)
    assert norm == "instancenorm" or f"groupnorm({groups}, eps=0.001" in defined.text


def test_group_norm_of_keras_takes_open_sizes() -> None:
    nodes = f"""t = Transpose<perm=[0, 2, 3, 1]>(x) z = Shape(t) g = Slice(z, one, three, zero)
        c = Concat<axis=0>(minus, g, two, three) a = Reshape(t, c)
        {keras("all", "1, 2, 4", "a", "b")} k = Reshape(b, z) y = Transpose<perm=[0, 3, 1, 2]>(k)"""
    model = model_of(
        nodes,
        "float[N, 6, H, W] x",
        (1, 1, 1, 2, 3),
        one=[1],
        zero=[0],
        two=[2],
        three=[3],
        minus=[-1],
    )
    assert_means(model, "groupnorm")


def test_group_norm_of_keras_with_channels_first_is_group_norm() -> None:
    """tf2onnx takes the mean over the last axes for a global pooling."""
    body = keras("all", "9", "a", "b").replace("ReduceMean<axes=[9]>", "GlobalAveragePool")
    nodes = f"a = Reshape(x, apart) {body} y = Reshape(b, whole)"
    model = model_of(
        nodes, "float[N, 6, 5, 4] x", (1, 2, 3, 1, 1), apart=[-1, 2, 3, 5, 4], whole=[-1, 6, 5, 4]
    )
    assert "groupnorm(2, eps=0.001)" in assert_means(model, "groupnorm").text


@pytest.mark.parametrize("form", KERAS)
def test_layer_norm_of_keras_is_layer_norm(form: str) -> None:
    model = model_of(keras(form, "-1"), "float[N, 7, 6] x", (1, 1, 6))
    wanted = "layernorm const add" if form == "no scale" else "layernorm"
    assert "axis=1" in assert_means(model, wanted).text


def test_layer_norm_over_the_channels_of_keras_is_layer_norm() -> None:
    """tf2onnx brings the mean to its own shape once more where it squares the difference."""
    nodes = keras("all", "1").replace("d = Sub(x, m)", "u = Reshape(m, kept) d = Sub(x, u)")
    model = model_of(nodes, "float[N, 6, 5, 4] x", (1, 6, 1, 1), kept=[-1, 1, 5, 4])
    assert "layernorm(eps=0.001, axis=0)" in assert_means(model, "layernorm").text


WRITTEN_OUT = {
    "instance norm": ("2, 3", (6, 1, 1), "instancenorm"),
    "factor for each channel of a norm over rows": (
        "3",
        (6, 1, 1),
        "layernorm const mul const add",
    ),
    "factor along an axis that is not normalised": ("3", (5, 1), "layernorm const mul const add"),
    "every value of a sample": ("1, 2, 3", (6, 5, 4), "layernorm"),
    "one number for all": ("1, 2, 3", (1, 1, 1), "layernorm scale shift"),
}


@pytest.mark.parametrize("axes, learned, wanted", WRITTEN_OUT.values(), ids=WRITTEN_OUT.keys())
def test_norms_that_pytorch_users_write_out(
    axes: str, learned: tuple[int, ...], wanted: str
) -> None:
    nodes = f"""m = ReduceMean<axes=[{axes}]>(x) d = Sub(x, m) q = Mul(d, d)
        v = ReduceMean<axes=[{axes}]>(q) e = Add(v, eps) s = Sqrt(e) n = Div(d, s)
        f = Mul(n, gamma) y = Add(f, beta)"""
    model = model_of(nodes, "float[N, 6, 5, 4] x", learned)
    assert_means(model, wanted)


@pytest.mark.parametrize("axes, norm", [("1, 2, 3", "groupnorm"), ("2", "reduce_mean sub power")])
def test_norms_over_open_sizes_are_said_otherwise(axes: str, norm: str) -> None:
    nodes = f"""m = ReduceMean<axes=[{axes}]>(x) d = Sub(x, m) q = Mul(d, d)
        v = ReduceMean<axes=[{axes}]>(q) e = Add(v, eps) s = Sqrt(e) n = Div(d, s)
        f = Mul(n, gamma) y = Add(f, beta)"""
    model = model_of(nodes, "float[N, 6, H, W] x", (1,))
    defined = define(import_onnx(model, "t.onnx"))
    assert layers(defined).startswith(norm)
    assert_same(model, defined)


@pytest.mark.parametrize("computed", ["eps", "gamma"])
def test_norms_by_computed_numbers_are_no_layers_of_numbers(computed: str) -> None:
    """A style for each sample, and what is added to the variance, may come from the network."""
    nodes = f"""m = ReduceMean<axes=[2, 3]>(x) d = Sub(x, m) q = Mul(d, d)
        v = ReduceMean<axes=[2, 3]>(q) e = Add(v, {"z" if computed == "eps" else "eps"})
        z = Sigmoid(m) s = Sqrt(e) n = Div(d, s)
        f = Mul(n, {"z" if computed == "gamma" else "gamma"}) y = Add(f, beta)"""
    model = model_of(nodes, "float[N, 6, 5, 4] x", (6, 1, 1))
    assert_same(model, define(import_onnx(model, "t.onnx")))


INSTANCES = "a = Reshape(x, apart) i = InstanceNormalization<epsilon=1e-3>(a, g, b) "
GROUPED = {
    "bare": ("y = Reshape(i, whole)", "groupnorm", (2,)),
    "with a factor and offset": (
        "r = Reshape(i, whole) f = Mul(r, gamma) y = Add(f, beta)",
        "groupnorm",
        (2,),
    ),
    "with a factor": ("r = Reshape(i, whole) y = Mul(r, gamma)", "groupnorm", (2,)),
    "to another shape": ("y = Reshape(i, other)", "reshape instancenorm reshape", (2,)),
    "read in between": (
        "r = Reshape(i, whole) q = Relu(i) z = Reshape(q, whole) y = Add(r, z)",
        "reshape instancenorm relu reshape reshape add",
        (2,),
    ),
}


@pytest.mark.parametrize("learned", [False, True], ids=["plain", "numbers for each group"])
@pytest.mark.parametrize("nodes, wanted, groups", GROUPED.values(), ids=GROUPED.keys())
def test_instances_of_groups_are_group_norm(
    nodes: str, wanted: str, groups: tuple[int, ...], learned: bool
) -> None:
    model = model_of(
        INSTANCES + nodes,
        "float[N, 4, 6, 5] x",
        (4, 1, 1),
        apart=[0, 2, -1],
        whole=[-1, 4, 6, 5],
        other=[-1, 6, 4, 5],
        g=np.array([1.5, 0.5] if learned else [1.0, 1.0]),
        b=np.array([0.25, -1.0] if learned else [0.0, 0.0]),
    )
    defined = assert_means(model, wanted)
    if wanted == "groupnorm":
        assert "groupnorm(2, eps=0.001" in defined.text
        assert ("affine=false" in defined.text) == (nodes.startswith("y") and not learned)


@pytest.mark.parametrize("opset", [18, 21])
def test_group_normalization_is_group_norm(opset: int) -> None:
    """Opset 18 has a factor and offset for each group, opset 21 for each channel."""
    count = 2 if opset == 18 else 4
    model = onnx_model(
        "y = GroupNormalization<num_groups=2, epsilon=1e-3>(x, g, b)",
        "float[N, 4, 6, 5] x",
        weights={"g": (count,), "b": (count,)},
        opset=opset,
    )
    defined = assert_means(model, "groupnorm")
    assert [value.shape for value in defined.graph.values.values()] == [(4,), (4,)]


def test_batch_norm_without_numbers_takes_those_behind_it() -> None:
    """Its own are ones and zeros without a name; a factor and offset of each channel follow."""
    nodes = "n = BatchNormalization(x, one, zero, m, var) f = Mul(n, k) y = Add(f, l)"
    model = onnx_model(
        nodes,
        "float[N, 4, 6, 5] x",
        weights={"m": (4,), "var": (4,), "k": (4, 1, 1), "l": (4, 1, 1)},
        constants={"one": np.ones(4), "zero": np.zeros(4)},
    )
    assert "affine" not in assert_means(model, "bn").text


def test_group_norm_of_pytorch_takes_open_sizes() -> None:
    """[0, 2, -1] keeps each sample by itself, and the result has the shape of what came in."""
    nodes = INSTANCES + "s = Shape(x) r = Reshape(i, s) f = Mul(r, gamma) y = Add(f, beta)"
    ones = {"apart": [0, 2, -1], "g": np.ones(2), "b": np.zeros(2)}
    model = model_of(nodes, "float[N, 4, H, W] x", (4, 1, 1), **ones)
    assert "groupnorm(2, eps=0.001)" in assert_means(model, "groupnorm").text


SHARED = """s = Shape(x) r = Reshape(i, s) f = Mul(r, gamma) h = Add(f, beta) k = Relu(h)
    a2 = Reshape(k, apart) i2 = InstanceNormalization<epsilon=1e-3>(a2, g, b) s2 = Shape(k)
    r2 = Reshape(i2, s2) f2 = Mul(r2, gamma) y = Add(f2, beta)"""


@pytest.mark.parametrize("shape, learned", [("4", (4,)), ("4, H", (4, 1)), ("4, 3, H", (4, 1, 1))])
def test_group_norm_of_pytorch_that_is_called_again_is_one(
    shape: str, learned: tuple[int, ...]
) -> None:
    ones = {"apart": [0, 2, -1], "g": np.ones(2), "b": np.zeros(2)}
    defined = assert_means(
        model_of(INSTANCES + SHARED, f"float[N, {shape}] x", learned, **ones),
        "groupnorm relu groupnorm",
    )
    assert [weight.shape for weight in defined.graph.parameters().values()] == [(4,), (4,)]


def test_factors_of_another_axis_are_not_those_of_the_groups() -> None:
    nodes = INSTANCES + "s = Shape(x) r = Reshape(i, s) f = Mul(r, gamma) y = Add(f, beta)"
    ones = {"apart": [0, 2, -1], "g": np.ones(2), "b": np.zeros(2)}
    model = model_of(nodes, "float[N, 4, 4] x", (4,), **ones)
    assert "affine=false" in assert_means(model, "groupnorm param mul param add").text


@pytest.mark.parametrize(
    "operator",
    ["BatchNormalization(x, g, b, b, g)", "InstanceNormalization(x, g, b)", "LRN<size=3>(x)"],
)
def test_channels_are_those_of_samples(operator: str) -> None:
    model = onnx_model(f"y = {operator}", "float[4, 4, 6] x", weights={"g": (4,), "b": (4,)})
    import_onnx(model, "t.onnx")
    with pytest.raises(DefinitionError, match="its input is no batch of samples"):
        import_onnx(model, "t.onnx", batch=False)


CONSTANTS = {
    "a mean and a deviation": (
        "c = Sub(x, mean) y = Div(c, std)",
        "normalize([0.4, 0.5, 0.6], [0.25, 0.5, 0.125])",
    ),
    "a factor": ("y = Mul(x, mean)", "scale([0.4, 0.5, 0.6])"),
    "an offset": ("y = Add(x, mean)", "shift([0.4, 0.5, 0.6])"),
    "an offset behind a negative factor": (
        "n = Neg(std) f = Mul(x, n) y = Add(f, mean)",
        "scale([-0.25, -0.5, -0.125]) -> shift([0.4, 0.5, 0.6])",
    ),
}


@pytest.mark.parametrize("nodes, text", CONSTANTS.values(), ids=CONSTANTS.keys())
def test_few_constants_of_no_layer_stand_in_the_text(nodes: str, text: str) -> None:
    constants = {"mean": [[[0.4]], [[0.5]], [[0.6]]], "std": [[[0.25]], [[0.5]], [[0.125]]]}
    model = onnx_model(nodes, constants=constants)
    defined = define(import_onnx(model, "t.onnx"))
    assert text in defined.text
    assert_same(model, defined)


@pytest.mark.parametrize("named", [True, False])
def test_constants_of_a_vector_are_tensors_joined(named: bool) -> None:
    """A decoder's 4,200 anchors, and the factors that PyTorch calls by the operator's name."""
    model = onnx_model(
        "p = Mul(x, k) y = Add(p, l)", "float[N, 9] x", weights={"k": (9,), "l": (9,)}
    )
    if named:
        model.graph.node[0].name, model.graph.node[1].name = "/Mul", "/scores/Add"
    defined = assert_means(model, "param mul param add" if named else "const mul const add")
    assert "groups" not in defined.text


@pytest.mark.parametrize("count", [144, 4])
def test_constants_behind_a_map_made_a_vector_leave_it_one(count: int) -> None:
    shape = "float[N, 3, 8, 6] x" if count == 144 else "float[N, 1, 2, 2] x"
    model = onnx_model(
        "f = Flatten(x) p = Mul(f, k) y = Add(p, l)",
        shape,
        weights={"k": (1, count), "l": (count,)},
    )
    defined = define(import_onnx(model, "t.onnx"))
    assert layers(defined) == (
        "flatten const mul const add" if count == 144 else "flatten scale shift"
    )
    assert_same(model, defined)


def test_constants_of_a_map_between_two_vectors_stay_those_of_its_rows() -> None:
    nodes = "r = Reshape(x, rows) a = Add(r, k) y = Reshape(a, whole)"
    constants = {"rows": [0, 3, 6], "whole": [-1, 18]}
    model = onnx_model(nodes, "float[N, 18] x", weights={"k": (3, 1)}, constants=constants)
    assert_means(model, "reshape shift flatten")
