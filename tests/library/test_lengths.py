"""Nets are three times shorter than the classes of torchvision and timm, in tokens."""

from __future__ import annotations

import pytest

from tests.library.golden import GOLDEN
from tests.library.lengths import definition_tokens

TIMES = 3.0
THEIRS = {name: entry["tokens"] for name, entry in GOLDEN.items() if "tokens" in entry}


@pytest.mark.parametrize("name", THEIRS)
def test_a_net_is_three_times_shorter_than_the_other_s_class(name: str) -> None:
    assert THEIRS[name] / definition_tokens(name) >= TIMES


def test_counted_is_what_a_net_uses_but_for_pictures_class_names_and_contracts() -> None:
    assert definition_tokens("squeezenet1_0") == 245
    assert definition_tokens("squeezenet1_0") == definition_tokens("squeezenet1_1")
