"""ONNX models to graphs in netc's ops.

operators   the model as a list of operators, with a listing that messages point into
idioms      groups of operators that stand for one, found by patterns
sizes       what is computed from constants and shapes, worked out
names       what the layers are called
reading     one model being read; the files below register what each operator means
views       tensors whose batch is elsewhere, that have more axes than a layer, that joins stretch
rearranging operators on them
worked      layers over parameters, where what they make meets a tensor
running     what one operator makes
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import onnx

from compiler.dims import Size, symbol
from compiler.importers.builder import GraphBuilder, Poisoned, Refused, identifier
from compiler.importers.from_onnx.attributes import check_operator
from compiler.importers.from_onnx.idioms import recognise
from compiler.importers.from_onnx.lookups import places_only
from compiler.importers.from_onnx.operators import (
    NodePort,
    OnnxModel,
    Operator,
    sizes_of,
    take_apart,
    unsound,
)
from compiler.importers.from_onnx.reading import Pending, Reading, Value
from compiler.importers.from_onnx.running import keep, run
from compiler.importers.from_onnx.views import Stretched, copied
from compiler.importers.imported import Imported, check_inputs, renamed
from compiler.importers.numbered import numbered
from compiler.importers.tidy import tidy
from compiler.importers.tidy.untouched import untouched
from compiler.importers.tidy.without_common_path import without_common_path
from compiler.ops.base import Shape
from compiler.values import POISON, Tensor
from grammar.diagnostics import DefinitionError, Diagnostic, Remedy
from grammar.unforeseen import CODE

Sizes = tuple[int | str | None, ...]


def import_onnx(
    model: onnx.ModelProto,
    name: str = "model.onnx",
    *,
    batch: bool = True,
    shapes: Mapping[str, Shape] | None = None,
) -> Imported:
    """The graph of a model; with `batch` axis 0 of every tensor is the batch, which may vary.

    Without it a whole tensor is one sample. `shapes` are those of inputs that leave sizes open.
    Raises `DefinitionError` with every operator that cannot be expressed, and `UnreadableError`;
    where the open sizes are the cause, it says which shapes would help.
    """
    try:
        return converted(model, name, batch, shapes or {})
    except DefinitionError as error:
        asked = missing_shapes(model, int(batch), shapes or {})
        if not asked:
            raise
        raise DefinitionError(with_advice(error, model, name, batch, asked)) from None


def with_advice(
    error: DefinitionError, model: onnx.ModelProto, name: str, batch: bool, asked: dict[str, Shape]
) -> list[Diagnostic]:
    """The refusals, with the shapes that help where they are gone once these are given."""
    try:
        converted(model, name, batch, asked)
        left = set()
    except DefinitionError as other:
        left = {diagnostic.message for diagnostic in other.diagnostics}
    rendered = " ".join(f"--shape {key}={'x'.join(map(str, s))}" for key, s in asked.items())
    advice = Remedy(f"say the sizes: {rendered}")
    return [
        found if found.message in left else found.saying(remedy=advice)
        for found in error.diagnostics
    ]


def missing_shapes(
    model: onnx.ModelProto, batch: int, given: Mapping[str, Shape]
) -> dict[str, Shape]:
    """Likely shapes for the inputs that leave sizes open besides the batch, in their layout."""
    held = {tensor.name for tensor in model.graph.initializer}
    found: dict[str, Shape] = {}
    for value in model.graph.input:
        sizes = sizes_of(value)
        if value.name in held or value.name in given or not sizes:
            continue
        own = sizes[batch:]
        if own and not all(isinstance(size, int) for size in own):
            found[value.name] = likely(own)
    return found


def likely(sizes: Sizes) -> Shape:
    """Open sizes filled in: 224 pixels, 16 frames, 16,000 samples; 3 channels, first or last."""
    if len(sizes) == 1:
        return (16_000,)
    pixels = {2: (16_000,), 3: (224, 224), 4: (16, 224, 224)}.get(len(sizes), (224,) * len(sizes))
    last = isinstance(sizes[-1], int) and not isinstance(sizes[0], int)
    usual = (*pixels, 3) if last else (3, *pixels)
    return tuple(
        size if isinstance(size, int) else usual[place] for place, size in enumerate(sizes)
    )


def converted(
    model: onnx.ModelProto, name: str, batch: bool, shapes: Mapping[str, Shape]
) -> Imported:
    """The graph of a model; raises `DefinitionError` and `UnreadableError`."""
    apart = take_apart(model, name)
    check_inputs(name, shapes, [declared.name for declared in apart.inputs])
    taken = recognise(apart)
    builder = GraphBuilder(Path(name).stem if taken.name in GENERIC else taken.name, taken.source)
    refused = {op.span for op in apart.operators if not is_sound(builder, op, apart.opset)}
    reading = Reading(builder, taken, int(batch))
    places = places_only(taken)
    for declared in taken.inputs:
        with builder.reporting(declared.span, f"input {declared.name}"):
            reading.values[declared.name] = POISON
            given = shapes.get(declared.name)
            reading.values[declared.name] = read_input(reading, declared, given, places)
    for operator in taken.operators:
        reading.operator = operator
        what = f"{operator.type} {operator.name}"
        made: tuple[Value, ...] = ()
        if operator.span in refused:
            keep(reading, made)
            continue
        with builder.reporting(operator.span, what):
            made = run(reading)
        reading.operator = operator
        keep(reading, made)
    for declared in taken.outputs:
        with builder.reporting(declared.span, f"output {declared.name}"):
            value = reading.values.get(declared.name, POISON)
            if isinstance(value, Stretched):
                value = copied(reading, value)
            if isinstance(value, Pending):
                raise Refused("its batch is not in front, or it has too many axes")
            if not isinstance(value, Tensor):
                raise Refused("it is a constant")
            builder.output(declared.name, value)
    if any(found.code == CODE for found in builder.diagnostics):
        builder.diagnostics = blamed(builder.diagnostics, model)
    producer = f", written by {taken.producer}" if taken.producer else ""
    raw = builder.finish(f"{name} (ONNX, opset {taken.opset}{producer})")
    raw = replace(raw, exact=reading.exact)
    imported = tidy(raw)
    same = untouched(raw.graph, imported.graph)
    imported = with_plain_names(replace(imported, tensors=made_by(reading, same)))
    return imported if imported.exact else without_common_path(imported)


def with_plain_names(imported: Imported) -> Imported:
    """The model without the mark of the names that are no labels (`Reading.add`)."""
    names = [node.name for node in imported.graph.nodes()]
    taken, new = set(names), {}
    for name in names:
        if "/" in name:
            new[name] = numbered(name.replace("/", ""), taken, "_")
            taken.add(new[name])
    return renamed(imported, new)


def blamed(diagnostics: Sequence[Diagnostic], model: onnx.ModelProto) -> list[Diagnostic]:
    """What nobody foresaw laid to the model, where ONNX's own checks find it unsound."""
    reason = unsound(model)
    if reason is None:
        return list(diagnostics)
    return [
        found.saying(code="E602", headline=f"this is no ONNX model: {reason}", remedy=Remedy())
        if found.code == CODE
        else found
        for found in diagnostics
    ]


def is_sound(builder: GraphBuilder, operator: Operator, opset: int) -> bool:
    """Whether an operator is what ONNX says of it; where not, that is told."""
    with builder.reporting(operator.span, f"{operator.type} {operator.name}"):
        check_operator(operator, opset)
        return True
    return False


def made_by(reading: Reading, layers: Collection[str]) -> dict[str, str]:
    """The model's tensor that each of these layers makes; the first one where there are several."""
    found: dict[str, str] = {}
    for tensor, value in reading.values.items():
        if isinstance(value, Tensor) and value.node in layers:
            found.setdefault(str(value.node), tensor)
    return found


GENERIC = {"", "main_graph", "main", "graph", "torch_jit", "torch-jit-export", "tf2onnx", "model"}


def read_input(
    reading: Reading, declared: NodePort, given: Shape | None, places: Collection[str]
) -> Tensor:
    """An input of the network, its batch taken off."""
    if declared.sizes is None and given is None:
        raise Refused("its shape is not said", f"say it: --shape {declared.name}=3x224x224")
    sizes = (declared.sizes or ())[reading.batch :]
    if given is not None:
        sizes = given_sizes(sizes, given)
    if reading.batch and declared.sizes:
        first = declared.sizes[0]
        if isinstance(first, int) and first > 0:
            reading.batch_size = first
            if first != 1:
                reading.builder.note(f"the batch, fixed to {first} in the model, may be any here")
    if not sizes or len(sizes) > 4:
        raise Refused(f"a tensor has 1 to 4 sizes besides the batch, this one has {len(sizes)}")
    shape = tuple(
        size_of(size, declared.name, place, len(sizes)) for place, size in enumerate(sizes)
    )
    return reading.builder.input(
        declared.name, shape, declared.span, whole=declared.whole and declared.name in places
    )


def given_sizes(sizes: Sizes, given: Shape) -> Sizes:
    """The sizes that a call gives; raises `Refused` where the model fixes others."""
    known = tuple(size if isinstance(size, int) else None for size in given)
    fits = not sizes or len(sizes) == len(known)
    if not fits or any(isinstance(s, int) and s != k for s, k in zip(sizes, known, strict=False)):
        raise Refused(f"its shape is [{', '.join(map(str, sizes))}] besides the batch")
    return known


def size_of(size: int | str | None, name: str, place: int, rank: int) -> Size:
    """A size of an input: a number, or a symbol with the model's name for it or one of ours."""
    if isinstance(size, int):
        if size < 1:
            raise Refused(f"its size {size} is no size")
        return size
    if place == 0 and rank > 1:
        raise Refused("its number of channels is not fixed")
    ours = {3: "HW", 4: "DHW"}.get(rank, "LL")[place - 1]
    known = size if size and not size[:1].isdigit() and "unk" not in size else ours
    return symbol(identifier(known, ours))


__all__ = ["OnnxModel", "Poisoned", "import_onnx"]
