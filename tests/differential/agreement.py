"""One definition held against itself: wiring, shapes, domain, numbers, costs, what is seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import onnx

from compiler.analysis import Analysis
from compiler.dims import evaluate
from compiler.driver import Checked, check_net, load
from compiler.graph import Graph, Input
from compiler.initialise import scatter
from compiler.onnx.emitter import tensor_names
from compiler.onnx.lower import lower
from compiler.options import CompileOptions
from compiler.passes import PASSES
from compiler.rewriting import Rewrite, Rewriting
from compiler.symbols.modules import Closure
from compiler.verify import verify
from grammar.diagnostics import DefinitionError, Diagnostic
from grammar.source import Source
from runtime.reference import run_reference
from tests.differential.costs import check_costs
from tests.differential.coverage import reached
from tests.differential.definitions import Definition
from tests.differential.difference import Difference
from tests.differential.fields import check_fields
from tests.differential.figures import (
    Tensors,
    on_numpy,
    on_onnx,
    open_onnx,
    random_inputs,
)
from tests.differential.judge import Judge
from tests.differential.sizes import size_at
from tests.differential.wiring import check_wiring

LARGEST = 1e15  # beyond, float32 may overflow on the way: lrn takes squares


@dataclass
class Findings:
    """What was looked at in the nets so far."""

    nets: int = 0
    layers: int = 0
    ops: Counter[str] = field(default_factory=Counter)
    opsets: Counter[int] = field(default_factory=Counter)
    symbolic: int = 0
    ill_conditioned: int = 0
    forms: Counter[str] = field(default_factory=Counter)


def check(definition: Definition, findings: Findings) -> None:
    """Raise `Difference` where any two of the accounts of a net disagree."""
    checked = compiled(loaded(definition.text))
    analysis, graph = checked.analysis, scatter(checked.graph, definition.seed)
    assert analysis is not None
    check_outputs(definition, graph)
    if definition.layers is not None:
        check_wiring(graph, definition.layers, definition.symbols)
    points = check_domain(definition, graph)
    excused = check_numbers(definition, graph, analysis, points)
    check_fields(graph, analysis, points[0])
    findings.nets += 1
    findings.ill_conditioned += excused
    findings.layers += len(graph)
    findings.symbolic += bool(definition.symbols)
    findings.forms.update(reached(definition))
    findings.opsets[definition.opset] += 1
    findings.ops.update(node.op.name for node in graph.nodes() if not isinstance(node.op, Input))


def loaded(text: str) -> Closure:
    """The net `main`, parsed; a text that the grammar refuses is a difference."""
    try:
        nets = load(Source("drawn.netdef", text)).nets()
    except DefinitionError as error:
        raise refused(error.diagnostics) from None
    return next(net for net in nets if net.name == "main")


def compiled(net: Closure, values: Mapping[str, int] | None = None) -> Checked:
    """The checked net; one that the compiler refuses is a difference."""
    checked = check_net(net, values)
    if checked.errors:
        raise refused(checked.errors)
    return checked


def refused(diagnostics: tuple[Diagnostic, ...] | list[Diagnostic]) -> Difference:
    """A definition that ought to be valid is not."""
    first = next(d for d in diagnostics if d.severity == "error")
    said = "; ".join(filter(None, [first.label, *first.notes, first.help or ""]))
    place = f"line {first.span.line}: {first.span.text!r}"
    return Difference("refused", f"{first.code} {first.message} ({said}) at {place}")


def check_outputs(definition: Definition, graph: Graph) -> None:
    """The outputs have the names and shapes that the definition was drawn with."""
    if list(graph.outputs) != list(definition.outputs):
        raise Difference("outputs", f"{list(graph.outputs)}, drawn {list(definition.outputs)}")
    for name, drawn in definition.outputs.items():
        shape = graph[graph.outputs[name]].shape
        for values in (definition.symbols, {s: 7 * n for s, n in definition.symbols.items()}):
            ours = tuple(size_at(size, values) for size in drawn)
            theirs = tuple(evaluate(size, values) for size in shape)
            if ours != theirs:
                raise Difference("shape", f"{name} at {values}: inferred {theirs}, drawn {ours}")


def check_domain(definition: Definition, graph: Graph) -> list[dict[str, int]]:
    """The valid domain holds exactly the sizes with which the definition is valid as numbers.

    Returns sizes to run: those it was drawn for, then the smallest.
    """
    sizes = definition.symbols
    if not sizes:
        return [{}]
    assert graph.domain is not None
    violated = graph.domain.contains(sizes)
    if violated:
        raise Difference("domain", f"{sizes} works, but the domain says {violated}")
    smallest = graph.domain.smallest()
    net = loaded(definition.plain)
    for point in around(smallest, sizes, definition.seed):
        inside = not graph.domain.contains(point)
        try:
            plain = compiled(net, point).graph
        except Difference as difference:
            if inside:
                text = f"{point} is in {graph.domain.lines()}, but {difference}"
                raise Difference("domain", text) from None
            continue
        if not inside:
            raise Difference("domain", f"{point} works, but is not in {graph.domain.lines()}")
        check_shapes(graph, plain, point)
    return [sizes] if smallest == sizes else [sizes, smallest]


def around(
    smallest: Mapping[str, int], drawn: Mapping[str, int], seed: int
) -> list[dict[str, int]]:
    """The smallest sizes, those next to them, and others near the ones drawn."""
    points = [dict(smallest)]
    for name in drawn:
        points += [{**smallest, name: smallest[name] + by} for by in (-1, 1 + seed % 3)]
        points.append({**drawn, name: drawn[name] + 1 + seed % 5})
    return [point for point in points if min(point.values()) >= 1]


def check_shapes(graph: Graph, plain: Graph, point: Mapping[str, int]) -> None:
    """Every symbolic shape at a point is the shape that plain numbers lead to."""
    for node in graph.nodes():
        ours = tuple(evaluate(size, point) for size in node.shape)
        if node.name not in plain or plain[node.name].shape != ours:
            other = plain[node.name].shape if node.name in plain else "no such layer"
            raise Difference("shape", f"{node.name} at {point}: {node.shape}, in numbers {other}")


def check_numbers(
    definition: Definition,
    graph: Graph,
    analysis: Analysis,
    points: list[dict[str, int]],
) -> bool:
    """NumPy in both precisions and ONNX Runtime in four ways agree; so do the costs.

    Tells whether rounding alone had to explain a difference, or numbers grew too large to compare.
    """
    opset = definition.opset
    exposed = lower(graph, CompileOptions(opset=opset), expose=True)
    onnx.checker.check_model(exposed, full_check=True)
    layers = open_onnx(exposed, optimise=False)
    rewritten = passed(graph)
    models = {
        "ONNX Runtime, optimised by it": (lower(graph, CompileOptions(opset=opset)), True),
        "ONNX Runtime, after our passes": (lower(rewritten, CompileOptions(opset=opset)), False),
        "ONNX Runtime, after our passes and its own": (
            lower(rewritten, CompileOptions(opset=opset)),
            True,
        ),
    }
    whole = {way: open_onnx(model, optimise=own) for way, (model, own) in models.items()}
    tensor_of = tensor_names(graph)
    excused = False
    for sizes in points:
        feeds = random_inputs(graph, sizes, definition.seed, batch=2 + definition.seed % 2)
        exact = on_numpy(graph, feeds, np.float64)
        check_result_shapes(graph, exact, sizes)
        if max(float(np.abs(value).max()) for value in exact.values()) > LARGEST:
            excused = True
            continue
        judge = Judge(graph, feeds, exact)
        rounded = on_numpy(graph, feeds, np.float32)
        judge.layers("NumPy in float32", rounded)
        check_memory(graph, feeds, rounded)
        found = on_onnx(layers, feeds)
        judge.layers("ONNX Runtime", {n: found[tensor_of[n]] for n in exact if n not in feeds})
        for way, session in whole.items():
            judge.outputs(way, on_onnx(session, feeds))
        judge.outputs("NumPy, after our passes", outputs_of(rewritten, feeds))
        excused = excused or bool(judge.excused)
        if sizes == points[0]:
            check_costs(graph, analysis, exposed, exact, sizes)
    return excused


def unchecked(graph: Graph, rewrite: Rewrite) -> Graph:
    """The graph after a rewrite, which is verified here."""
    rewriting = Rewriting(graph)
    rewrite(rewriting)
    return rewriting.finished()


def passed(graph: Graph) -> Graph:
    """The graph after every pass; the verifier finds nothing after any."""
    check_verified(graph, "elaboration")
    for rewrite, ops in PASSES.items():
        before, graph = graph, unchecked(graph, rewrite)
        check_verified(graph, rewrite.__name__)
        passed_over = not any(isinstance(node.op, ops) for node in before.nodes())
        if passed_over and graph is not before and not before.unused():
            raise Difference("pass", f"{rewrite.__name__} found more than the ops it looks for")
    return graph


def check_verified(graph: Graph, stage: str) -> None:
    """The verifier finds nothing in the graph after a stage."""
    for found in verify(graph):
        raise Difference("verify", f"after {stage}: {found.message}")


def outputs_of(graph: Graph, feeds: Tensors) -> Tensors:
    """The outputs by name, in float64."""
    values = on_numpy(graph, feeds, np.float64)
    return {output: values[name] for output, name in graph.outputs.items()}


def check_memory(graph: Graph, feeds: Tensors, kept: Tensors) -> None:
    """Layers that write over what nobody needs any more give the same numbers, bit by bit.

    The inputs and the weights stay as they are. `kept` are the tensors of a run that keeps all.
    """
    held = {**feeds, **graph.values}
    before = {name: array.copy() for name, array in held.items()}
    for output, value in run_reference(graph, feeds).items():
        name = graph.outputs[output]
        if not np.array_equal(value, kept[name], equal_nan=True):
            raise Difference("memory", f"{name} is another where layers are written over")
    for name, array in held.items():
        if not np.array_equal(array, before[name]):
            raise Difference("memory", f"{name} was written over")


def check_result_shapes(graph: Graph, exact: Tensors, sizes: Mapping[str, int]) -> None:
    """Each layer's tensor has its inferred shape."""
    for node in graph.nodes():
        ours = tuple(evaluate(size, sizes) for size in node.shape)
        if exact[node.name].shape[1:] != ours:
            made = exact[node.name].shape[1:]
            raise Difference("shape", f"{node.name} at {sizes}: inferred {ours}, made {made}")
