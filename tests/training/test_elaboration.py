"""A `train` item becomes graphs: nets in line, parameters shared, logarithms written stably."""

from __future__ import annotations

import sys
from pathlib import Path
from subprocess import run

import pytest

from compiler.driver import check_training, load
from compiler.graph import Input
from compiler.training.schedules import Cosine, Plateau, Steps, Warmup, rate_at
from grammar.source import Source
from tests.training.definitions import GAN, NET, NORMED, TRAIN, training


def ops(graph: object) -> list[str]:
    return [node.op.name for node in graph.nodes()]  # type: ignore[attr-defined]


def test_the_nets_layers_stand_under_its_name_and_labels_are_whole_numbers() -> None:
    found = training(NET + TRAIN)
    (step,) = found.steps
    assert [*step.graph.layers][:4] == ["image", "label", "tiny.conv1", "tiny.relu1"]
    label = step.graph["label"]
    assert isinstance(label.op, Input)
    assert (label.op.dtype, label.shape, found.data[1].classes) == ("i64", (), 10)
    assert step.graph.outputs == {"loss": "cross_entropy1", "accuracy": "accuracy1"}
    assert step.graph["cross_entropy1"].shape == ()
    assert step.updates[0].parameters == (
        "tiny.conv1.weight",
        "tiny.conv1.bias",
        "tiny.logits.weight",
        "tiny.logits.bias",
    )


def test_two_calls_of_a_net_share_its_parameters() -> None:
    found = training(GAN)
    graph = found.steps[0].graph
    assert [n for n in graph.parameters() if n.startswith("discriminator")] == [
        "discriminator.dense1.weight",
        "discriminator.dense1.bias",
        "discriminator.dense2.weight",
        "discriminator.dense2.bias",
    ]
    owners = [n.parameters_of for n in graph.nodes() if n.name.endswith("dense2")]
    assert owners == ["discriminator.dense2", "generator.dense2", "discriminator.dense2"]
    assert found.order == (0, 0, 1)


def test_logarithms_of_sigmoids_are_softplus_and_of_softmaxes_log_softmax() -> None:
    first, second = training(GAN).steps
    assert ops(first.graph).count("softplus") == 2
    assert not {"log", "sigmoid"} & (set(ops(first.graph)) - {"sigmoid"})
    assert ops(second.graph).count("sigmoid") == 1  # the generator's own, which is no logarithm's
    text = TRAIN.replace("cross_entropy(scores.logits, label)", "mean(log(scores.probs))")
    assert "log_softmax" in ops(training(NET + text).steps[0].graph)
    assert "softmax" not in ops(training(NET + text).steps[0].graph)


def test_a_net_without_update_and_a_frozen_norm_run_as_after_training() -> None:
    text = NORMED + TRAIN.replace("update tiny", 'update tiny only "logits.*"')
    assert training(text).steps[0].evaluated == {"tiny.conv1", "tiny.bn1", "tiny.logits"} - {
        "tiny.logits"
    }
    both = training(NORMED + TRAIN).steps[0]
    assert both.evaluated == frozenset()
    teacher = (
        NORMED.replace("tiny", "teacher")
        + NORMED
        + TRAIN.replace(
            "cross_entropy(scores.logits, label)",
            "cross_entropy(scores.logits, label) + mse(scores.logits, teacher(image).logits)",
        )
    )
    evaluated = training(teacher).steps[0].evaluated
    assert {"teacher.bn1", "teacher.dropout1"} <= evaluated
    assert not any(name.startswith("tiny") for name in evaluated)


def test_symbols_of_a_net_become_the_sizes_that_it_is_given() -> None:
    text = (
        NET.replace("f32[1, 8, 8]", "f32[1, H, W]").replace("flatten ->", "gap -> flatten ->")
        + TRAIN
    )
    assert training(text).steps[0].graph["tiny.maxpool1"].shape == (4, 4, 4)


def test_parameters_and_conditions_of_a_training_are_values() -> None:
    text = NET + TRAIN.replace("train t(rate=1e-2)", "train t(rate=1e-2, long=false)").replace(
        "epochs 3", "if long { epochs 30 } else { epochs 2 }"
    )
    assert training(text).epochs == 2
    assert training(text, long=True).epochs == 30
    assert training(text, rate=0.5).steps[0].updates[0].optimiser.rate == 0.5  # type: ignore[attr-defined]


def test_arithmetic_of_tensors_and_numbers_has_its_layers() -> None:
    text = NET + TRAIN.replace(
        "minimize cross_entropy(scores.logits, label)",
        "let w = 2 ** 2\n    minimize -mean(scores.probs) / w + 1 - sum(scores.probs) ** 2"
        " * mean(scores.probs) / mean(scores.probs)",
    )
    found = ops(training(text).steps[0].graph)
    assert {"scale", "shift", "sub", "mul", "power", "mean", "sum"} <= set(found)


def test_a_chain_calls_what_stands_behind_its_arrows() -> None:
    chained = TRAIN.replace("scores = tiny(image)", "scores = image -> tiny")
    assert [*training(NET + chained).steps[0].graph.layers] == [
        *training(NET + TRAIN).steps[0].graph.layers
    ]


def test_a_crop_and_a_mixup_change_what_the_step_takes() -> None:
    text = TRAIN.replace("f32[1, 8, 8], label", "f32[1, 12, 12], label").replace(
        "    scores", "    augment image: crop(8) -> mixup\n    scores"
    )
    found = training(NET + text)
    assert [(d.shape, d.fed) for d in found.data] == [((1, 12, 12), (1, 8, 8)), ((), (10,))]
    assert found.steps[0].graph["label"].shape == (10,)


def test_a_training_called_as_a_layer_is_refused() -> None:
    module = load(Source("t", NET + TRAIN + "net m { input x: f32[1, 8, 8]; t; output y }"))
    from compiler.driver import check_net

    (found,) = check_net(module.nets()[-1]).errors
    assert (found.code, found.label) == ("E201", "`t` is a training")


def test_a_mistake_in_a_called_net_is_told_once_in_its_place() -> None:
    text = NET.replace("maxpool(2x2)", "maxpool(9x9)") + TRAIN
    (item,) = load(Source("t", text)).trainings()
    (found,) = check_training(item).diagnostics
    assert (found.code, found.span.line) == ("E302", 4)


def test_checking_a_training_imports_no_numpy(tmp_path: Path) -> None:
    file = tmp_path / "t.netdef"
    file.write_text(NET + TRAIN)
    script = f"""
import sys
from compiler.driver import all_found, check_net, examine
from compiler.files import Files
from netc.library import examine_module
module, _ = examine_module({str(file)!r}, Files())
assert not all_found(module, map(check_net, module.nets()))
assert not {{"numpy", "onnx", "onnxruntime"}} & set(sys.modules)
"""
    done = run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("schedule", "epoch", "rate"),
    [
        (Steps(0.1, (2.0, 4.0)), 1.9, 0.1),
        (Steps(0.1, (2.0, 4.0)), 2.0, 0.01),
        (Steps(0.1, (2.0, 4.0), 0.5), 5.0, 0.025),
        (Cosine(0.2), 5.0, 0.1),
        (Cosine(0.2, 0.1), 10.0, 0.1),
        (Warmup(0.1, 2.0), 1.0, 0.05),
        (Warmup(Cosine(0.1), 2.0), 10.0, 0.0),
        (0.3, 7.0, 0.3),
    ],
)
def test_a_schedule_has_the_rates_of_its_formula(
    schedule: object, epoch: float, rate: float
) -> None:
    assert rate_at(schedule, epoch, 10) == pytest.approx(rate)  # type: ignore[arg-type]


def test_a_plateau_waits_and_then_lowers_the_rate() -> None:
    plateau = Plateau(0.1, 0.1, 2)
    assert plateau.value(0, 10, [3, 2, 2.5]) == 0.1
    assert plateau.value(0, 10, [3, 2, 2.5, 2]) == pytest.approx(0.01)
    assert plateau.value(0, 10, [3, 2, 2.5, 2, 1, 1.5, 1.5]) == pytest.approx(0.001)
