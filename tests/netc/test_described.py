"""A compiled file tells those who open it elsewhere what it is and what it takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

import netc

TEXT = """
# Digits: two
# layers.
net digits {
    input image: f32[1, H, 28] from picture(resize=28, crop=28x28, mean=0.5, std=[0.25])
    conv(4, 3x3, stride=2, bias=false) -> bn -> lrn(3) -> gelu -> add { maxpool(2); avgpool(2) }
    gap -> flatten -> dense(10) as logits
    output probs = softmax
}
"""


def shapes(values: Any) -> dict[str, tuple[int, list[int | str]]]:
    """Element type and sizes of each declared tensor."""
    return {
        v.name: (
            v.type.tensor_type.elem_type,
            [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim],
        )
        for v in values
    }


def test_the_model_says_what_it_is_and_what_made_it() -> None:
    model = netc.loads(TEXT).model()
    assert model.doc_string == "Digits: two\nlayers."
    assert (model.producer_name, model.producer_version) == ("netc", netc.__version__)


def test_an_input_says_which_pictures_it_takes() -> None:
    net = netc.loads(TEXT)
    assert net.model().graph.input[0].doc_string == (
        "a picture: grey, shorter side resized to 28, then the centre 28 x 28, "
        "black is 0 and white 1, then (value - 0.5)/[0.25]"
    )
    assert net.model(embed="nhwc").graph.input[0].doc_string == (
        "the pixels of a picture, 0 to 255: grey, shorter side resized to 28, "
        "then the centre 28 x 28"
    )
    other = TEXT.replace("[1, H", "[3, H").replace(
        "resize=28, crop=28x28, mean=0.5, std=[0.25]", 'resize=30x28, order="bgr", range=[0, 255]'
    )
    assert netc.loads(other).model().graph.input[0].doc_string == (
        "a picture: BGR, resized to 30 x 28, black is 0 and white 255"
    )


@pytest.mark.parametrize("dtype", ["f32", "f16", "bf16"])
def test_every_layers_tensor_has_its_type_and_sizes(dtype: str) -> None:
    """As ONNX's own inference finds them where nothing is declared; ours say more of open sizes."""
    model = netc.loads(TEXT).model(dtype=dtype, optimise=False)
    onnx.checker.check_model(model, full_check=True)
    said = shapes(model.graph.value_info)
    assert said["conv1"][1] == ["N", 4, "floor((H - 1)/2)", 13]
    del model.graph.value_info[:]
    found = shapes(onnx.shape_inference.infer_shapes(model, strict_mode=True).graph.value_info)
    kinds = {name: kind for name, (kind, _) in found.items()}
    assert len(said) >= 8 and set(said) <= set(found)
    assert {name: kind for name, (kind, _) in said.items()} == {n: kinds[n] for n in said}
    for name, (_, sizes) in said.items():
        for ours, theirs in zip(sizes, found[name][1], strict=True):
            assert ours == theirs or isinstance(ours, str), name
    assert helper.tensor_dtype_to_np_dtype(kinds["gap1"]) == np.float32


def test_a_seed_is_told_only_where_it_gave_numbers() -> None:
    net = netc.loads(TEXT)
    told = {entry.key for entry in net.model(seed=3).metadata_props}
    given = {entry.key for entry in net.with_weights(net.weights).model(seed=3).metadata_props}
    assert told - given == {"netc.seed"}
