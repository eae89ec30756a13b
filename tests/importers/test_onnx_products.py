"""Products along axes that the batch shares, Einsum, and repeated tensors."""

from __future__ import annotations

import onnx
import pytest

from compiler.importers.define import define
from compiler.importers.from_onnx import import_onnx
from grammar.diagnostics import DefinitionError
from tests.importers.again import assert_means, assert_same
from tests.importers.onnx_text import onnx_model

# Keras' Dense on tokens and maps: all rows of all samples at once (Tensordot).
ROWS = {
    "MatMul": ("r = Reshape(x, rows) p = MatMul(r, w) y = Reshape(p, whole)", "dense"),
    "MatMul and Add": (
        "r = Reshape(x, rows) p = MatMul(r, w) q = Add(p, b) y = Reshape(q, whole)",
        "dense",
    ),
    "Gemm": ("r = Reshape(x, rows) p = Gemm(r, w, b) y = Reshape(p, whole)", "dense"),
    "Gemm, transposed": (
        "r = Reshape(x, rows) p = Gemm<transB=1, alpha=0.5>(r, t, b) y = Reshape(p, whole)",
        "dense",
    ),
    "an activation between": (
        "r = Reshape(x, rows) p = MatMul(r, w) q = Relu(p) y = Reshape(q, whole)",
        "dense relu",
    ),
    "a softmax of each row": (
        "r = Reshape(x, rows) p = Softmax<axis=1>(r) y = Reshape(p, same)",
        "softmax",
    ),
    "the shape worked out by a product": (
        """s = Shape(x) h = Slice(s, zero, two) k = ReduceProd<axes=[0]>(h)
        l = Concat<axis=0>(k, three) r = Reshape(x, l) p = MatMul(r, w) y = Reshape(p, whole)""",
        "dense",
    ),
}


@pytest.mark.parametrize("nodes, wanted", ROWS.values(), ids=ROWS.keys())
def test_rows_of_all_samples_are_rows_of_each(nodes: str, wanted: str) -> None:
    model = onnx_model(
        nodes,
        "float[N, 5, 3] x",
        weights={"w": (3, 4), "t": (4, 3), "b": (4,)},
        constants={
            "rows": [-1, 3],
            "whole": [-1, 5, 4],
            "same": [-1, 5, 3],
            "zero": [0],
            "two": [2],
            "three": [3],
        },
    )
    assert_means(model, wanted)


def test_products_of_heads_that_share_the_batch_axis_are_products_of_each_sample() -> None:
    """torch.bmm on [N * heads, T, d]."""
    nodes = """h = Reshape(x, apart) t = Transpose<perm=[0, 2, 1, 3]>(h) q = Reshape(t, heads)
        k = Transpose<perm=[0, 2, 1]>(q) s = MatMul(q, k) a = Softmax<axis=-1>(s) o = MatMul(a, q)
        z = Reshape(o, four) u = Transpose<perm=[0, 2, 1, 3]>(z) y = Reshape(u, whole)"""
    constants = {
        "apart": [0, 5, 2, 3],
        "heads": [-1, 5, 3],
        "four": [-1, 2, 5, 3],
        "whole": [-1, 5, 6],
    }
    model = onnx_model(nodes, "float[N, 5, 6] x", constants=constants)
    assert_same(model, define(import_onnx(model, "t.onnx")))


@pytest.mark.parametrize(
    "node", ["p = Softmax<axis=0>(r)", "p = ReduceMean<axes=[0]>(r)", "p = Add(r, each)"]
)
def test_what_mixes_the_rows_of_samples_is_refused(node: str) -> None:
    model = onnx_model(
        f"r = Reshape(x, rows) {node} y = Reshape(p, whole)",
        "float[2, 5, 3] x",
        weights={"each": (10, 3)},
        constants={"rows": [-1, 3], "whole": [-1, 5, 3]},
    )
    with pytest.raises(DefinitionError, match="batch"):
        import_onnx(model)


EINSUMS = {
    "a matrix along the last axis": ("nctv,vw->nctw", "x, v", "dense"),
    "a matrix along the channels": ("nctv,cd->ndtv", "x, c", "conv"),
    "a matrix on its left": ("cd,nctv->ndtv", "c, x", "conv"),
    "two axes at once": ("nctv,tvw->ncw", "x, tv", "reshape dense"),
    "a matrix for each channel": ("nctv,cvw->nctw", "x, cv", "param matmul"),
    "attention": ("nctv,ncsv->ncts", "x, x", "transpose matmul"),
    "a product and a sum": ("nctv,nctv->nct", "x, x", "reshape reshape matmul reshape"),
    "a matrix that is summed": ("nctv,wu->nctv", "x, v", ""),
    "an outer product": ("nctv,nsuw->nctsu", "x, x", ""),
    "axes moved": ("nctv->nvct", "x", "transpose"),
    "axes summed": ("nctv->nv", "x", "reduce_sum"),
    "no arrow": ("nctv,vw", "x, v", ""),
}


@pytest.mark.parametrize("equation, inputs, wanted", EINSUMS.values(), ids=EINSUMS.keys())
def test_einsum_is_products_transposes_and_sums(equation: str, inputs: str, wanted: str) -> None:
    nodes = f'r = Relu(x) y = Einsum<equation="{equation}">({inputs.replace("x", "r")})'
    model = onnx_model(
        nodes,
        "float[N, 4, 5, 3] x",
        weights={"v": (3, 2), "c": (4, 6), "tv": (5, 3, 2), "cv": (4, 3, 2)},
    )
    if equation == "nctv,vw":  # c n t w, in the order of the letters
        with pytest.raises(DefinitionError, match="moves the batch"):
            import_onnx(model)
    elif wanted:
        assert_means(model, f"relu {wanted}")
    else:
        assert_same(model, define(import_onnx(model, "t.onnx")))


@pytest.mark.parametrize(
    "equation, inputs, reason",
    [
        ("nctv,nvw->nctw", "x, each", "a matrix for each sample"),
        ("nctv->ctv", "x", "moves the batch"),
        ("nctt->nct", "x", "takes a diagonal"),
        ("...v,vw->...w", "x, v", "an ellipsis"),
        ("nctv,vw->nctw", "x, c", "the axes v have 3 and 4 values"),
        ("nct,vw->nctw", "x, v", "3 axes for one of 4"),
        ("nctv,vw,wu->nctu", "x, v, w", "it multiplies 3 tensors"),
    ],
)
def test_an_einsum_that_is_no_product_is_refused(equation: str, inputs: str, reason: str) -> None:
    weights = {"each": (2, 3, 2), "v": (3, 2), "c": (4, 6), "w": (2, 2)}
    nodes = f'y = Einsum<equation="{equation}">({inputs})'
    with pytest.raises(DefinitionError, match=reason):
        import_onnx(onnx_model(nodes, "float[N, 4, 5, 3] x", weights=weights))


TILES = {
    "channels": ([1, 2, 1, 1], "relu concat"),
    "rows and columns": ([1, 1, 2, 3], "relu concat concat"),
    "nothing": ([1, 1, 1, 1], "relu"),
}


@pytest.mark.parametrize("counts, wanted", TILES.values(), ids=TILES.keys())
def test_a_repeated_tensor_is_a_concat_of_itself(counts: list[int], wanted: str) -> None:
    model = onnx_model("r = Relu(x) y = Tile(r, k)", constants={"k": counts})
    assert_means(model, wanted)


def test_a_gate_repeated_to_the_size_of_a_map_is_a_gate() -> None:
    nodes = "g = GlobalAveragePool(x) t = Tile(g, k) y = Mul(x, t)"
    assert_means(onnx_model(nodes, constants={"k": [1, 1, 8, 8]}), "gap mul")


@pytest.mark.parametrize("counts", [[2, 1, 1, 1], [1, 1, 1], [1, 1, 0, 1], [1, 1, 99, 1]])
def test_a_tile_that_repeats_samples_or_too_much_is_refused(counts: list[int]) -> None:
    with pytest.raises(DefinitionError, match="it repeats"):
        import_onnx(onnx_model("y = Tile(x, k)", constants={"k": counts}))


def test_what_follows_a_constant_that_is_refused_is_not_told_of() -> None:
    """It would be worked out as well, were the first known."""
    nodes = """a = Tile(k, s) b = Tile(a, s) n = NonZero(b) o = Concat<axis=0>(n, n)
        c = Relu(o) y = Add(x, c)"""
    constants = {"k": [1.0] * 1024, "s": [2**20]}
    with pytest.raises(DefinitionError) as caught:
        import_onnx(onnx_model(nodes, constants=constants))
    assert [d.message for d in caught.value.diagnostics] == [
        "Tile a cannot be expressed: it makes a constant of 1,073,741,824 numbers"
    ]


def test_log_of_a_sum_of_exponentials_overflows_nowhere() -> None:
    nodes = "h = Mul(x, k) y = ReduceLogSumExp<axes=[1], keepdims=0>(h)"
    model = onnx_model(nodes, "float[N, 5, 3] x", constants={"k": 200.0})
    assert_same(model, define(import_onnx(model, "t.onnx")))


@pytest.mark.parametrize("places", [[0, 1, 2, 7, 5], [3, 2, 1, 6], [4, 4], [0, 0, 1]])
def test_values_at_any_places_are_joined_slices(places: list[int]) -> None:
    model = onnx_model("r = Relu(x) y = Gather<axis=3>(r, k)", constants={"k": places})
    defined = define(import_onnx(model, "t.onnx"))
    assert_same(model, defined)
    assert defined.text.count("concat") == 1


@pytest.mark.parametrize("places", [[0, 2, 1] * 20, [[0, -2, 1], [5, 3, 1]], [[3]]])
def test_values_at_other_places_are_taken(places: object) -> None:
    for axis, shape in ((1, "N, 64"), (2, "N, 3, 8, 4")):
        nodes = f"y = Gather<axis={axis}>(x, k)"
        assert_means(onnx_model(nodes, f"float[{shape}] x", constants={"k": places}), "const take")


def test_values_at_more_places_than_a_definition_spells_out_are_refused() -> None:
    constants = {"k": [0, 2, 1] * 2000}
    model = onnx_model("y = Gather<axis=1>(x, k)", "float[N, 64] x", constants=constants)
    with pytest.raises(DefinitionError, match="6,000 places, more than 4,096"):
        import_onnx(model)


ONE_NUMBER = {
    "squeezed": "g = Gather<axis=1>(x, first) y = Squeeze(g, axis)",
    "picked": "y = Gather<axis=1>(x, one)",
    "a product": "y = MatMul(x, w)",
    "reshaped": "g = Gather<axis=1>(x, first) y = Reshape(g, row)",
    "Einsum": 'y = Einsum<equation="ni,ni->n">(x, x)',
    "picked and put back": "p = Gather<axis=1>(x, one) y = Unsqueeze(p, axis)",
    "a product and put back": "p = MatMul(x, w) q = Relu(p) y = Unsqueeze(q, axis)",
    "two put side by side": """p = Gather<axis=1>(x, one) q = MatMul(x, w)
        a = Unsqueeze(p, axis) b = Unsqueeze(q, axis) y = Concat<axis=1>(a, b)""",
}


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("nodes", ONE_NUMBER.values(), ids=ONE_NUMBER.keys())
def test_one_number_a_sample_has_no_axis(nodes: str, declared: bool) -> None:
    """[N], whatever the model declares of its output."""
    model = onnx_model(
        nodes,
        "float[N, 3] x",
        weights={"w": (3,)},
        constants={"first": [0], "one": 1, "axis": [1], "row": [-1]},
    )
    if declared:
        output = onnx.shape_inference.infer_shapes(model).graph.output[0]
        model.graph.output[0].CopyFrom(output)
    assert_same(model, define(import_onnx(model, "t.onnx")))


def test_a_product_of_constants_known_by_a_shape_has_its_bias() -> None:
    """ConViT's positions: constants only once the sizes of the running model are worked out."""
    nodes = """s = Shape(x) h = Slice(s, one, three) k = ConstantOfShape<value=float[1] {0.5}>(h)
        p = MatMul(k, w) q = Add(p, b) y = Add(x, q)"""
    model = onnx_model(
        nodes,
        "float[N, 5, 3] x",
        weights={"w": (3, 3), "b": (3,)},
        constants={"one": [1], "three": [3]},
    )
    assert_same(model, define(import_onnx(model, "t.onnx")))
