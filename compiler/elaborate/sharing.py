"""`like`: a stage that uses the parameters of another one."""

from __future__ import annotations

from typing import Literal

from compiler.elaborate.names import label_text
from compiler.elaborate.state import Here, Members, State
from compiler.graph import Node
from compiler.ops.base import Op, Shape, Weight, show_shape
from compiler.values import Mistake, Silenced
from grammar import syntax as s
from grammar.diagnostics import did_you_mean
from grammar.source import Span


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
    help = did_you_mean(name, layers if kind == "layer" else state.called)
    if name in state.called:
        help = f"`{name}` is a call of a block, no layer"
    elif name in state.graph:
        help = f"`{name}` is a {state.graph[name].op.name}"
        help += " outside of that block" if kind == "layer" else ", no call of a block"
    return Mistake("E206", f"`like` finds no {kind} `{name}`", span, help=help)


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
