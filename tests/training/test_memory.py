"""What a step takes, added up by hand; activations worked out twice change no number."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from compiler.onnx.checkpoint import cut
from compiler.onnx.memory import StepMemory, step_memory
from compiler.onnx.step import build_step
from compiler.training.layout import layout_of
from compiler.training.model import TrainingPlan
from tests.gradients.onnxcheck import session_of
from tests.gradients.steps import first_feeds, training_of
from tests.netc.command import netc
from tests.training.definitions import GAN, NET, NORMED, TRAIN, classified

LINE = """
net line {
    input x: f32[6]
    dense(5) -> relu -> dense(3)
    output y
}
train t {
    data x: f32[6], y: f32[3]
    minimize mse(line(x), y)
    update line with sgd(0.1, momentum=0.9)
    batch 4; epochs 1
}
"""
DEEP = """
net deep {
    input image: f32[2, 16, 16]
    repeat 16 { conv(8, 3x3, pad=1, bias=false) -> bn -> relu }
    gap -> flatten -> dropout(0.5) -> dense(3) as logits
    output probs = softmax
}
""" + classified("deep", "f32[2, 16, 16]")
TEXTS = [DEEP, NORMED + TRAIN, GAN, LINE]


def memories(training: TrainingPlan, checkpoint: bool = False) -> list[StepMemory]:
    return [
        step_memory(build_step(p, checkpoint=checkpoint), layout_of(p), training.batch)
        for p in training.steps
    ]


def test_what_a_step_takes_is_the_sum_of_its_arrays() -> None:
    (found,) = memories(training_of(LINE))
    numbers = 6 * 5 + 5 + 5 * 3 + 3
    assert found.parameters == found.states == found.gradients == 4 * numbers
    assert found.batch == 4 * 4 * (6 + 3)
    # Of each of 4 samples: what the relu made, what the net made, and the loss.
    assert found.kept == 4 * 4 * (5 + 3 + 1)
    # At the end the parameters and their momenta anew, the last made of a gradient that is alive.
    assert 2 * 4 * numbers < found.working < 3 * 4 * numbers + found.kept
    assert found.total == found.parameters + found.states + found.batch + found.working


def test_what_is_kept_grows_with_the_batch_and_what_is_learned_does_not() -> None:
    plan = training_of(DEEP).steps[0]
    model, layout = build_step(plan), layout_of(plan)
    few, many = (step_memory(model, layout, batch) for batch in (4, 40))
    assert many.parameters == few.parameters
    maps = 4 * 8 * 16 * 16  # bytes of one map of one sample
    # Each of 16 layers keeps what its norm centred and what its relu made.
    assert few.kept == pytest.approx(4 * maps * 16 * 2, rel=0.02)
    assert many.kept == pytest.approx(10 * few.kept, rel=0.02)


@pytest.mark.parametrize("text", TEXTS, ids=["deep", "normed", "gan", "line"])
def test_a_step_that_works_activations_out_twice_gives_the_same(text: str) -> None:
    for plan in training_of(text).steps:
        feeds = first_feeds(plan)
        once, twice = (
            session_of(build_step(plan, checkpoint=checkpoint)).run(None, feeds)
            for checkpoint in (False, True)
        )
        for a, b in zip(once, twice, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def test_a_deep_net_needs_less_than_half_when_activations_are_worked_out_twice() -> None:
    training = training_of(DEEP)
    (once,), (twice,) = memories(training), memories(training, checkpoint=True)
    assert twice.working < 0.5 * once.working
    (again,) = [
        {node.name.split("/")[1] for node in model.graph.node if node.name.startswith("again/")}
        for model in [build_step(training.steps[0], checkpoint=True)]
    ]
    assert "deep.conv1" in again
    assert "deep.dense1" not in again  # the last segment lives when the backward pass begins


def test_segments_follow_one_another_and_keep_only_what_crosses() -> None:
    graph = layout_of(training_of(DEEP).steps[0]).graph
    segments = cut(graph)
    places = [*segments.of_layer.values()]
    assert places == sorted(places) and places[-1] == segments.last > 2
    crossing = {
        name
        for node in graph.nodes()
        for name in node.inputs
        if name in segments.of_layer and segments.of_layer[name] != segments.of_layer[node.name]
    }
    assert crossing <= segments.kept


def test_the_summary_of_a_training_is_the_memory_of_its_steps(tmp_path: Path) -> None:
    path = tmp_path / "t.netdef"
    path.write_text(NET + TRAIN)
    (expected,) = memories(training_of(NET + TRAIN))
    found = json.loads(netc("summary", path, "--train", "t", "--format", "json").output)
    assert found["steps"]["step"]["total"] == expected.total
    shown = netc("summary", path, "--train", "t")
    assert (shown.exit_code, "a step of 32 samples takes" in shown.output) == (0, True)


def test_checkpoint_is_of_a_step(tmp_path: Path) -> None:
    path = tmp_path / "t.netdef"
    path.write_text(NET + TRAIN)
    for command in (["summary"], ["compile", "-o", tmp_path / "t.onnx"]):
        result = netc(*command, path, "--checkpoint")
        assert (result.exit_code, "goes with --train" in result.stderr) == (2, True)
    step = tmp_path / "step.onnx"
    assert netc("compile", path, "--train", "t", "--checkpoint", "-o", step).exit_code == 0
    onnx.checker.check_model(str(step))
