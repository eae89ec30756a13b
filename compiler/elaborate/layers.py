"""An op with its inputs becomes a node, its shape inferred."""

from __future__ import annotations

from functools import partial
from math import prod

from compiler.bind import argument_of, names_of, size_meant, without_input_channels
from compiler.dims import Dim, Size
from compiler.elaborate.likely import likely_shape
from compiler.elaborate.names import local_name, owner_of
from compiler.elaborate.state import MOST_EDGES, MOST_NODES, Here, State
from compiler.graph import Assumed, Input, Node, shapes_taken
from compiler.layouts import declarations, foreign_layout
from compiler.ops.base import Op, Shape, ShapeError, is_join, show_shape
from compiler.ops.connect import Dense
from compiler.ops.convolution import Conv
from compiler.ops.joins import Join
from compiler.ops.reshape import Reshape
from compiler.ops.shapes import infer
from compiler.remedies.backwards import Search, rendered
from compiler.remedies.changes import Change
from compiler.remedies.edits import at_stage
from compiler.remedies.surroundings import Surroundings, anything
from compiler.values import Mistake, Tensor, TooMuch
from compiler.verify import check_numbers
from grammar import syntax as s
from grammar.diagnostics import Behind, Fix, Remedy, together
from grammar.source import Span

PROJECT_WHERE_NEEDED = (
    "the calls of this block differ: project where that is needed, as in "
    "if stride != 1 or in.c != c { conv(c, 1x1, stride=stride) } else { identity }"
)


def add_layer(
    state: State,
    stage: s.Stage,
    op: Op,
    tensors: list[Tensor],
    places: dict[str, Span],
    here: Here,
) -> Tensor:
    """Put a layer into the graph; `places` says where each of its arguments stands."""
    if len(state.graph) >= MOST_NODES:
        raise TooMuch("E209", f"a net has at most {MOST_NODES:_} layers", stage.span)
    state.edges += len(tensors)
    if state.edges > MOST_EDGES:
        message = f"the layers of a net take at most {MOST_EDGES:_} tensors in all"
        raise TooMuch("E209", message, stage.span)
    if state.change is not None:
        op = state.change.changed(op, stage.span, here.frame.call_stack)
    sources = tuple(t.node for t in tensors if t.node is not None)
    shapes = shapes_taken(op, [state.graph[name] for name in sources])
    try:
        shape = inferred(state, stage, op, sources, shapes, places)
    except Mistake as mistake:
        return in_place_of(state, stage, op, shapes, mistake, here)
    frame, local = here.frame, local_name(state, stage, op.name, here)
    name = frame.name(local)
    if not local and (not name or name in state.graph):
        raise Mistake("E204", *nameless(name, stage), help="give it a name: as stem")
    member = frame.members.unlabelled(op.name) if stage.label is None else local
    owner = ""
    with state.reporting(here):  # what the layer makes is known all the same
        owner = owner_of(state, stage, member, op, shapes, here)
    frame.members.layers[member] = name
    stack, loops = frame.call_stack, here.loops()
    state.graph.add(Node(name, op, sources, shape, stage.span, stack, owner, loops))
    return Tensor(name, shape)


def in_place_of(
    state: State, stage: s.Stage, op: Op, shapes: tuple[Shape, ...], mistake: Mistake, here: Here
) -> Tensor:
    """A tensor that stands for the one which a mistake has lost; raises the mistake without one."""
    branch = 0 if state.takes_first else -1
    shape = likely_shape(op, shapes, state.facts, mistake.code, branch)
    if shape is None:
        raise mistake
    state.guessed = state.guessed or mistake.code == "E304"
    return assumed(state, stage, shape, mistake, here)


def assumed(state: State, stage: s.Stage, shape: Shape, mistake: Mistake, here: Here) -> Tensor:
    """A tensor of this shape, in place of the one that a mistake, told here, has lost."""
    with state.reporting(here):
        raise mistake
    state.damaged = True
    name = f"assumed {len(state.graph)}"
    state.graph.add(Node(name, Assumed(likely=True), (), shape, stage.span))
    return Tensor(name, shape)


def nameless(path: str, stage: s.Stage) -> tuple[str, Span]:
    """What is wrong with a layer of the empty label that cannot have the name of its call."""
    assert stage.label is not None
    if path:
        return f"two layers would be called `{path}`", stage.label.span
    return "a layer directly in a net needs a name", stage.label.span


def inferred(
    state: State,
    stage: s.Stage,
    op: Op,
    sources: tuple[str, ...],
    shapes: tuple[Shape, ...],
    places: dict[str, Span],
) -> Shape:
    """The shape that the layer makes; what it asks of symbolic sizes is kept."""
    try:
        check_numbers(op, [state.graph[name] for name in sources])
        shape = infer(op, shapes, state.facts)
        conditions = [(size, 1) for size in shape] + list(op.conditions(shapes, state.facts))
    except ShapeError as error:
        assert stage.callee is not None
        word = "branch" if is_join(op) else "input"
        inputs = [
            f"{word}: {show_shape(state.graph[name].shape)}, from {describe(state.graph[name])}"
            for name in dict.fromkeys(sources)
        ]
        mistake = Mistake.of(error, places.get(error.argument or "", stage.callee.span))
        in_chain = stage.span not in state.rewritten
        remedy = at_stage(error.remedy, stage, op, in_chain=in_chain)
        mistake.say(notes=(*inputs[:8], *error.notes), remedy=remedy)
        if error.code == "E302":
            mistake.search = partial(kernel_remedies, state, stage, op, sources, error.help)
        elif error.code == "E305" and op.most_inputs == 1:
            mistake.search = partial(rank_remedies, state, stage, op, sources)
        elif error.code == "E305" and is_join(op):
            mistake.search = partial(branch_remedies, state, sources, error.remedy)
        elif error.code == "E304":
            mistake.search = partial(join_remedies, state, stage, op, sources)
        elif isinstance(op, Reshape) and isinstance(prod(op.shape), int):
            mistake.search = partial(count_remedies, state, sources, prod(op.shape))
        raise mistake from None
    state.conditions += [(size, least) for size, least in conditions if isinstance(size, Dim)]
    return shape


def kernel_remedies(
    state: State, stage: s.Stage, op: Op, sources: tuple[str, ...], help: str | None
) -> Remedy:
    """What else would make room for a kernel than a smaller one or more padding."""
    (source,) = (state.graph[name] for name in sources)
    search = Search(state.around, Node(op.name, op, sources, (), stage.span), anything)
    counted = input_channels_remedy(state, stage, op, source, search)
    if counted is not None:
        return counted
    kernel = argument_of(stage, "kernel", names_of(op))
    size = None if kernel is None else size_meant(kernel.value)
    if kernel is not None and size is not None:
        fix = Fix(f"write {size}", kernel.value.span, size)
        return Remedy(f"a size is written with the letter x: {size}", (fix,))
    meant = input_meant(state, search)
    if meant is not None:
        question, fix = meant
        return Remedy(f"{help}; {question}" if help else question, (fix,))
    if isinstance(source.op, Input):
        return Remedy(help)
    found = next(search.fitting(search.larger_inputs()), None)
    if found is None:
        return Remedy(help)
    text = f"{help}, or {found}" if help else rendered([found])
    return Remedy.of(text, state.around.fixes([found]))


def input_channels_remedy(
    state: State, stage: s.Stage, op: Op, source: Node, search: Search
) -> Remedy | None:
    """The convolutions without `in` of `conv(in, out, kernel)`: the one at fault, and before it."""
    found: dict[Span, Remedy | None] = {}
    for node in search.upstream:
        made = state.around.stages.get(node.span)
        if isinstance(node.op, Conv) and made is not None:
            channels = state.graph.input_shapes(node)[0][0]
            found[node.span] = without_input_channels(made, node.op, channels, failed=False)
    if isinstance(op, Conv):
        found[stage.span] = without_input_channels(stage, op, source.shape[0], failed=True)
    remedies = [remedy for remedy in found.values() if remedy is not None]
    fixes = [edit for remedy in remedies for edit in remedy.edits if isinstance(edit, Fix)]
    if not fixes:
        return None
    text = f"the input's channels are not written: {', '.join(fix.text for fix in fixes)}"
    as_one = together(f"write {', '.join(fix.text for fix in fixes)}", fixes)
    return Remedy(text, (as_one,) if as_one else ())


def rank_remedies(state: State, stage: s.Stage, op: Op, sources: tuple[str, ...]) -> Remedy:
    """The input in another layout, for a layer that its axes do not suit."""
    search = Search(state.around, Node(op.name, op, sources, (), stage.span), anything)
    meant = input_meant(state, search)
    return Remedy(meant[0], (meant[1],)) if meant else Remedy()


def input_meant(state: State, search: Search) -> tuple[str, Fix] | None:
    """The only input in the layout that was perhaps meant, if that mends what went wrong."""
    inputs = [node for node in search.upstream if isinstance(node.op, Input)]
    layout = foreign_layout(inputs[0].shape) if len(inputs) == 1 else None
    if layout is None:
        return None
    shape = inputs[0].shape
    change = Change(tuple(inputs), "input", layout.meant(shape), shape)
    declaration = declarations(state.net.definition)[inputs[0].span]
    fits = any(search.fitting([change]))
    return (layout.question(shape), layout.fix(declaration)) if fits else None


def branch_remedies(state: State, sources: tuple[str, ...], remedy: Remedy) -> Remedy:
    """A layer behind some branches of a join, where nothing but the join takes these."""
    users, found = state.graph.users(), []
    for edit in remedy.edits:
        if not isinstance(edit, Behind):
            continue
        names = dict.fromkeys(sources[branch] for branch in edit.branches)
        alone = [node for name in names if not users[name] and (node := state.graph[name])]
        fixes = [behind(edit.text, node, state.around) for node in alone]
        found.append(together(f"add `{edit.text}`", fixes) if len(alone) == len(names) else None)
    return Remedy(None, tuple(filter(None, found)))


def behind(layer: str, node: Node, around: Surroundings) -> Fix | None:
    """The edit that adds a layer behind another, which alone its stage makes."""
    stage = around.stages.get(node.span)
    if stage is None or stage.callee is None or len(around.made[node.span]) > 1:
        return None
    place = Span(node.span.source, stage.call.end, stage.call.end)
    return Fix(f"add `{layer}` behind it", place, f" -> {layer}")


def count_remedies(state: State, sources: tuple[str, ...], count: Size) -> Remedy:
    """The dense layer before a reshape with as many units as the shape has numbers."""
    node = state.graph[sources[0]]
    while len(node.inputs) == 1 and node.shape == state.graph[node.inputs[0]].shape:
        node = state.graph[node.inputs[0]]
    if not isinstance(node.op, Dense) or len(node.shape) != 1 or not isinstance(count, int):
        return Remedy()
    if count < 1:  # -1 stands for what is left over
        return Remedy()
    change = Change((node,), "units", count)
    return Remedy.of(rendered([change]), state.around.fixes([change]))


def join_remedies(state: State, stage: s.Stage, op: Op, sources: tuple[str, ...]) -> Remedy:
    """What would bring the branches of a join to one size: one change, or one for each branch."""
    around = state.around
    single = Search(around, Node(op.name, op, sources, (), stage.span), anything).solutions()
    single = state.proven(single) if single else []
    if single:
        return Remedy.of(rendered(single), around.fixes(single))
    first = state.graph[sources[0]].shape
    if len({state.graph[name].shape[0] for name in sources}) > 1 and isinstance(op, Join):
        calls = sum(made.stage.span == stage.span for made in state.made)
        return Remedy(PROJECT_WHERE_NEEDED if calls > 1 else None)
    changes = []
    for name in dict.fromkeys(sources[1:]):
        node = state.graph[name]
        if node.shape[1:] == first[1:]:
            continue
        found = Search(around, node, lambda shape: shape[1:] == first[1:]).solutions()
        own = [change for change in found if change.argument != "input"]
        if not own:
            return Remedy()
        changes.append(own[0])
    places = [change.place for change in changes]
    apart = len(set(places)) == len(places)
    if not apart:
        return Remedy()
    return Remedy.of(rendered(changes, together=True), around.fixes(changes, as_one=True))


def describe(node: Node) -> str:
    """A node for a note: its source text and line."""
    if isinstance(node.op, Input):
        return f"input {node.name} at line {node.span.line}"
    if isinstance(node.op, Assumed) and not node.op.likely:
        return f"the assertion at line {node.span.line}"
    text = " ".join(head(node.span.text).split())
    text = text if len(text) <= 40 else f"{node.op.name}(…)"
    return f"{text} at line {node.span.line}"


def head(text: str) -> str:
    """A stage's text without its braces, label and shape assertion."""
    depth = 0
    for index, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if depth == 0 and (character in "{:" or text[index:].startswith((" as ", " like "))):
            return text[:index]
    return text
