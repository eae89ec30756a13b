"""Published Caffe networks have, layer for layer, the sizes that were counted elsewhere."""

from __future__ import annotations

from functools import cache

import pytest

import netc
from compiler.importers.builder import clean_label
from compiler.importers.define import Defined, define
from compiler.importers.from_caffe import import_caffe
from grammar.source import Source
from tests.importers.caffe_models import alexnet, googlenet
from tests.library.published import GOLDEN

NETS = {
    "caffe/bvlc_alexnet": alexnet,
    "caffe/bvlc_googlenet(train_val TRAIN, 2 aux)": googlenet,
}
COMPARED = {"Convolution": "conv", "InnerProduct": "dense", "Pooling": "pool", "LRN": "lrn"}


@cache
def defined(published: str) -> Defined:
    """The definition of a published network."""
    return define(import_caffe(Source("x.prototxt", NETS[published]())))


@pytest.mark.parametrize("published", NETS)
def test_parameters_and_multiplications_are_those_published(published: str) -> None:
    summary = netc.loads(defined(published).text).summary()
    golden = GOLDEN[published]
    assert (summary["params"], summary["macs"]) == (golden["params"], golden["macs"])


@pytest.mark.parametrize("published", NETS)
def test_every_layer_keeps_its_name_and_size(published: str) -> None:
    ours = {
        layer["name"]: (layer["op"], layer["out"], layer["params"], layer["macs"])
        for layer in netc.loads(defined(published).text).summary()["layers"]
    }
    stages = [stage for stage in GOLDEN[published]["stages"] if stage["op"] in COMPARED]
    assert len(stages) > 12
    for stage in stages:
        op, out, params, macs = ours[clean_label(stage["name"])]
        assert COMPARED[stage["op"]] in op
        sizes = out if len(out) == 1 or stage["op"] != "InnerProduct" else out[:1]
        assert [1, *sizes] == stage["out_shape"], stage["name"]
        assert (params, macs) == (stage["params"], stage["macs"]), stage["name"]


def test_nine_inceptions_and_two_heads_are_two_blocks() -> None:
    text = defined("caffe/bvlc_googlenet(train_val TRAIN, 2 aux)").text
    assert text.count("block ") == 2
    assert text.count("    inception(") == 9 and text.count("= head() as loss") == 2


def test_alexnets_order_and_groups_are_kept() -> None:
    text = defined("caffe/bvlc_alexnet").text
    assert "-> relu -> lrn(5) as " in text and "conv(384, 3x3, pad=1, groups=2) -> relu" in text


def test_losses_become_outputs_and_what_was_translated_is_said() -> None:
    found = defined("caffe/bvlc_googlenet(train_val TRAIN, 2 aux)")
    assert list(found.graph.outputs) == ["loss1/loss", "loss2/loss", "loss3/loss3"]
    for words in ("TRAIN are left out", "rounds the size", "SoftmaxWithLoss", "Accuracy"):
        assert any(line.startswith("# - ") and words in line for line in found.text.splitlines())
