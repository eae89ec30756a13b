"""What is valid and hardly meant is told before a run; what is as usual is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from compiler.training.model import TrainingPlan
from runtime.training.memory import samples_in_memory
from runtime.training.notes import notes_of
from tests.training.definitions import NET, TRAIN, digits, training

PLAN = training(NET + TRAIN)
AVERAGED = training((NET + TRAIN).replace("adam(rate)", "adam(rate, average=0.999)"))
IMAGES, LABELS = digits(320)


def notes(
    images: NDArray[Any] = IMAGES,
    labels: NDArray[Any] = LABELS,
    plan: TrainingPlan = PLAN,
    turns: int = 1000,
    **more: Any,
) -> list[str]:
    samples = samples_in_memory(plan.data, {"image": images, "label": labels})
    return list(notes_of(plan, samples, turns, **more))


def test_usual_data_has_no_notes() -> None:
    assert notes() == []
    assert notes((IMAGES * 255).astype(np.uint8)) == []
    assert notes((IMAGES - 0.5) * 20) == []  # scaled by hand, around 0
    assert notes(plan=AVERAGED) == []


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (lambda: notes(IMAGES[:31], LABELS[:31]), "has 31 samples to train on, fewer than a batch"),
        (lambda: notes(IMAGES * 255), "image has numbers up to 255, taken as they are: only bytes"),
        (lambda: notes((IMAGES * 255).astype(int)), "image has numbers up to 255"),
        (lambda: notes(labels=LABELS // 4), "label lacks 7 of 10 classes: 3, 4, 5, 6, 7, 8, 9"),
        (lambda: notes(plan=AVERAGED, turns=600), "lasts about 1,000 steps, and there are 600"),
    ],
)
def test_a_note_says_what_is_hardly_meant(found: Any, message: str) -> None:
    (note,) = found()
    assert message in note


def test_a_rate_of_the_command_line_is_doubted_like_one_of_the_text() -> None:
    wild = training((NET + TRAIN).replace("adam(rate)", "adam(100)"))
    assert notes(plan=wild) == []  # W702 was told of with the text
    assert "adam with a rate of 100" in notes(plan=wild, rate_given=True)[0]
