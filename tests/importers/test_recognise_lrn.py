"""Local response normalisation comes back as what it was, however it is written in ONNX."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from compiler.ops.normalise import LocalResponseNorm
from netc.models import read_model
from tests.define import define


def imported_ops(text: str, folder: Path) -> list[LocalResponseNorm]:
    """The response normalisations of a definition that was compiled and imported again."""
    model = define(text).compile(folder / "n.onnx")
    graph = read_model(model)[1].graph
    return [node.op for node in graph.nodes() if isinstance(node.op, LocalResponseNorm)]


@pytest.mark.parametrize(
    "call",
    [
        "lrn(5)",
        "lrn(5, alpha=5e-4, beta=0.75, k=2)",
        "lrn(3, alpha=0.3, beta=0.5)",
        "lrn(1, alpha=0.7)",
        "lrn(7, alpha=1e-3, beta=1.25, k=0.5)",
    ],
)
@pytest.mark.parametrize("shape", ["[6, 4, 5]", "[6, 9]", "[2048, 2, 2]"])
def test_the_arguments_come_back(call: str, shape: str, tmp_path: Path) -> None:
    text = f"net n {{\n    input x: f32{shape}\n    {call} -> relu\n    output y\n}}\n"
    (given,) = [n.op for n in define(text).graph.nodes() if isinstance(n.op, LocalResponseNorm)]
    (found,) = imported_ops(text, tmp_path)
    assert found.size == given.size
    for name in ("alpha", "beta", "k"):
        np.testing.assert_allclose(getattr(found, name), getattr(given, name), rtol=1e-6)


def test_division_by_something_else_stays_a_division(tmp_path: Path) -> None:
    text = """net n {
    input x: f32[6, 4, 5]
    squares = mul(x, x) -> conv(6, 1x1) -> power(0.75)
    output y = div(x, squares)
}
"""
    assert imported_ops(text, tmp_path) == []
