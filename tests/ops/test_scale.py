"""scale, shift and normalize."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compiler.ops.scale import Normalize, Scale, Shift
from tests.opcheck import H, W, apply, check, check_symbolic, make, refusals

SHAPES = [(3,), (3, 4), (3, 4, 5), (3, 2, 4, 5)]


def test_hand_computed_values_for_all_or_for_each_channel() -> None:
    assert apply(make(Scale, 2), [[1, 2], [3, 4]]) == [[2, 4], [6, 8]]
    assert apply(make(Scale, [2, -1]), [[1, 2], [3, 4]]) == [[2, 4], [-3, -4]]
    assert apply(make(Shift, -1), [1, 2, 3]) == [0, 1, 2]
    assert apply(make(Shift, [10, 20, 30]), [1, 2, 3]) == [11, 22, 33]
    assert apply(make(Normalize, [1, 2], [2, 4]), [[5, 1], [10, 2]]) == [[2, 0], [2, 0]]
    assert apply(make(Normalize, 1, [2, 4]), [[5, 1], [9, 1]]) == [[2, 0], [2, 0]]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_rank_is_its_formula(shape: tuple[int, ...]) -> None:
    a, b = [0.5, -2.0, 3.0], [0.25, 2.0, 4.0]
    scaled, shifted = check(make(Scale, a), shape), check(make(Shift, a), shape)
    normal = check(make(Normalize, a, b), shape)
    for c in range(3):
        np.testing.assert_allclose(scaled.reference[:, c], scaled.inputs[0][:, c] * a[c])
        moved = shifted.inputs[0][:, c].astype(np.float64) + a[c]
        np.testing.assert_allclose(shifted.reference[:, c], moved)
        standard = (normal.inputs[0][:, c].astype(np.float64) - a[c]) / b[c]
        np.testing.assert_allclose(normal.reference[:, c], standard)


@pytest.mark.parametrize(
    "op",
    [make(Scale, 2), make(Shift, [1, 2, 3]), make(Normalize, [0.5, 0.4, 0.3], 0.25)],
    ids=str,
)
def test_a_model_for_symbolic_sizes_is_right_at_every_size(op: Any) -> None:
    check_symbolic(op, (3, H, W), sizes=[{"H": 8, "W": 9}, {"H": 2, "W": 5}])


def test_one_number_serves_an_unknown_number_of_channels() -> None:
    check_symbolic(make(Scale, 2), (H, 4), sizes=[{"H": 3}, {"H": 5}])


test_what_does_not_fit_is_refused_with_its_argument = refusals(
    (make(Scale, [1, 2]), (3, 8), "E303", "factor"),
    (make(Shift, [1, 2]), (3, 8), "E303", "offset"),
    (make(Normalize, [1, 2], 1), (3, 8), "E303", "mean"),
    (make(Normalize, 1, [1, 2]), (3, 8), "E303", "std"),
    (make(Scale, [1, 2]), (H, 8), "E307", None),
)
