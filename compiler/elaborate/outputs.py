"""What a net gives: its outputs, their names and the names of their classes."""

from __future__ import annotations

from compiler.class_axis import class_axis
from compiler.elaborate.layers import describe
from compiler.elaborate.names import label_text, outside_name
from compiler.elaborate.state import Here, State
from compiler.numbers import is_whole
from compiler.ops.base import show_shape
from compiler.symbols.modules import unreadable
from compiler.values import POISON, Mistake, Tensor
from grammar import syntax as s
from grammar.diagnostics import Fix


def declare_output(
    state: State, name: str, statement: s.OutputDeclaration, here: Here, tensor: Tensor
) -> None:
    """`output probs = softmax` once its chain has run, `output features : [64, 56, 56]`."""
    frame = here.frame
    frame.outputs[name] = tensor
    here.scope.tensors.setdefault(name, tensor)
    if tensor.node is None:
        return
    if frame.inner:
        state.results.add(tensor.node)
        return
    if is_whole(state.graph[tensor.node]):
        raise Mistake(
            "E309",
            "an output holds no whole numbers",
            statement.name.span,
            label=f"`{tensor.node}` is of type i64",
        )
    is_input = tensor.node == name and name in state.outside and statement.outside is None
    outside = name if is_input else outside_name(state, name, statement, here)
    labels = statement.labels
    if labels is not None and has_labels(state, labels, here):
        state.classes[outside] = read_labels(state, labels.path, tensor)
    state.outputs[outside] = tensor.node


def check_output_name(
    state: State, name: str, statement: s.OutputDeclaration, here: Here, tensor: Tensor
) -> None:
    """Raise E204 when an output would take the name of another tensor."""
    known = here.scope.tensor(name)
    if known is not None and None not in (known.node, tensor.node) and known.node != tensor.node:
        assert known.node is not None
        bare = statement.chain is None and statement.shape is None
        bare = bare and isinstance(statement.name, s.Name)
        help = f"`output {name} = {name}` makes that one an output" if bare else None
        if bare and name in state.outside:
            bare, help = False, f"say so, and give it another name: output y = {name}"
        raise Mistake(
            "E204",
            f"the name `{name}` is another tensor's",
            statement.name.span,
            label=f"`{name}` is {describe(state.graph[known.node])}",
            help=help,
            fixes=[Fix(f"make `{name}` the output", statement.name.span, f"{name} = {name}")]
            if bare
            else [],
        )


def check_new_output(state: State, statement: s.OutputDeclaration, here: Here) -> str:
    """The name of an output, poisoned until it is made.

    Raises E204 for a name that is taken, E503 for what only an output of a net says.
    """
    said = statement.outside or statement.labels
    if here.frame.definition.kind == "block" and said is not None:
        raise Mistake(
            "E503",
            "only a net's output says what it is in the model",
            said.span,
            help="a block names its results for those who call it: output name",
        )
    if isinstance(statement.name, s.Name):
        name = statement.name.id
    else:
        name = label_text(state, statement.name, here)
    if not name or not name.isprintable():
        raise Mistake(
            "E204", "an output's name consists of visible characters", statement.name.span
        )
    if name in here.frame.outputs:
        raise Mistake("E204", f"the output `{name}` is declared twice", statement.name.span)
    here.frame.outputs[name] = POISON
    return name


def has_labels(state: State, labels: s.ClassNames, here: Here) -> bool:
    """Whether the condition of `labels "imagenet.txt" if classes == 1000` holds."""
    return labels.condition is None or state.evaluate.truth(labels.condition, here.scope)


def read_labels(state: State, path: s.Text, tensor: Tensor) -> tuple[str, ...]:
    """The class names of an output, one a line, as many as the output has classes."""
    files = state.net.files
    file = files.find(path)
    try:
        text = files.read(file, file.name).text
    except OSError as error:
        raise unreadable(error, path.span) from None
    if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
        raise Mistake("E207", f"the class names `{file.name}` are no UTF-8 text", path.span)
    names = tuple(text.splitlines())
    classes = class_axis(tensor.shape)
    if tensor.shape[classes] != len(names):
        kind = "number" if len(tensor.shape) == 1 else "column" if classes else "map"
        raise Mistake(
            "E207",
            f"there must be one class name for each {kind} of the output",
            path.span,
            label=f"{len(names)} names for {show_shape(tensor.shape)}",
        )
    return names
