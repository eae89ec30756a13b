"""Losses by hand, and what they refuse."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from compiler.ops import LOSSES, OPS
from compiler.ops.losses import FUNCTIONS
from compiler.ops.training import BatchNormTraining
from runtime.kernels.training import running_statistics
from runtime.reference import run_kernel
from tests.opcheck import make, refuse

LOG2 = math.log(2)


def value(name: str, x: Any, target: Any, **arguments: Any) -> float:
    """The loss of one sample."""
    inputs = tuple(np.asarray(v, dtype=np.float64)[None] for v in (x, target))
    return float(run_kernel(make(LOSSES[name], **arguments), inputs, {})[0])


def test_losses_by_hand() -> None:
    assert value("cross_entropy", [0, 0], 1) == pytest.approx(LOG2)
    assert value("cross_entropy", [LOG2, 0], 0) == pytest.approx(math.log(3 / 2))
    assert value("cross_entropy", [LOG2, 0], [0.5, 0.5]) == pytest.approx(
        math.log(3 / 2) / 2 + math.log(3) / 2
    )
    # 0.8 at the right class and 0.1 at both.
    assert value("cross_entropy", [LOG2, 0], 0, smoothing=0.2) == pytest.approx(
        0.9 * math.log(3 / 2) + 0.1 * math.log(3)
    )
    assert value("bce", [0.5, 0.25], [1, 0]) == pytest.approx((LOG2 - math.log(0.75)) / 2)
    assert value("bce", [0.0], [1], logits=True) == pytest.approx(LOG2)
    assert value("bce", [-800.0], [1], logits=True) == 800
    assert value("mse", [1, 2], [3, 5]) == 6.5
    assert value("mae", [1, 2], [3, 5]) == 2.5
    assert value("huber", [1, 5], [2, 2], delta=2) == (0.5 + 2 * (3 - 1)) / 2
    assert value("hinge", [0.5, -3], [1, -1]) == 0.25
    assert value("kl", [0.5, 0.5, 0], [0.25, 0.5, 0.25]) == pytest.approx(LOG2 / 2)


def test_pixels_are_averaged() -> None:
    logits = [[[0, 0]], [[0, LOG2]]]  # [2, 1, 2]
    expected = (LOG2 + math.log(3 / 2)) / 2
    assert value("cross_entropy", logits, [[0, 1]]) == pytest.approx(expected)
    assert value("accuracy", logits, [[1, 1]]) == 0.5  # of equal scores the first wins


@pytest.mark.parametrize(("label", "top", "found"), [(2, 1, 1), (0, 1, 0), (0, 2, 1), (1, 3, 0)])
def test_accuracy_counts_the_highest_scores(label: int, top: int, found: float) -> None:
    assert value("accuracy", [3, 1, 4, 1.5], label, top=top) == found


def test_accuracy_of_shares_takes_the_largest() -> None:
    assert value("accuracy", [3, 1], [0.6, 0.4]) == 1
    assert value("accuracy", [3, 1], [0.4, 0.6]) == 0


def test_functions_reduce_a_sample() -> None:
    x = np.array([[[1.0, 4.0], [9.0, 16.0]]])
    assert run_kernel(FUNCTIONS["sum"], (x,), {}).tolist() == [30]
    assert run_kernel(FUNCTIONS["mean"], (x,), {}).tolist() == [7.5]
    assert run_kernel(FUNCTIONS["sqrt"], (x,), {}).ravel().tolist() == [1, 2, 3, 4]


def test_targets_of_another_shape_are_refused() -> None:
    for name in ("mse", "mae", "huber", "hinge", "bce", "kl"):
        assert refuse(make(LOSSES[name]), (3, 4), (3, 5)).code == "E304"
    for name in ("cross_entropy", "accuracy"):
        error = refuse(make(LOSSES[name]), (10,), (9,))
        assert (error.code, "[10]" in error.label) == ("E304", True)
        assert refuse(make(LOSSES[name]), (10, 4, 4), (4,)).code == "E304"


def test_losses_are_no_layers() -> None:
    assert {*LOSSES} & {*OPS} == {"mean"}  # of a sample in a training, of branches in a net


def test_running_statistics_move_towards_those_of_the_batch() -> None:
    arrays = {"running_mean": np.array([1.0]), "running_var": np.array([1.0])}
    found = running_statistics(BatchNormTraining(momentum=0.5), np.array([[2.0], [6.0]]), arrays)
    assert found["running_mean"].tolist() == [2.5]  # half way from 1 to 4
    assert found["running_var"].tolist() == [4.5]  # half way from 1 to 8 = (4 + 4)/(2 - 1)
