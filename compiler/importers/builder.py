"""A graph built layer by layer from another format: shapes inferred, complaints collected."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from itertools import accumulate
from math import prod
from typing import Any
from unicodedata import category

import numpy as np
from numpy.typing import NDArray

from compiler.dims import Dim, Size, symbol, symbols
from compiler.domain import Facts
from compiler.domain.conditions import Contradiction
from compiler.domain.suggestions import equalities_for
from compiler.graph import Draft, Graph, Input, Node, shapes_taken
from compiler.importers.imported import MOST_EDGES, MOST_LAYERS, Imported
from compiler.importers.numbered import numbered
from compiler.ops import OPS
from compiler.ops.arguments import ArgumentError
from compiler.ops.base import Op, Shape, ShapeError, kind_of
from compiler.ops.shapes import infer
from compiler.values import POISON, Tensor
from grammar.diagnostics import DefinitionError, Diagnostic
from grammar.lexemes import RESERVED
from grammar.source import Source, Span
from grammar.unforeseen import CODE, REPORT, own_error


class Refused(Exception):
    """A layer of the source that cannot be expressed; the text says why."""

    def __init__(self, reason: str, help: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.help = help


class Poisoned(Exception):
    """A layer that depends on one that was refused: said already."""


LARGEST_TENSOR = 2**35  # numbers, 128 GiB of float32


def check_size(shape: Shape) -> None:
    """Raise `Refused` for a tensor that no machine holds."""
    count = prod(size for size in shape if not isinstance(size, Dim))
    if count > LARGEST_TENSOR:
        raise Refused(f"a sample of it has {count:,} numbers")


def make_op(name: str, arguments: Mapping[str, Any]) -> Op:
    """An op of the language, its arguments brought to the form that a definition gives them."""
    op_type = OPS[name]
    kinds = {parameter.name: kind_of(parameter) for parameter in fields(op_type)}
    values = {}
    for argument, value in arguments.items():
        try:
            values[argument] = kinds[argument](value)
        except ArgumentError as error:
            raise Refused(f"{argument} of {name} {error}") from None
    return op_type(**values)


def clean_label(text: str) -> str:
    """A name of another format as a label: slashes become dots, what labels lack underscores."""
    text = re.sub(r"[\s\"{}\\:;,()\[\]=]+", "_", text.replace("/", "."))
    text = "".join("_" if category(c).startswith("C") else c for c in text)  # not to be seen
    return re.sub(r"\.{2,}", ".", text).strip(".")


def identifier(text: str, otherwise: str) -> str:
    """A name of another format as a name of an input or output."""
    word = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")
    if not word or word[0].isdigit():
        word = f"{otherwise}_{word}".rstrip("_")
    return f"{word}_" if word in AVOIDED else word


def visible(name: str, otherwise: str) -> str:
    """A name of an input or output as the source gives it, without what cannot be seen."""
    return "".join(c if c.isprintable() else "_" for c in name) or otherwise


# The words of the language, and those that read as its own where a name stands.
AVOIDED = RESERVED | {
    *("input", "output", "as", "like", "from"),
    *("range", "len", "min", "max", "sum", "enumerate", "zip", "floor", "ceil"),
}


def is_implied(facts: Facts, known: tuple[Size, Size], asked: tuple[Size, Size]) -> bool:
    """Whether two sizes are equal wherever two others are."""
    trial = facts.copy()
    try:
        trial.assume(known[0], "==", known[1])
    except Contradiction:
        return True
    return trial.equal(*asked)


class GraphBuilder:
    """A graph under construction.

    `kept` collects the labels that are the source's own, `notes` the conventions translated.
    """

    def __init__(self, name: str, source: Source) -> None:
        self.source = source
        name = identifier(name, "net")
        self.graph = Draft(f"{name}_net" if name in OPS else name)
        self.outputs: dict[str, str] = {}
        self.values: dict[str, NDArray[np.float32]] = {}
        self.kept: set[str] = set()
        self.constants: set[str] = set()
        self.notes: dict[str, None] = {}
        self.diagnostics: list[Diagnostic] = []
        self.warnings: list[Diagnostic] = []
        self.numbers: dict[str, int] = defaultdict(lambda: 2)  # the next behind each name

    def note(self, text: str) -> None:
        """Remember a convention that was translated; each is said once."""
        self.notes.setdefault(text)

    @contextmanager
    def reporting(self, span: Span, what: str) -> Iterator[None]:
        """Turn a refusal into a diagnostic at `span` that names the layer.

        So is an error that nobody foresaw, under a code of its own.
        """
        try:
            yield
        except Refused as error:
            self.complain(span, what, error.reason, error.help)
        except ShapeError as error:
            reason = f"{error.message}: {error.label}" if error.label else error.message
            self.complain(span, what, reason, error.help)
        except Poisoned:
            pass
        except Exception as error:  # whatever nobody foresaw
            message = f"{what}: {own_error(error)}"
            self.diagnostics.append(Diagnostic.of(CODE, message, span, help=REPORT))

    def complain(self, span: Span, what: str, reason: str, help: str | None = None) -> None:
        """Record that a layer cannot be expressed."""
        message = f"{what} cannot be expressed: {reason}"
        self.diagnostics.append(Diagnostic.of("E601", message, span, help=help))

    def warn(self, span: Span, message: str, help: str | None = None) -> None:
        """Record what the source says to no effect, there as here."""
        self.warnings.append(Diagnostic.of("W601", message, span, help=help, severity="warning"))

    def unique(self, wanted: str) -> str:
        """`wanted`, or with a number behind it, so that no other layer has the name."""
        if wanted not in self.graph:
            return wanted
        while (name := f"{wanted}_{self.numbers[wanted]}") in self.graph:
            self.numbers[wanted] += 1
        return name

    def input(self, name: str, shape: Shape, span: Span, *, whole: bool = False) -> Tensor:
        """Declare an input, of whole numbers perhaps."""
        check_size(shape)
        name = self.unique(visible(name, "input"))
        self.graph.add(Node(name, Input("i64" if whole else "f32"), (), shape, span))
        return Tensor(name, shape)

    def layer(
        self,
        op: str,
        inputs: tuple[Tensor, ...],
        span: Span,
        *,
        name: str = "",
        kept: bool = False,
        weights: Mapping[str, NDArray[Any]] | None = None,
        owner: str = "",
        of_constants: bool = False,
        **arguments: Any,
    ) -> Tensor:
        """Add a layer; raises `Refused` or `ShapeError` when the op does not allow it.

        With `kept`, `name` is the source's own; `weights` are the numbers of its parameters by
        their short names, absent where the source has none; `owner` is a layer to share with. A
        layer `of_constants` may be merged with its neighbours.
        """
        if any(tensor.node is None for tensor in inputs):
            raise Poisoned
        made = make_op(op, arguments)
        shapes = shapes_taken(made, [self.graph[str(tensor.node)] for tensor in inputs])
        if made.most_inputs is None:
            self.agree(made, shapes)
        shape = infer(made, shapes, self.graph.facts)
        check_size(shape)
        if owner:
            self.check_shared(owner, made, shapes)
        name = self.unique(name or op)
        if kept:
            self.kept.add(name)
        if of_constants:
            self.constants.add(name)
        sources = tuple(tensor.node for tensor in inputs if tensor.node is not None)
        node = Node(name, made, sources, shape, span, owner=owner)
        self.graph.add(node)
        held = {} if owner or weights is None else weights
        for weight in made.weights(shapes) if held else ():
            values = np.asarray(held[weight.name], dtype=np.float32)
            if values.size != prod(weight.shape):
                raise Refused(f"its {weight.name} has {values.size} values, not {weight.shape}")
            self.values[node.array(weight.name)] = values.reshape(weight.shape)
        return Tensor(name, shape)

    def parameters(self, layer: str) -> dict[str, NDArray[np.float32]]:
        """The numbers of a layer's parameters by their short names."""
        names = [weight.name for weight in self.graph.weights(self.graph[layer])]
        held = {name: self.values.get(self.graph[layer].array(name)) for name in names}
        return {name: value for name, value in held.items() if value is not None}

    def check_shared(self, owner: str, op: Op, shapes: tuple[Shape, ...]) -> None:
        """Raise `Refused` unless a layer can use the parameters of another."""
        lender = self.graph[owner]
        held = [(weight.name, weight.shape) for weight in self.graph.weights(lender)]
        if type(op) is not type(lender.op) or held != [
            (w.name, w.shape) for w in op.weights(shapes)
        ]:
            raise Refused(f"it shares the parameters of {owner}, which have other shapes")

    def agree(self, op: Op, shapes: tuple[Shape, ...]) -> None:
        """Learn what makes the symbolic sizes of a join's branches equal, as `assert` would."""
        along = getattr(op, "axis", None)
        rank = len(shapes[0])
        for other in shapes[1:]:
            for axis, (a, b) in enumerate(zip(shapes[0], other, strict=False)):
                skipped = along is not None and axis == along % rank
                if not skipped and 1 not in (a, b):
                    self.equate(a, b)

    def equate(self, a: Size, b: Size) -> bool:
        """Learn what makes two sizes equal, as `assert` would; whether they are now.

        A symbol that gets one of several values that would do so is told of.
        """
        facts = self.graph.facts
        if isinstance(a, Dim) or isinstance(b, Dim):
            before = facts.copy()
            for left, right in equalities_for(facts, a, b) or ():
                facts.assume(left, "==", right)
                is_fixed = isinstance(right, int) and any(
                    left == symbol(name) for name in symbols(left)
                )
                if is_fixed and not is_implied(before, (a, b), (left, right)):
                    self.note(f"{left} is {right} here; the model may take more for it")
        return facts.equal(a, b)

    def output(self, name: str, tensor: Tensor) -> None:
        """Declare an output, under a name that no input and no other output has."""
        if tensor.node is None:
            return
        others = {node.name for node in self.graph.inputs()} - {tensor.node}
        name = numbered(visible(name, "output"), self.outputs.keys() | others, "_")
        self.outputs[name] = tensor.node

    def finish(self, origin: str) -> Imported:
        """The graph with its numbers; raises `DefinitionError` with every complaint."""
        if self.diagnostics:
            raise DefinitionError(self.diagnostics)
        layers = [node for node in self.graph.nodes() if not isinstance(node.op, Input)]
        if len(layers) > MOST_LAYERS:
            message = f"it makes {len(layers):,} layers, and at most {MOST_LAYERS:,} are imported"
            raise DefinitionError([Diagnostic.of("E209", message, layers[MOST_LAYERS].span)])
        taken = accumulate(len(node.inputs) for node in layers)
        for node, count in zip(layers, taken, strict=True):
            if count > MOST_EDGES:
                message = f"its layers take more than {MOST_EDGES:,} tensors in all"
                raise DefinitionError([Diagnostic.of("E209", message, node.span)])
        graph = self.graph.finished(outputs=self.outputs, values=self.values)
        if any(isinstance(size, Dim) for node in graph.inputs() for size in node.shape):
            graph = self.with_all_facts(graph)
        constants = frozenset(self.constants)
        return Imported(
            graph,
            frozenset(self.kept),
            tuple(self.notes),
            origin,
            constants=constants,
            warnings=tuple(self.warnings),
        )

    def with_all_facts(self, graph: Graph) -> Graph:
        """The graph with every shape inferred again, now that all is known of its symbols."""
        fresh = Draft(graph.name)
        for node in graph.nodes():
            shape = node.shape
            if not isinstance(node.op, Input):
                shape = infer(node.op, fresh.input_shapes(node), graph.facts)
            fresh.add(replace(node, shape=shape))
        return graph.rebuilt(fresh.nodes())


__all__ = ["POISON", "GraphBuilder", "Poisoned", "Refused", "clean_label", "identifier", "make_op"]
