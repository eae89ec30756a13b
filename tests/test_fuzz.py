"""A few hundred random files, always the same; `python -m tests.fuzz` tries many more."""

from __future__ import annotations

import pytest

from tests.fuzz import failures


@pytest.mark.parametrize("seed", range(5))
def test_no_file_ends_in_anything_but_a_report(seed: int) -> None:
    assert [failure.reason for failure in failures(100, seed, timed=False)] == []
