"""An ONNX model as a plain list of operators, with a readable listing that messages point into."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import accumulate
from typing import Any

import onnx
import onnx.inliner as inliner
from numpy.typing import NDArray

from compiler.importers.from_onnx.constants import Folding, array_of
from compiler.importers.imported import MOST_LAYERS, UnreadableError
from grammar.diagnostics import DefinitionError, Diagnostic
from grammar.records import dataclass
from grammar.source import Source, Span

LARGEST_GRAPH = 5 * MOST_LAYERS  # what is worked out while reading makes no layer
DEEPEST_CALLS = 100  # of a model's own functions in one another
# Operators that turn numbers into bytes and back, or compute with them.
QUANTIZED = re.compile("[Qq]uantize|QLinear|QGemm|QAttention|Integer$|NBits$")
LEARNED = "netc.learned"  # the entry with the names of a module's parameters
OLDEST_OPSET = 7  # before it broadcasting had another form; onnx converts such models


@dataclass(frozen=True)
class Operator:
    """One ONNX node.

    `name` is its own if it is `named`, else that of its first output; `layer` what netc called it,
    `module` the path of its PyTorch module.

    An absent optional input or output is the empty string, as in ONNX.
    """

    type: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    name: str
    named: bool
    span: Span
    layer: str
    module: str

    @property
    def takes(self) -> set[str]:
        """The tensors that it takes, those that its branches take from outside among them."""
        graphs = [g for g in self.attributes.values() if isinstance(g, onnx.GraphProto)]
        return {*self.inputs, *(name for g in graphs for node in g.node for name in node.input)}


@dataclass(frozen=True)
class NodePort:
    """An input or output of the model: sizes are ints, names, or None where nothing is said.

    `whole` is whether it holds whole numbers of 64 bits.
    """

    name: str
    sizes: tuple[int | str | None, ...] | None
    span: Span
    whole: bool = False


@dataclass(frozen=True)
class OnnxModel:
    """A model taken apart: what goes in and out, its constants by name, its operators in order.

    `origins` gives for a constant in a new shape the name of the initializer that it was; `learned`
    are those that are parameters, None where the model does not say. `worked_on` are the operators
    between these and constants that were worked out of them.
    """

    name: str
    folding: Folding
    producer: str
    source: Source
    inputs: tuple[NodePort, ...]
    outputs: tuple[NodePort, ...]
    constants: Mapping[str, NDArray[Any]]
    origins: Mapping[str, str]
    operators: tuple[Operator, ...]
    learned: frozenset[str] | None = None
    worked_on: tuple[Operator, ...] = ()

    @property
    def opset(self) -> int:
        """The version of ONNX's own operators."""
        return self.folding.opset


def take_apart(model: onnx.ModelProto, name: str) -> OnnxModel:
    """The operators of a model's main graph, each behind those that it takes something from.

    Raises `UnreadableError`, and `DefinitionError` for a graph that is none.
    """
    if model.functions:
        model = inlined(model, name)
    if not model.graph.node or not model.graph.output:
        raise UnreadableError(f"{name} has no {'outputs' if model.graph.node else 'nodes'}")
    count = sum(bool(node.input) for node in model.graph.node)  # `Constant` takes nothing
    if count > LARGEST_GRAPH:
        raise UnreadableError(
            f"{name} has {count:,} operators, and at most {LARGEST_GRAPH:,} are read"
        )
    model = modern(model, name)
    graph, opset = model.graph, opset_of(model, name)
    constants = constants_of(graph)
    nodes = in_order(graph, constants, name)
    inputs = [value for value in graph.input if value.name not in constants]
    folding = Folding(opset, sum(value.nbytes for value in constants.values()))
    learned, every = learned_by(model), nodes
    nodes, origins = folding.fold(nodes, constants)
    worked = between(every, constants, learned or ())
    rows = [*map(row_of, inputs), *map(listing, nodes), *map(row_out, graph.output)]
    spans = listed(name, [*rows, *map(listing, worked)])
    first, last = len(inputs), len(inputs) + len(nodes)
    if len(nodes) > MOST_LAYERS:
        message = f"{name} has {len(nodes):,} operators, and at most {MOST_LAYERS:,} are imported"
        raise DefinitionError([Diagnostic.of("E209", message, spans[first + MOST_LAYERS])])
    refuse_quantized(nodes, spans[first:last], name)
    return OnnxModel(
        graph.name,
        folding,
        model.producer_name,
        spans[0].source,
        tuple(declared(value, span) for value, span in zip(inputs, spans, strict=False)),
        tuple(declared(v, span) for v, span in zip(graph.output, spans[last:], strict=False)),
        constants,
        origins,
        tuple(operator(n, span) for n, span in zip(nodes, spans[first:last], strict=True)),
        learned,
        tuple(operator(n, span) for n, span in zip(worked, spans[len(rows) :], strict=True)),
    )


def learned_by(model: onnx.ModelProto) -> frozenset[str] | None:
    """The initializers that a model says are parameters; None where it says nothing."""
    said = (entry.value for entry in model.metadata_props if entry.key == LEARNED)
    return next((frozenset(text.split()) for text in said), None)


def between(
    nodes: Iterable[onnx.NodeProto], constants: Mapping[str, NDArray[Any]], learned: Iterable[str]
) -> list[onnx.NodeProto]:
    """The nodes that were worked out of what is learned, which make fractions or compare them."""
    reached, found = {*learned}, []
    for node in nodes:
        made = [name for name in node.output if name in constants]
        if reached & {*node.input} and any(constants[name].dtype.kind in "fb" for name in made):
            found.append(node)
            reached |= {*made}
    return found


def refuse_quantized(nodes: Sequence[onnx.NodeProto], spans: Sequence[Span], name: str) -> None:
    """Raise `DefinitionError`, once, for a model that computes in 8-bit numbers."""
    found = [k for k, node in enumerate(nodes) if QUANTIZED.search(node.op_type)]
    if found:
        kinds = counted_kinds(nodes[k].op_type for k in found)
        message = f"{name} is quantized, and the language has no such numbers"
        raise DefinitionError(
            [
                Diagnostic.of(
                    "E601",
                    message,
                    spans[found[0]],
                    label="here for the first time",
                    notes=(f"of its {len(nodes):,} operators {kinds}",),
                    help="import the float32 model that it was made from; "
                    "netc run, bench and serve take it as it is",
                )
            ]
        )


def counted_kinds(types: Iterable[str]) -> str:
    """`2 are DequantizeLinear, 1 is QuantizeLinear`, the most frequent first."""
    counts = Counter(types).most_common()
    return ", ".join(f"{n:,} {'is' if n == 1 else 'are'} {kind}" for kind, n in counts)


def unsound(model: onnx.ModelProto) -> str | None:
    """What ONNX's own checks say against a model, in a line; None when they say nothing."""
    try:
        context = onnx.checker.C.CheckerContext()
        context.ir_version = model.ir_version
        context.opset_imports = {entry.domain: entry.version for entry in model.opset_import}
        for node in model.graph.node:
            onnx.checker.check_node(node, context)
        onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    except Exception as error:  # from C++, of many kinds
        return (str(error).splitlines() or [type(error).__name__])[0]
    return None


def opset_of(model: onnx.ModelProto, name: str) -> int:
    """The version of ONNX's own operators; raises `UnreadableError` for a model without them."""
    versions = {str(entry.domain): int(entry.version) for entry in model.opset_import}
    if all(node.domain == "ai.onnx.ml" for node in model.graph.node):
        raise UnreadableError(
            f"{name} holds no network: its operators are those of ai.onnx.ml, which are trees, "
            "support vectors and the like"
        )
    opset = versions.get("", versions.get("ai.onnx"))
    if opset is None:
        rendered = f", only those of {', '.join(sorted(versions))}" if versions else ""
        raise UnreadableError(
            f"{name} does not say which version of ONNX's operators it has{rendered}"
        )
    return opset


def constants_of(graph: onnx.GraphProto) -> dict[str, NDArray[Any]]:
    """The initializers by name; of one that stands twice, the last."""
    return {tensor.name: array_of(tensor) for tensor in graph.initializer}


def in_order(graph: onnx.GraphProto, constants: Collection[str], name: str) -> list[onnx.NodeProto]:
    """The nodes, each behind those that make what it takes, otherwise as they stand.

    Raises `DefinitionError` for a tensor that nothing or more than one node makes, and a cycle.
    """
    nodes = list(graph.node)

    def refuse(place: int, why: str) -> DefinitionError:
        spans = listed(name, list(map(listing, nodes)))
        message = f"{name} is no ONNX model: {why}"
        return DefinitionError([Diagnostic.of("E602", message, spans[place])])

    known = {*constants, *(value.name for value in graph.input)}
    maker: dict[str, int] = {}
    for place, node in enumerate(nodes):
        if not any(node.output):
            raise refuse(place, f"{node.op_type} {node.name} makes nothing".replace("  ", " "))
        for made in filter(None, node.output):
            if made in maker or made in known:
                raise refuse(place, f"{made} is made twice")
            maker[made] = place
    takes = [[t for t in sorted(taken_by(node)) if t not in known] for node in nodes]
    for place, taken in enumerate(takes):
        for tensor in taken:
            if tensor not in maker:
                raise refuse(place, f"nothing makes {tensor}")
    for value in graph.output:
        if value.name not in maker and value.name not in known:
            raise refuse(len(nodes) - 1, f"nothing makes its output {value.name}")
    before = {place: {maker[tensor] for tensor in taken} for place, taken in enumerate(takes)}
    if all(place > max(others, default=-1) for place, others in before.items()):
        return nodes
    try:
        return [nodes[place] for place in TopologicalSorter(before).static_order()]
    except CycleError as error:
        circle = list(error.args[1])
        names = " -> ".join(next(filter(None, nodes[place].output)) for place in circle)
        raise refuse(circle[0], f"its operators go round in a circle, {names}") from None


def taken_by(node: onnx.NodeProto) -> set[str]:
    """The tensors that a node takes from outside, those that its branches take among them."""
    taken = {name for name in node.input if name}
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            inside = {value.name for value in graph.input} | {t.name for t in graph.initializer}
            inside |= {name for inner in graph.node for name in inner.output}
            inner = (name for node in graph.node for name in taken_by(node))
            taken |= {name for name in inner if name not in inside}
            taken |= {value.name for value in graph.output if value.name not in inside}
    return taken


def listed(name: str, rows: Sequence[str]) -> list[Span]:
    """The rows of a listing of the model, each as a place in it."""
    source = Source(name, "\n".join(rows))
    starts = accumulate((len(row) + 1 for row in rows), initial=0)
    return [Span(source, start, start + len(row)) for start, row in zip(starts, rows, strict=False)]


def row_of(value: onnx.ValueInfoProto) -> str:
    """An input in the listing."""
    return f"input {value.name}"


def row_out(value: onnx.ValueInfoProto) -> str:
    """An output in the listing."""
    return f"output {value.name}"


def inlined(model: onnx.ModelProto, name: str) -> onnx.ModelProto:
    """A model with the functions that it defines written out, by onnx's own inliner."""
    count = written_out(model)
    if count > LARGEST_GRAPH:
        raise UnreadableError(
            f"{name} has {count:,} operators once its functions are written out, and at most "
            f"{LARGEST_GRAPH:,} are read"
        )
    try:
        return inliner.inline_local_functions(model)
    except (RuntimeError, ValueError, TypeError) as error:
        reason = (str(error).splitlines() or ["unknown"])[0]
        raise UnreadableError(f"{name} has functions that onnx cannot inline: {reason}") from None


def written_out(model: onnx.ModelProto) -> int:
    """How many operators a model has without its functions; too many when they call in circles."""
    bodies = {(f.domain, f.name): f.node for f in model.functions}
    counts: dict[tuple[str, str], int] = {}
    open_calls: set[tuple[str, str]] = set()

    def count(nodes: Iterable[onnx.NodeProto]) -> int:
        total = 0
        for node in nodes:
            key = (node.domain, node.op_type)
            if key in open_calls or len(open_calls) > DEEPEST_CALLS:
                return LARGEST_GRAPH + 1
            if key in bodies and key not in counts:
                open_calls.add(key)
                counts[key] = count(bodies[key])
                open_calls.discard(key)
            total += counts.get(key, 1)
        return total

    return count(model.graph.node)


def modern(model: onnx.ModelProto, name: str) -> onnx.ModelProto:
    """The model in an opset that is read; raises as `take_apart` does."""
    if opset_of(model, name) >= OLDEST_OPSET:
        return model
    in_order(model.graph, constants_of(model.graph), name)  # the converter has no good words
    return newer(model, name)


def newer(model: onnx.ModelProto, name: str) -> onnx.ModelProto:
    """A model of an old opset in the oldest that is read, by onnx's own converter."""
    try:
        return onnx.version_converter.convert_version(with_plain_joins(model), OLDEST_OPSET)
    except Exception as error:  # from C++, of many kinds
        reason = (str(error).splitlines() or ["unknown"])[0]
        raise UnreadableError(
            f"{name} has an opset before {OLDEST_OPSET} that onnx cannot convert: {reason}"
        ) from None


def with_plain_joins(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model without `broadcast` and `axis`, where the second input begins to line up.

    That input gets the axes that it lacks behind its own; onnx's converter puts them elsewhere.
    """
    inferred = onnx.shape_inference.infer_shapes(model).graph
    infos = [*inferred.value_info, *inferred.input]
    ranks = {info.name: len(info.type.tensor_type.shape.dim) for info in infos}
    ranks |= {tensor.name: len(tensor.dims) for tensor in model.graph.initializer}
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    del changed.graph.node[:]
    for node in model.graph.node:
        axis = next((a.i for a in node.attribute if a.name == "axis"), None)
        joins = any(a.name == "broadcast" and a.i for a in node.attribute)
        if joins and axis is not None and all(name in ranks for name in node.input[:2]):
            whole, own = (ranks[name] for name in node.input[:2])
            start = axis + whole if axis < 0 else axis
            behind = list(range(own, whole - start))
            plain = onnx.NodeProto()
            plain.CopyFrom(node)
            del plain.attribute[:]
            others = [a for a in node.attribute if a.name not in ("axis", "broadcast")]
            plain.attribute.extend(others)
            if behind:
                wide = f"{node.input[1]}/{node.output[0]}"
                axes = onnx.helper.make_node("Unsqueeze", [node.input[1]], [wide], axes=behind)
                changed.graph.node.append(axes)
                plain.input[1] = wide
            node = plain
        changed.graph.node.append(node)
    return changed


def listing(node: onnx.NodeProto) -> str:
    """A node on one line: `conv1 = Conv(image, conv1.weight) [stride 2]`."""
    inputs = ", ".join(node.input)
    return f"{', '.join(filter(None, node.output))} = {node.op_type}({inputs})"


def operator(node: onnx.NodeProto, span: Span) -> Operator:
    """A node with its attributes as Python values."""
    attributes = {a.name: plain(onnx.helper.get_attribute_value(a)) for a in node.attribute}
    kind = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
    metadata = {m.key: m.value for m in node.metadata_props}
    name = node.name or next(filter(None, node.output), node.op_type)
    inputs, outputs = tuple(node.input), tuple(node.output)
    return Operator(
        kind,
        inputs,
        outputs,
        attributes,
        name,
        bool(node.name),
        span,
        metadata.get("netc.layer", ""),
        innermost_module(metadata.get("pkg.torch.onnx.name_scopes", "")),
    )


def innermost_module(scopes: str) -> str:
    """The path of the module that a node belongs to, of `['', 'layer1', 'layer1.0', 'conv2d']`."""
    paths = re.findall(r"'([^']*)'", scopes)
    return paths[-2] if len(paths) > 2 else ""


def plain(value: Any) -> Any:
    """An attribute's value: bytes as text, lists as tuples."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(plain(v) for v in value)
    return value


def declared(value: onnx.ValueInfoProto, span: Span) -> NodePort:
    """An input's or output's name and sizes."""
    whole = value.type.tensor_type.elem_type == onnx.TensorProto.INT64
    return NodePort(value.name, sizes_of(value), span, whole)


def sizes_of(value: onnx.ValueInfoProto) -> tuple[int | str | None, ...] | None:
    """The sizes of an input or output; None when it is no tensor of known rank."""
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    return tuple(
        d.dim_value if d.HasField("dim_value") and d.dim_value >= 0 else d.dim_param or None
        for d in tensor.shape.dim  # -1 is how some exporters write an open size
    )
