"""How long the PyTorch source of the library's nets is beside their definitions."""

from __future__ import annotations

from math import ceil

import pytest

from netc.library import library_nets
from tests.library.source_length import ratio

BOUND = 1.5  # times the definition's tokens
# Nets that say more in PyTorch than the bound allows, and how much they say now.
LONGER = {
    "unet_plus_plus": 1.60,
    "yolov3": 1.53,
}
# Nets of one definition with others, told apart by numbers.
SIBLINGS = {
    "resnet56", "resnet110", "resnet1202", "resnet34", "resnet101", "resnet152", "vgg_a", "vgg_b",
    "fcn_resnet50", "vgg_c", "vgg_e", "squeezenet1_1", "wide_resnet50_2", "edge_detect_2",
    "edge_detect_3", "sharpen", "gaussian_blur", "vertical_edges", "horizontal_edges",
    "mobilenet_v3_small",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted({*library_nets()} - SIBLINGS))
def test_the_source_is_about_as_long_as_the_definition(name: str) -> None:
    found = ceil(100 * ratio(name)) / 100
    assert found <= LONGER.get(name, BOUND)
    if name in LONGER:
        assert found > LONGER[name] - 0.05, "it is shorter now: write the new number down"


def test_what_is_longer_is_in_the_library() -> None:
    assert {*LONGER} <= {*library_nets()} and all(most > BOUND for most in LONGER.values())
