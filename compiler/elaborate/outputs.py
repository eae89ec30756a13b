"""What a net gives: its outputs, their names and the names of their classes."""

from __future__ import annotations

from compiler.elaborate.layers import describe
from compiler.elaborate.names import outside_name
from compiler.elaborate.state import Here, State
from compiler.ops.base import show_shape
from compiler.symbols.modules import unreadable
from compiler.values import POISON, Mistake, Tensor
from grammar import syntax as s
from grammar.diagnostics import Fix


def declare_output(
    state: State, statement: s.OutputDeclaration, here: Here, tensor: Tensor
) -> None:
    """`output probs = softmax` once its chain has run, `output features : [64, 56, 56]`."""
    name, frame = statement.name.id, here.frame
    frame.outputs[name] = tensor
    here.scope.tensors.setdefault(name, tensor)
    if frame.inner or tensor.node is None:
        return
    outside = name if tensor.node == name else outside_name(state, statement, here)
    if statement.labels is not None:
        state.classes[outside] = read_labels(state, statement.labels, tensor)
    state.outputs[outside] = tensor.node


def check_output_name(
    state: State, statement: s.OutputDeclaration, here: Here, tensor: Tensor
) -> None:
    """Raise E204 when an output would take the name of another tensor."""
    name = statement.name.id
    known = here.scope.tensor(name)
    if known is not None and None not in (known.node, tensor.node) and known.node != tensor.node:
        assert known.node is not None
        bare = statement.chain is None and statement.shape is None
        raise Mistake(
            "E204",
            f"the name `{name}` is another tensor's",
            statement.name.span,
            label=f"`{name}` is {describe(state.graph[known.node])}",
            help=f"`output {name} = {name}` makes that one an output" if bare else None,
            fixes=[Fix(f"make `{name}` the output", statement.name.span, f"{name} = {name}")]
            if bare
            else [],
        )


def check_new_output(statement: s.OutputDeclaration, here: Here) -> None:
    """Raise E503 in a block, E204 for a name that is taken; until it is made it is poisoned."""
    if here.frame.definition.kind == "block":
        raise Mistake(
            "E503",
            "only a net has outputs",
            statement.span,
            help="a block's result is what flows out of it",
        )
    name = statement.name.id
    if name in here.frame.outputs:
        raise Mistake("E204", f"the output `{name}` is declared twice", statement.name.span)
    here.frame.outputs[name] = POISON


def read_labels(state: State, path: s.Text, tensor: Tensor) -> tuple[str, ...]:
    """The class names of an output, one a line, as many as the output has numbers."""
    files = state.net.files
    file = files.find(path)
    try:
        text = files.read(file, file.name).text
    except OSError as error:
        raise unreadable(error, path.span) from None
    if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
        raise Mistake("E207", f"the class names `{file.name}` are no UTF-8 text", path.span)
    names = tuple(text.splitlines())
    if len(tensor.shape) != 1 or tensor.shape[0] != len(names):
        raise Mistake(
            "E207",
            "there must be one class name for each number of the output",
            path.span,
            label=f"{len(names)} names for {show_shape(tensor.shape)}",
        )
    return names
