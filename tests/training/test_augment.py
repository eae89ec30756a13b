"""Augmentations do what they say, the same for the same seed, and nothing in evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from compiler.training.augmentations import (
    Colour,
    Erase,
    Flip,
    PcaColour,
    RandomCrop,
    RandomShift,
    Rotate,
)
from runtime.training.augment import AUGMENT, augmented, evaluated
from runtime.training.randomness import generator
from tests.training.definitions import NET, TRAIN, training

BATCH = np.random.default_rng(0).random((32, 3, 8, 6)).astype(np.float32)
ALL = (
    RandomCrop(5, 2),
    Flip(),
    RandomShift(2),
    Rotate(20.0),
    Colour(),
    PcaColour(),
    Erase(),
)


def apply(op: Any, batch: NDArray[Any] = BATCH, seed: int = 0) -> NDArray[Any]:
    return AUGMENT[type(op)](op, batch, generator(seed, "test"))


@pytest.mark.parametrize("op", ALL, ids=lambda op: op.name)
def test_the_same_seed_gives_the_same_and_another_seed_something_else(op: Any) -> None:
    first = apply(op)
    np.testing.assert_array_equal(first, apply(op))
    assert not np.array_equal(first, apply(op, seed=1))
    assert first.dtype == np.float32
    assert first.shape == (32, *op.shape(BATCH.shape[1:]))


def test_a_crop_is_a_part_of_its_own_picture() -> None:
    for picture, part in zip(BATCH, apply(RandomCrop(3)), strict=True):
        windows = np.lib.stride_tricks.sliding_window_view(picture, (3, 3, 3))[0]
        assert any(np.array_equal(window, part) for row in windows for window in row)


def test_a_flip_is_the_picture_or_its_mirror_image() -> None:
    flipped = apply(Flip())
    same = [np.array_equal(a, b) for a, b in zip(BATCH, flipped, strict=True)]
    assert 5 < sum(same) < 27
    np.testing.assert_array_equal(apply(Flip(1.0)), BATCH[..., ::-1])
    np.testing.assert_array_equal(apply(Flip(0.0)), BATCH)


def test_a_shift_moves_and_leaves_zeros() -> None:
    row = np.arange(1, 6, dtype=np.float32).reshape(1, 1, 1, 5).repeat(64, 0)
    seen = {tuple(moved[0, 0]) for moved in apply(RandomShift(1), np.repeat(row, 3, 2))[:, :, 1:2]}
    assert seen == {(1, 2, 3, 4, 5), (0, 1, 2, 3, 4), (2, 3, 4, 5, 0)}


def test_a_rotation_keeps_the_middle_and_a_quarter_turn_is_exact() -> None:
    picture = np.arange(25, dtype=np.float32).reshape(1, 1, 5, 5)
    turned = apply(Rotate(1e-9), picture)
    np.testing.assert_allclose(turned, picture, atol=1e-4)
    assert apply(Rotate(45.0), picture)[0, 0, 2, 2] == pytest.approx(12, abs=1e-3)


def test_colours_move_along_their_principal_axes_only() -> None:
    grey = np.repeat(BATCH[:, :1], 3, axis=1)  # all channels alike: one axis, (1, 1, 1)
    moved = apply(PcaColour(), grey) - grey
    np.testing.assert_allclose(moved, np.broadcast_to(moved[:, :1, :1, :1], moved.shape), atol=1e-5)


def test_alexnets_recipe_has_more_than_two_thousand_views_of_a_picture() -> None:
    """Krizhevsky et al. (2012), 4.1: 224 x 224 out of 256 x 256 and mirrored, a factor of 2048.

    They count 32 x 32 places; there are 33 x 33, of which these draws see all but a few.
    """
    side, part = 20, 16  # 5 x 5 places, mirrored: 50 views
    picture = np.arange(side * side, dtype=np.float32).reshape(1, 1, side, side).repeat(1500, 0)
    views = apply(Flip(), apply(RandomCrop(part), picture))
    assert len({view.tobytes() for view in views}) == 2 * (side - part + 1) ** 2
    assert 2 * (256 - 224 + 1) ** 2 == 2178 > 2048


def test_mixup_blends_pictures_and_classes_with_one_share() -> None:
    text = TRAIN.replace("    scores", "    augment image: mixup(1)\n    scores")
    found = training(NET + text)
    labels = np.arange(8) % 4
    pictures = np.broadcast_to(labels.reshape(8, 1, 1, 1), (8, 1, 8, 8)).astype(np.float32)
    batch = augmented(found, {"image": pictures, "label": labels}, 0, 0)
    assert batch["label"].shape == (8, 10)
    np.testing.assert_allclose(batch["label"].sum(axis=1), 1, rtol=1e-6)
    means = batch["label"] @ np.arange(10)
    np.testing.assert_allclose(batch["image"][:, 0, 0, 0], means, rtol=1e-5)
    assert len(np.unique(means)) > 4
    plain = evaluated(found, {"image": pictures, "label": labels})
    np.testing.assert_array_equal(plain["label"].argmax(axis=1), labels)
    np.testing.assert_array_equal(plain["image"], pictures)


def test_evaluation_takes_the_centre_of_a_crop() -> None:
    text = TRAIN.replace("f32[1, 8, 8], label", "f32[1, 12, 12], label").replace(
        "    scores", "    augment image: crop(8) -> flip\n    scores"
    )
    pictures = np.arange(144, dtype=np.float32).reshape(1, 1, 12, 12)
    batch = evaluated(training(NET + text), {"image": pictures, "label": np.array([1])})
    np.testing.assert_array_equal(batch["image"], pictures[:, :, 2:10, 2:10])
