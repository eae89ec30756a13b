"""AlexNet: nodes for each layer, and where its parameters and multiplications are."""

from __future__ import annotations

import pytest

import netc
from tests.define import define
from tests.lecture.numbers import NUMBERS, nodes, total, weighted

PAPER = netc.load("alexnet", "alexnet")
ONE_TOWER = netc.load("alexnet", "alexnet_torchvision")


def test_each_layer_has_the_nodes_of_the_227_pixel_network() -> None:
    assert nodes(PAPER) == NUMBERS["alexnet_nodes_bvlc(227)"]
    assert sum(nodes(PAPER)) == NUMBERS["alexnet_nodes_sum"] == 659_272


def test_its_convolutions_have_650_thousand_nodes() -> None:
    # The paper's abstract: "650,000 neurons".
    convolutions = [layer["op"] == "conv" for layer in weighted(PAPER)]
    counted = sum(n for n, is_conv in zip(nodes(PAPER), convolutions, strict=True) if is_conv)
    assert counted == NUMBERS["alexnet_nodes_conv_only_sum"] == 650_080


def test_the_paper_s_first_layer_is_that_of_a_narrower_picture() -> None:
    first = define("""
        net first_layer {
            input image: f32[3, 227, 199]
            output maps = conv(96, 11x11, stride=4) : [96, 55, 48]
        }
    """)
    (counted,) = nodes(first)
    assert counted == NUMBERS["alexnet_paper_first_layer"] == 253_440
    assert (counted == 55 * 48 * 96) is NUMBERS["253440==55*48*96"]
    # The paper's other layers are those of the 227-pixel network.
    assert counted + sum(nodes(PAPER)[1:]) == NUMBERS["alexnet_paper_sum"] == 622_312


def test_the_one_tower_network_has_fewer_nodes() -> None:
    assert nodes(ONE_TOWER) == NUMBERS["alexnet_torchvision_nodes"]
    assert sum(nodes(ONE_TOWER)) == NUMBERS["alexnet_sum_torchvision"] == 494_184


def test_96_percent_of_the_parameters_are_in_the_dense_layers() -> None:
    dense = total(PAPER, "dense")
    assert dense == NUMBERS["alexnet_fc_params"] == 58_631_144
    share = dense / PAPER.analysis.parameters
    assert share == pytest.approx(NUMBERS["alexnet_fc_share"], rel=1e-12)


def test_92_percent_of_the_multiplications_are_in_the_convolutions() -> None:
    share = total(PAPER, "conv", "macs") / PAPER.summary()["macs"]
    assert share == pytest.approx(NUMBERS["alexnet_conv_mac_share"], rel=1e-12)
    assert weighted(PAPER)[0]["macs"] == NUMBERS["alexnet_conv1_mac"] == 105_415_200
