"""A step held against NumPy: it agrees, and a planted fault is told at its own line."""

from __future__ import annotations

from typing import Any

import pytest

from compiler.onnx.gradients import DERIVATIVES
from compiler.onnx.optimisers import UPDATES
from compiler.ops.activate import Relu
from compiler.training.layout import layout_of
from compiler.training.optimisers import Adam
from runtime.verify.options import VerifyOptions
from runtime.verify.step import verify_step
from tests.gradients.steps import training_of
from tests.gradients.test_step import GAN, NET, TRAIN

TEXT = NET + TRAIN.format(optimiser="adam(0.01)")


def test_steps_agree_at_every_tensor_derivative_and_update() -> None:
    for training in (training_of(TEXT), training_of(GAN)):
        for plan in training.steps:
            found = verify_step(training, plan)
            assert found.ok, found.sentence("cpu")
            assert found.nodes == len(layout_of(plan).graph)


def test_a_norm_of_equal_numbers_agrees_up_to_roundings() -> None:
    layers = "filter([[0.5]]) -> scale(0.0) -> conv(1, 1x1, pad=2) -> bn -> tanh -> gelu"
    text = f"net flat {{ input image: f32[3, 2, 6]\n {layers}\n output y }}"
    train = (
        "train t { data image: f32[3, 2, 6]\n minimize mean(flat(image))\n"
        "update flat with sgd(0.1)\n batch 3; epochs 1 }"
    )
    training = training_of(f"{text}\n{train}")
    for seed in range(6):
        found = verify_step(training, training.steps[0], VerifyOptions(seed=seed, batch=3))
        assert found.ok, found.sentence("cpu")


def test_a_wrong_rule_is_told_at_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    right = DERIVATIVES[Relu]

    def wrong(op: Relu, emit: Any, dy: str, x: str) -> Any:
        return right(op, emit, emit.node("Mul", dy, emit.floats(1.01)), x)

    monkeypatch.setitem(DERIVATIVES, Relu, wrong)
    training = training_of(TEXT.replace("maxpool", "avgpool"))
    (first, *others) = verify_step(training, training.steps[0]).failures
    assert not others
    assert (first.node, first.line, first.stage) == ("gradient of tiny.bn1", 4, "gradients")


def test_a_wrong_optimiser_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    right = UPDATES[Adam]

    def wrong(op: Adam, write: Any, w: str, g: str, states: Any, scalars: Any) -> Any:
        return right(op, write, w, write.node("Mul", g, write.floats(2.0)), states, scalars)

    monkeypatch.setitem(UPDATES, Adam, wrong)
    training = training_of(TEXT)
    failures = verify_step(training, training.steps[0]).failures
    assert {failure.stage for failure in failures} == {"updates"}
    assert "tiny.logits.bias/m anew" in {failure.node for failure in failures}
