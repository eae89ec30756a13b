"""A process that is killed while it writes leaves the old model or the new one.

NETC_KILLS says how often: `NETC_KILLS=100 pytest tests/runtime/test_killed_writes.py`.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from runtime.models import write_model

KILLS = int(os.environ.get("NETC_KILLS", "10"))
LONGEST = 0.05  # seconds from the first write to the kill

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes are forked and killed")


def version(number: int) -> onnx.ModelProto:
    """A model of 1 MB whose weights all hold one number."""
    weight = numpy_helper.from_array(np.full((512, 512), number, dtype=np.float32), "w")
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 512])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 512])
    node = helper.make_node("MatMul", ["x", "w"], ["y"], name=f"version {number}")
    graph = helper.make_graph([node], "g", [x], [y], [weight])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def write_forever(path: Path, external: bool, started: object) -> None:
    """Write one version after the other until the end."""
    models = [version(number) for number in range(4)]
    for turn in range(10**9):
        write_model(models[turn % 4], path, external=external)
        started.set()  # type: ignore[attr-defined]


@pytest.fixture
def moments() -> Iterator[float]:
    """Waiting times, always the same."""
    generator = random.Random(0)
    return iter(lambda: generator.uniform(0, LONGEST), None)


@pytest.mark.parametrize("external", [False, True])
def test_a_killed_write_leaves_a_whole_model(
    tmp_path: Path, moments: Iterator[float], external: bool
) -> None:
    path = tmp_path / "m.onnx"
    context = multiprocessing.get_context("fork")
    seen = set()
    for _ in range(KILLS):
        started = context.Event()
        process = context.Process(target=write_forever, args=(path, external, started))
        process.start()
        assert started.wait(30)
        time.sleep(next(moments))
        process.kill()
        process.join()
        model = onnx.load_model(path)
        (weight,) = map(numpy_helper.to_array, model.graph.initializer)
        number = int(model.graph.node[0].name.removeprefix("version "))
        assert (weight == number).all(), "model and data are of one version"
        seen.add(number)
    assert KILLS < 10 or len(seen) > 1, "the kills came at different moments"
    write_model(version(9), path, external=external)
    hidden = [file.name for file in tmp_path.iterdir() if file.name.startswith(".")]
    assert not hidden, "the next write sweeps what the kills left half written"
