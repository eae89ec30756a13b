"""Chains, joins, loops, conditions and blocks, drawn so that what flows can take them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from compiler.ops import OPS
from tests.differential.arguments import arguments_text, values_for
from tests.differential.branches import draw_join
from tests.differential.numbers import truth, whole, written
from tests.differential.pen import Pen
from tests.differential.rearranged import count_of_parts
from tests.differential.rules import BARE, JOINS
from tests.differential.run import run_body, run_chain
from tests.differential.scope import OP_VALUES, Call, Scope
from tests.differential.sizes import Invalid, Shape, Symbolic, is_fed_whole, text_of
from tests.differential.stages import (
    block_arguments,
    decorated,
    draw_again,
    draw_named_join,
    draw_op,
    draw_parameter_stage,
    draw_twin,
    parameter_value,
)
from tests.differential.tree import (
    Apart,
    Bind,
    Block,
    Body,
    Chain,
    Flow,
    For,
    If,
    Let,
    Output,
    Repeat,
    Stage,
    Statement,
)

DEEPEST = 3
LONGEST_LOOP = 3

DrawStage = Callable[[Pen, Scope, Shape], Stage]


def draw_body(pen: Pen, scope: Scope, flow: Shape, depth: int = 0) -> Body:
    """One or more statements; the scope is left as it was."""
    scope = scope.copy()
    body: list[Statement] = []
    while not body or (pen.left > 0 and not pen.chance(3 if depth else 5)):
        statement = draw_statement(pen, scope, flow, depth)
        body.append(statement)
        result = run_body((statement,), scope, flow)
        assert result is not None
        flow = result
    return tuple(body)


def draw_statement(pen: Pen, scope: Scope, flow: Shape, depth: int) -> Statement:
    """Any statement."""
    kinds: list[Callable[[Pen, Scope, Shape, int], Statement]] = [draw_flow] * 6
    if depth < DEEPEST and pen.left > 0:
        kinds += [draw_for, draw_repeat, draw_if, draw_bind, draw_bind, draw_let, draw_apart]
    if scope.call.main and depth == 0:
        kinds.append(draw_output)
    statement = pen.one(kinds)(pen, scope, flow, depth)
    try:
        run_body((statement,), scope.copy(), flow)
    except Invalid:
        return Flow(Chain((Stage("relu"),)))
    return statement


def draw_flow(pen: Pen, scope: Scope, flow: Shape, depth: int) -> Flow:
    """`a -> b -> c`"""
    return Flow(draw_chain(pen, scope, flow, depth))


def draw_chain(pen: Pen, scope: Scope, flow: Shape | None, depth: int) -> Chain:
    """One or more stages; now and then it begins at a tensor by its name."""
    scope = scope.copy()
    stages: list[Stage] = []
    tensors = {n for n, shape in scope.all_tensors().items() if not is_fed_whole(shape)}
    names = sorted(n if n.isidentifier() else f'"{n}"' for n in tensors)
    names += [f'"{n}"' for n in names if pen.chance(8) and n.isidentifier() and n != "in"]
    if scope.call.entered is not None:
        names.append("in")
    if flow is None or (names and pen.chance(8)):
        stages.append(Stage(pen.one(names)))
        flow = run_chain(Chain((stages[0],)), scope, flow)
    while not stages or (pen.left > 0 and not pen.chance(2)):
        pen.spend()
        stage = draw_stage(pen, scope, flow, depth, stages[-1].head if stages else "")
        try:
            run_chain(Chain((stage,)), scope.copy(), flow)
        except Invalid:  # its label is one inside it, too
            stage = Stage("relu")
        stages.append(stage)
        flow = run_chain(Chain((stage,)), scope, flow)
    called = stages[0].head in names and len(stages) > 1
    called = called and takes_by_call(stages[0], stages[1]) and pen.chance(3)
    return Chain(tuple(stages), len(stages) > 1 and pen.chance(4), called)


def takes_by_call(begin: Stage, layer: Stage) -> bool:
    """Whether `begin -> layer` can be `layer(begin)`: a tensor's name, then a plain op."""
    plain = replace(begin, head="") == Stage() and begin.head.isidentifier()
    return plain and layer.head in {*OPS} - {*JOINS, *BARE} and layer.body is None


def draw_stage(pen: Pen, scope: Scope, flow: Shape, depth: int, before: str) -> Stage:
    """An op, a join, a block, a group, or a parameter in the place of one of these."""
    kind = pen.one("ooooooojjbbgnpaa" if depth < DEEPEST and pen.left > 0 else "oooonpa")
    with suppress(Invalid):
        match kind:
            case "j":
                return decorated(pen, scope, flow, draw_join(pen, scope, flow, depth, draw_body))
            case "b":
                return draw_block_call(pen, scope, flow, depth)
            case "g":
                body = draw_body(pen, scope.inside(), flow, depth + 1)
                if pen.chance(2):
                    return decorated(pen, scope, flow, Stage("seq", body=body))
                return Stage(body=body)
            case "n":
                return draw_named_join(pen, scope, flow)
            case "p":
                return draw_parameter_stage(pen, scope, flow)
            case "a":
                return draw_again(pen, scope, flow)
    return draw_op(pen, scope, flow, before)


def draw_bind(pen: Pen, scope: Scope, flow: Shape, depth: int) -> Bind:
    """`side = chain`, or an earlier stage once more on another tensor."""
    with suppress(Invalid):
        if pen.chance(2):
            return Bind(pen.name("side"), Chain(draw_twin(pen, scope)))
    return Bind(pen.name("side"), draw_chain(pen, scope, flow, depth + 1))


def draw_apart(pen: Pen, scope: Scope, flow: Shape, depth: int) -> Apart:
    """`a, b = block(…)` of a new block with two results, or of one that there is; or a split."""
    with suppress(Invalid):
        if pen.chance(3):
            return draw_split(pen, scope, flow)
    if not pen.forks or not pen.chance(3):
        fork = draw_block(pen, scope, flow, depth, fork=True)
        pen.forks.append(fork)
    block = pen.forks[-1]
    stage = Stage(block.name, block_arguments(pen, scope, block) or ())
    parts = block.results if pen.chance(2) else ()
    return Apart(tuple(pen.name("part") for _ in block.results), stage, parts)


def draw_split(pen: Pen, scope: Scope, flow: Shape) -> Apart:
    """`a, b = split(2)`, or `split([1, 3], axis=1) as parts` taken by index."""
    values = values_for(pen, "split", flow)
    values.pop("part", None)
    count = count_of_parts(values["parts"])
    stage = Stage("split", arguments_text(pen, scope, "split", values))
    # One name stands for all results of a split, of one part too.
    taken = tuple(f"part{i}" for i in range(count)) if count == 1 or pen.chance(2) else ()
    return Apart(tuple(pen.name("part") for _ in range(count)), stage, taken)


def draw_let(pen: Pen, scope: Scope, flow: Shape, depth: int) -> Let:
    """`let p = 2 * c`, `let p, q = [2, 3]`"""
    if pen.chance(3):
        names, values = [pen.name("p") for _ in range(2)], pen.each(1, 4, 2)
        return Let(", ".join(names), written(pen, scope, values))
    return Let(pen.name("p"), whole(pen, scope, pen.one((2, 1, 3, 4))))


def draw_output(pen: Pen, scope: Scope, flow: Shape, depth: int) -> Output:
    """An output on the way."""
    chain = draw_chain(pen, scope, flow, depth + 1) if pen.chance(2) else None
    return Output(pen.name("y"), chain)


def draw_for(pen: Pen, scope: Scope, flow: Shape, depth: int) -> Statement:
    """`for i in range(2) { … }`; one turn only when the body does not fit again."""
    names, values, bound = draw_turns(pen, scope)
    body = draw_body(pen, scope.inside(bound, *bound), flow, depth + 1)
    loop = For(names, values, body)
    try:
        run_body((loop,), scope.copy(), flow)
    except Invalid:
        first: object = next(iter(bound.values())) if len(bound) == 1 else tuple(bound.values())
        if len(names) < len(bound):  # `i, (a, b)`
            index, *pair = bound.values()
            first = (index, tuple(pair))
        return For(names, f"[{written(pen, scope, first)}]", body)
    return loop


def draw_turns(pen: Pen, scope: Scope) -> tuple[tuple[str, ...], str, dict[str, int]]:
    """The names, the list as text, and the values of the first turn."""
    count = pen.whole(1, LONGEST_LOOP)
    items = [pen.whole(1, 4) for _ in range(count)]
    name = pen.name("i")
    match pen.one(("range", "list", "enumerate", "zip", "group")):
        case "range":
            start = pen.whole(0, 2)
            stop = whole(pen, scope, start + count)
            step = 2 if start and pen.chance(3) else 1
            text = f"range({start}, {stop}, {step})" if step > 1 else f"range({start}, {stop})"
            return (name,), text if start else f"range({stop})", {name: start}
        case "list":
            return (name,), f"{written(pen, scope, items)}", {name: items[0]}
        case "enumerate":
            other = pen.name("k")
            text = f"enumerate({written(pen, scope, items)})"
            return (name, other), text, {name: 0, other: items[0]}
        case "group":
            one, two = pen.name("k"), pen.name("k")
            text = f"enumerate(zip({written(pen, scope, items)}, range({count})))"
            return (name, f"({one}, {two})"), text, {name: 0, one: items[0], two: 0}
        case _:
            other = pen.name("k")
            text = f"zip(range({count}), {written(pen, scope, items)})"
            return (name, other), text, {name: 0, other: items[0]}


def draw_repeat(pen: Pen, scope: Scope, flow: Shape, depth: int) -> Statement:
    """`repeat 2 { … }`; once only when the body does not fit again."""
    count = pen.whole(1, LONGEST_LOOP)
    body = draw_body(pen, scope.inside({}, ""), flow, depth + 1)
    loop = Repeat(whole(pen, scope, count), body)
    try:
        run_body((loop,), scope.copy(), flow)
    except Invalid:
        return Repeat("1", body)
    return loop


def draw_if(pen: Pen, scope: Scope, flow: Shape, depth: int) -> Statement:
    """`if c > 2 { … } else { … }`; both sides could be taken."""
    then = draw_body(pen, scope.inside(), flow, depth + 1)
    otherwise: Body | If | None = None
    if pen.chance(2):
        otherwise = draw_body(pen, scope.inside(), flow, depth + 1)
        if pen.chance(3):
            otherwise = If(truth(pen, scope, pen.chance(2)), otherwise)
    return If(truth(pen, scope, pen.chance(2)), then, otherwise)


def draw_block_call(pen: Pen, scope: Scope, flow: Shape, depth: int) -> Stage:
    """A call of a block that there is, or of a new one."""
    if not pen.blocks or not pen.chance(3):
        draw_block(pen, scope, flow, depth)
    block = pen.blocks[-1] if not pen.chance(3) else pen.one(pen.blocks)
    for _ in range(2):
        given = block_arguments(pen, scope, block)
        stage = Stage(block.name, given or (() if pen.chance(2) else None))
        with suppress(Invalid):
            run_chain(Chain((stage,)), scope.copy(), flow)
            return decorated(pen, scope, flow, stage)
    raise Invalid


def draw_block(pen: Pen, scope: Scope, flow: Shape, depth: int, *, fork: bool = False) -> Block:
    """A new block whose body takes what flows, or a net that is called like one.

    A `fork` has two results.
    """
    is_net = pen.chance(4) and not fork
    inner = Scope(Call(pen.file, flow))
    parameters: list[tuple[str, str]] = []
    for _ in range(pen.whole(0, 3)):
        name = pen.name(pen.one(("c", "flag", "unit")))
        text = parameter_value(pen, Scope(Call(pen.file)), name)
        unit = name.startswith("unit")
        blocks = {block.name: block for block in pen.blocks}
        inner.values[name] = (
            blocks.get(text) or OP_VALUES[text] if unit else Scope(Call(pen.file)).evaluate(text)
        )
        parameters.append((name, text if is_net or pen.chance(2) else ""))
    entry = None
    if is_net:
        entry = pen.name("x"), input_sizes(pen, inner, flow)
        inner.tensors[entry[0]] = flow
    body = draw_body(pen, inner, flow, depth + 1)
    stem = "net" if is_net else "block"
    results: tuple[str, ...] = ()
    if fork:
        results = (pen.name("y"), pen.name("y"))
        ends = (Output(results[0], Chain((Stage("in"), Stage("tanh")))), Output(results[1]))
        body = (*body, *ends) if pen.chance(2) else (ends[0], *body, ends[1])
    block = Block(
        pen.name(stem), tuple(parameters), body, entry, pen.name("z") if is_net else "", results
    )
    if not fork:
        pen.blocks.append(block)
    pen.file[block.name] = block
    return block


def input_sizes(pen: Pen, inner: Scope, flow: Shape) -> tuple[str, ...]:
    """How a net that is called declares its input: numbers, and names for sizes that may vary."""
    sizes = []
    for axis, size in enumerate(flow):
        if isinstance(size, Symbolic) or (axis and pen.chance(3)):
            name = pen.name("S")
            inner.values[name] = size
            sizes.append(name)
        else:
            sizes.append(text_of(size))
    return tuple(sizes)
