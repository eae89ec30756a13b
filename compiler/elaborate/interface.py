"""What a net has outside: parameters, inputs, outputs and the names of their classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compiler.bind import bind_picture
from compiler.dims import Dim, Size, symbol
from compiler.elaborate.assertions import assume
from compiler.elaborate.layers import describe
from compiler.elaborate.names import label_text, outside_name
from compiler.elaborate.state import Here, State
from compiler.graph import Input, Node, is_whole
from compiler.layouts import foreign_layout
from compiler.ops.arguments import Extent, show
from compiler.ops.base import show_shape
from compiler.ops.shapes import LARGEST_SIZE, MOST_NUMBERS, class_axis, numbers_of
from compiler.ops.sizes import MOST_AXES
from compiler.pictures import Picture
from compiler.remedies.edits import resized_picture
from compiler.symbols.modules import unreadable
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
    picture, place = (
        bind_picture(declaration.origin, state.evaluate.alone, scope),
        declaration.shape.span,
    )
    complaint = picture.complaint(shape)
    if complaint is None:
        return picture
    layout = foreign_layout(shape) if picture.layout == "chw" else None
    meant = shape if layout is None else layout.meant(shape)
    if layout is not None and picture.complaint(meant) is None:
        question, fix = layout.question(shape), layout.fix(declaration)
        raise Mistake("E305", complaint, place, help=question, fixes=[fix])
    raise Mistake("E305", complaint, place, help=resized_picture(picture, meant, declaration))


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
