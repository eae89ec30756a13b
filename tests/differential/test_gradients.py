"""The derivatives of a few random nets on every run; a rule that is wrong is found."""

from __future__ import annotations

from typing import Any

import pytest

from compiler.onnx.gradients import DERIVATIVES, Gradients
from compiler.ops.scale import Shift
from tests.differential.agreement import Findings
from tests.differential.campaign import Summary, run_batch
from tests.differential.definitions import Definition
from tests.differential.difference import Difference
from tests.differential.gradients import check_gradients
from tests.differential.test_agreement import GIVEN

NETS = 12


def test_derivatives_of_random_nets_agree() -> None:
    summary = Summary()
    failure = run_batch(NETS, 7, summary, set(), check_gradients)
    assert failure is None, str(failure)
    assert summary.findings.nets > NETS // 2


def test_a_layer_may_be_called_like_a_parameter() -> None:
    text = """
    net main {
        input x0: f32[3, 4, 4]
        add(x0) as "conv1.weight" -> conv(4, 1x1) -> bn(affine=false) as "conv1.bias"
        output y
    }
    """
    check_gradients(Definition(text, text, {}, {"y": (4, 4, 4)}, 21, 1), Findings())


def test_a_wrong_derivative_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    check_gradients(GIVEN, Findings())

    def wrong(op: Shift, emit: Any, dy: str, x: str) -> Gradients:
        return Gradients((emit.node("Neg", dy),), {})

    monkeypatch.setitem(DERIVATIVES, Shift, wrong)
    with pytest.raises(Difference, match="gradient of relu1, line 5"):
        check_gradients(GIVEN, Findings())
