"""Whole definitions: a net with its inputs, the blocks it calls, the values of the file."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from tests.differential.arguments import STRATEGIES, arguments_text
from tests.differential.bodies import draw_body, draw_chain
from tests.differential.numbers import truth, whole
from tests.differential.pen import Pen
from tests.differential.run import run_body, run_chain
from tests.differential.scope import Call, Scope
from tests.differential.sizes import Shape, Size, Symbolic, Tensor, is_fed_whole, text_of
from tests.differential.tree import (
    INDENT,
    Assert,
    Bind,
    Body,
    Chain,
    Expect,
    Flow,
    Function,
    Let,
    Output,
    Stage,
    Statement,
)
from tests.differential.unrolled import Layer, Unrolled

LARGEST = {0: 12, 1: 12, 2: 9, 3: 5}  # of a size, by the number of spatial axes
SYMBOLS = ("H", "W", "D")


@dataclass(frozen=True)
class Definition:
    """A valid definition: its text, the sizes of its symbols it was drawn for, what comes out.

    In `plain` the symbols are parameters of the net, so that every size is a number. `outputs` are
    the shapes of the outputs, `layers` what it unrolls to, None when that is not known; `symbols`
    is empty when all sizes are numbers.
    """

    text: str
    plain: str
    symbols: dict[str, int]
    outputs: dict[str, Shape]
    opset: int
    seed: int
    layers: tuple[Layer, ...] | None = None

    def __repr__(self) -> str:
        return f"{self.text}\n# opset {self.opset}, weights and inputs of seed {self.seed}"


@st.composite
def definitions(draw: st.DrawFn, opsets: tuple[int, ...] = (21,)) -> Definition:
    """Any valid definition; the net is called `main`."""
    pen = Pen(draw)
    lets = draw_lets(pen)
    parameters = draw_parameters(pen)
    scope = Scope(Call(pen.file, main=True))
    scope.values |= {name: scope.evaluate(text) for name, text in parameters}
    inputs, asserts, symbols = draw_inputs(pen, scope)
    start = scope.copy()
    body = draw_net_body(pen, scope, asserts)
    outputs, layers = unroll(body, start)
    kinds = {name: "i64" if is_fed_whole(start.tensors[name]) else "f32" for name, _ in inputs}
    lines = [f"input {name}: {kinds[name]}[{', '.join(sizes)}]" for name, sizes in inputs]
    lines += [statement.written(1) for statement in body]
    blocks = [block.written() for block in (*pen.blocks, *pen.forks)]
    last = bool(blocks) and pen.chance(4)

    def text(more: dict[str, int]) -> str:
        given = ", ".join(f"{name}={value}" for name, value in [*parameters, *more.items()])
        head = f"net main({given}) {{" if given else "net main {"
        main = "\n".join([head, *(INDENT + line for line in lines), "}"])
        items = [main, *blocks] if last else [*blocks, main]
        return "\n\n".join([let.written(0) for let in lets] + items) + "\n"

    return Definition(
        text({}), text(symbols), symbols, outputs, pen.one(opsets), pen.whole(0, 9), layers
    )


def unroll(body: Body, scope: Scope) -> tuple[dict[str, Shape], tuple[Layer, ...]]:
    """The outputs and the layers of a whole net whose inputs are the tensors in `scope`."""
    call, unrolled = scope.call, Unrolled()
    call.unrolled = unrolled
    names = [name for name in scope.tensors if name != "in"]
    scope.tensors |= {name: Tensor.of(scope.tensors[name], name) for name in names}
    if call.entered is not None:
        call.entered = scope.tensors["in"] = scope.tensors[names[0]]
    run_body(body, scope, call.entered)
    return call.outputs, tuple(unrolled.layers)


def draw_lets(pen: Pen) -> list[Let | Function]:
    """Values and functions of the file."""
    found: list[Let | Function] = []
    if pen.chance(3):
        function = Function(pen.name("f"), pen.one(("v * d", "v + d - 1", "max(v, d)")))
        pen.file[function.name] = Scope(Call({})).evaluate(f"lambda v, d=1: {function.value}")
        found.append(function)
    for _ in range(pen.whole(0, 2)):
        scope = Scope(Call(pen.file))
        let = Let(pen.name("p"), whole(pen, scope, pen.one((2, 1, 3, 4))))
        pen.file[let.name] = scope.evaluate(let.value)
        found.append(let)
    return found


def draw_parameters(pen: Pen) -> list[tuple[str, str]]:
    """Parameters of the net with their defaults."""
    found = []
    for _ in range(pen.whole(0, 1)):
        scope = Scope(Call(pen.file))
        if pen.chance(2):
            found.append((pen.name("flag"), truth(pen, scope, pen.chance(2))))
        else:
            found.append((pen.name("c"), whole(pen, scope, pen.one((4, 2, 3)))))
    return found


def draw_inputs(
    pen: Pen, scope: Scope
) -> tuple[list[tuple[str, tuple[str, ...]]], list[Assert], dict[str, int]]:
    """One to three inputs, with the asserts on their symbols and the sizes these have."""
    rank = pen.one((2, 1, 2, 3, 0, 2))
    count = pen.one((1, 1, 1, 2, 3))
    sizes, asserts, symbols = draw_sizes(pen, scope, rank)
    found: list[tuple[str, tuple[str, ...]]] = []
    for _ in range(count):
        name = pen.name(pen.one(("x", "image", "conv")))
        known = pen.chance(6) and not symbols and rank
        if known and found:  # of a rank of its own
            shape: Shape = (pen.whole(1, 6), pen.whole(2, 9))
        else:
            shape = (*([pen.one((3, 1, 2, 4, 6))] if rank else []), *sizes)
            if found and rank and pen.chance(3):  # a gate, or a larger map
                shape = changed(pen, shape)
        found.append((name, tuple(map(text_of, shape))))
        scope.tensors[name] = shape
    if count > 1 and pen.chance(3):
        name, tokens = pen.name("tokens"), pen.one((sizes, (pen.whole(1, 6),), (2, 3)))
        found.append((name, tuple(map(text_of, tokens))))
        scope.tensors[name] = Tensor.of_numbers(tokens)
    if count == 1:
        scope.call.entered = scope.tensors[found[0][0]]
        scope.tensors["in"] = scope.call.entered
    return found, asserts, symbols


def changed(pen: Pen, shape: Shape) -> Shape:
    """A shape with one spatial size made another: 1, twice, one more."""
    axis = pen.whole(1, len(shape) - 1)
    size: Size = pen.one((1, shape[axis] * 2, shape[axis] + 1))
    return (*shape[:axis], size, *shape[axis + 1 :])


def draw_sizes(pen: Pen, scope: Scope, rank: int) -> tuple[Shape, list[Assert], dict[str, int]]:
    """The sizes that the inputs share: numbers, or symbols with what is asserted of them."""
    sizes: list[Size] = []
    asserts: list[Assert] = []
    symbols: dict[str, int] = {}
    symbolic = pen.chance(2)
    for axis in range(max(rank, 1)):
        number = pen.whole(1 if pen.chance(6) else 3, LARGEST[rank])
        if not symbolic or pen.chance(4):
            sizes.append(number)
            continue
        name = SYMBOLS[axis]
        multiple = pen.one((1, 1, 1, 2, 4, 3))
        number = -(-max(number, LARGEST[rank] - 1) // multiple) * multiple
        symbols[name] = number
        size = Symbolic(name, number, multiple)
        if multiple > 1:
            asserts.append(Assert(f"{name} % {multiple} == 0", "it is divided" * pen.chance(2)))
        elif pen.chance(4):
            asserts.append(Assert(f"{name} >= {pen.whole(2, 4)}"))
        sizes.append(size)
        scope.values[name] = size
    return tuple(sizes), asserts, symbols


def draw_net_body(pen: Pen, scope: Scope, asserts: list[Assert]) -> Body:
    """The statements of the net after its inputs, run in `scope`; they end with an output."""
    body: list[Statement] = list(asserts)
    flow = scope.call.entered
    for name, shape in [*scope.tensors.items()]:
        if is_fed_whole(shape):
            values = STRATEGIES["gather"](pen, shape)
            table = Stage("gather", arguments_text(pen, scope, "gather", values))
            body.append(Bind(pen.name("vectors"), Chain((Stage(name), table))))
            run_body((body[-1],), scope, flow)
    if flow is None:
        start = Flow(draw_chain(pen, scope, None, 0))
        flow = run_chain(start.chain, scope, None)
        body.append(start)
    if not pen.chance(20):
        statements = draw_body(pen, scope, flow)
        body += statements
        flow = run_body(statements, scope, flow)
        assert flow is not None
    body.append(last_output(pen, scope, flow))
    run_body((body[-1],), scope, flow)
    if pen.chance(4):
        body.append(Expect("params >= 0, depth >= 0 and trainable <= params"))
    return tuple(body)


def last_output(pen: Pen, scope: Scope, flow: Shape) -> Output:
    """What flows at the end, or a chain from it; its name may be one that layers usually get."""
    name = pen.one(("y", "probs", "conv1", "relu1", "bn1"))
    if name in scope.tensors or name in scope.call.labels:
        name = pen.name("y")
    if pen.chance(3):
        return Output(name, Chain((Stage("identity"), Stage("softmax"))))
    return Output(name)
