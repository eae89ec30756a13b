"""What definitions hold of the language: forms of syntax, ops, parameters and their words, ranks.

`WANTED` is what a long run has to reach.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from compiler.ops import OPS
from compiler.ops.base import parameters
from grammar import syntax as s
from grammar.parse import parse
from grammar.source import Source
from tests.differential.definitions import Definition
from tests.differential.rules import JOINS
from tests.differential.unrolled import Layer
from tests.differential.windowed import INITS, MODES, SPATIAL

# What stands in other files or broken ones; a division by a tensor that may be near 0; an index by
# its name, which is as good as one in braces.
# Trainings have random steps of their own (gradients.py, tests/training).
TRAININGS = {
    *("Assign", "Augment", "DataDeclaration", "Declared", "NoiseDeclaration", "Objective"),
    *("Report", "Reported", "Setting", "Show", "Step", "Update"),
}
ELSEWHERE = {"Syntax", "Broken", "Given", "Use", "File", "ClassNames", "div ( )", "take ( )"}
ELSEWHERE |= TRAININGS
WORDS = {
    "pad": ("same", "same_lower", "half", "valid"),
    "pad_mode": MODES,
    "mode": MODES,
    "init": INITS,
    "align": ("half_pixel", "corners", "asymmetric"),
    "rounding": ("floor", "ceil", "prefer_floor", "prefer_ceil"),
}
MODES_OF = {"resize": ("nearest", "linear", "cubic"), "upsample": ("nearest", "bilinear")}
FORMS = """
for in a join; repeat in a join; if in a join; group in a join; join in a join
block in a block; net as a block; like of a layer; like of a block; label interpolated
label in quotes; block as a value; op as a value; in; several inputs; several outputs
one symbol; several symbols; assert of a symbol; a run of sizes; else if; loop in a loop
several results; seq; chain at a string; part of the results; layer with arguments
same layer on two tensors; join of three; join of one; pad in pairs; pad as a size; pad as a number
"""
PLANAR = {"crop", "pixel_shuffle", "pixel_unshuffle"}
WANTED = {
    *OPS,
    *(f"{op}.{parameter.name}" for op in OPS for parameter in parameters(OPS[op])),
    *(
        f"{op}.{p.name}={word}"
        for op in OPS
        for p in parameters(OPS[op])
        for word in (MODES_OF.get(op, WORDS["mode"]) if p.name == "mode" else WORDS.get(p.name, ()))
    ),
    *(f"{op} of {rank} axes" for op in SPATIAL - PLANAR for rank in (1, 2, 3)),
    *(f"{op} {form}" for op in JOINS for form in ("{ }", "( )")),
    *(
        name
        for name, kind in vars(s).items()
        if is_dataclass(kind) and kind.__module__ == s.__name__
    ),
    *(form.strip() for line in FORMS.strip().splitlines() for form in line.split(";")),
} - ELSEWHERE


def reached(definition: Definition) -> set[str]:
    """What one definition holds."""
    tree = parse(Source("drawn.netdef", definition.text)).file
    found = set(of_layers(definition.layers or ()))
    blocks = {item.name.id: item.kind for item in tree.items if isinstance(item, s.Definition)}
    for node in inside(tree.items):
        found.add(type(node).__name__)
        found |= set(of_node(node, blocks))
    main = next(i for i in tree.items if isinstance(i, s.Definition) and i.name.id == "main")
    kinds = [type(statement) for statement in main.body.statements]
    found |= {"several inputs"} if kinds.count(s.InputDeclaration) > 1 else set()
    found |= {"several outputs"} if len(definition.outputs) > 1 else set()
    if definition.symbols:
        found.add("one symbol" if len(definition.symbols) == 1 else "several symbols")
        found |= {"assert of a symbol"} if s.Assert in kinds else set()
    return found


def inside(node: object) -> Iterator[s.Syntax]:
    """A syntax tree's nodes."""
    if isinstance(node, tuple):
        for item in node:
            yield from inside(item)
    elif isinstance(node, s.Syntax):
        yield node
        for part in fields(node):
            yield from inside(getattr(node, part.name))


def of_node(node: s.Syntax, blocks: dict[str, str]) -> Iterator[str]:
    """What is special about one node; `blocks` are the kinds of the definitions by name."""
    match node:
        case s.Stage(source=s.Text()):
            yield "chain at a string"
        case s.Stage(source=s.Attribute()):
            yield "part of the results"
        case s.Stage(callee=None):
            return
        case s.Bind(names=(_, _, *_)):
            yield "several results"
        case s.Argument(value=s.CallExpression(function=s.Name(id=name))) if name in OPS:
            yield "layer with arguments"
        case s.Stage():
            yield from of_stage(node, blocks)
        case s.Definition(kind="block"):
            stages = (n for n in inside(node.body) if isinstance(n, s.Stage) and n.callee)
            if any(stage.callee and stage.callee.id in blocks for stage in stages):
                yield "block in a block"
        case s.If(otherwise=s.Body(statements=(s.If(),))):
            yield "else if"
        case s.For() | s.Repeat():
            if any(isinstance(each, s.For | s.Repeat) for each in inside(node.body)):
                yield "loop in a loop"
        case s.Wildcard(run=True):
            yield "a run of sizes"
        case s.Name(id="in"):
            yield "in"
        case s.Argument(value=s.Name(id=name)) | s.Parameter(default=s.Name(id=name)) if (
            name in blocks or name in OPS
        ):
            yield "block as a value" if name in blocks else "op as a value"


def of_stage(stage: s.Stage, blocks: dict[str, str]) -> Iterator[str]:
    """A layer, a join or a call."""
    assert stage.callee is not None
    name = stage.callee.id
    if name == "seq":
        yield name
    if stage.like is not None:
        yield "like of a block" if name in blocks else "like of a layer"
    if stage.label is not None and stage.label.span.text.startswith('"'):
        yield "label interpolated" if "{" in stage.label.span.text else "label in quotes"
    if blocks.get(name) == "net":
        yield "net as a block"
    if name not in JOINS:
        return
    yield f"{name} {'( )' if stage.body is None else '{ }'}"
    for statement in stage.body.statements if stage.body is not None else ():
        match statement:
            case s.For() | s.Repeat() | s.If():
                yield f"{type(statement).__name__.lower()} in a join"
            case s.Flow(chain=s.Chain(stages=(s.Stage(callee=None), *_))):
                yield "group in a join"
        if any(
            isinstance(n, s.Stage) and n.callee and n.callee.id in JOINS for n in inside(statement)
        ):
            yield "join in a join"


def of_layers(layers: tuple[Layer, ...]) -> Iterator[str]:
    """Ops with the parameters given to them, over how many axes they go, and who shares."""
    for place, layer in enumerate(layers):
        yield layer.op
        for name, value in layer.given.items():
            yield f"{layer.op}.{name}"
            if isinstance(value, str):
                yield f"{layer.op}.{name}={value}"
            elif name == "pad":
                pairs = isinstance(value, list) and isinstance(value[0], tuple)
                yield (
                    "pad in pairs"
                    if pairs
                    else f"pad as a {'number' if isinstance(value, int) else 'size'}"
                )
        if layer.op in SPATIAL:
            yield f"{layer.op} of {len(layer.inputs[0]) - 1} axes"
        if layer.op in JOINS:
            yield {1: "join of one", 2: "join of two"}.get(len(layer.inputs), "join of three")
        if layer.owner != place:
            yield "same layer on two tensors"
