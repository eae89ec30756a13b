"""Every net of the library on NumPy and on ONNX Runtime, at a cost that fits a test suite.

`SMALLER` are the settings under which the costly ones run here: as deep as published, but narrow.
`benchmarks/verify_library.py` runs all of them at full width, and the 1202-layer one, whose 4808
layers take too long to load here; its blocks are those of the 110-layer net.
"""

from __future__ import annotations

from typing import Any

import pytest

import netc
from compiler.initialise import scatter
from netc.library import library_nets
from runtime.random_inputs import random_feeds
from runtime.verify.compare import compare_all
from runtime.verify.comparison import Comparison
from tests.library.golden import GOLDEN

VGG = {"classes": 10, "width": 4, "hidden": 32}
SMALLER: dict[str, dict[str, Any]] = {
    "alexnet": {"hidden": 32},
    "alexnet_torchvision": {"hidden": 32},
    "c3d": {"classes": 10, "width": 2, "hidden": 32},
    "resnet34": {"classes": 10, "width": 8},
    "resnet50": {"classes": 10, "width": 8},
    "resnet101": {"classes": 10, "width": 4},
    "resnet152": {"classes": 10, "width": 4},
    "vgg_a": VGG,
    "vgg_b": VGG,
    "vgg_c": VGG,
    "vgg_d": VGG,
    "vgg_e": VGG,
    "vgg_d_bn": VGG,
    "yolov3": {"classes": 2, "c": 4, "size": 64},
}
LEFT_OUT = {"resnet1202", *GOLDEN} - set(SMALLER)  # test_golden runs the other nets, narrow ones
CASES = [(net, SMALLER.get(net, {})) for net in library_nets() if net not in LEFT_OUT]
CASES.append(("googlenet", {"aux": True, "classes": 10}))
NAMES = [name + ("-aux" if settings.get("aux") else "") for name, settings in CASES]


def verified(net: netc.Net) -> Comparison:
    """NumPy in float64 against ONNX Runtime at every layer, for one random sample."""
    graph = scatter(net.graph)
    return compare_all(graph, random_feeds(graph, batch=1))


@pytest.mark.parametrize(("name", "settings"), CASES, ids=NAMES)
def test_numpy_and_onnx_runtime_agree_at_every_layer(name: str, settings: dict[str, Any]) -> None:
    net = netc.load(name, name, **settings)
    comparison = verified(net)
    assert comparison.ok, comparison.failures
    assert comparison.relative < 1e-4
    assert comparison.nodes == len(net.summary()["layers"])


@pytest.mark.parametrize("name", SMALLER)
def test_a_narrow_net_has_the_layers_of_the_published_one(name: str) -> None:
    def ops(net: netc.Net) -> list[str]:
        return [layer["op"] for layer in net.summary()["layers"]]

    published, narrow = netc.load(name, name), netc.load(name, name, **SMALLER[name])
    assert ops(narrow) == ops(published)
    assert narrow.summary()["params"] < published.summary()["params"] / 20
