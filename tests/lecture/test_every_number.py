"""No number of the lecture is forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lecture.numbers import NUMBERS

TESTS = "".join(
    path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py")
)


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_of_the_lecture_is_compared_in_some_test(name: str) -> None:
    assert f'NUMBERS["{name}"]' in TESTS
