"""One op, run by NumPy and by ONNX Runtime, for the tests of every op."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import onnx
import onnxruntime as ort

from compiler.dims import Size, evaluate, symbol
from compiler.domain import Facts
from compiler.graph import Draft, Graph, Input, Node
from compiler.initialise import scatter
from compiler.onnx.lower import lower
from compiler.ops.base import Op, ShapeError, kind_of, parameters
from compiler.ops.shapes import infer
from compiler.options import CompileOptions
from grammar.source import Source, Span
from runtime.reference import run_reference

AnyOp = TypeVar("AnyOp", bound=Op)

PLACE = Span(Source("op.netdef", "op"), 0, 2)
H, W = symbol("H"), symbol("W")


@dataclass(frozen=True)
class Result:
    """What an op made of its inputs: arrays by weight name, float64 reference, ONNX's output."""

    inputs: tuple[Any, ...]
    arrays: dict[str, Any]
    reference: Any
    onnx: Any


def make(op: type[AnyOp], *positions: Any, **keywords: Any) -> AnyOp:
    """An op from values as a definition gives them, each checked and converted by its kind."""
    names = [parameter.name for parameter in parameters(op)]
    kinds = {parameter.name: kind_of(parameter) for parameter in parameters(op)}
    given = dict(zip(names, positions, strict=False)) | keywords
    return op(**{name: kinds[name](value) for name, value in given.items()})


def one_op(op: Op, *shapes: Sequence[Size], facts: Facts | None = None) -> Graph:
    """A network that is this op alone, its inputs called a, b, …

    An op that takes nothing stands beside an input, which has the number of samples.
    """
    facts = facts or Facts()
    graph = Draft("one", outputs={"result": "layer"}, facts=facts)
    names = [chr(ord("a") + index) for index in range(len(shapes))]
    for name, shape in zip(names, shapes, strict=True):
        graph.add(Node(name, Input(), (), tuple(shape), PLACE))
    if op.most_inputs == 0:
        names, shapes = [], ()
    shape = infer(op, tuple(map(tuple, shapes)), facts)
    graph.add(Node("layer", op, tuple(names), shape, PLACE))
    return graph.finished()


def arrays_of(graph: Graph) -> dict[str, Any]:
    """The numbers of the one layer, by their short names."""
    layer = graph["layer"]
    return {weight.name: graph.values[layer.array(weight.name)] for weight in graph.weights(layer)}


def run_onnx(model: onnx.ModelProto, feeds: dict[str, Any]) -> list[Any]:
    """The outputs of a model on ONNX Runtime's CPU, its own rewrites off."""
    onnx.checker.check_model(model, full_check=True)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, feeds)


def compare(graph: Graph, model: onnx.ModelProto, inputs: tuple[Any, ...]) -> Result:
    """Run both and assert that they agree, NumPy in float32 as well as in float64."""
    feeds = dict(zip("abcdefgh", inputs, strict=False))
    reference = run_reference(graph, feeds, np.float64)["result"]
    single = run_reference(graph, feeds, np.float32)["result"]
    assert reference.dtype == np.float64 and single.dtype == np.float32
    (ours,) = run_onnx(model, feeds)
    np.testing.assert_allclose(single, reference, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours, reference, rtol=1e-4, atol=1e-5)
    return Result(inputs, arrays_of(graph), reference, ours)


def random_inputs(shapes: Sequence[Sequence[int]], batch: int, seed: int) -> tuple[Any, ...]:
    """Standard normal numbers, batch first."""
    random = np.random.default_rng(seed)
    return tuple(random.standard_normal((batch, *shape)).astype(np.float32) for shape in shapes)


def check(
    op: Op,
    *shapes: tuple[int, ...],
    batch: int = 2,
    seed: int = 0,
    inputs: tuple[Any, ...] | None = None,
    opset: int = 21,
) -> Result:
    """Run `op` on random (or given) inputs on both devices and assert that they agree.

    Also asserts that the inferred shape is the shape of the result.
    """
    graph = scatter(one_op(op, *shapes), seed)
    given = random_inputs(shapes, batch, seed) if inputs is None else inputs
    result = compare(graph, lower(graph, CompileOptions(opset=opset)), given)
    expected = graph["layer"].shape
    assert result.reference.shape[1:] == expected, f"{expected} is not {result.reference.shape[1:]}"
    return result


def check_symbolic(
    op: Op,
    shape: Sequence[Size],
    *others: Sequence[Size],
    sizes: Sequence[dict[str, int]],
    facts: Facts | None = None,
    opset: int = 21,
) -> list[Result]:
    """Lower `op` once for symbolic input shapes and assert that the model is right at all `sizes`.

    The shape at each of the sizes must be the one that is inferred for plain numbers.
    """
    shapes = (shape, *others)
    graph = scatter(one_op(op, *shapes, facts=facts))
    model = lower(graph, CompileOptions(opset=opset))
    results = []
    for values in sizes:
        known = [tuple(evaluate(size, values) for size in shape) for shape in shapes]
        result = compare(graph, model, random_inputs(known, 2, 0))
        expected = tuple(evaluate(size, values) for size in graph["layer"].shape)
        assert result.reference.shape[1:] == expected
        results.append(result)
    return results


def apply(op: Op, *inputs: Any, **arrays: Any) -> Any:
    """What `op` makes of samples without a batch, by NumPy in float64 and as nested lists."""
    given = tuple(np.asarray(x, dtype=np.float32)[None] for x in inputs)
    graph = scatter(one_op(op, *(x.shape[1:] for x in given)))
    layer = graph["layer"]
    values = {layer.array(name): np.asarray(v, dtype=np.float32) for name, v in arrays.items()}
    assert {*values} <= {*graph.values}
    for name, value in values.items():
        assert value.shape == graph.values[name].shape
    graph = graph.rebuilt(list(graph.nodes()), values=dict(graph.values) | values)
    return compare(graph, lower(graph), given).reference[0].tolist()


def refuse(op: Op, *shapes: Sequence[Size], facts: Facts | None = None) -> ShapeError:
    """The error that `op` raises for inputs of these shapes; it blames one of its parameters."""
    try:
        infer(op, tuple(map(tuple, shapes)), facts or Facts())
    except ShapeError as error:
        assert error.argument is None or error.argument in {p.name for p in parameters(type(op))}
        return error
    raise AssertionError(f"{op} takes {shapes}")


def refusals(*rows: tuple[Op, Sequence[Size], str, str | None]) -> Callable[..., None]:
    """A test that each op refuses the input of this shape, with this code, and blames this one of
    its parameters."""

    import pytest  # the yardstick runs without it

    @pytest.mark.parametrize(("op", "shape", "code", "argument"), rows)
    def refused(op: Op, shape: Sequence[Size], code: str, argument: str | None) -> None:
        error = refuse(op, shape)
        assert (error.code, error.argument) == (code, argument)

    return refused
