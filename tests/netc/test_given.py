"""What Python callers give: NumPy's numbers are numbers, and only documented errors come back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netc

NET = """
net n(width=4, wide=false, rates=[1], name="a") {
    input x: f32[3, 8, 8]
    conv(width, 3x3) -> relu as first
    if wide { conv(sum(rates), 1x1) }
    output y
}
"""


@pytest.fixture(scope="module")
def net() -> netc.Net:
    return netc.loads(NET)


@pytest.mark.parametrize(
    "value", [np.int64(7), np.uint8(7), np.array(7), np.int32(7), np.array([7])[0]]
)
def test_whole_numbers_of_numpy_are_whole_numbers(value: Any) -> None:
    assert netc.loads(NET, width=value).graph.outputs == netc.loads(NET, width=7).graph.outputs
    assert netc.loads(NET, width=value).analysis.parameters == 7 * 28


def test_truth_values_lists_and_arrays_of_numpy_are_values_too(net: netc.Net) -> None:
    made = netc.loads(NET, wide=np.bool_(True), rates=np.array([2, 3], np.int16))
    assert made.graph[made.graph.outputs["y"]].shape[0] == 5
    made = netc.loads(NET, wide=True, rates=[np.int64(2), np.int8(4)])
    assert made.graph[made.graph.outputs["y"]].shape[0] == 6
    picture = np.zeros((1, 3, 8, 8), np.float32)
    numbers: dict[str, Any] = {"seed": np.int64(3), "batch_size": np.int16(1)}
    first = net.run(picture, device="numpy", **numbers)
    np.testing.assert_array_equal(first["y"], net.run(picture, device="numpy", seed=3)["y"])
    numbers = {"seed": np.int64(1), "opset": np.int32(20), "batch": np.uint8(2)}
    assert net.model(**numbers).opset_import


CALLS: dict[str, Callable[[netc.Net, Path], Any]] = {
    "load a number": lambda net, here: netc.load(5),  # type: ignore[arg-type]
    "load bytes": lambda net, here: netc.load(b"lenet5"),  # type: ignore[arg-type]
    "load NUL": lambda net, here: netc.load("a\0b.netdef"),
    "load a surrogate": lambda net, here: netc.load("a\ud800b.netdef"),
    "load a long name": lambda net, here: netc.load("a" * 5000),
    "load a folder": lambda net, here: netc.load(here),
    "load nothing": lambda net, here: netc.load(""),
    "load another net": lambda net, here: netc.load("lenet5", "lenet6"),
    "net a number": lambda net, here: netc.load("lenet5", 5),  # type: ignore[arg-type]
    "include text": lambda net, here: netc.loads(NET, include="here"),
    "include a number": lambda net, here: netc.loads(NET, include=5),  # type: ignore[arg-type]
    "include numbers": lambda net, here: netc.loads(NET, include=[5]),  # type: ignore[list-item]
    "text a number": lambda net, here: netc.loads(5),  # type: ignore[arg-type]
    "text NUL": lambda net, here: netc.loads("\0"),
    "text a surrogate": lambda net, here: netc.loads("net n { \ud800 }"),
    "text deep": lambda net, here: netc.loads("(" * 5000),
    "parameter an object": lambda net, here: netc.loads(NET, width=object()),
    "parameter a mapping": lambda net, here: netc.loads(NET, width={}),
    "parameter nothing": lambda net, here: netc.loads(NET, width=None),
    "parameter text": lambda net, here: netc.loads(NET, width="wide"),
    "parameter NaN": lambda net, here: netc.loads(NET, width=np.float32("nan")),
    "parameter huge": lambda net, here: netc.loads(NET, width=10**30),
    "parameter unknown": lambda net, here: netc.loads(NET, depth=3),
    "weights a number": lambda net, here: net.with_weights(5),  # type: ignore[arg-type]
    "weights nothing": lambda net, here: net.with_weights(None),  # type: ignore[arg-type]
    "weights not there": lambda net, here: net.with_weights("nowhere.npz"),
    "weights NUL": lambda net, here: net.with_weights("a\0b.npz"),
    "weights a folder": lambda net, here: net.with_weights(here),
    "weights text": lambda net, here: net.with_weights({"first.weight": "heavy"}),
    "weights ragged": lambda net, here: net.with_weights({"conv1.weight": [[1], [2, 3]]}),
    "weights without": lambda net, here: net.with_weights({}),
    "weights of number": lambda net, here: net.with_weights({5: np.zeros(3)}),  # type: ignore[dict-item]
    "rename text": lambda net, here: net.with_weights("w.npz", rename="a=b"),
    "rename numbers": lambda net, here: net.with_weights("w.npz", rename=[5]),  # type: ignore[list-item]
    "rename a mapping": lambda net, here: net.with_weights({}, rename=["a=b"]),
    "compile a number": lambda net, here: net.compile(5),  # type: ignore[arg-type]
    "compile nowhere": lambda net, here: net.compile(here / "no" / "x.onnx"),
    "compile to a folder": lambda net, here: net.compile(here),
    "compile NUL": lambda net, here: net.compile("a\0b"),
    "compile long": lambda net, here: net.compile(here / ("a" * 300)),
    "seed text": lambda net, here: net.model(seed="a"),  # type: ignore[arg-type]
    "seed a fraction": lambda net, here: net.model(seed=1.5),  # type: ignore[arg-type]
    "seed negative": lambda net, here: net.model(seed=-1),
    "opset old": lambda net, here: net.model(opset=5),
    "opset text": lambda net, here: net.model(opset="new"),  # type: ignore[arg-type]
    "batch none": lambda net, here: net.model(batch=0),
    "batch text": lambda net, here: net.model(batch="N"),  # type: ignore[arg-type]
    "dtype": lambda net, here: net.model(dtype="f8"),
    "io dtype": lambda net, here: net.model(io_dtype="f8"),
    "dtype a number": lambda net, here: net.model(dtype=5),  # type: ignore[arg-type]
    "embed": lambda net, here: net.model(embed="x"),  # type: ignore[arg-type]
    "device": lambda net, here: net.session("quantum"),
    "device a number": lambda net, here: net.session(0),  # type: ignore[arg-type]
    "device number": lambda net, here: net.run(here, device="cpu:²"),
    "run nothing": lambda net, here: net.run(None, device="numpy"),
    "run not there": lambda net, here: net.run("nowhere.npy", device="numpy"),
    "run NUL": lambda net, here: net.run("a\0b.npy", device="numpy"),
    "run text": lambda net, here: net.run({"zz": 1}, device="numpy"),
    "run objects": lambda net, here: net.run([object()], device="numpy"),
    "run another shape": lambda net, here: net.run(np.zeros((4, 4)), device="numpy"),
    "run complex": lambda net, here: net.run(np.zeros((3, 8, 8), complex), device="numpy"),
    "run tensors": lambda net, here: net.run(
        np.zeros((3, 8, 8), np.float32), device="numpy", tensors=["zz"]
    ),
    "run tensor numbers": lambda net, here: net.run(
        np.zeros((3, 8, 8), np.float32),
        device="numpy",
        tensors=[5],  # type: ignore[list-item]
    ),
    "run batch size": lambda net, here: net.run(
        np.zeros((3, 8, 8), np.float32), device="numpy", batch_size=0
    ),
    "run tta": lambda net, here: net.run(
        np.zeros((3, 8, 8), np.float32),
        device="numpy",
        tta="spin",  # type: ignore[arg-type]
    ),
    "verify batch": lambda net, here: net.verify(batch=0),
    "verify device": lambda net, here: net.verify(device="quantum"),
    "verify dtype": lambda net, here: net.verify(dtype="f8"),
    "plot suffix": lambda net, here: net.plot(here / "x.txt"),
    "plot a number": lambda net, here: net.plot(5),  # type: ignore[call-overload]
    "plot depth": lambda net, here: net.plot(here / "x.svg", depth=-1),
    "plot depth text": lambda net, here: net.plot(here / "x.svg", depth="a"),  # type: ignore[call-overload]
    "read not there": lambda net, here: netc.read("nowhere.onnx"),
    "read a number": lambda net, here: netc.read(5),  # type: ignore[arg-type]
    "read another": lambda net, here: netc.read(here / "n.txt"),
    "read rubbish": lambda net, here: netc.read(here / "n.onnx"),
    "read rubbish text": lambda net, here: netc.read(here / "n.prototxt"),
    "read NUL": lambda net, here: netc.read("a\0b.onnx"),
}


@pytest.mark.parametrize("call", CALLS)
def test_only_documented_errors_leave(net: netc.Net, tmp_path: Path, call: str) -> None:
    for name in ("n.txt", "n.onnx", "n.prototxt"):
        (tmp_path / name).write_bytes(b"\xff\x00rubbish" * 9)
    np.savez(tmp_path / "w.npz", a=np.zeros(3))
    with pytest.raises((netc.CallError, netc.DefinitionError, netc.MachineError)) as caught:
        CALLS[call](net, tmp_path)
    assert str(caught.value)
