"""One picture as many: the parts and mirror images that AlexNet's recipe makes (section 4.1)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.driver import check_training, load
from grammar.source import Source
from runtime.training.augment import augmented, evaluated

TEXT = """
net n {
    input image: f32[1, 6, 6]
    flatten -> dense(2)
    output logits
}
train t {
    data image: f32[1, 8, 8], label: class[2]
    augment image: crop(6) -> flip
    minimize cross_entropy(n(image), label)
    update n with sgd(0.1)
    batch 64; epochs 1
}
"""


def test_a_picture_becomes_each_of_its_parts_and_their_mirror_images() -> None:
    (item,) = load(Source("t.netdef", TEXT)).trainings()
    training = check_training(item).training
    assert training is not None
    picture = np.arange(64, dtype=np.float32).reshape(1, 8, 8)
    batch: dict[str, NDArray[Any]] = {
        "image": np.repeat(picture[None], 64, axis=0),
        "label": np.zeros(64, np.int64),
    }
    made = [augmented(training, batch, 0, draw)["image"] for draw in range(10)]
    found = {part.tobytes() for each in made for part in each}
    places = [picture[:, top : top + 6, left : left + 6] for top in range(3) for left in range(3)]
    mirrored = [part[..., ::-1] for part in places]
    assert found == {part.tobytes() for part in (*places, *mirrored)}
    assert len(found) == (8 - 6 + 1) ** 2 * 2
    np.testing.assert_array_equal(evaluated(training, batch)["image"][0], places[4])
