"""Adaptive pooling written out by the places of every window is adaptive pooling."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from compiler.importers.define import define
from compiler.importers.from_onnx import import_onnx
from grammar.diagnostics import DefinitionError
from tests.importers.again import assert_means, assert_same
from tests.importers.onnx_text import onnx_model

PICKED = """b = Transpose<perm=[2, 3, 0, 1]>(x) g = GatherND(b, places)
    i = Transpose<perm=[4, 5, 0, 1, 2, 3]>(g) """


def windows(size: int, parts: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """The pixels of near-equal parts, [parts, the widest], and which of them are none."""
    found = [range(i * size // parts, -(-(i + 1) * size // parts)) for i in range(parts)]
    widest = max(map(len, found))
    places = np.array([[min(part[0] + k, size - 1) for k in range(widest)] for part in found])
    lacking = np.array([[k >= len(part) for k in range(widest)] for part in found])
    return places, lacking


def grid(rows: NDArray[Any], columns: NDArray[Any]) -> NDArray[Any]:
    """[rows, in a window, columns, in a window, 2], as GatherND takes places."""
    both = np.broadcast_arrays(rows[:, :, None, None], columns[None, None])
    return np.stack(both, axis=-1)


def unequal(height: tuple[int, int], width: tuple[int, int]) -> tuple[str, dict[str, NDArray[Any]]]:
    """What PyTorch writes where windows differ in size, and its constants."""
    (rows, no_rows), (columns, no_columns) = windows(*height), windows(*width)
    nodes = PICKED + "m = Where(no_rows, zero, i) n = Where(no_columns, zero, m) "
    total = ""
    for row in range(rows.shape[1]):
        nodes += f"r{row} = Gather<axis=3>(n, k{row}) "
        for column in range(columns.shape[1]):
            nodes += f"c{row}{column} = Gather<axis=4>(r{row}, k{column}) "
            if total:
                nodes += f"s{row}{column} = Add({total}, c{row}{column}) "
            total = f"{'s' if total else 'c'}{row}{column}"
    count = (~no_rows).sum(1)[:, None] * (~no_columns).sum(1)[None]
    constants: dict[str, Any] = {
        "places": grid(rows, columns),
        "no_rows": no_rows[:, :, None, None],
        "no_columns": no_columns,
        "zero": 0.0,
        "count": count.astype(np.float64),
    }
    constants |= {f"k{k}": k for k in range(max(rows.shape[1], columns.shape[1]))}
    arrays = {name: np.asarray(value) for name, value in constants.items()}
    return f"{nodes} y = Div({total}, count)", arrays


@pytest.mark.parametrize("size, parts", [(3, 6), (2, 6), (6, 3)])
def test_windows_of_one_size_are_adaptive_pooling(size: int, parts: int) -> None:
    rows, _ = windows(size, parts)
    columns, _ = windows(8, 4)
    model = onnx_model(
        PICKED + "y = ReduceMean<axes=[-3, -1], keepdims=0>(i)",
        f"float[N, 3, {size}, 8] x",
        constants={"places": grid(rows, columns)},
    )
    defined = assert_means(model, "adaptive_avgpool")
    assert f"adaptive_avgpool({parts}x4)" in defined.text


@pytest.mark.parametrize("height, width", [((4, 7), (4, 7)), ((8, 3), (7, 5))])
def test_windows_of_unequal_sizes_are_adaptive_pooling(
    height: tuple[int, int], width: tuple[int, int]
) -> None:
    nodes, constants = unequal(height, width)
    masks = {name: value for name, value in constants.items() if value.dtype == bool}
    numbers = {name: value for name, value in constants.items() if name not in masks}
    model = onnx_model(nodes, f"float[N, 3, {height[0]}, {width[0]}] x", constants=numbers)
    model.graph.initializer.extend(numpy_helper.from_array(v, name) for name, v in masks.items())
    defined = define(import_onnx(model, "t.onnx"))
    assert f"adaptive_avgpool({height[1]}x{width[1]})" in defined.text
    assert_same(model, defined)


@pytest.mark.parametrize(
    "parts, layers",
    [
        ([(6, 3), (8, 8), (3, 3), (8, 4)], "adaptive_avgpool"),
        ([(6, 3), (8, 4), (3, 2), (4, 4)], "adaptive_avgpool adaptive_avgpool"),
        ([(6, 1), (8, 1), (1, 2), (1, 3)], "adaptive_avgpool adaptive_avgpool"),
        ([(6, 1), (8, 8), (1, 1), (8, 1)], "gap"),
    ],
)
def test_two_that_pool_different_axes_are_one(parts: list[tuple[int, int]], layers: str) -> None:
    """Near-equal parts of near-equal parts are others than those of the whole."""
    grids = [grid(windows(*a)[0], windows(*b)[0]) for a, b in (parts[:2], parts[2:])]
    nodes = PICKED + "m = ReduceMean<axes=[-3, -1], keepdims=0>(i)"
    again = PICKED.replace("(x)", "(m)").replace("places", "more")
    for name in "bgi":
        again = again.replace(f"{name} =", f"{name}{name} =").replace(f"({name}", f"({name}{name}")
    model = onnx_model(
        f"{nodes} {again} y = ReduceMean<axes=[-3, -1], keepdims=0>(ii)",
        "float[N, 3, 6, 8] x",
        constants={"places": grids[0], "more": grids[1]},
    )
    assert_means(model, layers)


def test_other_windows_are_no_adaptive_pooling() -> None:
    model = onnx_model(
        PICKED + "y = ReduceMean<axes=[-3, -1], keepdims=0>(i)",
        "float[N, 3, 4, 4] x",
        constants={"places": grid(np.array([[0], [2], [1]]), np.array([[0], [1]]))},
    )
    with pytest.raises(DefinitionError, match="no such operator"):
        import_onnx(model)


def test_poolings_that_no_window_says_are_operators_of_ours() -> None:
    """`netc.from_torch` has PyTorch export them so: ONNX has none."""
    nodes = "a = netc.AdaptiveMaxPool<size=[3, 5]>(x) y = netc.AdaptiveAveragePool<size=[2, 2]>(a)"
    model = onnx_model(nodes)
    model.opset_import.add(domain="netc", version=1)
    text = define(import_onnx(model)).text
    assert "adaptive_maxpool(3x5)" in text and "adaptive_avgpool(2x2)" in text
    wrong = onnx_model("y = netc.AdaptiveMaxPool<size=[3]>(x)")
    wrong.opset_import.add(domain="netc", version=1)
    with pytest.raises(DefinitionError, match="parts for 2 spatial axes"):
        import_onnx(wrong)
