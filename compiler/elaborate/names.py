"""Full names: scope path joined by dots, then the label, or the op and a count."""

from __future__ import annotations

from compiler.elaborate.state import Here, State
from compiler.values import Mistake, Scope, Tensor
from grammar import syntax as s
from grammar.source import Span


def local_name(state: State, stage: s.Stage, word: str, here: Here) -> str:
    """The label, or the op's or block's name and a count within the call."""
    frame = here.frame
    if stage.label is not None:
        local = label_text(state, stage.label, here)
        if not local:
            raise Mistake("E204", "only a block call can have the empty label", stage.label.span)
        try:
            claim(state, frame.name(local), stage.label.span)
            return local
        except Mistake as mistake:
            if here.turns():
                mistake.help = 'make labels of a loop differ: as "stage{i}"'
            state.report(mistake, here)  # what the layer makes is known all the same
    while True:
        count = state.counts.get((frame.path, word), 0) + 1
        state.counts[frame.path, word] = count
        name = frame.name(f"{word}{count}")
        if name not in state.graph and name not in state.taken:
            return f"{word}{count}"


def label_text(state: State, label: s.Text, here: Here) -> str:
    """A label with its interpolations."""
    return str(state.evaluate(label, here.scope))


def claim(state: State, name: str, span: Span) -> None:
    """Take a full name for a label; raises E204 when it is taken, or cannot be one."""
    if any(ord(c) < 32 or c in "/\\" for c in name) or ".." in f".{name}.":
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


def remember(label: str, tensor: Tensor, scope: Scope) -> None:
    """A label lives in its call's outermost braces, so that a later part of it can join it."""
    outermost(scope).tensors[label] = tensor


def outermost(scope: Scope) -> Scope:
    """The names between the outermost braces of the call that a scope belongs to."""
    while (
        scope.parent is not None and "in" not in scope.tensors and scope.parent.parent is not None
    ):
        scope = scope.parent
    return scope
