"""A checked graph as PyTorch source: a class a block, and one for the net.

Each call of a block becomes a module of a class. Calls of the same structure share one, whose
constructor takes what differs between them, called as the block's own parameters where it is they.
Where parameters are shared across calls in a way that modules cannot say, the net is one class.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import pairwise, zip_longest
from typing import Any

from compiler.dims import symbol
from compiler.graph import Graph, Node
from compiler.ops.base import show_shape
from compiler.ops.joins import Join
from compiler.torch import SOURCES
from compiler.torch.attributes import Attributes, Unreachable, Unwritable
from compiler.torch.calls import Scope, call_tree
from compiler.torch.helpers import HELPERS
from compiler.torch.layer import Call, Code, Layer, text_of
from compiler.torch.lines import wrapped
from compiler.torch.statements import ANY, Item, Writer, identifier, mark, reference, resolved
from grammar.records import dataclass

IMPORTS = "\0imports\0"  # until it is known which ones


@dataclass
class Module:
    """What a scope becomes: its members by local name, and the lines of its `forward`."""

    scope: Scope
    attributes: Attributes
    arguments: list[str]
    lines: list[tuple[str, str]]
    results: list[str]
    symbols: list[str]
    uses: set[str]

    @property
    def calls(self) -> dict[str, Call]:
        """The members that are made by a call."""
        return self.attributes.calls

    def skeleton(self) -> tuple[Any, ...]:
        """What calls of one class have in common: all but the values that constructors take."""
        members = tuple((name, blank(call)) for name, call in self.calls.items())
        block = self.scope.step.block if self.scope.step else ""
        others = self.attributes.others()
        lines = tuple(text for text, _ in self.lines)
        return (block, members, others, lines, tuple(self.results), *self.arguments)

    def leaves(self) -> list[tuple[str, Any]]:
        """Every value that its constructors take, with what it is called."""
        return [
            (f"{name}_{word}" if word == "value" else word, value)
            for name, call in self.calls.items()
            for word, value in leaves_of(call)
        ]


def blank(call: Call) -> tuple[Any, ...]:
    """A call without its values."""
    inner = tuple(blank(v) if isinstance(v, Call) else None for v in call.values)
    return (call.function, len(call.arguments), tuple(k[0] for k in call.keywords), inner)


def leaves_of(call: Call) -> list[tuple[str, Any]]:
    """The values of a call and of the calls in it."""
    found = []
    for word, value in zip(call.words, call.values, strict=True):
        found += leaves_of(value) if isinstance(value, Call) else [(word, value)]
    return found


def with_leaves(call: Call, values: list[Any]) -> Call:
    """The call with other values, taken from the front of a list."""
    made = [with_leaves(v, values) if isinstance(v, Call) else values.pop(0) for v in call.values]
    return call.with_values(made)


@dataclass
class PythonClass:
    """A class of the source: its name, its constructor's parameters, one of its modules."""

    name: str
    module: Module
    parameters: list[tuple[str, Any]]  # with defaults, or None
    values: dict[str, list[Any]]  # by parameter, for each of the calls
    codes: list[Any]  # what each leaf is written as


class Source:
    """A source in the making."""

    def __init__(self, graph: Graph, doc: str, *, flat: bool, taken: Collection[str] = ()) -> None:
        self.graph = graph
        self.doc = doc
        self.taken = taken  # names that no class may have
        self.name = ""  # of the net's class
        self.root = call_tree(graph, flat=flat)
        self.classes: list[PythonClass] = []
        self.calls: dict[str, Call] = {}  # of a block's class, by path
        self.modules: dict[str, Module] = {}
        self.uses: set[str] = set()
        self.users = graph.users()
        self.parts: list[str] = []  # the text of each class

    def text(self) -> str:
        """The whole source."""
        return joined([self.header(), *self.helpers(), *self.parts])

    def make(self) -> Source:
        """Make the classes; returns itself. Raises `Unreachable`."""
        for height in range(self.root.height):
            self.make_classes([s for s in self.scopes(self.root) if s.height == height])
        net = self.module_of(self.root)
        self.uses |= net.uses
        name = class_name(self.graph.name)
        while name in self.taken or any(made.name == name for made in self.classes):
            name += "Net"
        self.name = name
        self.classes.append(PythonClass(name, net, [], {}, [v for _, v in net.leaves()]))
        self.parts = [*self.results(name), *map(self.class_text, self.classes)]
        return self

    def scopes(self, scope: Scope) -> list[Scope]:
        """All calls of blocks, in the order of the net."""
        return [s for call in scope.calls() for s in (call, *self.scopes(call))]

    # ── one call ─────────────────────────────────────────────────────────────────────────────

    def module_of(self, scope: Scope) -> Module:
        """The members of a call and its `forward`."""
        attributes = Attributes()
        items = [self.item(scope, member, attributes) for member in scope.members]
        symbols = sorted({s for _, _, needed in items for s in needed})
        uses: set[str] = {use for _, used, _ in items for use in used}
        plain = self.collapsed(scope, attributes, [item for item, _, _ in items])
        is_net = scope is self.root
        taken = [node.name for node in self.graph.inputs()] if is_net else scope.inputs
        outputs = [*self.graph.outputs.values()] if is_net else scope.outputs
        if not taken:  # nothing tells how many samples there are
            raise Unreachable(scope.path)
        plain = needed(plain, outputs)
        names = [identifier(name) for name in taken] if is_net else [*"xyzuvw"][: len(taken)]
        if len(names) < len(taken):
            names = [f"x{place}" for place in range(len(taken))]
        counts = Counter(source for item in plain for source in item.takes) + Counter(outputs)
        writer = Writer(dict(zip(taken, names, strict=True)), counts)
        for item, following in zip_longest(plain, plain[1:]):
            if following is None and len(outputs) == 1:
                following = Item((), (outputs[0],), mark(0))
            writer.add(item, following)
        results = [writer.result(name) for name in outputs]
        inputs = names if is_net else [*names, *symbols]
        lines = [*self.symbol_lines(symbols), *writer.lines] if is_net else writer.lines
        return Module(scope, attributes, inputs, lines, results, symbols, uses)

    def symbol_lines(self, symbols: Sequence[str]) -> list[tuple[str, str]]:
        """Lines that read the symbols off the inputs' shapes."""
        found = []
        for name in symbols:
            source, axis = next(
                (node, axis)
                for node in self.graph.inputs()
                for axis, size in enumerate(node.shape)
                if size == symbol(name)
            )
            found.append((f"{name} = {identifier(source.name)}.shape[{axis + 1}]", ""))
        return found

    def item(
        self, scope: Scope, member: Node | Scope, attributes: Attributes
    ) -> tuple[Item, set[str], set[str]]:
        """A layer or call as a step of the body, the helpers and the symbols that it needs."""
        if isinstance(member, Scope):
            return self.call_item(scope, member, attributes)
        node, bare = member, self.stretching(scope, member)
        layer = Layer(self.graph, node, self.owner(scope, member))

        takes = tuple(name for name in node.inputs if name not in bare)
        given = iter(map(mark, range(len(takes))))
        inputs = [bare[n] if n in bare else next(given) for n in node.inputs]
        template = SOURCES[type(node.op)](node.op, layer, *inputs)
        self.enter(scope, layer, attributes)
        item = Item((node.name,), takes, template)
        if node.op.most_inputs == 0:
            stretched = self.is_stretched(node)
            item = Item((), (), "") if stretched else Item((node.name,), (), expanded(template))
        return item, layer.uses, layer.symbols

    def owner(self, scope: Scope, node: Node) -> str:
        """What the layer with a layer's parameters is called in its call."""
        name = node.parameters_of
        if scope.shares and name.startswith(scope.shares + "."):
            name = scope.path + name[len(scope.shares) :]
        if not scope.owns(name):
            raise Unreachable(name)
        return scope.local(name)

    def stretching(self, scope: Scope, node: Node) -> dict[str, str]:
        """What a join takes that comes from no input, by how it is written."""
        return {
            name: reference(self.owner(scope, self.graph[name]))
            for name in node.inputs
            if self.graph[name].op.most_inputs == 0 and self.is_stretched(self.graph[name])
        }

    def is_stretched(self, node: Node) -> bool:
        """Whether a tensor from no input stands as it is: PyTorch stretches it over the batch."""
        if node.name in self.graph.outputs.values():
            return False
        return all(
            isinstance(user.op, Join)
            and any(self.graph[name].op.most_inputs != 0 for name in user.inputs)
            for user in self.users[node.name]
        )

    def enter(self, scope: Scope, layer: Layer, attributes: Attributes) -> None:
        """The module, parameter or buffer of a layer among its call's members."""
        local = layer.owner
        if layer.made is not None and local not in attributes.calls:
            attributes.calls[local] = layer.made
            attributes.fixed += [(local, array, values) for array, values in layer.fixed]
        elif layer.made is not None and attributes.calls[local] != layer.made:
            raise Unreachable(local)
        elif layer.parameter:
            attributes.parameters.setdefault(local, layer.parameter)
        elif layer.buffer:
            attributes.buffers[local] = (layer.buffer, layer.persistent)
        elif layer.plain is not None:
            attributes.plain[local] = layer.plain

    def call_item(
        self, scope: Scope, inner: Scope, attributes: Attributes
    ) -> tuple[Item, set[str], set[str]]:
        """A call of a block as a step of the body."""
        call, path = self.calls[inner.path], inner.path
        if inner.shares:
            path = inner.shares
            if self.calls.get(path) != call or not scope.owns(path):
                raise Unreachable(path)
            if "." in scope.local(path) and scope.local(path) not in attributes.calls:
                raise Unreachable(path)
        else:
            attributes.calls[scope.local(path)] = call
        module = self.modules.get(inner.path)
        symbols = module.symbols if module is not None else []
        shape = self.graph[inner.outputs[0]].shape if len(inner.outputs) == 1 else None

        texts = [mark(place) for place in range(len(inner.inputs))]
        template = f"{reference(scope.local(path))}({', '.join([*texts, *symbols])})"
        comment = "" if shape is None else show_shape(shape)
        item = Item(tuple(inner.outputs), tuple(inner.inputs), template, comment)
        return item, set(), set(symbols)

    # ── nn.Sequential ────────────────────────────────────────────────────────────────────────

    def collapsed(self, scope: Scope, attributes: Attributes, items: list[Item]) -> list[Item]:
        """The items with runs of numbered layers, each fed by the one before, as one module."""
        items = [item for item in items if item.makes]
        for prefix in attributes.numbered():
            items = self.as_sequence(scope, attributes, items, prefix)
        return items

    def as_sequence(
        self, scope: Scope, attributes: Attributes, items: list[Item], prefix: str
    ) -> list[Item]:
        """The items with the layers `prefix.0`, `prefix.1`, … as one, where they are a chain."""
        count = attributes.count_of(prefix)
        full = [f"{prefix}.{place}" if prefix else str(place) for place in range(count)]
        absolute = [f"{scope.path}.{name}" if scope.path else name for name in full]
        by_module: dict[str, int] = {}
        for place, item in enumerate(items):
            for local, name in zip(full, absolute, strict=True):
                called = item.template == f"{reference(local)}({mark(0)})"
                if called or (item.makes == (name,) and local in attributes.plain):
                    if local in by_module:
                        return items  # called twice
                    by_module[local] = place
        places = [by_module.get(local, -1) for local in full]
        if prefix and any(
            name.startswith(f"{prefix}.") and name not in full for name in attributes.all_names()
        ):
            return items
        if not prefix and (scope is self.root or count < len(items)):
            return items
        if count < 2 or -1 in places or places != [*range(places[0], places[0] + count)]:
            return items
        run = items[places[0] : places[0] + count]
        if any(len(item.takes) != 1 or len(item.makes) != 1 for item in run):
            return items
        uses = Counter(source for item in items for source in item.takes)
        inner = self.inner_outputs(scope)
        for before, after in pairwise(run):
            if after.takes != before.makes or uses[before.makes[0]] != 1:
                return items
            if before.makes[0] in inner:
                return items
        if any(name.startswith(f"{local}.") for name in attributes.all_names() for local in full):
            return items
        if any(local in (*attributes.parameters, *attributes.buffers) for local in full):
            return items
        if any(local == f for f, _, _ in attributes.fixed for local in full):
            return items
        made = [attributes.calls.get(local) or attributes.plain[local] for local in full]
        attributes.put(prefix, Call("nn.Sequential", tuple(made)), instead=full)
        one = Item(
            run[-1].makes,
            run[0].takes,
            f"{reference(prefix)}({mark(0)})",
            run[-1].comment,
        )
        return [*items[: places[0]], one, *items[places[0] + count :]]

    def inner_outputs(self, scope: Scope) -> set[str]:
        """The tensors that a call hands out."""
        return {*(self.graph.outputs.values() if scope is self.root else scope.outputs)}

    # ── classes ──────────────────────────────────────────────────────────────────────────────

    def make_classes(self, scopes: Sequence[Scope]) -> None:
        """A class for each structure among calls of one depth, and each call of one."""
        groups: dict[Any, list[Module]] = {}
        for scope in scopes:
            module = self.module_of(scope)
            self.modules[scope.path] = module
            groups.setdefault(module.skeleton(), []).append(module)
        for modules in groups.values():
            self.uses |= modules[0].uses
            if [*modules[0].calls] == [""]:  # nothing but an nn.Sequential
                self.calls |= {module.scope.path: module.calls[""] for module in modules}
            else:
                self.make_class(modules)

    def make_class(self, modules: list[Module]) -> None:
        """A class of these modules, whose parameters are what differs between them."""
        leaves = [module.leaves() for module in modules]
        for place, (text, comment) in enumerate(modules[0].lines):
            if any(module.lines[place][1] != comment for module in modules):
                modules[0].lines[place] = (text, "")
        parameters: dict[str, list[Any]] = {}
        codes: list[Any] = []
        for place, (word, first) in enumerate(leaves[0]):
            values = [found[place][1] for found in leaves]
            if all(value == first for value in values):
                codes.append(first)
                continue
            codes.append(Code(parameter_for(word, values, modules, parameters)))
        scope = modules[0].scope
        assert scope.step is not None
        name = class_name(scope.step.block)
        taken = [*self.taken, *(made.name for made in self.classes)]
        same = sum(re.fullmatch(rf"{name}\d*", known) is not None for known in taken)
        name += str(same + 1) if same else ""
        order = sorted(parameters, key=lambda p: default_of(parameters[p]) is not None)
        signature = [(p, default_of(parameters[p])) for p in order]
        self.classes.append(PythonClass(name, modules[0], signature, parameters, codes))
        for place, module in enumerate(modules):
            plain = [parameters[p][place] for p, default in signature if default is None]
            given = [(p, parameters[p][place], d) for p, d in signature if d is not None]
            kinds = tuple(p for p, default in signature if default is None)
            self.calls[module.scope.path] = Call(name, tuple(plain), tuple(given), kinds)

    # ── text ─────────────────────────────────────────────────────────────────────────────────

    def header(self) -> str:
        """What the source is, and what it imports."""
        graph = self.graph
        inputs = ", ".join(f"{n.name} {show_shape(n.shape)}" for n in graph.inputs())
        doc = f'"""{graph.name}, written by netc: {inputs}, batch first."""'
        return f"{doc}\n\n{IMPORTS}"

    def helpers(self) -> list[str]:
        """The functions that the classes call."""
        return [HELPERS[name].source for name in HELPERS if name in self.uses]

    def results(self, name: str) -> list[str]:
        """The class of several results."""
        if len(self.graph.outputs) < 2:
            return []
        fields = [f"    {identifier(output)}: torch.Tensor" for output in self.graph.outputs]
        return [f"class {name}Outputs(NamedTuple):\n" + "\n".join(fields)]

    def class_text(self, made: PythonClass) -> str:
        """One class."""
        module, values = made.module, list(made.codes)
        attributes = replace(module.attributes)
        attributes.calls = {n: with_leaves(c, values) for n, c in module.calls.items()}
        written, reach = attributes.written()
        scope = module.scope

        def reached(local: str) -> str:
            return reach[local]

        doc = scope.step.doc if scope.step is not None else self.doc
        lines = [f"# {line}".rstrip() for line in doc.splitlines()]
        lines += [f"class {made.name}(nn.Module):"]
        given = [f"{p}={text_of(d)}" if d is not None else p for p, d in made.parameters]
        if written:
            lines += [f"    def __init__({', '.join(['self', *given])}):"]
            lines += ["        super().__init__()", *(f"        {line}" for line in written), ""]
        lines += [f"    def forward({', '.join(['self', *module.arguments])}):"]
        for text, comment in module.lines:
            lines.append(f"        {resolved(text, reached)}" + f"  # {comment}" * bool(comment))
        results = [resolved(text, reached) for text in module.results]
        if scope is self.root and len(results) > 1:
            results = [f"{made.name}Outputs({', '.join(results)})"]
        lines += [f"        return {', '.join(results)}"]
        return "\n".join(
            part for line in lines for part in ([line] if line[:1] == "#" else wrapped(line))
        )


def joined(parts: Sequence[str]) -> str:
    """Functions and classes with two empty lines between them."""
    return "\n\n\n".join(part.strip("\n") for part in parts) + "\n"


def needed(items: Sequence[Item], outputs: Sequence[str]) -> list[Item]:
    """The items that lead to an output."""
    wanted, kept = set(outputs), []
    for item in reversed(items):
        if wanted.intersection(item.makes):
            wanted.update(item.takes)
            kept.append(item)
    return kept[::-1]


def expanded(text: str) -> str:
    """A tensor without a batch once for each sample."""
    return f"{text}.expand({ANY}.shape[0], *{text}.shape)"


def default_of(values: Sequence[Any]) -> Any:
    """The value that most calls give, where it is what people leave out: 1, 0, true or false."""
    value, count = Counter(values).most_common(1)[0]
    usual = isinstance(value, bool) or value in (0, 1)
    return value if usual and 2 * count >= len(values) else None


def parameter_for(
    word: str, values: list[Any], modules: list[Module], parameters: dict[str, list[Any]]
) -> str:
    """A parameter of the class, or a multiple of one, with these values; a new one if need be."""
    for name, known_values in parameters.items():
        if known_values == values:
            return name
    given = [dict(module.scope.step.given) if module.scope.step else {} for module in modules]
    for name in given[0]:
        if all(name in g for g in given) and [g[name] for g in given] == values:
            parameters[identifier(name)] = values
            return identifier(name)
    for name in given[0]:
        code = multiple_of([g.get(name) for g in given], values, identifier(name))
        if code:
            parameters[identifier(name)] = [g[name] for g in given]
            return code
    for name, known_values in parameters.items():
        code = multiple_of(known_values, values, name)
        if code:
            return code
    name = identifier(word)
    while name in parameters or name in given[0]:
        name += "_"
    parameters[name] = values
    return name


def multiple_of(known_values: Sequence[Any], values: Sequence[Any], name: str) -> str:
    """`4 * c` or `c // 4`, where all values are that; empty where they are not."""
    if not all(type(v) is int and v for v in (*known_values, *values)):
        return ""
    for factor in (2, 3, 4, 6, 8):
        if all(factor * k == v for k, v in zip(known_values, values, strict=True)):
            return f"{factor} * {name}"
        if all(k == factor * v for k, v in zip(known_values, values, strict=True)):
            return f"{name} // {factor}"
    return ""


def class_name(name: str) -> str:
    """A block's name as that of a class: `double_conv` is `DoubleConv`."""
    made = "".join(part[:1].upper() + part[1:] for part in re.split(r"[\W_]+", name))
    made = made or "Net"
    return f"Net{made}" if made[0].isdigit() or made in ("None", "True", "False") else made


def write_source(graph: Graph, doc: str = "") -> str:
    """PyTorch source of a checked graph, `doc` the comment above the net.

    Raises `Unwritable` where PyTorch's modules cannot have the names of the layers, or share
    parameters as the layers do.
    """
    head, rest = source_of(graph, doc).text().split(IMPORTS, 1)
    return f"{head}{imports(rest)}{rest}"


def source_of(graph: Graph, doc: str = "", taken: Collection[str] = ()) -> Source:
    """The classes of a graph, none with a name that is `taken`; raises `Unwritable`."""
    try:
        return Source(graph, doc, flat=False, taken=taken).make()
    except Unreachable:
        pass
    try:
        return Source(graph, doc, flat=True, taken=taken).make()
    except Unreachable as error:
        message = f"two layers share the parameters of `{error}`, and are not called alike"
        raise Unwritable(message) from None


def imports(text: str) -> str:
    """The imports that a source needs."""
    lines = []
    if "math." in text:
        lines.append("import math")
    if "NamedTuple" in text:
        lines.append("from typing import NamedTuple")
    lines += [""] if lines else []
    lines += ["import torch"] if re.search(r"\btorch\.", text) else []
    lines.append("from torch import nn")
    if re.search(r"\bF\.", text):
        lines.append("from torch.nn import functional as F")
    return "\n".join(lines)
