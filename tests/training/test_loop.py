"""Runs learn, write what they should, and go on after an interruption as if there had been none."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from PIL import Image
from safetensors.numpy import load_file

from grammar.diagnostics import DefinitionError
from runtime.errors import CallError
from runtime.training.batches import Order
from runtime.training.checkpoint import load_state, save_state
from runtime.training.loop import STATE, Choices, TrainingRun, split
from runtime.training.samples import ArraySource, all_of
from runtime.weights.saving import write_safetensors
from tests.training.definitions import GAN, NET, NORMED, TRAIN, digits, samples, training


def run(text: str, out: Path | None = None, **more: Any) -> TrainingRun:
    """A run on the digits' first 600, 100 of them held out, done to its end."""
    found = begun(text, out, **more)
    for _ in found:
        pass
    return found


def begun(text: str, out: Path | None = None, *, resume: bool = False, **more: Any) -> TrainingRun:
    train, held_out = split(samples(), 1 / 6, 0)
    if out is not None:
        out.mkdir(exist_ok=True)
    return TrainingRun(
        training(text), train, held_out, Choices(device="cpu", out=out, **more), None, resume
    )


def begun_gan(out: Path, *, resume: bool = False, **more: Any) -> TrainingRun:
    out.mkdir(exist_ok=True)
    data = all_of("digits", {"x": ArraySource(digits(320)[0], (1, 8, 8), False)})
    return TrainingRun(
        training(GAN), data, None, Choices(device="cpu", out=out, **more), None, resume
    )


def test_every_sample_has_its_turn_before_any_has_two() -> None:
    order = Order(10, 4, seed=3)
    rows = np.concatenate([order.rows(draw) for draw in range(10)])
    for each in range(4):
        assert sorted(rows[10 * each : 10 * each + 10]) == list(range(10))
    assert not np.array_equal(rows[:10], rows[10:20])
    assert not np.array_equal(rows, np.concatenate([Order(10, 4, 4).rows(d) for d in range(10)]))


def test_a_split_holds_out_a_share_that_the_seed_chooses() -> None:
    train, held = split(samples(100), 0.2, 1)
    assert held is not None
    assert (len(train), len(held)) == (80, 20)
    assert sorted([*train.rows, *held.rows]) == list(range(100))
    other = split(samples(100), 0.2, 2)[1]
    assert other is not None
    assert other.rows.tolist() != held.rows.tolist()


def test_a_step_too_long_to_be_rewritten_learns_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    levels = []
    opened = ort.InferenceSession

    def noted(source: bytes, options: Any, **more: Any) -> Any:
        levels.append(options.graph_optimization_level)
        return opened(source, options, **more)

    monkeypatch.setattr(ort, "InferenceSession", noted)
    text = NORMED + TRAIN.replace("epochs 3", "epochs 1")
    usual = run(text)
    before = len(levels)
    monkeypatch.setattr("runtime.session.LONGEST_REWRITTEN", 10)
    long = run(text)
    assert levels.index(ort.GraphOptimizationLevel.ORT_DISABLE_ALL) == before
    for name, array in usual.engine.arrays().items():
        np.testing.assert_allclose(long.engine.arrays()[name], array, rtol=1e-4, atol=1e-5)


def test_a_small_net_learns_digits_and_writes_what_it_measured(tmp_path: Path) -> None:
    done = run(NET + TRAIN.replace("epochs 3", "epochs 4"), tmp_path)
    rows = list(csv.DictReader((tmp_path / "log.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    assert float(rows[-1]["val_accuracy"]) > 0.8 > float(rows[0]["accuracy"])
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert sorted(f.name for f in tmp_path.iterdir()) == [
        "best.safetensors",
        "curve.svg",
        "log.csv",
        "state.safetensors",
        "weights.safetensors",
    ]
    assert list(load_file(tmp_path / "weights.safetensors")) == [
        "conv1.bias",
        "conv1.weight",
        "logits.bias",
        "logits.weight",
    ]
    assert done.progress.best == max(float(row["val_accuracy"]) for row in rows)
    curve = (tmp_path / "curve.svg").read_text()
    assert curve.count("<polyline") == 4


def test_the_weights_are_the_nets_own_and_reach_what_was_measured(tmp_path: Path) -> None:
    import netc

    done = run(NORMED + TRAIN, tmp_path)
    net = netc.loads(NORMED).with_weights(tmp_path / "weights.safetensors")
    assert done.held_out is not None
    batch = done.held_out.take(np.arange(len(done.held_out)))
    probs = net.run(batch["image"], device="cpu")["probs"]
    accuracy = float((probs.argmax(axis=1) == batch["label"]).mean())
    assert accuracy == pytest.approx(done.progress.rows[-1]["val_accuracy"], abs=1e-6)


def test_the_same_seed_gives_the_same_run_and_another_seed_another() -> None:
    first, again, other = (
        run(NORMED + TRAIN, max_steps=5, seed=seed).engine.arrays() for seed in (0, 0, 1)
    )
    for name, array in first.items():
        np.testing.assert_array_equal(array, again[name])
    assert not np.array_equal(first["tiny.conv1.weight"], other["tiny.conv1.weight"])


@pytest.mark.parametrize("stops", [(3,), (16, 20), (1, 2, 17)])
def test_a_run_that_is_resumed_is_the_unbroken_one(tmp_path: Path, stops: tuple[int, ...]) -> None:
    whole = run(NORMED + TRAIN, tmp_path / "whole")
    for stop in stops:
        run(NORMED + TRAIN, tmp_path / "parts", resume=True, max_steps=stop)
    parts = run(NORMED + TRAIN, tmp_path / "parts", resume=True)
    for name, array in whole.engine.arrays().items():
        np.testing.assert_array_equal(array, parts.engine.arrays()[name], name)
    for word in ("weights", "best"):
        file = f"{word}.safetensors"
        assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "parts" / file).read_bytes()
    without = [
        [{k: v for k, v in row.items() if k != "seconds"} for row in each.progress.rows]
        for each in (whole, parts)
    ]
    assert without[0] == without[1]


def test_a_gan_takes_its_steps_in_turn_shows_pictures_and_resumes(tmp_path: Path) -> None:
    whole = begun_gan(tmp_path / "whole")
    turns = list(whole)
    assert whole.turns_an_epoch == 5  # 320 samples, 32 a draw, two draws a turn
    assert [turn.epoch for turn in turns] == [1] * 5 + [2] * 5
    assert set(turns[0].values) == {"loss1", "loss2"}
    with Image.open(tmp_path / "whole" / "samples.0002.png") as sheet:
        assert sheet.size == (3 * 9 - 1, 2 * 9 - 1)
    assert sorted(f.name for f in (tmp_path / "whole").glob("*.safetensors")) == [
        "state.safetensors",
        "weights.discriminator.safetensors",
        "weights.generator.safetensors",
    ]
    list(begun_gan(tmp_path / "parts", max_steps=3))
    list(begun_gan(tmp_path / "parts", resume=True))
    for name in ("weights.generator.safetensors", "samples.0002.png"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes()


def test_numpy_comes_to_the_weights_of_onnx_runtime() -> None:
    text = (NORMED + TRAIN).replace("adam(rate)", "sgd(0.1, momentum=0.9)")
    train, held_out = split(samples(), 1 / 6, 0)
    runs = [
        TrainingRun(training(text), train, held_out, Choices(device=device, max_steps=4))
        for device in ("numpy", "cpu")
    ]
    for each in runs:
        assert len(list(each)) == 4
    ours, reference = (each.engine.arrays() for each in runs)
    for name, array in reference.items():
        np.testing.assert_allclose(ours[name], array, rtol=1e-3, atol=1e-5, err_msg=name)
    first, second = (each.evaluate(held_out) for each in runs)  # type: ignore[arg-type]
    assert first == pytest.approx(second, rel=1e-3)


def test_a_state_of_another_run_is_refused(tmp_path: Path) -> None:
    run(NET + TRAIN, tmp_path, max_steps=2)
    with pytest.raises(CallError, match="is of a run with --seed 0, not 5"):
        begun(NET + TRAIN, tmp_path, resume=True, seed=5)
    with pytest.raises(CallError, match="does not fit the definition"):
        begun(NET.replace("conv(4", "conv(5") + TRAIN, tmp_path, resume=True)
    (tmp_path / "state.safetensors").write_bytes(b"nothing")
    with pytest.raises(CallError, match="is no state of a run"):
        begun(NET + TRAIN, tmp_path, resume=True)


def test_a_loss_that_is_no_number_names_its_layer_and_step() -> None:
    text = (NET + TRAIN).replace("adam(rate)", "sgd(1e30)")
    with pytest.raises(DefinitionError) as raised:
        run(text)
    (found,) = raised.value.diagnostics
    assert found.code == "V201"
    assert "at step 2, in epoch 1" in found.message or "at step 3" in found.message
    assert found.span.line in (4, 5)
    assert "a smaller rate" in (found.help or "")
    with pytest.raises(DefinitionError) as raised:
        run((NET + TRAIN).replace("minimize ", "minimize mean(exp(9_999 * scores.logits)) + "))
    (found,) = raised.value.diagnostics
    assert "no parameter has moved yet" in (found.help or "")


def test_what_is_expected_and_not_reached_is_told() -> None:
    text = NET + TRAIN.replace("batch 32", "expect accuracy >= 0.999, loss < 100\n    batch 32")
    done = run(text, max_steps=1)
    with pytest.raises(DefinitionError) as raised:
        done.check_expects()
    (found,) = raised.value.diagnostics
    assert found.code == "E402"
    assert "on the held-out part" in found.label


def test_what_is_expected_may_be_a_parameter_of_the_training() -> None:
    text = NET + TRAIN.replace("rate=1e-2", "rate=1e-2, least=0.5").replace(
        "batch 32", "expect accuracy >= max(least, 0.1) - 1\n    batch 32"
    )
    run(text, max_steps=1).check_expects()
    with pytest.raises(DefinitionError, match="a contract does not hold"):
        run(text.replace("least=0.5", "least=3"), max_steps=1).check_expects()


def test_a_run_that_is_stopped_saves_and_ends_after_the_turn(tmp_path: Path) -> None:
    found = begun(NET + TRAIN, tmp_path)
    for turn in found:
        if turn.turn == 3:
            found.stop()
    assert found.progress.turn == 3
    again = begun(NET + TRAIN, tmp_path, resume=True)
    assert again.progress.turn == 3


def test_a_schedule_moves_the_rate_and_only_the_rest_learns() -> None:
    text = (NET + TRAIN).replace(
        "update tiny with adam(rate)", 'update tiny only "logits.*" with sgd(steps(0.1, at=[1]))'
    )
    found = begun(text)
    before = found.engine.arrays()
    rates = {turn.epoch: turn.rate for turn in found}
    assert rates == pytest.approx({1: 0.1, 2: 0.01, 3: 0.01})
    after = found.engine.arrays()
    np.testing.assert_array_equal(before["tiny.conv1.weight"], after["tiny.conv1.weight"])
    assert not np.array_equal(before["tiny.logits.weight"], after["tiny.logits.weight"])


def test_a_moving_average_is_what_is_measured_and_written(tmp_path: Path) -> None:
    text = (NET + TRAIN).replace("adam(rate)", "adam(rate, average=0.9)")
    done = run(text, tmp_path)
    arrays = done.engine.arrays()
    written = load_file(tmp_path / "weights.safetensors")["logits.weight"]
    np.testing.assert_array_equal(written, arrays["tiny.logits.weight/average"])
    assert not np.array_equal(written, arrays["tiny.logits.weight"])


def test_weights_that_are_given_are_where_a_run_begins() -> None:
    start = {"tiny.logits.bias": np.full(10, 3, dtype=np.float32)}
    found = TrainingRun(training(NET + TRAIN), samples(), None, Choices(device="cpu"), start)
    np.testing.assert_array_equal(
        found.engine.arrays()["tiny.logits.bias"], start["tiny.logits.bias"]
    )


def test_a_kernel_is_learned_from_what_a_known_one_makes() -> None:
    """The lecture's point: the kernel comes from the data. Within 1e-3 of the Gaussian."""
    text = """
net blurred {
    input image: f32[1, H, W]
    filter([[1, 2, 1], [2, 4, 2], [1, 2, 1]], pad=1, pad_mode="replicate") -> scale(1 / 16)
    output y
}
net learner {
    input image: f32[1, H, W]
    conv(1, 3x3, pad=1, pad_mode="replicate", bias=false, init="zero") as kernel
    output y
}
train blur {
    data image: f32[1, 12, 12]
    minimize mse(learner(image), blurred(image))
    update learner with sgd(0.5, momentum=0.9)
    batch 16; epochs 60
}
"""
    pictures = np.random.default_rng(0).random((64, 1, 12, 12)).astype(np.float32)
    data = all_of("noise", {"image": ArraySource(pictures, (1, 12, 12), False)})
    found = TrainingRun(training(text), data, None, Choices(device="cpu"))
    for _ in found:
        pass
    kernel = found.weights()["learner"]["kernel.weight"][0, 0]
    np.testing.assert_allclose(kernel * 16, [[1, 2, 1], [2, 4, 2], [1, 2, 1]], atol=1e-3)


def test_epochs_batch_and_rate_can_be_others_than_the_texts() -> None:
    from netc.training import changed

    found = changed(training(NET + TRAIN), epochs=7, batch=5, rate=0.25)
    assert (found.epochs, found.batch) == (7, 5)
    assert found.steps[0].updates[0].optimiser.rate == 0.25  # type: ignore[attr-defined]
    text = (NET + TRAIN).replace("adam(rate)", "adam(warmup(cosine(rate), epochs=1))")
    scheduled = changed(training(text), rate=0.5).steps[0].updates[0].optimiser.rate  # type: ignore[attr-defined]
    assert scheduled.value(1, 3) == pytest.approx(0.5 * (1 + np.cos(np.pi / 3)) / 2)
    assert replace(found, epochs=1).epochs == 1


def test_gradients_of_several_batches_are_the_gradient_of_one_large_batch() -> None:
    small = (NET + TRAIN).replace("adam(rate)", "sgd(0.1, momentum=0.9)")
    large = small.replace("batch 32; epochs 3", "batch 64; epochs 3")
    small = small.replace("batch 32; epochs 3", "batch 16; accumulate 4; epochs 3")
    one, four = run(large, max_steps=6), run(small, max_steps=6)
    for name, array in one.engine.arrays().items():
        np.testing.assert_allclose(four.engine.arrays()[name], array, rtol=2e-4, atol=2e-6)
    assert one.turns_an_epoch == four.turns_an_epoch
    assert not np.any(four.engine.arrays()["tiny.logits.weight/sum"])


def test_a_step_that_accumulates_is_held_against_numpy() -> None:
    from runtime.verify.step import verify_step

    found = training((NORMED + TRAIN).replace("batch 32", "accumulate 3; batch 32"))
    comparison = verify_step(found, found.steps[0])
    assert not comparison.failures


@pytest.mark.parametrize(
    "change",
    [
        {"turn": "3"},
        {"turn": -1},
        {"turn": True},
        {"rows": [{"epoch": 1}]},
        {"rows": 3},
        {"rows": [3]},
        {"sums": {"loss": None}},
        {"best": "good"},
        {"seconds": None},
        {"more": 1},
    ],
)
def test_a_state_that_makes_no_sense_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    run(NET + TRAIN, tmp_path, max_steps=2)
    path = tmp_path / STATE
    progress, arrays = load_state(path)
    said = json.dumps({**asdict(progress), **change})
    write_safetensors(path, arrays, {"netc.training": said})
    with pytest.raises(CallError, match="is no state of a run: "):
        begun(NET + TRAIN, tmp_path, resume=True)


def test_a_state_of_other_numbers_is_refused(tmp_path: Path) -> None:
    run(NET + TRAIN, tmp_path, max_steps=2)
    progress, arrays = load_state(tmp_path / STATE)
    for wrong in (
        {name: array.astype(np.float64) for name, array in arrays.items()},
        {name: array[..., None] for name, array in arrays.items()},
        {f"{name}x": array for name, array in arrays.items()},
    ):
        save_state(tmp_path / STATE, progress, wrong)
        with pytest.raises(CallError, match="does not fit the definition"):
            begun(NET + TRAIN, tmp_path, resume=True)
