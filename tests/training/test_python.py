"""Trainings from Python: `load_training`, the steps one by one, and `net.fit`."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import netc
from compiler.training.optimisers import Adam, Sgd
from tests.training.definitions import GAN, NET, TRAIN, digits, written


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path, NET + TRAIN + GAN)


def test_a_training_is_loaded_by_name_with_its_parameters(file: Path) -> None:
    training = netc.load_training("t", file, rate=0.5)
    assert training.plan.steps[0].updates[0].optimiser.rate == 0.5  # type: ignore[attr-defined]
    with pytest.raises(netc.CallError, match="has no parameter ratte; it has rate"):
        netc.load_training("t", file, ratte=0.5)
    with pytest.raises(netc.CallError, match="choose one with --train: t, gan"):
        netc.load_training(None, file)


def test_arrays_by_name_train_and_a_notebook_shows_the_curves(file: Path) -> None:
    image, label = digits()
    training = netc.load_training("t", file)
    history = training.fit({"image": image, "label": label}, split=0.2, device="cpu")
    assert len(history["val_accuracy"]) == 3
    assert history.best == max(history["val_accuracy"]) > 0.7
    assert list(history.weights["tiny"]) == [
        "conv1.weight",
        "conv1.bias",
        "logits.weight",
        "logits.bias",
    ]
    assert ElementTree.fromstring(history._repr_svg_()).tag.endswith("svg")


def test_samples_one_by_one_are_the_same_as_arrays(file: Path) -> None:
    image, label = digits(64)
    training = netc.load_training("t", file)
    arrays = training.fit({"image": image, "label": label}, device="cpu", max_steps=2)
    tuples = training.fit(zip(image, label, strict=True), device="cpu", max_steps=2)
    dicts = training.fit(
        [{"image": i, "label": n} for i, n in zip(image, label, strict=True)],
        device="cpu",
        max_steps=2,
    )
    for other in (tuples, dicts):
        for name, array in arrays.weights["tiny"].items():
            np.testing.assert_array_equal(array, other.weights["tiny"][name])
    with pytest.raises(netc.CallError, match="sample 0 has 3 parts, not image, label"):
        training.fit([(1, 2, 3)])
    with pytest.raises(netc.CallError, match="image of sample 1 has another shape"):
        training.fit([(np.ones(3), 1), (np.ones(4), 1)])


def test_the_steps_of_a_run_are_in_the_programs_hands(file: Path) -> None:
    run = netc.load_training("gan", file).start({"x": digits(320)[0]}, device="cpu")
    seen = []
    for step in run:
        seen.append((step.epoch, step.turn, set(step.values)))
        if step.turn == 2:
            break
    assert seen == [(1, 1, {"loss1", "loss2"}), (1, 2, {"loss1", "loss2"})]
    assert run.progress.turn == 2


def test_weights_taken_during_a_run_stay_as_they_were(file: Path) -> None:
    image, label = digits(320)
    run = netc.load_training("t", file).start({"image": image, "label": label}, device="cpu")
    taken = run.weights()["tiny"]
    kept = {name: array.copy() for name, array in taken.items()}
    for _ in run:
        pass
    for name, array in taken.items():
        assert array.flags.owndata  # no view of memory that ONNX Runtime has freed
        np.testing.assert_array_equal(array, kept[name])
        assert (array != run.weights()["tiny"][name]).any()


def test_a_net_fits_classes_and_has_its_weights_then() -> None:
    image, label = digits()
    net = netc.loads(NET)
    data, faster = {"image": image, "digit": label}, Adam(1e-2)
    history = net.fit(data, epochs=4, optimiser=faster, split=0.2, device="cpu")
    assert history.best is not None
    assert history.best > 0.8
    trained = history.net
    assert trained is not None
    right = trained.run(image, device="cpu")["probs"].argmax(axis=1) == label
    assert right.mean() > 0.85
    again = trained.fit(data, epochs=1, device="cpu")
    assert again["accuracy"][0] > history["accuracy"][0]


def test_a_net_fits_numbers_by_the_mean_square() -> None:
    text = "net line { input x: f32[1]; dense(1); output y }"
    x = np.linspace(-1, 1, 64, dtype=np.float32)[:, None]
    history = netc.loads(text).fit(
        {"x": x, "t": 3 * x - 1}, epochs=40, optimiser=Sgd(0.2), device="cpu"
    )
    weights = history.weights["line"]
    assert weights["dense1.weight"].item() == pytest.approx(3, abs=1e-2)
    assert weights["dense1.bias"].item() == pytest.approx(-1, abs=1e-2)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"digit": [1]}, "has no image"),
        ({"image": np.ones((1, 1, 8, 8))}, "no target in the data"),
        ({"image": np.ones((1, 1, 8, 8)), "a": [1], "b": [2]}, "a is no output of tiny"),
        (
            {"image": np.ones((1, 1, 8, 8)), "a": np.ones((1, 3))},
            "a is .3. a sample, the training declares .10.",
        ),
        ({"image": np.ones((1, 1, 8, 8)), "a": [12]}, "a of sample 0 is 12"),
    ],
)
def test_data_that_does_not_fit_a_net_is_told_of(data: dict[str, object], message: str) -> None:
    with pytest.raises(netc.CallError, match=message):
        netc.loads(NET).fit(data, device="cpu")


def test_the_librarys_training_learns_small_digits_within_three_epochs() -> None:
    image, label = digits()
    training = netc.load_training("small_digits", "digits", n=3)
    assert training.warnings == netc.load_training("lenet5_digits", "digits").warnings == ()
    data = {"image": image, "label": label}
    history = training.fit(data, split=0.2, batch_size=16, device="cpu")
    assert history["val_accuracy"][-1] > 0.8
