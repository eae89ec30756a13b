"""A reduction over all axes leaves one number a sample, []: what each op makes of that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import netc
from compiler.driver import check_net, examine
from compiler.ops import OPS
from grammar.source import Source
from tests.ops.test_activate import DEFINITIONS

# Where the op cannot be called without arguments.
ARGUMENTS: dict[str, str] = {
    **dict.fromkeys(["conv", "deconv"], "8, 3"),
    **dict.fromkeys(["maxpool", "avgpool", "lppool", "lrn", "upsample"], "2"),
    **dict.fromkeys(["pixel_shuffle", "pixel_unshuffle", "scale", "power"], "2"),
    **dict.fromkeys(["filter", "weightedpool"], "[[1, 2], [3, 4]]"),
    **dict.fromkeys(["adaptive_avgpool", "adaptive_maxpool", "groupnorm", "pad", "shift"], "1"),
    **dict.fromkeys(["channel_shuffle", "dense"], "1"),
    "clip": "0, 1",
    "reshape": "[1, 1]",
    "transpose": "[]",
    "crop": "1, 1",
    "resize": "2x2",
    "channels": "0, 1",
    "pad_channels": "1, 1",
    "normalize": "1, 1",
    "slice": "0, 0, 1",
}
TAKEN = {
    *DEFINITIONS,
    *("prelu", "clip", "abs", "exp", "log", "power", "identity", "dropout"),
    *("scale", "shift", "normalize", "flatten", "reshape", "transpose"),
    *("add", "sub", "mul", "div", "max", "min", "mean"),
}


def definition(call: str) -> str:
    return f"net n {{\n    input x: f32[4, 6]\n    reduce_mean as m\n    {call}\n    output y\n}}\n"


def call_of(name: str) -> str:
    if name in ("add", "sub", "mul", "div", "max", "min", "mean"):
        return f"{name} {{ identity; sigmoid }}"
    return f"{name}({ARGUMENTS.get(name, '')})"


@pytest.mark.parametrize("name", sorted(set(OPS) & TAKEN))
def test_what_works_on_each_number_works_on_one(name: str) -> None:
    net = netc.loads(definition(call_of(name)))
    assert net.verify(seed=1).failures == ()


@pytest.mark.parametrize("name", sorted(set(OPS) - TAKEN))
def test_what_needs_axes_says_so(name: str) -> None:
    module = examine(Source("n.netdef", definition(call_of(name)), Path("n.netdef")))
    (checked,) = map(check_net, module.nets())
    errors = [d for d in (*module.diagnostics, *checked.diagnostics) if d.severity == "error"]
    assert errors or name in ("const", "param")  # which take no input
    assert [d.code for d in errors if d.code.startswith("E9")] == []


def test_one_number_a_sample_is_an_output(tmp_path: Path) -> None:
    net = netc.loads(
        "net n {\n    input x: f32[2, 3]\n    reduce_max   : []\n    output y : []\n}\n"
    )
    x = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    for device in ("numpy", "cpu"):
        assert net.run({"x": x}, device=device)["y"].tolist() == [5, 11]
    found: Any = net.gradient({"x": x})
    assert np.argwhere(found.inputs["x"]).tolist() == [[0, 1, 2], [1, 1, 2]]
    model = onnx.load(net.compile(tmp_path / "n.onnx"))
    assert [d.dim_param for d in model.graph.output[0].type.tensor_type.shape.dim] == ["N"]
    assert net.summary()["outputs"] == {"y": []}
