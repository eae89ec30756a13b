"""Every stage of every published network against the layers of ours."""

from __future__ import annotations

from typing import Any

import pytest

from tests.library.published import (
    COUNTERPARTS,
    INPUTS,
    MODULES,
    TRAINING,
    counterpart,
    layers,
    stages,
)


def without_ones(shape: list[Any]) -> list[Any]:
    """A shape without its trailing ones: [120, 1, 1] and [120] hold the same values."""
    while len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


@pytest.mark.parametrize("published", COUNTERPARTS)
def test_every_layer_has_the_published_op_shape_params_and_macs_in_order(published: str) -> None:
    pair = COUNTERPARTS[published]
    theirs = [
        stage
        for stage in stages(published)
        if stage["op"] not in MODULES | INPUTS | TRAINING | pair.theirs_only
    ]
    ours = [layer for layer in layers(published) if layer["op"] not in pair.ours_only]
    if not theirs:
        assert "1998" in published  # only stages of several layers: the next test has them
        return
    for stage, layer in zip(theirs, ours, strict=True):
        assert layer["op"] in pair.alike(stage), (stage, layer)
        wanted = without_ones(stage["out_shape"][1:])
        assert without_ones(layer["out"]) == wanted, (stage, layer)
        assert (layer["params"], layer["macs"]) == (stage["params"], stage["macs"]), (stage, layer)


def scopes(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The layers at and below each name: `layer1`, `layer1.0`, `layer1.0.conv1`, …"""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        parts = row["name"].split(".")
        for end in range(1, len(parts) + 1):
            found.setdefault(".".join(parts[:end]), []).append(row)
    return found


@pytest.mark.parametrize("published", COUNTERPARTS)
def test_every_module_is_a_scope_of_the_published_shape_and_params(published: str) -> None:
    ours = scopes(layers(published))
    for stage in stages(published):
        if stage["op"] in MODULES:
            inside = ours[stage["name"]]
            assert inside[-1]["out"] == stage["out_shape"][1:], stage
            assert sum(layer["params"] for layer in inside) == stage["params"], stage


@pytest.mark.parametrize("published", [p for p in COUNTERPARTS if p.startswith("caffe/")])
def test_the_input_is_the_published_one(published: str) -> None:
    inputs = list(counterpart(published).summary()["inputs"].values())
    wanted = [s["out_shape"][1:] for s in stages(published) if s["op"] in INPUTS]
    assert inputs == wanted


@pytest.mark.parametrize("published", COUNTERPARTS)
def test_what_has_no_counterpart_holds_no_weights(published: str) -> None:
    pair = COUNTERPARTS[published]
    for layer in layers(published):
        if layer["op"] in pair.ours_only:
            assert (layer["params"], layer["macs"]) == (0, 0), layer
    for stage in stages(published):
        if stage["op"] in TRAINING | pair.theirs_only:
            assert stage["params"] == 0, stage


def test_each_block_of_resnet_1202_costs_what_that_of_resnet_110_does() -> None:
    deep = scopes(layers("cifar/resnet1202(option A)"))
    short = scopes(layers("cifar/resnet110(option A)"))
    for size in ("layer1", "layer2", "layer3"):
        for index in range(200):
            model = short[f"{size}.{min(index, 1)}"]
            ours = deep[f"{size}.{index}"]
            keys = ("op", "in", "out", "params", "macs")
            assert [[row[k] for k in keys] for row in ours] == [
                [row[k] for k in keys] for row in model
            ]


def test_the_auxiliary_heads_leave_the_rest_of_googlenet_as_it_is() -> None:
    plain = {row["name"]: row for row in layers("caffe/bvlc_googlenet(deploy)")}
    trained = {row["name"]: row for row in layers("caffe/bvlc_googlenet(train_val TRAIN, 2 aux)")}
    heads = {name for name in trained if name.startswith("auxiliary_head")}
    keys = ("op", "in", "out", "params", "macs")
    rest = [[row[k] for k in keys] for name, row in trained.items() if name not in heads]
    softmaxes = [row for row in rest if row[0] == "softmax"]
    assert len(softmaxes) == 3
    without_extra = [row for row in rest if row[0] != "softmax"] + softmaxes[:1]
    assert without_extra == [[row[k] for k in keys] for row in plain.values()]
    assert len(heads) == 2 * 8
