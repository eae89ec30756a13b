"""VGG's dense layers hold most of its parameters; GoogLeNet has one, and few parameters."""

from __future__ import annotations

from functools import cache

import pytest

import netc
from tests.lecture.numbers import NUMBERS, total, weighted


@cache
def vgg(column: str) -> netc.Net:
    """The network of a column of the paper's Table 1."""
    return netc.load("vgg", f"vgg_{column.lower()}")


@cache
def googlenet() -> netc.Net:
    """GoogLeNet without auxiliary heads."""
    return netc.load("googlenet", "googlenet")


def share(part: int, net: netc.Net) -> float:
    """A part of the parameters of a net."""
    return part / net.analysis.parameters


@pytest.mark.parametrize("column", NUMBERS["vgg_fc_share"])
def test_the_dense_layers_of_vgg_have_124_million_parameters(column: str) -> None:
    dense = [layer["params"] for layer in weighted(vgg(column)) if layer["op"] == "dense"]
    assert dense == NUMBERS["vgg_fc_params_each"]
    assert sum(dense) == NUMBERS["vgg_fc_params"] == 123_642_856
    assert share(sum(dense), vgg(column)) == pytest.approx(
        NUMBERS["vgg_fc_share"][column], rel=1e-12
    )


def test_without_biases_they_have_nine_thousand_less() -> None:
    parameters = vgg("D").graph.parameters()
    weights = [
        weight.size
        for name, weight in parameters.items()
        if name.startswith("classifier.") and name.endswith(".weight")
    ]
    assert sum(weights) == NUMBERS["vgg_fc_weights_only"] == 123_633_664


def test_cut_to_millions_they_sum_to_the_lecture_s_122() -> None:
    millions = [
        layer["params"] // 1_000_000 for layer in weighted(vgg("D")) if layer["op"] == "dense"
    ]
    assert millions == NUMBERS["vgg_fc_truncated_millions"] == [102, 16, 4]
    assert sum(millions) == NUMBERS["vgg_fc_truncated_sum_M"] == 122
    rounded = round(vgg("E").analysis.parameters / 1e6)
    for value, number in (
        (share(sum(millions) * 1_000_000, vgg("D")), NUMBERS["122M/138.36M"]),
        (share(sum(millions) * 1_000_000, vgg("E")), NUMBERS["122M/143.67M"]),
        (sum(millions) / rounded, NUMBERS["122/144"]),
    ):
        assert value == pytest.approx(number, rel=1e-12)


def test_the_first_dense_layer_alone_has_three_quarters_of_vgg_16() -> None:
    first = next(layer for layer in weighted(vgg("D")) if layer["op"] == "dense")
    assert share(first["params"], vgg("D")) == pytest.approx(NUMBERS["vgg16_fc6_share"], rel=1e-12)


@pytest.mark.parametrize("column", NUMBERS["vgg_paper_table2_rounding"])
def test_parameters_round_to_the_millions_of_the_paper_s_table_2(column: str) -> None:
    rounded = round(vgg(column).analysis.parameters / 1e6)
    assert rounded == NUMBERS["vgg_paper_table2_rounding"][column]


def test_googlenet_has_one_dense_layer_of_a_million_parameters() -> None:
    (dense,) = [layer for layer in weighted(googlenet()) if layer["op"] == "dense"]
    assert dense["params"] == NUMBERS["googlenet_fc_params"] == 1_025_000
    assert share(dense["params"], googlenet()) == pytest.approx(
        NUMBERS["googlenet_fc_share_bvlc"], rel=1e-12
    )
    assert googlenet().analysis.parameters == NUMBERS["googlenet_total_bvlc"] == 6_998_552


def test_alexnet_has_nearly_nine_times_the_parameters_of_googlenet() -> None:
    alexnet = netc.load("alexnet", "alexnet").analysis.parameters
    ratio = alexnet / googlenet().analysis.parameters
    assert ratio == pytest.approx(NUMBERS["alexnet/googlenet ratio"], rel=1e-12)


def test_the_dense_layers_of_alexnet_outweigh_that_of_googlenet_57_times() -> None:
    alexnet = netc.load("alexnet", "alexnet")
    assert total(alexnet, "dense") // total(googlenet(), "dense") == 57
