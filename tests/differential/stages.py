"""Single stages: ops, joins of named tensors, labels, shared parameters, assertions."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from compiler.ops import OPS
from tests.differential.arguments import arguments_text, values_for
from tests.differential.branches import POSITIVE
from tests.differential.numbers import truth, whole, written
from tests.differential.pen import Pen
from tests.differential.rules import BARE, JOINS
from tests.differential.run import run_stage
from tests.differential.scope import OP_VALUES, OpName, Scope
from tests.differential.sizes import Invalid, Shape, Symbolic
from tests.differential.tree import Block, Chain, Flow, Stage
from tests.differential.windowed import SPATIAL, Values

SIMPLE = Stage("relu")
# What some ops ask of their input, and how it is brought about.
SMALL = (Stage("tanh"),)
BEFORE = {"log": POSITIVE, "exp": SMALL, "power": SMALL, "celu": SMALL}
BEFORE |= {"gelu": SMALL}  # far below 0 its approximation is the difference of two ones
PLAIN = sorted({*OPS} - {*JOINS, *BARE}, key=lambda op: (op != "relu", op))
# These have the most ways to go wrong.
INTRICATE_NAMES = """
conv deconv maxpool avgpool filter lppool pad resize conv deconv upsample weightedpool
"""
INTRICATE = INTRICATE_NAMES.split()
# Ops that leave little to go on with are drawn less often than the others.
MAPS = {*SPATIAL, "gap", "gmp", "instancenorm", "lrn"}
REDUCED = ("reduce_mean", "reduce_sum", "reduce_max", "reduce_min")
SHRINKING = {"gap", "gmp", "flatten", "reshape", "transpose", *REDUCED}
SCARCE = ["crop", "slice", "pixel_shuffle", "pixel_unshuffle"]
VECTOR = ["dense", "bn", "reshape"] * 3 + [op for op in PLAIN if op not in MAPS]
ANY = list(PLAIN)
USUAL = [op for op in ANY if op not in SHRINKING] + SCARCE * 2
# What a pass may fold into the layer before.
AFFINE = ("shift", "scale", "normalize")
FOLLOWERS = dict.fromkeys(("conv", "deconv", "dense"), ("bn",)) | dict.fromkeys(AFFINE, AFFINE)
HELD = ("conv", "deconv", "dense", "param", "bn", "prelu", "groupnorm", "layernorm", "instancenorm")


def draw_op(pen: Pen, scope: Scope, flow: Shape, before: str = "") -> Stage:
    """Any op that takes what flows, which the op `before` made."""
    options: Sequence[str] = (
        VECTOR if len(flow) == 1 else pen.one((INTRICATE, USUAL, INTRICATE, USUAL, ANY))
    )
    if before in FOLLOWERS and pen.one((True, False)):
        options = FOLLOWERS[before]
    for _ in range(3):
        op = pen.one(options)
        try:
            values = values_for(pen, op, flow)
            stage = Stage(op, arguments_text(pen, scope, op, values))
            if op == "resize" and pen.chance(3):
                stage = draw_likeness(pen, scope, values)
            run_stage(stage, scope.copy(), flow, first=False)
        except Invalid:
            continue
        if op in BEFORE:
            return prepared(pen, op, stage)
        return decorated(pen, scope, flow, stage)
    return decorated(pen, scope, flow, SIMPLE)


def draw_likeness(pen: Pen, scope: Scope, values: Values) -> Stage:
    """`resize(like=x)`, as it is with a size but for that."""
    given = {key: value for key, value in values.items() if key not in ("size", "scale")}
    others = [(key, written(pen, scope, value)) for key, value in given.items()]
    names = [n for n in scope.all_tensors() if n.isidentifier() and n != "in"]
    if not names:
        raise Invalid
    return Stage("resize", (*others, ("like", pen.one(sorted(names)))))


def prepared(pen: Pen, op: str, stage: Stage) -> Stage:
    """A group that brings its input into the range that an op needs; a power of any kind."""
    before = BEFORE[op]
    if op == "power" and pen.chance(2):
        before = POSITIVE
        stage = Stage("power", (("", pen.one(("0.5", "-1", "-0.5", "1.5"))),))
    return Stage(body=(Flow(Chain((*before, stage))),))


def decorated(pen: Pen, scope: Scope, flow: Shape | None, stage: Stage) -> Stage:
    """A stage with a label, the parameters of an earlier one, an assertion, or none of these."""
    shape = run_stage(stage, scope.copy(), flow, first=stage.head in scope.all_tensors())
    if pen.chance(4):
        stage = with_like(pen, scope, flow, stage)
    if pen.chance(2 if stage.head in HELD else 4) and "" not in scope.turns and stage.head:
        stage = replace(stage, label=label_text(pen, scope))
    if pen.chance(3):
        stage = replace(stage, pattern=pattern_for(pen, scope, shape))
    return stage


def with_like(pen: Pen, scope: Scope, flow: Shape | None, stage: Stage) -> Stage:
    """The stage with the parameters of one that holds the same; as it was when there is none."""
    for label in scope.call.owners:
        trial = replace(stage, like=f'"{label}"' if pen.chance(2) else label)
        if not label.isidentifier():
            trial = replace(stage, like=f'"{label}"')
        try:
            run_stage(trial, scope.copy(), flow, first=False)
        except Invalid:
            continue
        return trial
    return stage


def again(pen: Pen, scope: Scope) -> list[Stage]:
    """The layers and blocks that labels stand for, once more, each with the same parameters."""
    found = []
    for label, owner in scope.call.owners.items():
        if not owner or (owner[0] not in HELD and owner[0] not in scope.call.file):
            continue
        head, _, given = owner
        arguments = [(name, argument(pen, scope, value)) for name, value in given.items()]
        like = label if label.isidentifier() and pen.chance(2) else f'"{label}"'
        found.append(Stage(head, tuple(arguments) or None, like=like))
    return found


def argument(pen: Pen, scope: Scope, value: object) -> str:
    """A value of an argument as text; an op or block by its name."""
    if isinstance(value, OpName):
        return value.text
    return value.name if isinstance(value, Block) else written(pen, scope, value)


def draw_again(pen: Pen, scope: Scope, flow: Shape) -> Stage:
    """A stage that an earlier label stands for, with its parameters, on what flows."""
    for stage in pen.shuffled(again(pen, scope)):
        with suppress(Invalid):
            run_stage(stage, scope.copy(), flow, first=False)
            return stage
    raise Invalid


def draw_twin(pen: Pen, scope: Scope) -> tuple[Stage, Stage]:
    """A tensor by its name, then a stage with the parameters of an earlier one: a siamese tower."""
    tensors = sorted((n, s) for n, s in scope.all_tensors().items() if n.isidentifier())
    for stage in pen.shuffled(again(pen, scope)):
        for name, shape in pen.shuffled(tensors):
            with suppress(Invalid):
                run_stage(stage, scope.copy(), shape, first=False)
                return Stage(name), stage
    raise Invalid


def label_text(pen: Pen, scope: Scope) -> str:
    """A fresh label; in a loop it tells the turns apart, and it may be that of a parameter."""
    turns = "".join(f"_{{{name}}}" for name in scope.turns)
    name = pen.name("layer")
    if turns:
        return f'"{name}{turns}"'
    form = pen.whole(0, 3)
    # What begins like the label of a block counts as one of its layers.
    layers = [n for n, of in scope.call.owners.items() if not of or of[0] not in scope.call.file]
    others = [*layers, "conv1", "bn1"]
    if form == 3:
        free = f"{pen.one(others)}.{pen.one(('weight', 'bias', name))}"
        return f'"{free}"' if free not in scope.call.owners else name
    return name if form < 2 else f'"{name}"'


def pattern_for(pen: Pen, scope: Scope, shape: Shape) -> tuple[str, ...]:
    """A shape assertion that holds: some sizes open, a run of them left out."""
    sizes = []
    for size in shape:
        if pen.chance(4):
            sizes.append("_")
        elif isinstance(size, Symbolic):
            sizes.append(size_text(scope, size))
        else:
            sizes.append(whole(pen, scope, size))
    if pen.chance(4):
        start = pen.whole(0, len(sizes))
        sizes[start : pen.whole(start, len(sizes))] = ["..."]
    return tuple(sizes)


def size_text(scope: Scope, size: Symbolic) -> str:
    """A symbolic size where its symbols have names; `_` in a block."""
    try:
        return size.text if scope.evaluate(size.text) == size else "_"
    except NameError:
        return "_"


def draw_parameter_stage(pen: Pen, scope: Scope, flow: Shape) -> Stage:
    """A stage that is a block's parameter: the op or block that the caller chose."""
    names = [n for n, v in scope.all_values().items() if isinstance(v, Block | OpName)]
    own = [name for name in names if name not in scope.call.file]
    if not own:
        raise Invalid
    name = pen.one(own)
    value = scope.all_values()[name]
    given: tuple[tuple[str, str], ...] | None = () if pen.chance(2) else None
    if isinstance(value, Block):
        given = block_arguments(pen, scope, value)
    stage = Stage(name, given)
    run_stage(stage, scope.copy(), flow, first=False)
    return stage


def block_arguments(pen: Pen, scope: Scope, block: Block) -> tuple[tuple[str, str], ...]:
    """Values for the parameters of a block: those without a default, and some of the others."""
    given: list[tuple[str, str]] = []
    for name, default in block.parameters:
        if default and pen.chance(2):
            continue
        given.append((name, parameter_value(pen, scope, name)))
    names = [name for name, _ in block.parameters]
    leading = 0
    while leading < len(given) and given[leading][0] == names[leading]:
        leading += 1
    places = pen.whole(0, leading)
    return (*(("", text) for _, text in given[:places]), *pen.shuffled(given[places:]))


def parameter_value(pen: Pen, scope: Scope, name: str) -> str:
    """An argument for a parameter; what sort it takes, its name says."""
    if name.startswith("unit"):
        blocks = [block.name for block in pen.blocks if callable_plainly(block)]
        return pen.one(["relu", *blocks, *list(OP_VALUES)[1:]])
    if name.startswith("flag"):
        return truth(pen, scope, pen.chance(2))
    return whole(pen, scope, pen.one((2, 1, 3, 4)))


def callable_plainly(block: Block) -> bool:
    """Whether a block can be called without arguments, and takes no block itself."""
    return all(default and not name.startswith("unit") for name, default in block.parameters)


def draw_named_join(pen: Pen, scope: Scope, flow: Shape | None) -> Stage:
    """`concat(a, b)`: tensors in sight, labels in quotes."""
    tensors = scope.all_tensors()
    names = [n if n.isidentifier() else f'"{n}"' for n in tensors]
    names += [f'"{label}"' for label in scope.call.labels if label in tensors]
    names += ["in"] if scope.call.entered is not None else []
    if not names:
        raise Invalid
    op = pen.one(("add", "concat", "mul", "max", "min", "mean", "sub", "matmul", "take"))
    count = 2 if op in ("sub", "matmul", "take") else pen.one((2, 1, 3))
    chosen = tuple(("", pen.one(names)) for _ in range(count))
    axis = (("axis", str(pen.whole(-2, 2))),) if op in ("concat", "take") and pen.chance(3) else ()
    stage = Stage(op, chosen + axis)
    run_stage(stage, scope.copy(), flow, first=True)
    return decorated(pen, scope, flow, stage)
