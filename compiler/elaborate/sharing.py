"""`like`: a stage that uses the parameters of another one."""

from __future__ import annotations

from compiler.elaborate.names import label_text
from compiler.elaborate.state import Here, State
from compiler.graph import Node
from compiler.ops.base import Op, Shape, Weight, show_shape
from compiler.values import Mistake, Silenced
from grammar import syntax as s
from grammar.diagnostics import did_you_mean


def owner_of(
    state: State, stage: s.Stage, name: str, op: Op, shapes: tuple[Shape, ...], here: Here
) -> str:
    """The layer whose parameters this one uses, of the same kind and shapes; "" for its own."""
    frame = here.frame
    if stage.like is not None:
        owner, place = frame.name(label_text(state, stage.like, here)), stage.like.span
    elif frame.like is not None:
        owner, place = frame.like + name.removeprefix(frame.path), stage.span
    else:
        return ""
    weights = op.weights(shapes)
    if not weights and stage.like is None:
        return ""
    if owner not in state.graph and state.damaged:
        raise Silenced
    if owner not in state.graph:
        raise Mistake(
            "E206",
            f"`like` finds no layer `{owner}`",
            place,
            help=did_you_mean(owner, state.taken),
        )
    other = state.graph[owner]
    notes = differences(other, state.graph.weights(other), op, weights)
    if notes:
        raise Mistake(
            "E206", f"`like {owner}` needs the same op and parameter shapes", place, notes=notes
        )
    return other.parameters_of


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


def shared_path(state: State, stage: s.Stage, path: str, here: Here) -> str | None:
    """The path of the block call whose parameters the call at `path` shares; raises E206."""
    frame = here.frame
    if stage.like is None:
        return None if frame.like is None else frame.like + path.removeprefix(frame.path)
    like = frame.name(label_text(state, stage.like, here))
    if like not in state.taken and state.damaged:
        raise Silenced
    if like not in state.taken:
        raise Mistake(
            "E206",
            f"`like` finds no block `{like}`",
            stage.like.span,
            help=did_you_mean(like, state.taken),
        )
    return like


def check_all_shared(state: State, place: s.Text, path: str, like: str) -> None:
    """Raise E206 when the other block has layers with parameters that this one lacks."""
    used = {node.parameters_of for node in state.graph.nodes() if node.name.startswith(path + ".")}
    left = [
        node.name
        for node in state.graph.nodes()
        if node.name.startswith(like + ".")
        and state.graph.weights(node)
        and node.parameters_of not in used
    ]
    if left and not state.damaged:
        raise Mistake(
            "E206",
            f"`like {like}` needs the same layers",
            place.span,
            notes=[f"{name} has no counterpart here" for name in left[:8]],
        )
