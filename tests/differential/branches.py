"""Joins of branches: each branch keeps the sizes that the join compares."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from tests.differential.arguments import arguments_text, values_for
from tests.differential.numbers import truth, whole, written
from tests.differential.pen import Pen
from tests.differential.run import run_branches, run_chain, run_stage
from tests.differential.scope import Extent, Scope
from tests.differential.sizes import Invalid, Shape, value_of
from tests.differential.tree import Body, Chain, Flow, For, If, Repeat, Stage, Statement
from tests.differential.windowed import INITS, axes, fixed, padding

POSITIVE = (Stage("abs"), Stage("shift", (("", "0.5"),)))  # what may divide
DrawBody = Callable[[Pen, Scope, Shape, int], Body]

KEEPING_NAMES = """
relu identity bn sigmoid tanh gelu silu elu selu softplus hardswish hardsigmoid relu6 leaky_relu
prelu clip dropout softmax mish celu softsign abs scale shift normalize lrn groupnorm layernorm
instancenorm channel_shuffle
"""
KEEPING = tuple(KEEPING_NAMES.split())
WINDOWS = ("conv", "maxpool", "avgpool", "lppool")


def draw_join(pen: Pen, scope: Scope, flow: Shape, depth: int, draw_body: DrawBody) -> Stage:
    """`add { … }` with one to three branches, some of them made by a loop or a condition."""
    op = pen.one(("add", "concat", "mul", "max", "min", "mean", "sub", "div", "matmul", "take"))
    if op == "matmul":
        return draw_product(pen, scope, flow)
    if op == "take":
        return draw_take(pen, scope, flow)
    axis = pen.whole(-len(flow), len(flow) - 1) if op == "concat" and pen.chance(3) else 0
    inner = scope.inside()
    lead = shared_window(pen, flow) if len(flow) > 1 and pen.chance(3) else ()
    first = branch_of(pen, inner, flow, lead, None)
    target = run_chain(first.chain, inner.copy(), flow)
    body: list[Statement] = [first]
    for _ in range(1 if op in ("sub", "div") else pen.whole(0, 2)):
        fixed = None if op == "concat" and axis == 0 else target
        body.append(draw_branch(pen, inner, flow, lead, fixed, depth, draw_body))
    if op == "div":
        away = branch_of(pen, inner, flow, lead, target).chain
        body[1] = Flow(Chain((*away.stages, *POSITIVE)))
    if op not in ("sub", "div") and pen.chance(4):
        body.append(many_branches(pen, inner, flow, lead, target))
    if op != "div" and pen.chance(3):
        body.reverse()
    given = op == "concat" and (axis != 0 or pen.chance(4))
    keyword = (("axis", whole(pen, scope, axis)),) if given else None
    stage = Stage(op, keyword, tuple(body))
    run_stage(stage, scope.copy(), flow, first=False)
    return stage


def draw_product(pen: Pen, scope: Scope, flow: Shape) -> Stage:
    """`matmul { … }` of what flows and what flows transposed, as attention has it."""
    if len(flow) < 2:
        raise Invalid
    order = [*range(len(flow) - 2), len(flow) - 1, len(flow) - 2]
    turned = Stage("transpose", (("", str(order)),))
    sides = [Flow(Chain((Stage("tanh"),))), Flow(Chain((Stage("sigmoid"), turned)))]
    stage = Stage("matmul", None, tuple(sides if pen.chance(2) else sides[::-1]))
    run_stage(stage, scope.copy(), flow, first=False)
    return stage


def draw_take(pen: Pen, scope: Scope, flow: Shape) -> Stage:
    """`take { identity; const([2, 0]) }`, or of a learned table."""
    axis = pen.whole(-len(flow), len(flow) - 1)
    numbers = pen.each(0, value_of(flow[axis]) - 1, pen.whole(1, 4))
    index = Stage("const", (("", written(pen, scope, numbers)),))
    if pen.chance(4):
        index = Stage("const", (("shape", written(pen, scope, [len(numbers)])),))
    table = Stage("identity")
    if pen.chance(3) and all(isinstance(size, int) for size in flow):
        table = Stage("param", (("", written(pen, scope, [*flow])),))
    keyword = (("axis", whole(pen, scope, axis)),) if axis or pen.chance(2) else None
    stage = Stage("take", keyword, (Flow(Chain((table,))), Flow(Chain((index,)))))
    run_stage(stage, scope.copy(), flow, first=False)
    return stage


def draw_branch(
    pen: Pen,
    scope: Scope,
    flow: Shape,
    lead: tuple[Stage, ...],
    target: Shape | None,
    depth: int,
    draw_body: DrawBody,
) -> Statement:
    """One branch: a chain, a group, a gate, or a condition with a chain on both sides."""
    match pen.one(("chain", "gate", "if", "group", "bare")):
        case "bare" if target is not None:
            return Flow(Chain((bare(pen, scope, target),)))
        case "gate" if target is not None and len(flow) > 1:
            return Flow(Chain(gate(pen, target)))
        case "if":
            sides = [branch_of(pen, scope, flow, lead, target) for _ in range(2)]
            return If(truth(pen, scope, pen.chance(2)), (sides[0],), (sides[1],))
        case "group" if depth < 2:
            body = draw_body(pen, scope.inside(), flow, depth + 1)
            with suppress(Invalid):
                group = Flow(Chain((Stage(body=body),)))
                made = run_chain(group.chain, scope.copy(), flow)
                if target is None or made == target:
                    return group
    return branch_of(pen, scope, flow, lead, target)


def bare(pen: Pen, scope: Scope, target: Shape) -> Stage:
    """A learned or fixed tensor that stretches to a shape."""
    sizes = [s if isinstance(s, int) and pen.chance(2) else 1 for s in target]
    shape = written(pen, scope, sizes)
    match pen.one(("param", "const", "held")):
        case "param":
            init = (("init", f'"{pen.one(INITS)}"'),)
            return Stage("param", (("", shape), *init))
        case "held":
            return Stage("const", (("shape", shape),))
    return Stage("const", (("", written(pen, scope, fixed(pen, sizes))),))


def gate(pen: Pen, target: Shape) -> tuple[Stage, ...]:
    """One number for each channel, which stretches over the map."""
    if not isinstance(target[0], int):
        raise Invalid
    pool = Stage(pen.one(("gap", "gmp")))
    return (pool, Stage("conv", (("", str(target[0])), ("", "1"))), Stage("sigmoid"))


def branch_of(
    pen: Pen, scope: Scope, flow: Shape, lead: tuple[Stage, ...], target: Shape | None
) -> Flow:
    """A chain through the shared window, a few ops that keep the shape, and the right channels."""
    scope = scope.copy()
    stages: list[Stage] = []
    shape = flow
    for stage in (*window_stage(pen, lead, flow), *[None] * pen.whole(0, 2)):
        pen.spend()
        stage = stage or keeping_stage(pen, scope, shape)
        stages.append(stage)
        shape = run_stage(stage, scope, shape, first=False)
    if target is not None and shape[0] != target[0]:
        width = ("", whole(pen, scope, value_of(target[0])))
        along = (("axis", "0"),) if len(shape) > 1 else ()
        narrow = Stage("dense", (width, *along)) if len(shape) == 1 or pen.chance(4) else None
        stages.append(narrow or Stage("conv", (width, ("", "1"))))
    return Flow(Chain(tuple(stages) or (Stage("identity"),)))


def keeping_stage(pen: Pen, scope: Scope, shape: Shape) -> Stage:
    """An op that keeps the spatial sizes."""
    if len(shape) > 1 and pen.chance(2):
        kernel = str(pen.one((1, 3)))
        given = (("", kernel), ("stride", "1"), ("pad", '"same"'))
        pool = Stage(pen.one(("maxpool", "avgpool")), given)
        convolution = Stage("conv", (("", whole(pen, scope, 3)), ("", kernel), ("pad", '"half"')))
        stage = pen.one((convolution, pool))
    else:
        op = pen.one(KEEPING)
        stage = Stage(op, arguments_text(pen, scope, op, values_for(pen, op, shape)))
    run_stage(stage, scope.copy(), shape, first=False)
    return stage


def shared_window(pen: Pen, flow: Shape) -> tuple[Stage, ...]:
    """Kernel, stride and padding that every branch begins with."""
    rank = len(flow) - 1
    smallest = min(map(value_of, flow[1:]))
    kernel = pen.whole(1, min(4, smallest))
    given = {"kernel": str(kernel), "stride": text_of(axes(pen, rank, 1, 3))}
    pad = padding(pen, rank, 1)
    given["pad"] = f'"{pad}"' if isinstance(pad, str) else text_of(pad)
    return (Stage("maxpool", tuple(given.items())),)


def text_of(value: object) -> str:
    """A window's argument as text."""
    return str(list(value)) if isinstance(value, Extent) else str(value)


def window_stage(pen: Pen, lead: tuple[Stage, ...], flow: Shape) -> tuple[Stage, ...]:
    """The shared window as a convolution or a pooling."""
    if not lead:
        return ()
    arguments = lead[0].arguments or ()
    op = pen.one(WINDOWS)
    return (Stage(op, (("channels", "4"), *arguments) if op == "conv" else arguments),)


def many_branches(
    pen: Pen, scope: Scope, flow: Shape, lead: tuple[Stage, ...], target: Shape
) -> Statement:
    """`for k in [1, 3] { … }` or `repeat 2 { … }` in the braces of a join: a branch a turn."""
    if pen.chance(2):
        branch = branch_of(pen, scope.inside({}, ""), flow, lead, target)
        return Repeat(whole(pen, scope, 2), (branch,))
    name = pen.name("k")
    inside = scope.inside({name: 1}, name)
    body = branch_of(pen, inside, flow, lead, target)
    loop = For((name,), "[1, 3]", (body,))
    try:
        run_branches((loop,), scope.copy(), flow)
    except Invalid:
        return For((name,), "[1]", (body,))
    return loop
