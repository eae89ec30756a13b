"""Small definitions and data that the tests of training share."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.driver import check_training, load
from compiler.training.model import TrainingPlan
from grammar.source import Source
from runtime.training.samples import ArraySource, ClassSource, Samples, all_of

NET = """
net tiny {
    input image: f32[1, 8, 8]
    conv(4, 3x3, pad=1) -> relu -> maxpool(2x2)
    flatten -> dense(10) as logits
    output probs = softmax
}
"""
NORMED = """
net tiny {
    input image: f32[1, 8, 8]
    conv(4, 3x3, pad=1) -> bn -> relu -> maxpool(2x2)
    flatten -> dropout(0.2) -> dense(10) as logits
    output probs = softmax
}
"""
TRAIN = """
train t(rate=1e-2) {
    data image: f32[1, 8, 8], label: class[10]
    scores = tiny(image)
    minimize cross_entropy(scores.logits, label)
    report accuracy(scores.logits, label)
    update tiny with adam(rate)
    batch 32; epochs 3
}
"""
GAN = """
net generator {
    input z: f32[4]
    dense(16) -> relu -> dense(64) -> reshape([1, 8, 8])
    output picture = sigmoid
}
net discriminator {
    input picture: f32[1, 8, 8]
    flatten -> dense(16) -> leaky_relu(0.2) -> dropout(0.3) -> dense(1)
    output real = sigmoid
}
train gan(k=2) {
    let G = generator
    let D = discriminator
    data x: f32[1, 8, 8]
    noise z: f32[4] normal
    repeat k {
        step {
            maximize log(D(x)) + log(1 - D(G(z)))
            update D with adam(1e-3, beta1=0.5)
        }
    }
    step {
        minimize log(1 - D(G(z)))
        update G with adam(1e-3, beta1=0.5)
    }
    batch 32; epochs 2
    show G(z) grid 2x3 as samples
}
"""


def classified(net: str, shape: str) -> str:
    """A training `t` of a net whose output `logits` tells three classes apart."""
    lines = [
        f"data image: {shape}, label: class[3]",
        f"minimize cross_entropy({net}(image).logits, label)",
        f"update {net} with sgd(0.1)",
        "batch 4; epochs 1",
    ]
    return "\n    ".join(["train t {", *lines]) + "\n}\n"


def written(folder: Path, text: str) -> Path:
    """A definition file, `t.netdef`."""
    path = folder / "t.netdef"
    path.write_text(text)
    return path


def training(text: str, name: str | None = None, **settings: Any) -> TrainingPlan:
    """The training of a text, which must be without a mistake."""
    module = load(Source("test.netdef", text))
    (item,) = [t for t in module.trainings() if name in (None, t.name)]
    checked = check_training(item, settings)
    assert checked.training is not None, "\n".join(map(str, checked.diagnostics))
    return checked.training


@cache
def digits(count: int = 600) -> tuple[NDArray[Any], NDArray[Any]]:
    """Pictures [N, 1, 8, 8] from 0 to 1 and their classes, of scikit-learn's handwritten digits."""
    from sklearn.datasets import load_digits

    found = load_digits()
    pictures = (found.images[:count, None] / 16).astype(np.float32)
    return pictures, found.target[:count]


def samples(count: int = 600, picture: str = "image") -> Samples:
    """The digits as samples with parts `image` and `label`."""
    pictures, labels = digits(count)
    parts = {picture: ArraySource(pictures, (1, 8, 8), False)}
    return all_of("digits", {**parts, "label": ClassSource(labels)})
