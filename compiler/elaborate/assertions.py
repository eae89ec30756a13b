"""`assert`, and the shape assertions after a stage."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from compiler.dims import Dim, Size, source_text, symbol, symbols
from compiler.domain import Contradiction
from compiler.domain.suggestions import help_unequal
from compiler.elaborate.layers import describe
from compiler.elaborate.state import Here, State
from compiler.graph import Assumed, Node
from compiler.operators import compare
from compiler.ops.arguments import show
from compiler.ops.base import Shape, show_shape
from compiler.ops.shapes import axis_names
from compiler.remedies.backwards import Search, rendered
from compiler.remedies.changes import Change
from compiler.remedies.surroundings import Fits
from compiler.symbols.names import children
from compiler.values import Mistake, Scope, Tensor
from grammar import syntax as s
from grammar.diagnostics import Fix, Remedy


def check_assert(state: State, statement: s.Assert, scope: Scope) -> None:
    """`assert condition, "why"`"""
    if assume(state, statement.condition, scope):
        return
    why = state.evaluate(statement.message, scope) if statement.message else "it does not hold"
    raise Mistake(
        "E401",
        f"assertion failed: {why}",
        statement.condition.span,
        notes=operand_notes(state, statement.condition, scope),
    )


def assume(state: State, condition: s.Expression, scope: Scope) -> bool:
    """Whether a condition holds; what it says of symbolic sizes is learned."""
    if isinstance(condition, s.Logical) and condition.operator == "and":
        # Every operand is looked at, for what it teaches.
        return not [c for c in condition.operands if not assume(state, c, scope)]
    if not isinstance(condition, s.Comparison):
        return state.evaluate.truth(condition, scope)
    values = [state.evaluate(operand, scope) for operand in condition.operands]
    for left, operator, right in zip(values, condition.operators, values[1:], strict=False):
        symbolic = isinstance(left, Dim) or isinstance(right, Dim)
        sizes = all(isinstance(v, int | Dim) and not isinstance(v, bool) for v in (left, right))
        if symbolic and sizes and state.facts.decide(left, operator, right) is None:
            try:
                state.facts.assume(left, operator, right)
            except Contradiction as error:
                raise Mistake(
                    "E401", f"assertion contradicts what is known: {error}", condition.span
                ) from None
        elif not compare(state.facts, left, operator, right, condition.span):
            return False
    return True


def operand_notes(state: State, condition: s.Expression, scope: Scope) -> list[str]:
    """What the sides of a failed comparison were, of several joined those that failed."""
    if isinstance(condition, s.Logical):
        failed = [c for c in condition.operands if not state.evaluate.truth(c, scope)]
        notes = [note for c in failed for note in operand_notes(state, c, scope)]
        return list(dict.fromkeys(notes))
    if not isinstance(condition, s.Comparison):
        return []
    values = [state.evaluate(operand, scope) for operand in condition.operands]
    notes = [
        f"{operand.span.text} is {show(value)}"
        for operand, value in zip(condition.operands, values, strict=True)
        if operand.span.text != show(value)
    ]
    names = sorted(set().union(*(symbols(v) for v in values if isinstance(v, Dim))))
    if names:
        notes.append("known: " + ", ".join(state.facts.lines(names)))
    return notes


def check_shape(state: State, tensor: Tensor, pattern: s.ShapePattern, here: Here) -> Tensor:
    """A shape assertion. After a mistake, here or before, what it says is taken as the truth."""
    wanted = wanted_sizes(state, pattern, here.scope)
    plain = tuple(size for size in wanted if not isinstance(size, s.Wildcard))
    complete = len(plain) == len(wanted)
    lost = tensor.node is None or state.graph[tensor.node].op == Assumed(likely=True)
    if tensor.node is None or lost:
        return stand_in(state, plain, pattern) if complete else tensor
    expected = without_run(wanted, len(tensor.shape))

    def fits(shape: Shape) -> bool:
        return matches(state, shape, expected)

    if fits(tensor.shape):
        state.held[tensor.node] = fits
        state.patterns_held.add(pattern.span)
        return tensor
    mistake = mismatch(state, tensor, expected, fits, pattern, here.scope)
    actual = actual_shape(state, tensor.shape, expected, pattern, here.scope)
    literal = all(isinstance(size, s.Number | s.Wildcard) for size in pattern.sizes)
    differs = pattern.span in state.patterns_held  # in another call, or turn of a loop
    if actual is not None and not differs and (literal or not here.frame.inner):
        mistake.say(remedy=Remedy.of(mistake.remedy, [actual]))
    if not complete:
        raise mistake
    state.report(mistake, here)
    return stand_in(state, plain, pattern)


def matches(state: State, shape: Shape, expected: list[Size | s.Wildcard]) -> bool:
    """Whether a shape is proved to be the expected one."""
    return len(shape) == len(expected) and all(
        isinstance(want, s.Wildcard) or state.facts.equal(have, want)
        for have, want in zip(shape, expected, strict=True)
    )


def mismatch(
    state: State,
    tensor: Tensor,
    expected: list[Size | s.Wildcard],
    fits: Fits,
    pattern: s.ShapePattern,
    scope: Scope,
) -> Mistake:
    """The E301 of a tensor whose shape is not the asserted one, solved backwards."""
    assert tensor.node is not None
    unequal = [
        (axis, have, want)
        for axis, (have, want) in enumerate(zip(tensor.shape, expected, strict=False))
        if not isinstance(want, s.Wildcard) and not state.facts.equal(have, want)
    ]
    words = ("channels", *axis_names(len(tensor.shape) - 1))
    notes = [f"made by {describe(state.graph[tensor.node])}"]
    help: Remedy | None = None
    if len(tensor.shape) != len(expected):
        notes.append(f"sizes: got {len(tensor.shape)}, wanted {len(expected)}")
    elif any(isinstance(size, Dim) for _, *pair in unequal for size in pair):
        pairs = [(have, want) for _, have, want in unequal]
        help = help_unequal(state.facts, pairs, state.conditions)
    else:
        notes += [f"{words[axis]}: got {have}, wanted {want}" for axis, have, want in unequal]
    mistake = Mistake(
        "E301",
        "the shape is not the asserted one",
        pattern.span,
        label=f"the tensor is {show_shape(tensor.shape)}",
        notes=notes,
        help=help,
    )
    proved = help is not None and help.edits
    if len(tensor.shape) == len(expected) and not proved:
        node, fixed = state.graph[tensor.node], measured(state, pattern, scope)
        mistake.search = partial(shape_remedies, state, node, expected, fits, fixed)
    return mistake


def shape_remedies(
    state: State,
    node: Node,
    expected: list[Size | s.Wildcard],
    fits: Fits,
    fixed: frozenset[str],
) -> Remedy:
    """What would give a layer the asserted shape: one change, or one of the channels and one more.

    The layers `fixed` stay as they are.
    """
    wanted = tuple(want for want in expected if not isinstance(want, s.Wildcard))
    whole = wanted if len(wanted) == len(expected) else None
    search = Search(state.around, node, fits, whole, fixed)
    changes = state.proven(search.solutions())
    pair = [] if changes else channels_and_map(search, expected)
    if pair:
        return Remedy.of(rendered(pair, together=True), search.around.fixes(pair, as_one=True))
    return Remedy.of(rendered(changes), search.around.fixes(changes))


def channels_and_map(search: Search, expected: list[Size | s.Wildcard]) -> list[Change]:
    """Two changes that together give the wanted shape: of the channels, and of the map's sizes.

    Neither when only the channels, or only the map's sizes, are wrong.
    """
    now = search.target.shape
    channels, *rest = (
        have if isinstance(size, s.Wildcard) else size
        for size, have in zip(expected, now, strict=True)
    )
    if search.fits((channels, *now[1:])) or search.fits((now[0], *rest)):
        return []
    parts = (
        replace(search, fits=lambda shape: search.fits((shape[0], *rest))),
        replace(search, fits=lambda shape: search.fits((channels, *shape[1:]))),
    )
    found = [change for part in parts for change in part.solutions()[:1]]
    return found if len(found) == len(parts) else []


def measured(state: State, pattern: s.ShapePattern, scope: Scope) -> frozenset[str]:
    """The layers on which the sizes of a pattern depend, as in `[c, in.h, in.w]`."""
    found: set[str] = set()
    nodes: list[s.Syntax] = [pattern]
    for node in nodes:
        nodes += children(node)
        tensor = scope.tensor(node.id) if isinstance(node, s.Name) else None
        if tensor is not None and tensor.node is not None:
            found |= {tensor.node, *(n.name for n in state.graph.upstream((tensor.node,)))}
    return frozenset(found)


def actual_shape(
    state: State,
    shape: Shape,
    expected: list[Size | s.Wildcard],
    pattern: s.ShapePattern,
    scope: Scope,
) -> Fix | None:
    """The edit that asserts the shape a tensor has; what was right in the assertion stays."""
    texts = [source_text(size) for size in shape]
    if len(pattern.sizes) == len(expected) == len(shape):
        for axis, (have, want) in enumerate(zip(shape, expected, strict=True)):
            if isinstance(want, s.Wildcard) or state.facts.equal(have, want):
                texts[axis] = pattern.sizes[axis].span.text
    names = {name for size in shape for name in symbols(size)}
    if any(scope.value(name) != symbol(name) for name in names):
        return None  # inside a block, which does not see the net's symbols
    return Fix("assert the shape it has", pattern.span, "[" + ", ".join(texts) + "]")


def stand_in(state: State, shape: Shape, pattern: s.ShapePattern) -> Tensor:
    """A tensor of the asserted shape in place of one that a mistake has lost."""
    name = f"assumed {len(state.graph)}"
    state.graph.add(Node(name, Assumed(), (), shape, pattern.span))
    return Tensor(name, shape)


def wanted_sizes(state: State, pattern: s.ShapePattern, scope: Scope) -> list[Size | s.Wildcard]:
    """The sizes and wildcards of a pattern; raises E203."""
    wanted: list[Size | s.Wildcard] = []
    for size in pattern.sizes:
        value = size if isinstance(size, s.Wildcard) else state.evaluate(size, scope)
        if not isinstance(value, s.Wildcard | int | Dim) or isinstance(value, bool):
            raise Mistake("E203", "a size is a whole number", size.span, label=show(value))
        wanted.append(value)
    if sum(isinstance(size, s.Wildcard) and size.run for size in wanted) > 1:
        raise Mistake("E203", "a shape has at most one `...`", pattern.span)
    return wanted


def without_run(wanted: list[Size | s.Wildcard], length: int) -> list[Size | s.Wildcard]:
    """The pattern with its `...` written out as as many `_` as a shape of this length needs."""
    for index, size in enumerate(wanted):
        if isinstance(size, s.Wildcard) and size.run:
            missing = max(length - len(wanted) + 1, 0)
            return [
                *wanted[:index],
                *[s.Wildcard(size.span, False)] * missing,
                *wanted[index + 1 :],
            ]
    return wanted
