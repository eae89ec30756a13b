"""How long the PyTorch source of the library's nets is beside their definitions."""

from __future__ import annotations

import pytest

from netc.library import library_nets
from tests.library.source_length import ratio

BOUND = 1.5  # times the definition's tokens
# Nets that say more in PyTorch than the bound allows, and how much they say now.
LONGER = {
    "wavenet": 14.70,
    "hrnet_w18": 5.03,
    "unet_plus_plus": 3.83,
    "pix2pix_generator": 3.82,
    "lenet5_1998": 2.83,
    "yolov3": 2.56,
    "convnext_tiny": 2.49,
    "ssd300_vgg16": 2.33,
    "swin_t": 2.28,
    "lraspp_mobilenet_v3_large": 2.18,
    "retinanet_resnet50_fpn": 2.36,
    "r2plus1d_18": 2.09,
    "regnet_y_400mf": 2.05,
    "gan_discriminator": 1.98,
    "unet": 1.93,
    "densenet121": 1.91,
    "inception_v3": 1.88,
    "gan_generator": 1.85,
    "digits8x8": 1.84,
    "mobilenet_v3_large": 1.81,
    "xception": 1.78,
    "deeplabv3_resnet50": 1.77,
    "shufflenet_v2": 1.66,
    "m5": 1.65,
    "mixer_b16_224": 1.58,
    "efficientnet_b0": 1.59,
    "resnet20": 1.58,
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
    found = round(ratio(name), 2)
    assert found <= LONGER.get(name, BOUND)
    if name in LONGER:
        assert found > LONGER[name] - 0.05, "it is shorter now: write the new number down"


def test_what_is_longer_is_in_the_library() -> None:
    assert {*LONGER} <= {*library_nets()} and all(most > BOUND for most in LONGER.values())
