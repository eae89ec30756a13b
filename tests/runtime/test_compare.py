"""How two devices are compared: differences, their size, and where they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import netc
import runtime.reference
from runtime.reference import run_kernel
from runtime.verify.comparison import Comparison, Difference
from runtime.verify.tolerance import Tolerance, gap

CLOSE = Tolerance(1e-4, 1e-5)


def test_the_relative_difference_is_the_largest_over_the_largest_magnitude() -> None:
    found = gap(np.array([1.0, -8.0, 0.0]), np.array([1.0, -10.0, 0.5]), CLOSE)
    assert (found.error, found.relative) == (2.0, 0.2)
    assert found.share == pytest.approx(0.5 / (1e-5 * 10 + 1e-4 * 0.5))


def test_equal_tensors_do_not_differ_even_where_they_are_infinite_or_no_number() -> None:
    values = np.array([0.0, np.inf, -np.inf, np.nan, 3.0])
    assert gap(values, values.copy(), CLOSE).share == 0


@pytest.mark.parametrize(
    ("ours", "reference"),
    [
        ([1.0, np.nan], [1.0, 2.0]),
        ([1.0, 2.0], [1.0, np.nan]),
        ([np.inf], [-np.inf]),
        ([1e30], [np.inf]),
        ([1.0], [1.0, 1.0]),
    ],
)
def test_a_number_against_none_is_infinitely_far(ours: list[Any], reference: list[Any]) -> None:
    found = gap(np.array(ours), np.array(reference), CLOSE)
    assert found.error == found.relative == found.share == float("inf")
    assert (found.shapes is None) == (len(ours) == len(reference))


def test_a_tensor_of_zeros_has_no_scale_to_divide_by() -> None:
    zeros = np.zeros(3)
    assert gap(zeros, zeros, CLOSE).relative == 0
    assert gap(zeros + 1e-9, zeros, CLOSE).relative == float("inf")
    assert gap(np.zeros(0), np.zeros(0), CLOSE).relative == 0


@pytest.mark.parametrize(
    "chain",
    ["scale(3e-5) -> elu", "scale(3e-5) -> celu", "scale(3e-5) -> selu", "shift(-20) -> sigmoid"],
)
def test_a_difference_of_numbers_near_one_is_as_exact_as_they_are(chain: str) -> None:
    """ONNX Runtime takes 1 off e^x, of which float32 leaves little for an x next to 0."""
    assert netc.loads(f"net n {{\n input x: f32[8]\n {chain}\n output y\n}}").verify().ok


def test_a_wrong_kernel_is_found_at_its_own_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    def skewed(op: Any, inputs: Any, arrays: Any, **_: Any) -> Any:
        return run_kernel(op, inputs, arrays) * (1.001 if op.name == "avgpool" else 1)

    monkeypatch.setattr(runtime.reference, "run_kernel", skewed)
    comparison = netc.load("lenet5", "lenet5").verify()
    assert not comparison.ok
    assert comparison.failures[0].node == "avgpool1"
    assert 0.9e-3 < comparison.relative < 1e-2
    assert "DIFFER" in comparison.sentence("cpu")


def test_the_sentence_names_the_largest_relative_difference_and_the_first_failure() -> None:
    failure = Difference("conv2", 7, 0.25, "layers")
    said = Comparison(9, 0.125, "relu3", 31.0, "conv2", (failure,)).sentence("cpu")
    assert "9 layers, largest relative difference 1.2e-01 at relu3" in said
    assert "3100.0% of the tolerance at conv2" in said
    assert said.endswith("first difference: conv2, line 7: 0.25 (layers)")


def test_a_verified_net_reports_how_close_it_is() -> None:
    comparison = netc.load("lenet5", "lenet5").verify()
    assert comparison.ok
    assert 0 < comparison.relative < 1e-4
    assert comparison.relative_node and comparison.worst_node


# Behind the clip only what was near 0 is left, off by the rounding of numbers a thousand times it.
CLIPPED = """
net n {
    input x: f32[2, 64, 64]
    conv(8, 3x3, pad=1) -> tanh -> scale(10000) -> relu6
    output y
}
"""


def test_roundings_that_add_up_are_told_of_and_are_no_failure() -> None:
    comparison = netc.loads(CLIPPED).verify()
    assert comparison.ok and comparison.worst > 1
    assert comparison.drifted == 2  # the clip, and the output after the passes
    assert "roundings add up to more than the tolerance at 2 of them" in comparison.sentence("cpu")
    assert netc.loads(CLIPPED).verify(bisect=True).first_difference is None


def test_a_wrong_layer_among_roundings_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def skewed(op: Any, inputs: Any, arrays: Any, **_: Any) -> Any:
        return run_kernel(op, inputs, arrays) * (1.001 if op.name == "relu6" else 1)

    monkeypatch.setattr(runtime.reference, "run_kernel", skewed)
    comparison = netc.loads(CLIPPED).verify(bisect=True)
    assert not comparison.ok and comparison.drifted == 0
    assert (
        comparison.first_difference is not None and comparison.first_difference.place.op == "relu6"
    )


# He's weights as they stand, no normalisation: the activations grow with every block, and the gates
# of the next amplify their roundings.
GATED = """
block unit {
    add {
        { conv(in.c, 3x3, pad=1, init="he")
          mul { identity; gap -> conv(4, 1x1) -> relu -> conv(in.c, 1x1) -> hardsigmoid } }
        identity
    } -> relu
}
net n(depth=40) {
    input x: f32[3, 8, 8]
    conv(32, 3x3, pad=1)
    repeat depth { unit }
    gap -> flatten -> dense(10)
    output y
}
"""


def test_gates_that_amplify_roundings_are_no_failure() -> None:
    comparison = netc.loads(GATED).verify(seed=2)
    assert comparison.ok and comparison.drifted and comparison.worst > 3, "no net to learn from"


@pytest.mark.parametrize("layer", ["conv1", "unit3.conv1", "unit9.hardsigmoid1", "unit10.mul1"])
def test_a_thousandth_is_found_in_any_layer_of_an_amplifying_net(
    monkeypatch: pytest.MonkeyPatch, layer: str
) -> None:
    net = netc.loads(GATED, depth=10)

    def skewed(op: Any, inputs: Any, arrays: Any, **_: Any) -> Any:
        return run_kernel(op, inputs, arrays) * (1.001 if op is net.graph[layer].op else 1)

    monkeypatch.setattr(runtime.reference, "run_kernel", skewed)
    comparison = net.verify(seed=2)
    assert comparison.failures and comparison.failures[0].node == layer


def test_a_thousandth_is_found_where_numbers_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    def skewed(op: Any, inputs: Any, arrays: Any, **_: Any) -> Any:
        return run_kernel(op, inputs, arrays) * (1.001 if op.name == "softmax" else 1)

    text = "net n { input x: f32[4]\n dense(2000) -> softmax -> scale(1e-6)\n output y }"
    assert netc.loads(text).verify().ok
    monkeypatch.setattr(runtime.reference, "run_kernel", skewed)
    assert netc.loads(text).verify().failures[0].node == "softmax1"


def test_a_layer_that_cancels_is_judged_by_what_float32_loses() -> None:
    text = """net n { input x: f32[4, 16, 16]
        scale(1e-4) -> shift(1000) -> instancenorm
        output y }"""
    comparison = netc.loads(text).verify()
    assert comparison.ok and comparison.worst > 100


def test_a_net_of_nothing_but_nan_is_said_to_be_so() -> None:
    text = """net n { input x: f32[4, 8, 8]
        abs -> scale(-1) -> log
        gap -> flatten
        output y }"""
    comparison = netc.loads(text).verify()
    assert not comparison.ok and not comparison.failures
    assert len(comparison.nan) == 3
    said = comparison.sentence("cpu")
    assert "every number of log1 is NaN, and so it is at 2 layers behind it" in said
    assert " agree at" not in said


def test_shapes_that_differ_are_said_to_be_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    def skewed(op: Any, inputs: Any, arrays: Any, **_: Any) -> Any:
        result = run_kernel(op, inputs, arrays)
        return result[:, :, 1:] if op.name == "avgpool" else result

    monkeypatch.setattr(runtime.reference, "run_kernel", skewed)
    text = "net n { input x: f32[3, 8, 8]\n relu -> avgpool(2)\n output y }"
    said = netc.loads(text).verify().sentence("cpu")
    assert "avgpool1, line 2: shape [2, 3, 4, 4], but [2, 3, 3, 4] is right (layers)" in said
    assert "inf" not in said and "no number" not in said
    report = netc.loads(text).verify(bisect=True).first_difference
    assert report is not None and report.label() == "the shapes differ"
