"""What a stage is called (`as`), and whose parameters it uses (`like`).

A full name is the scope path joined by dots, then the label, or the op and a count.
"""

from __future__ import annotations

from typing import Literal

from compiler.elaborate.state import Here, Members, State
from compiler.graph import Node
from compiler.ops.base import Op, Shape, Weight, show_shape
from compiler.symbols.scope import automatic_label
from compiler.values import Mistake, Results, Scope, Silenced, Tensor, kind_word, unknown
from grammar import syntax as s
from grammar.diagnostics import Fix, Remedy, nearest
from grammar.source import Span


def local_name(state: State, stage: s.Stage, word: str, here: Here) -> str:
    """The label, or the place in a `seq`, or the op's or block's name and a count in the call."""
    frame = here.frame
    position = None if frame.position is None else str(next(frame.position))
    if stage.label is not None:
        local = label_text(state, stage.label, here)
        if not local:
            return ""
        try:
            claim(state, frame.name(local), stage.label.span)
            return local
        except Mistake as mistake:
            if here.turns():
                mistake.say(remedy=Remedy('make labels of a loop differ: as "stage{i}"'))
            state.report(mistake, here)  # what the layer makes is known all the same
    elif position is not None:
        claim(state, frame.name(position), stage.span)
        return position

    def taken(label: str) -> bool:
        name = frame.name(label)
        return name in state.graph or name in state.taken

    return automatic_label(state.counts.setdefault(frame.path, {}), word, taken)


def label_text(state: State, label: s.Text, here: Here) -> str:
    """A label with its interpolations; raises E204 for a tensor in it."""
    for part in label.parts:
        if isinstance(part, s.Name):
            value = here.scope.in_expression(part.id)
            if isinstance(value, Tensor | Results):
                message = f"a label is made of words and numbers, this is {kind_word(value)}"
                raise Mistake("E204", message, part.span)
    return str(state.evaluate(label, here.scope))


def outside_name(
    state: State, name: str, statement: s.InputDeclaration | s.OutputDeclaration, here: Here
) -> str:
    """What an input or output is called in the compiled model; raises E204 for a bad name.

    `name` is what the text calls it.
    """
    if statement.outside is None:
        span = statement.name.span
    else:
        name, span = label_text(state, statement.outside, here), statement.outside.span
        if not name or not name.isprintable():
            raise Mistake("E204", "a name in the model consists of visible characters", span)
    if name in state.outside:
        first = state.outside[name].line
        raise Mistake(
            "E204",
            f"two tensors of the model would be called `{name}`",
            span,
            label=f"the other one at line {first}",
        )
    state.outside[name] = span
    return name


def check_outside_names(state: State) -> None:
    """Raise E204 when an input or output has the name of a parameter."""
    for name in state.outside.keys() & state.graph.parameters().keys():
        raise Mistake("E204", f"`{name}` is the name of a parameter", state.outside[name])


def check_bare_names(state: State) -> None:
    """Raise E204 when a tensor that is called without a suffix has the name of another array."""
    for node in state.graph.nodes():
        layer, _, array = node.name.rpartition(".")
        if node.op.most_inputs != 0 or layer not in state.graph:
            continue
        other = state.graph[layer]
        if any(weight.name == array for weight in state.graph.weights(other)):
            raise Mistake(
                "E204",
                f"two parameters are called `{node.name}`",
                node.span,
                label=f"the other one is of the layer at line {other.span.line}",
            )


def claim(state: State, name: str, span: Span) -> None:
    """Take a full name for a label; raises E204 when it is taken, or cannot be one."""
    if not name.isprintable():
        plain = "".join(c for c in span.text if c.isprintable())
        fixes = [Fix(f"write {plain}", span, plain)] if span.text != plain != '""' else []
        raise Mistake(
            "E204",
            "a label has no control characters",
            span,
            label=name,
            help=f"write {plain}" if fixes else None,
            fixes=fixes,
        )
    if any(c in "/\\" for c in name) or ".." in f".{name}.":
        raise Mistake("E204", "a label has no slashes and no empty parts", span, label=name)
    if name in state.taken or name in state.graph:
        first = state.taken[name] if name in state.taken else state.graph[name].span
        raise Mistake(
            "E204",
            f"the label `{name}` is used twice in this scope",
            span,
            label=f"first at line {first.line}",
        )
    state.taken[name] = span


def remember(label: str, made: Tensor | Results, scope: Scope) -> None:
    """A label lives in its call's outermost braces, so that a later part of it can join it."""
    if isinstance(made, Results):
        scope.body().values[label] = made
    else:
        scope.body().tensors[label] = made


def owner_of(
    state: State, stage: s.Stage, member: str, op: Op, shapes: tuple[Shape, ...], here: Here
) -> str:
    """The layer whose parameters this one uses, of the same kind and shapes; "" for its own.

    `member` is what this layer is called in its call.
    """
    frame, span = here.frame, stage.span
    owner: str | None
    if stage.like is not None:
        label, span = label_text(state, stage.like, here), stage.like.span
        wanted = frame.name(label)
        names = (level.name(label) for level in frame.levels())
        owner = next((name for name in names if name in state.graph), None)
    elif frame.like is not None:
        wanted = f"{frame.like.path}.{member}"
        owner = frame.like.layers.get(member)
    else:
        return ""
    weights = op.weights(shapes)
    if not weights and stage.like is None:
        return ""
    if owner is None:
        raise not_found(state, "layer", wanted, span)
    other = state.graph[owner]
    notes = differences(other, state.graph.weights(other), op, weights)
    if notes:
        raise Mistake(
            "E206", f"`like {owner}` needs the same op and parameter shapes", span, notes=notes
        )
    return other.parameters_of


def not_found(state: State, kind: Literal["layer", "block"], name: str, span: Span) -> Exception:
    """What to raise where `like` names nothing of its kind."""
    if state.damaged:
        return Silenced()
    layers = [name for name in state.taken if name in state.graph]
    near, help = nearest(name, layers if kind == "layer" else state.called), None
    if name in state.called:
        near, help = None, f"`{name}` is a call of a block, no layer"
    elif name in state.graph:
        near, help = None, f"`{name}` is a {state.graph[name].op.name}"
        help += " outside of that block" if kind == "layer" else ", no call of a block"
    return unknown(f"`like` finds no {kind} `{name}`", span, near, code="E206", help=help)


def differences(
    other: Node, theirs: tuple[Weight, ...], op: Op, ours: tuple[Weight, ...]
) -> list[str]:
    """In what two layers differ that were to share parameters."""
    notes = []
    if other.op.name != op.name:
        notes.append(f"{other.name} is a {other.op.name}, this is a {op.name}")
    there = {weight.name: show_shape(weight.shape) for weight in theirs}
    here = {weight.name: show_shape(weight.shape) for weight in ours}
    notes += [
        f"{key}: {there.get(key, 'none')} there, {here.get(key, 'none')} here"
        for key in dict.fromkeys([*there, *here])
        if there.get(key) != here.get(key)
    ]
    return notes


def members_of(
    state: State, stage: s.Stage, word: str, local: str | None, here: Here
) -> tuple[Members, Members | None]:
    """Where the members of a new call are kept, and those of the call whose parameters it uses.

    A call that adds no level (`local` is None) adds to the members of the call around it, unless
    it says `like` itself. Raises E206.
    """
    frame = here.frame
    if local is None and stage.like is None:
        return frame.members, frame.like
    member = frame.members.unlabelled(word) if local is None or stage.label is None else local
    like = None
    if stage.like is not None:
        like = members_like(state, stage.like, here)
    elif frame.like is not None:
        missing = Members(f"{frame.like.path}.{member}")
        like = frame.like.calls.get(member, missing)
    members = Members(frame.path if local is None else frame.name(local))
    frame.members.calls[member] = members
    if local is not None:
        state.called[members.path] = members
    return members, like


def members_like(state: State, label: s.Text, here: Here) -> Members:
    """The members of the call that a label names; raises E206."""
    text = label_text(state, label, here)
    for level in here.frame.levels():
        if level.name(text) in state.called:
            return state.called[level.name(text)]
    raise not_found(state, "block", here.frame.name(text), label.span)


def check_all_shared(state: State, place: s.Text, ours: Members, theirs: Members) -> None:
    """Raise E206 when the other call has layers with parameters that this one lacks."""
    graph = state.graph
    used = {graph[name].parameters_of for name in ours.all_layers()}
    left = [
        name
        for name in theirs.all_layers()
        if graph.weights(graph[name]) and graph[name].parameters_of not in used
    ]
    if left and not state.damaged:
        raise Mistake(
            "E206",
            f"`like {theirs.path}` needs the same layers",
            place.span,
            notes=[f"{name} has no counterpart here" for name in left[:8]],
        )
