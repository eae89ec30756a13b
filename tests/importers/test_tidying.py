"""What the tidying takes together computes what the layers apart did."""

from __future__ import annotations

import onnx
import pytest

from compiler.importers.define import define
from compiler.importers.from_onnx import import_onnx
from tests.importers.again import assert_same, layers
from tests.importers.onnx_text import onnx_model

BORDER = [0, 0, 1, 1, 0, 0, 1, 1]
APART = {
    "a pad between a batch norm and an offset": (
        "h = BatchNormalization(x, g, b, m, var) q = Pad(h, border) y = Add(q, k)",
        "bn pad shift",
    ),
    "a pad between two constants": (
        "h = Mul(x, k) q = Pad(h, border) y = Add(q, l)",
        "scale pad shift",
    ),
    "a pad between a convolution and an offset": (
        "h = Conv(x, w) q = Pad(h, border) y = Add(q, k)",
        "conv pad shift",
    ),
    "an offset beside another reader of the same layer": (
        "h = Conv(x, w) p = Add(h, k) q = Mul(p, l) z = Relu(p) y = Add(q, z)",
        "conv scale relu add",
    ),
    "offsets of a tensor that others read": (
        "h = Conv(x, w) p = Add(h, k) q = Add(p, l) z = Relu(p) y = Mul(q, z)",
        "conv shift relu mul",
    ),
    "an offset for each value behind a convolution": (
        "h = Conv(x, w) y = Add(h, each)",
        "conv param add",
    ),
}


def model_of(nodes: str, outputs: str = "y") -> onnx.ModelProto:
    weights: dict[str, tuple[int, ...]] = dict.fromkeys(("g", "b", "m", "var"), (3,))
    weights |= {
        "w": (3, 3, 1, 1),
        "k": (3, 1, 1),
        "l": (3, 1, 1),
        "each": (3, 8, 8),
        "flat": (4, 192),
        "square": (192, 192),
    }
    weights |= {"first.weight": (3, 3, 1, 1)}
    return onnx_model(nodes, weights=weights, constants={"border": BORDER}, outputs=outputs)


@pytest.mark.parametrize("case", APART)
def test_constants_join_a_layer_only_where_they_belong_to_it(case: str) -> None:
    nodes, wanted = APART[case]
    model = model_of(nodes)
    defined = define(import_onnx(model))
    assert layers(defined) == wanted
    assert_same(model, defined)


ROLES = {
    "added and subtracted": "y = Add(x, k) z = Sub(x, k)",
    "on the left and on the right of a difference": "y = Sub(k, x) z = Sub(x, k)",
    "factor and divisor": "y = Mul(x, k) z = Div(x, k)",
    "factor and offset": "y = Mul(x, k) z = Add(x, k)",
    "a product and its transposed": """f = Flatten(x)
        y = Gemm(f, square) z = Gemm<transB=1>(f, square)""",
    "two factors of a product": """f = Flatten(x)
        y = Gemm<transB=1>(f, flat) z = Gemm<transB=1, alpha=2.0>(f, flat)""",
    "a product by Gemm and by MatMul": """f = Flatten(x)
        y = Gemm<transB=1>(f, square) z = MatMul(f, square)""",
    "weights of a convolution and a difference": "h = Conv(x, w) y = Sub(h, k) z = Sub(k, h)",
}


@pytest.mark.parametrize("case", ROLES)
def test_an_initializer_in_two_roles_is_not_shared(case: str) -> None:
    model = model_of(ROLES[case], "y, z")
    defined = define(import_onnx(model))
    assert " like " not in defined.text
    assert_same(model, defined)


def test_an_initializer_twice_in_one_role_is_shared() -> None:
    model = model_of('h = Conv(x, "first.weight") r = Relu(h) y = Conv(r, "first.weight")')
    defined = define(import_onnx(model))
    assert defined.text.count(" like ") == 1
    assert_same(model, defined)


ALONG = [
    f"y = Reduce{kind}<axes=[{axis}], keepdims={keep}>(x)"
    for kind in ("Max", "Min", "Mean", "Sum")
    for axis in (1, 2, 3)
    for keep in (0, 1)
]


@pytest.mark.parametrize("nodes", ALONG)
def test_a_reduction_goes_along_any_axis(nodes: str) -> None:
    model = onnx_model(nodes, "float[N, 4, 6, 5] x", opset=11)
    assert_same(model, define(import_onnx(model)))
