"""How long the PyTorch source of the library's nets is beside their definitions."""

from __future__ import annotations

import pytest

from netc.library import library_nets
from tests.library.source_length import ratio

BOUND = 1.5  # times the definition's tokens
# Nets of one definition with others, told apart by numbers.
SIBLINGS = {
    "resnet56", "resnet110", "resnet1202", "resnet34", "resnet101", "resnet152", "vgg_a", "vgg_b",
    "fcn_resnet50", "vgg_c", "vgg_e", "squeezenet1_1", "wide_resnet50_2", "edge_detect_2",
    "edge_detect_3", "sharpen", "gaussian_blur", "vertical_edges", "horizontal_edges",
    "mobilenet_v3_small",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted({*library_nets()} - SIBLINGS))
def test_the_source_is_about_as_long_as_the_definition(name: str) -> None:
    assert ratio(name) <= BOUND
