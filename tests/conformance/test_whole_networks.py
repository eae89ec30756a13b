"""The nine whole networks of the onnx package, as they are and with random numbers in them."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from compiler.importers.define import define
from compiler.importers.from_onnx import import_onnx
from runtime.reference import run_reference
from runtime.session import open_session
from tests.conformance.light import FOLDER, NAMES, run_light

LARGE = {"light_vgg19", "light_bvlc_alexnet", "light_zfnet512"}  # hundreds of megabytes each


def test_there_are_nine() -> None:
    assert len(NAMES) == 9


@pytest.mark.parametrize("name", NAMES)
def test_its_definition_gives_the_expected_output_both_ways(name: str) -> None:
    assert run_light(name).agrees()


@pytest.mark.parametrize("name", [name for name in NAMES if name not in LARGE])
def test_with_random_numbers_its_definition_is_the_model_channel_by_channel(name: str) -> None:
    model = with_random_numbers(onnx.load(FOLDER / f"{name}.onnx"))
    graph = define(import_onnx(model, f"{name}.onnx")).graph
    (source,) = graph.inputs()
    random = np.random.default_rng(0)
    x = random.standard_normal((1, *map(int, source.shape))).astype(np.float32)  # type: ignore[arg-type]
    session = open_session(model.SerializeToString(), "cpu")
    (wanted,) = session.run({next(iter(session.inputs)): x}).values()
    (found,) = run_reference(graph, {source.name: x}).values()
    assert np.ptp(wanted) > 0
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-5 * np.abs(wanted).max())


def with_random_numbers(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with its constant weights as random ones of a size that keeps values in bounds."""
    random = np.random.default_rng(1)
    shapes = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    kept = []
    for node in model.graph.node:
        if node.op_type != "ConstantOfShape":
            kept.append(node)
            continue
        shape = tuple(shapes[node.input[0]])
        spread = (2 / max(np.prod(shape[1:]), 1)) ** 0.5 if len(shape) > 1 else 0.1
        values = random.standard_normal(shape) * spread + (0.5 if len(shape) == 1 else 0)
        array = (np.abs(values) if len(shape) == 1 else values).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(array, node.output[0]))
    del model.graph.node[:]
    model.graph.node.extend(kept)
    return model
