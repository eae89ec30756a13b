"""Full names: scope path joined by dots, then the label, or the op and a count."""

from __future__ import annotations

from compiler.elaborate.state import Here, State
from compiler.symbols.labels import automatic_label
from compiler.values import Mistake, Results, Scope, Tensor
from grammar import syntax as s
from grammar.diagnostics import Fix, Remedy
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
    """A label with its interpolations."""
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
