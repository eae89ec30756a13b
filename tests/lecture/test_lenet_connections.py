"""LeNet-5 of 1998: 60,000 parameters make 340,908 connections."""

from __future__ import annotations

from math import prod

import pytest

import netc
from tests.lecture.numbers import NUMBERS

# LeCun et al. (1998), section II.B, layer by layer.
CONNECTIONS = {
    "C1": 122_304,
    "S2": 5_880,
    "C3": 151_600,
    "S4": 2_000,
    "C5": 48_120,
    "F6": 10_164,
    "OUTPUT": 840,
}


def connections(stage: str) -> int:
    """The connections of a stage: each multiplied input and each bias of each of its nodes.

    A subsampling unit is connected to the four pixels that it adds and to its bias; that its sum
    is scaled by a coefficient is no connection.
    """
    net = netc.load("lenet5", "lenet5_1998")
    layers = [
        layer
        for layer in net.summary()["layers"]
        if f"{layer['name']}.".startswith(f"{stage}.")
        and layer["op"] in ("conv", "dense", "avgpool")
    ]
    if layers[0]["op"] == "avgpool":
        (pixels,) = layers[0]["in"]
        return prod(pixels) + prod(layers[0]["out"])
    biases = [f"{layer['name']}.bias" in net.graph.parameters() for layer in layers]
    return sum(
        layer["macs"] + prod(layer["out"]) * has_bias
        for layer, has_bias in zip(layers, biases, strict=True)
    )


@pytest.mark.parametrize("stage", CONNECTIONS)
def test_each_stage_has_the_connections_that_the_paper_prints(stage: str) -> None:
    assert connections(stage) == CONNECTIONS[stage]


def test_they_sum_to_the_published_number_with_the_output_layer() -> None:
    hidden = sum(connections(stage) for stage in CONNECTIONS if stage != "OUTPUT")
    numbers = NUMBERS["lenet_connections"]
    assert hidden == numbers["sum_layers"] == 340_068
    assert connections("OUTPUT") == numbers["difference"] == 840
    assert hidden + connections("OUTPUT") == numbers["published"] == 340_908
