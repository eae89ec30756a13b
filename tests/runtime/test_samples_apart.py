"""Operators that may mix the samples of a batch are known from those that cannot."""

from __future__ import annotations

import numpy as np
import pytest

from runtime.verify.samples_apart import keeps_samples_apart
from tests.importers.onnx_text import onnx_model

WEIGHTS = {"w": (4, 4, 3, 3), "dense.weight": (4, 2)}
CONSTANTS = {"bias": np.ones((4, 1, 1), np.float32), "high": np.ones((1, 1, 4, 8, 8), np.float32)}


def apart(nodes: str) -> bool:
    return keeps_samples_apart(
        onnx_model(nodes, "float[N, 4, 8, 8] x", weights=WEIGHTS, constants=CONSTANTS)
    )


@pytest.mark.parametrize(
    "nodes",
    [
        """a = Conv<pads=[1, 1, 1, 1]>(x, w) b = Add(a, x) c = Mul(b, bias) d = Concat<axis=1>(c, b)
        y = Relu(d)""",
        'a = GlobalAveragePool(x) f = Flatten<axis=1>(a) y = Gemm(f, "dense.weight")',
    ],
)
def test_layers_of_each_sample_by_itself(nodes: str) -> None:
    assert apart(nodes)


@pytest.mark.parametrize(
    "nodes",
    [
        "y = Concat<axis=0>(x, x)",
        "a = GlobalAveragePool(x) f = Flatten<axis=1>(a) y = Add(x, f)",
        "y = Add(x, high)",
        "y = ReduceMean(x)",
        "y = Reshape(x, shape) ",
        "y = MatMul(x, x)",
        "y = Softmax<axis=0>(x)",
        'f = Flatten<axis=0>(x) y = Gemm<transA=1>(f, "dense.weight")',
        "y = Conv(w, x)",
    ],
)
def test_what_may_mix_them(nodes: str) -> None:
    assert not apart(nodes)
