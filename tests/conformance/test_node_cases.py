"""ONNX's node tests and PyTorch's exports, every case counted."""

from __future__ import annotations

import pytest

from tests.conformance.core import OPERATORS
from tests.conformance.report import run_core, run_exports

# The package makes its cases when they are collected, of numbers beyond any range too.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning:onnx.backend")


def test_every_core_case_passes_but_for_those_that_no_network_could_say() -> None:
    report = run_core()
    assert len(OPERATORS) == 60
    assert report.failed == {}
    assert dict(report.reasons()) == {
        "its second output, the mask, is used": 5,
        "its second output, the places of the largest values, is used": 2,
        "training_mode drops values at random when it is run": 2,
        "it normalises with the statistics of the batch, as in training": 2,
        "its size 0 is no size": 7,
        "a tensor with no values": 1,
        "what lies outside takes a value of its own": 1,
    }
    assert len(report.passed) == 351


def test_the_models_that_pytorch_exported_give_their_outputs() -> None:
    report = run_exports()
    assert report.failed == {}
    assert dict(report.reasons()) == {
        "its input 1 is no constant but computed by the network": 2,  # a product of two tensors
        "its exponent differs from value to value, or adds axes": 1,
        "a tensor has 1 to 4 sizes besides the batch, this one has 6": 1,
    }
    assert len(report.passed) == 113
