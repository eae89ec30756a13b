"""What a net takes: its parameters and inputs, and where the flow begins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compiler.bind import bind_picture
from compiler.dims import Dim, Size, symbol
from compiler.elaborate.assertions import assume
from compiler.elaborate.names import outside_name
from compiler.elaborate.state import Here, State
from compiler.graph import Input, Node
from compiler.layouts import foreign_layout
from compiler.ops.arguments import Extent, show
from compiler.ops.shapes import LARGEST_SIZE, MOST_NUMBERS, numbers_of
from compiler.ops.sizes import MOST_AXES
from compiler.pictures import Picture
from compiler.values import POISON, Mistake, Scope, Silenced, Tensor
from grammar import syntax as s
from grammar.diagnostics import Fix, Remedy

DTYPES = ("f32", "i64")


def bind_parameters(state: State, overrides: Mapping[str, Any], here: Here) -> None:
    """The net's own parameters: overridden, or by default; one without a value is lost."""
    for parameter in state.net.definition.parameters:
        name = parameter.name.id
        if name in overrides:
            here.scope.values[name] = overrides[name]
            continue
        here.scope.lost.add(name)
        with state.reporting(here):
            here.scope.values[name] = default_of(state, parameter, here.scope)


def default_of(state: State, parameter: s.Parameter, scope: Scope) -> Any:
    """What a parameter of the net is where nothing else is said; raises E202 without a default."""
    if parameter.default is not None:
        return state.evaluate(parameter.default, scope)
    name = parameter.name.id
    raise Mistake(
        "E202",
        f"net {state.net.name} needs a value for `{name}`",
        parameter.span,
        help=f"give a default, or --set {name}=…",
    )


def begin(state: State, here: Here) -> Tensor | None:
    """Declare the inputs, learn what the asserts say of their symbols; the flow's beginning."""
    definition, scope = here.frame.definition, here.scope
    inputs = [st for st in definition.body.statements if isinstance(st, s.InputDeclaration)]
    broken = [st for st in definition.body.statements if isinstance(st, s.Broken)]
    for lost in broken:
        scope.lost |= lost.names
    for statement in inputs:
        with state.reporting(here):
            declare_input(state, statement, here)
    for assertion in definition.body.statements:
        if isinstance(assertion, s.Assert):
            try:
                assume(state, assertion.condition, scope)
            except (Mistake, Silenced):
                continue  # said when its turn comes
    if is_beginning_lost(state, broken, inputs):
        here.frame.entered = scope.tensors["in"] = POISON
        return POISON
    if not inputs:
        raise Mistake(
            "E502",
            f"net {state.net.name} has no input",
            definition.name.span,
            help="declare one: input image: f32[3, 224, 224]",
        )
    flow = scope.tensor(inputs[0].name.id) if len(inputs) == 1 else None
    here.frame.entered = flow
    if flow is not None:
        scope.tensors["in"] = flow
    return flow


def is_beginning_lost(
    state: State, broken: list[s.Broken], inputs: list[s.InputDeclaration]
) -> bool:
    """Whether what flows first is unknown, or what is asserted of its symbolic sizes."""
    keywords = {statement.keyword for statement in broken}
    no_facts = "assert" in keywords and bool(state.symbols)
    return "input" in keywords or no_facts or bool(broken and not inputs)


def check_new_tensor(name: s.Name, scope: Scope) -> None:
    """Raise E204 when the name is taken in this scope."""
    if name.id in scope.tensors and name.id != "in":
        raise Mistake("E204", f"the name `{name.id}` is used twice in this scope", name.span)


def declare_input(state: State, statement: s.InputDeclaration, here: Here) -> None:
    """`input image: f32[3, H, W]`: names that nothing defines become symbols."""
    scope = here.scope
    check_new_tensor(statement.name, scope)
    scope.tensors[statement.name.id] = POISON
    if statement.dtype.id not in DTYPES:
        raise Mistake(
            "E203",
            "an input's type must be f32, or i64 for whole numbers",
            statement.dtype.span,
            help="other precisions are chosen when compiling",
        )
    shape = tuple(input_size(state, size, scope) for size in statement.shape.sizes)
    if not 1 <= len(shape) <= MOST_AXES:
        layout = foreign_layout(shape)
        layout = layout if layout is not None and layout.has_batch else None
        raise Mistake(
            "E305",
            f"an input has 1 to {MOST_AXES} sizes: channels, then the other axes",
            statement.shape.span,
            help=layout.question(shape) if layout else "the batch is not written",
            fixes=[layout.fix(statement)] if layout else [],
        )
    if numbers_of(shape) > MOST_NUMBERS:
        rendered = f"{numbers_of(shape):.2g} numbers in a sample, of which 2**64 have addresses"
        raise Mistake(
            "E209", "the input is beyond all memory", statement.shape.span, label=rendered
        )
    picture = picture_of(state, statement, shape, scope)
    name = outside_name(state, statement.name.id, statement, here)
    node = Node(name, Input(statement.dtype.id, picture), (), shape, statement.name.span)
    state.graph.add(node)
    state.conditions += [(size, 1) for size in shape if isinstance(size, Dim)]
    scope.tensors[statement.name.id] = Tensor(name, shape)


def input_size(state: State, size: s.Expression | s.Wildcard, scope: Scope) -> Size:
    """One size of an input: a number, a symbol that it may introduce, or an expression."""
    if isinstance(size, s.Wildcard):
        raise Mistake(
            "E203",
            "an input's sizes are numbers or symbols",
            size.span,
            help="name a size that may vary: [3, H, W]",
        )
    if isinstance(size, s.Name) and not scope.has_value(size.id):
        if scope.is_lost(size.id):
            raise Silenced
        if size.id not in state.symbols:
            state.symbols.append(size.id)
        scope.values[size.id] = symbol(size.id)
    value = state.evaluate(size, scope)
    if isinstance(value, bool) or not isinstance(value, int | Dim):
        sizes = ", ".join(map(str, value)) if isinstance(value, Extent) else None
        help = None
        if sizes:
            edit = Fix(f"write {sizes}", size.span, sizes)
            help = Remedy(f"sizes stand one by one: [{sizes}]", (edit,))
        raise Mistake("E203", "a size is a whole number", size.span, label=show(value), help=help)
    if isinstance(value, int) and value < 1:
        raise Mistake("E203", "a size is at least 1", size.span, label=str(value))
    if isinstance(value, int) and value > LARGEST_SIZE:
        raise Mistake("E203", "a size fits in 64 bits", size.span, label=str(value))
    return value


def picture_of(
    state: State, declaration: s.InputDeclaration, shape: tuple[Size, ...], scope: Scope
) -> Picture | None:
    """`from picture(…)`, for an input that a picture can become; None without it."""
    if declaration.origin is None:
        return None
    if declaration.dtype.id != "f32":
        raise Mistake("E203", "pictures are f32", declaration.dtype.span)
    picture, place = bind_picture(declaration.origin, state.evaluate, scope), declaration.shape.span
    complaint = picture.complaint(shape)
    if complaint is None:
        return picture
    layout = foreign_layout(shape) if picture.layout == "chw" else None
    meant = shape if layout is None else layout.meant(shape)
    if layout is not None and picture.complaint(meant) is None:
        question, fix = layout.question(shape), layout.fix(declaration)
        raise Mistake("E305", complaint, place, help=question, fixes=[fix])
    raise Mistake("E305", complaint, place, help=picture.remedy(meant))


def misplaced_input(statement: s.InputDeclaration, here: Here) -> Mistake | None:
    """The mistake of an input that does not stand directly in a net's body."""
    if statement not in here.frame.definition.body.statements:
        return Mistake("E503", "an input stands directly in a net's body", statement.span)
    if here.frame.definition.kind == "block":
        return Mistake(
            "E503",
            "a block has no inputs of its own",
            statement.span,
            help="what flows in is called `in`",
        )
    return None
