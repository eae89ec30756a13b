"""The interpreter as a backend of ONNX's tests: import, define, compile, interpret."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from unittest import SkipTest

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.base import Backend, BackendRep

from compiler.importers.define import define
from compiler.importers.from_onnx import import_onnx
from compiler.importers.imported import Imported
from grammar.diagnostics import DefinitionError
from runtime.reference import run_reference
from tests.conformance.core import JOINS


class Interpreted(BackendRep):
    """One model; its parameters become known with its inputs."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model

    def run(self, inputs: Sequence[Any], **kwargs: Any) -> tuple[Any, ...]:
        """The outputs in order; raises `SkipTest` when the language cannot express the model."""
        model, data = with_parameters(self.model, inputs)
        imported, batch = imported_somehow(model)
        graph = define(imported).graph
        feeds = {
            node.name: value if batch else value[np.newaxis]
            for node, value in zip(graph.inputs(), data, strict=True)
        }
        exact = any(value.dtype != np.float32 for value in data)
        results = run_reference(graph, feeds, np.float64 if exact else np.float32)
        found = [results[name] for name in imported.graph.outputs]
        return tuple(
            as_declared(declared, value if batch else value[0])
            for value, declared in zip(found, self.model.graph.output, strict=True)
        )


def as_declared(declared: onnx.ValueInfoProto, value: Any) -> Any:
    """A result in the type that ONNX gives it; a scalar is a vector of one number here."""
    tensor = declared.type.tensor_type
    scalar = not tensor.shape.dim and value.size == 1
    typed = value.astype(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type))
    return typed.reshape(()) if scalar else typed


def with_parameters(
    model: onnx.ModelProto, inputs: Sequence[Any]
) -> tuple[onnx.ModelProto, list[Any]]:
    """The model with its parameters as initializers, and the data that are left to be fed.

    Of a single node the first input is data and the rest are parameters, but for joins, whose
    inputs are all data; of a larger model every input is data that is no initializer already.
    """
    filled = onnx.ModelProto()
    filled.CopyFrom(model)
    known = {tensor.name for tensor in model.graph.initializer}
    free = [declared.name for declared in model.graph.input if declared.name not in known]
    single = len(model.graph.node) == 1 and model.graph.node[0].op_type not in JOINS
    data = []
    for place, (name, value) in enumerate(zip(free, inputs, strict=True)):
        if place and single:
            filled.graph.initializer.append(numpy_helper.from_array(value, name))
        else:
            data.append(value)
    return filled, data


def imported_somehow(model: onnx.ModelProto) -> tuple[Imported, bool]:
    """The model with axis 0 as the batch, else with a whole tensor as one sample."""
    reasons = []
    for batch in (True, False):
        try:
            return import_onnx(model, "case.onnx", batch=batch), batch
        except DefinitionError as error:
            reasons.append(error.diagnostics[0].message.partition(": ")[2])
    raise SkipTest(reasons[-1])


class Interpreter(Backend):
    """What `onnx.backend.test.BackendTest` asks of a backend."""

    @classmethod
    def prepare(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any) -> Interpreted:
        """A model, ready to run."""
        return Interpreted(model)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """NumPy runs on the CPU."""
        return device == "CPU"
