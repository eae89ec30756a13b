"""A checked graph as PyTorch source: a class a block, and one for the net.

Each call of a block becomes a module of a class. Calls of the same structure share one, whose
constructor takes what differs between them, called as the block's own parameters where it is they.
Where parameters are shared across calls in a way that modules cannot say, the net is one class.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import Any

from compiler.dims import symbol
from compiler.graph import Graph, Node, is_whole
from compiler.ops.base import show_shape
from compiler.ops.gathering import Take
from compiler.ops.joins import Join
from compiler.torch import SOURCES
from compiler.torch.alignment import uncounted
from compiler.torch.alike import Signatures
from compiler.torch.attributes import Attributes, Unreachable, Unwritable
from compiler.torch.batches import batches_of_one, fed_by_inputs
from compiler.torch.bodies import (
    CallBody,
    harmless,
    holds_nothing,
    needed,
    with_moves_together,
    with_parts_together,
    without_aliases,
)
from compiler.torch.calls import CallScope, call_tree
from compiler.torch.chains import (
    INPUT,
    Lines,
    lines_at_once,
    links,
    put_in_place,
    returned,
    sequence_lines,
)
from compiler.torch.classes import (
    MOST_VARIANTS,
    ModuleCode,
    PythonClass,
    made_class,
    with_counts,
)
from compiler.torch.dictionaries import in_dictionary
from compiler.torch.families import in_families
from compiler.torch.helpers import HELPERS
from compiler.torch.identities import completed
from compiler.torch.imports import imports
from compiler.torch.layer import GIVEN, Call, Later, Layer, given_in, text_length, text_of
from compiler.torch.levels import levelled
from compiler.torch.lines import wrapped
from compiler.torch.lists import collected, free, mapped
from compiler.torch.loops import COUNTERS, LITTLE, length, one_by_one
from compiler.torch.results import with_named_result, with_results_in_a_list
from compiler.torch.sequences import collapsed
from compiler.torch.shared_rows import with_rows_once
from compiler.torch.statements import (
    ANY,
    JOIN,
    NAMES,
    Item,
    StatementWriter,
    identifier,
    mark,
    reference,
    references,
)
from compiler.torch.turns import Turn, turns_of
from compiler.torch.unrolled import counts_from_zero, folded_by_turns
from compiler.torch.variants import split_where_they_differ
from grammar.diagnostics import LoopTurn
from grammar.records import dataclass

# What a source imports, and the classes of its own.
RESERVED = (
    "F",
    "NamedTuple",
    "OrderedDict",
    "Tensor",
    "math",
    *(name for name in HELPERS if name[0].isupper()),
)
MOST_NESTED = 30  # calls of a block in itself: Python nests only so many brackets
MOST_COMPARED = 600  # steps of a `forward` that is written twice, to see which way is shorter
MANY = re.compile(r"\.(chunk|split|movedim)\(|torch\.cat\(")  # what may be done at once
IMPORTS = "\0imports\0"  # until it is known which ones


@dataclass(frozen=True)
class Form:
    """What has a line of its own in a `forward`.

    Calls of blocks stand inside of others where it `nests_calls`. What modules of one row make has
    a name, so that a loop may run them; not in a branch where it `nests_branches`.
    """

    nests_calls: bool = True
    nests_branches: bool = False
    concatenates_apart: bool = False


class SourceMaker:
    """A source in the making."""

    def __init__(
        self,
        graph: Graph,
        doc: str,
        *,
        flat: bool,
        taken: Collection[str] = (),
        has_channel_classes: bool = False,
    ) -> None:
        self.graph = graph
        self.doc = doc
        self.taken = [*RESERVED, *taken]  # names that no class or function may have
        self.has_channel_classes = has_channel_classes  # for layers along the channels
        self.name = ""  # of the net's class, or the function that makes it
        self.root = call_tree(graph, flat=flat)
        self.classes: list[PythonClass] = []
        self.calls: dict[str, Call] = {}  # of a block's class, by path
        self.in_chain: dict[str, bool] = {}  # whether what is around a call is a chain
        self.functions: set[str] = set()  # the calls of blocks that are functions
        self.symbols: dict[str, list[str]] = {}  # that a call needs, by path
        self.inner: set[str] = set()  # the calls of blocks in themselves
        self.around: dict[str, tuple[str, str]] = {}  # of a call the block, and its name there
        self.alone: set[str] = set()  # the calls that take nothing, by path
        self.uses: set[str] = set()
        self.turns: set[Turn] = set()  # of the definition's loops
        self.users = graph.users()
        self.ones = batches_of_one(graph)
        self.fed = fed_by_inputs(graph)
        self.variables = self.variable_names()
        self.places = {node.name: place for place, node in enumerate(graph.nodes())}
        self.parts: list[str] = []  # the text of each class
        self.loops: dict[Any, Lines] = {}  # lines that were folded
        self.rows: dict[str, str] = {}  # constants that classes go through, by class
        self.makers: dict[str, str] = {}  # functions in the places of classes that are chains

    def text(self) -> str:
        """The whole source."""
        return joined([self.header(), *self.helpers(), *self.parts])

    def make(self) -> SourceMaker:
        """Make the classes; returns itself. Raises `Unreachable`."""
        for scopes in self.in_order():
            self.make_classes(scopes)
        body = self.body_of(self.root)
        net = self.net_of(body)
        self.uses |= net.uses
        self.name = name = self.net_name(is_function=net.is_function)
        if len(self.graph.outputs) > 1:
            net.results = [f"{name}Outputs({', '.join(net.results)})"]
        self.classes.append(made_class(name, [[net]]))
        self.parts = [*self.results(name), *self.class_texts()]
        return self

    def net_name(self, *, is_function: bool) -> str:
        """A name for the class of the net, or for the function that makes it."""
        taken = {*self.taken, *(made.name for made in self.classes)}
        name = function_name(self.graph.name) if is_function else class_name(self.graph.name)
        if is_function:
            taken |= {*HELPERS, *dir(builtins)}
        while name in taken:
            name += "_net" if is_function else "Net"
        return name

    def net_of(self, body: CallBody) -> ModuleCode:
        """The net; where it is a chain a function or a class that is one, if that is shorter."""
        chain = links(body)
        if not chain:
            body = self.with_lists(body)
        if not chain or len(body.items) <= MOST_COMPARED:
            net = self.module_of(body, self.form_of(body))
        if not chain:
            return net
        made = self.module_of(body, chain=chain)
        function = replace(made, is_function=True, arguments=[])
        if len(body.items) > MOST_COMPARED:
            return function
        return min(function, made, net, key=self.length_as_net)

    def length_as_net(self, module: ModuleCode) -> int:
        """About how many words and signs a net has as a class, or as a function."""
        text = self.class_text(made_class("net", [[module]]))
        return length([(line.partition("# ")[0], "") for line in text.splitlines()])

    def scopes(self, scope: CallScope) -> list[CallScope]:
        """All calls of blocks, in the order of the net."""
        return [s for call in scope.calls() for s in (call, *self.scopes(call))]

    def variable_names(self) -> set[str]:
        """What variables and parameters of the source may be called after the definition's."""
        names = {node.name for node in self.graph.inputs()}
        for scope in (self.root, *self.scopes(self.root)):
            if scope.step is not None:
                names |= {name for name, _ in (*scope.step.given, *scope.step.lets)}
            turns = {turn for turns in scope.turns.values() for turn in turns}
            names |= {name for turn in turns for name, _ in (*turn.variables, *turn.lets)}
        return {*map(identifier, names)}

    def in_order(self) -> list[list[CallScope]]:
        """All calls, those of a block together, and after those in them where blocks allow it."""
        scopes = self.scopes(self.root)
        for scope in (self.root, *scopes):
            block = scope.step.block if scope.step else ""
            self.in_chain |= dict.fromkeys((call.path for call in scope.calls()), is_chain(scope))
            self.around |= {call.path: (block, scope.local(call.path)) for call in scope.calls()}
        blocks = {scope.path: scope.step.block if scope.step else "" for scope in scopes}
        self.inner |= inner_calls(scopes)
        inner: dict[str, set[str]] = {}
        for scope in scopes:
            inside = inner.setdefault(blocks[scope.path], set())
            inside.update(blocks[call.path] for call in scope.calls() if not self.is_inner(call))
        heights: dict[str, int] = {}
        while len(heights) < len(inner):
            ready = [b for b, i in inner.items() if b not in heights and i <= {*heights}]
            if not ready:  # a block that calls itself
                levels = [scope.height for scope in scopes]
                break
            heights |= {block: max((heights[i] + 1 for i in inner[block]), default=0)
                        for block in ready}  # fmt: skip
        else:
            levels = [heights[blocks[scope.path]] for scope in scopes]
        several = zip(scopes, levels, strict=True)
        pairs = [*several]
        return [[s for s, at in pairs if at == level] for level in sorted({*levels})]

    def is_inner(self, call: CallScope) -> bool:
        """Whether a call is that of a block in itself, which its class is given."""
        return call.path in self.inner

    # ── one call ─────────────────────────────────────────────────────────────────────────────

    def body_of(self, scope: CallScope) -> CallBody:
        """The members of a call and its steps."""
        attributes = Attributes()
        items = [self.item(scope, member, attributes) for member in scope.members]
        self.turns |= turns_of(self.origins(scope, attributes))
        symbols = sorted({s for _, _, needed in items for s in needed})
        uses: set[str] = {use for _, used, _ in items for use in used}
        is_net = scope is self.root
        taken = [node.name for node in self.graph.inputs()] if is_net else scope.inputs
        if scope.borrows and self.is_of_one(scope, [item for item, _, _ in items]):
            taken = []
            self.alone.add(scope.path)
        outputs = [*self.graph.outputs.values()] if is_net else scope.outputs
        made = [item for item, _, _ in items if item.makes]
        plain = collapsed(scope, attributes, made, outputs, is_net=is_net)
        if not taken and scope.path not in self.alone:  # nothing tells how many samples there are
            raise Unreachable(scope.path)
        used = needed(plain, outputs)
        idle: list[Item] = []
        if len(used) < len(plain):
            kept = {id(item) for item in used}
            left_out = [item for item in plain if id(item) not in kept]
            idle = without_aliases(plain, outputs)[0] if harmless(left_out, attributes) else []
        plain, outputs = without_aliases(used, outputs)
        self.symbols[scope.path] = symbols
        names = [identifier(name) for name in taken] if is_net else []
        plain, idle = (together(each, outputs, names) for each in (plain, idle))
        return CallBody(scope, attributes, plain, [*taken], outputs, symbols, uses, idle)

    def origins(
        self, scope: CallScope, attributes: Attributes
    ) -> Iterator[tuple[tuple[LoopTurn, ...], str]]:
        """The turns of loops in which each layer and call is made, and what makes its module."""
        for member in scope.members:
            if isinstance(member, Node):
                local = scope.local(member.parameters_of)
                call = attributes.calls.get(local) or attributes.plain.get(local)
                name, function = member.name, call.function.rpartition(".")[2] if call else ""
            else:
                call = self.calls.get(member.path)
                name, function = member.path, call.function if call else ""
            yield scope.turns[scope.local(name)], function

    def is_of_one(self, scope: CallScope, items: Sequence[Item]) -> bool:
        """Whether all that a call makes is a batch of one, however many samples there are."""
        free = all(ANY not in item.template for item in items)
        return free and self.ones.issuperset(node.name for node in scope.nodes())

    def form_of(self, body: CallBody) -> Form:
        """How `forward` is shortest: calls of blocks inside of others, or line by line."""
        called = [item for item in body.items if item.comment]
        if not any(re.search(r"\d", name) for i in called for name in references(i.template)):
            return Form()
        if len(body.items) > MOST_COMPARED:
            return Form(nests_calls=False)
        forms = [Form(), Form(nests_calls=False)]
        nested = taken_in_rows(body.items) & branches_of(body.items)
        forms += [Form(nests_branches=True)] if nested else []
        return min(forms, key=lambda form: self.length_of_forward(body, form))

    def with_lists(self, body: CallBody) -> CallBody:
        """The call with a list of tensors that come together, where it is shorter so."""
        if len(body.items) > MOST_COMPARED or not body.takes:
            return body
        items = body.idle or body.items
        names = [*self.input_names(body).values()] if body.scope is self.root else []
        others = [collected(items, names)]
        if body.takes:
            others.insert(0, levelled(items, body.outputs, body.takes[0]))
        bodies = [replace(body, items=other) for other in others if other not in (None, [*items])]
        bodies += in_families(replace(body, items=items))
        listed = with_results_in_a_list(body) if body.scope is not self.root else None
        bodies += [each for each in (listed, with_named_result(body)) if each is not None]
        if not bodies:
            return body
        return min([body, *bodies], key=self.length_of_forward)

    def length_of_forward(self, body: CallBody, form: Form | None = None) -> int:
        """How long `forward` is for this call alone, with loops."""
        lines = [(line, "") for line in self.module_of(body, form or Form()).texts()]
        return length(self.folded(lines, body.scope))

    def folded(
        self,
        lines: Lines,
        scope: CallScope,
        signatures: Signatures | None = None,
        turns: Collection[Turn] = (),
        gain: int = LITTLE,
    ) -> Lines:
        """Lines of a call with loops; the same ones are folded once."""
        known = signatures or {}
        key = (tuple(lines), tuple(known), scope.path, len(turns), gain)
        if key not in self.loops:
            self.loops[key] = folded_by_turns(lines, known, turns, scope.turns, gain=gain)
        return self.loops[key]

    def module_of(
        self,
        body: CallBody,
        form: Form = Form(),  # noqa: B008
        *,
        chain: Mapping[str, Call] | None = None,
        named: Collection[str] = (),
    ) -> ModuleCode:
        """The members of a call and its `forward`, or those of a chain."""
        if chain:
            shapes = {name: item.comment for name, item in zip(chain, body.items, strict=True)}
            members = replace(body.attributes, calls={**chain})
            name = identifier(body.takes[0]) if body.scope is self.root else INPUT
            return ModuleCode(
                body.scope, members, [name], [], [], [], body.uses, is_chain=True, shapes=shapes
            )
        is_net, items = body.scope is self.root, body.items
        given = self.input_names(body)
        counts = Counter(source for item in items for source in item.takes) + Counter(body.outputs)
        called = Counter(name for item in items for name in references(item.template))
        again = {name for name, times in called.items() if times > 1}
        branches = {s for item in items if JOIN.fullmatch(item.template) for s in item.takes}
        rows = taken_in_rows(items)
        rows -= branches_of(items) if form.nests_branches else set()
        if form.concatenates_apart:
            rows |= {name for item in items if is_concatenation(item) for name in item.makes}
        named = {*named, *body.named}
        rows |= named
        whole = [name for name in body.takes if name in self.graph and is_whole(self.graph[name])]
        writer = StatementWriter(
            given, counts, again, rows, branches, whole, nests_calls=form.nests_calls
        )
        for item in items:
            writer.add(item)
        results = [writer.result(name) for name in body.outputs]
        comment = ""
        if len(results) == 1 and writer.lines and body.outputs[0] not in named:
            name, _, expression = writer.lines[-1][0].partition(" = ")
            if name == results[0]:  # what is returned needs no name
                results = [expression]
                _, comment = writer.lines.pop()
        symbols = body.symbols
        inputs = [*given.values(), *(() if is_net else symbols)]
        lines = [*self.symbol_lines(symbols), *writer.lines] if is_net else writer.lines
        return ModuleCode(
            body.scope, body.attributes, inputs, lines, results, symbols, body.uses, comment
        )

    def input_names(self, body: CallBody) -> dict[str, str]:
        """What `forward` calls the tensors that come in."""
        taken = body.takes
        if body.scope is self.root:
            return {name: identifier(name) for name in taken}
        names = [*NAMES] if len(taken) <= len(NAMES) else [f"x{k}" for k in range(len(taken))]
        return dict(zip(taken, names, strict=False))

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
        self, scope: CallScope, member: Node | CallScope, attributes: Attributes
    ) -> tuple[Item, set[str], set[str]]:
        """A layer or call as a step of the body, the helpers and the symbols that it needs."""
        if isinstance(member, CallScope):
            return self.call_item(scope, member, attributes)
        node, bare = member, self.stretching(scope, member)
        layer = Layer(self.graph, node, self.owner(scope, member))
        layer.has_channel_classes = self.has_channel_classes
        layer.is_fed = node.name in self.fed
        if not bare:
            layer.others = partial(self.at_hand, scope, member)
        takes = tuple(name for name in node.inputs if name not in bare)
        given = iter(map(mark, range(len(takes))))
        inputs = [bare[n] if n in bare else next(given) for n in node.inputs]
        template = SOURCES[type(node.op)](node.op, layer, *inputs)
        self.enter(scope, layer, attributes)
        item = Item((node.name,), (*takes, *layer.besides), template)
        if node.op.most_inputs == 0:
            stretched = self.is_stretched(node)
            made = f"{template}[None]" if node.name in self.ones else expanded(template)
            item = Item((), (), "") if stretched else Item((node.name,), (), made)
        return item, layer.uses, layer.symbols

    def at_hand(self, scope: CallScope, node: Node) -> list[str]:
        """Tensors whose sizes a layer may take: those that come in, and that it is joined with."""
        taken = [n.name for n in self.graph.inputs()] if scope is self.root else scope.inputs
        joined = [name for user in self.users[node.name] for name in user.inputs]
        inside = {member.name for member in scope.members if isinstance(member, Node)}
        before = self.places[node.name]
        return [
            name
            for name in (*joined, *taken)
            if name not in node.inputs
            and (name in taken or (name in inside and self.places[name] < before))
        ]

    def owner(self, scope: CallScope, node: Node) -> str:
        """What the layer with a layer's parameters is called in its call."""
        name = node.parameters_of
        if scope.shares and name.startswith(scope.shares + "."):
            name = scope.path + name[len(scope.shares) :]
        if not scope.owns(name):
            raise Unreachable(name)
        return scope.local(name)

    def stretching(self, scope: CallScope, node: Node) -> dict[str, str]:
        """What a join takes that comes from no input, by how it is written."""
        return {
            name: reference(self.owner(scope, self.graph[name]))
            for name in node.inputs
            if self.graph[name].op.most_inputs == 0 and self.is_stretched(self.graph[name])
        }

    def is_stretched(self, node: Node) -> bool:
        """Whether a tensor from no input stands as it is: PyTorch stretches it over the batch.

        So it does with the places at which all samples look.
        """
        if node.name in self.graph.outputs.values():
            return False
        return all(
            user.inputs.index(node.name) == 1
            if isinstance(user.op, Take)
            else isinstance(user.op, Join)
            and any(self.graph[name].op.most_inputs != 0 for name in user.inputs)
            for user in self.users[node.name]
        )

    def enter(self, scope: CallScope, layer: Layer, attributes: Attributes) -> None:
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
        self, scope: CallScope, inner: CallScope, attributes: Attributes
    ) -> tuple[Item, set[str], set[str]]:
        """A call of a block as a step of the body."""
        if inner.path in self.functions:
            call = self.calls[inner.path]
            called, given = call.function, given_in(call)
        else:
            called, given = reference(self.enter_call(scope, inner, attributes)), []
        symbols = self.symbols.get(inner.path, [])
        shape = self.graph[inner.outputs[0]].shape if len(inner.outputs) == 1 else None

        texts = [mark(place) for place in range(len(inner.inputs))]
        takes = () if inner.borrows else tuple(inner.inputs)
        texts = texts if takes else [] if inner.path in self.alone else [ANY]
        template = f"{called}({', '.join([*texts, *symbols, *given])})"
        comment = "" if shape is None else show_shape(shape)
        item = Item(tuple(inner.outputs), takes, template, comment)
        return item, set(), set(symbols)

    def enter_call(self, scope: CallScope, inner: CallScope, attributes: Attributes) -> str:
        """The module of a call among the members of what is around it; returns its name there."""
        path = inner.path
        if self.is_inner(inner):
            call = Call(GIVEN, (Later(path, self.calls),), (), ("inner",))
        else:
            call = self.calls[path]
        if inner.shares:
            path = inner.shares
            if self.calls.get(path) != call or not scope.owns(path):
                raise Unreachable(path)
            if "." in scope.local(path) and scope.local(path) not in attributes.calls:
                raise Unreachable(path)
        else:
            attributes.calls[scope.local(path)] = call
        return scope.local(path)

    # ── classes ──────────────────────────────────────────────────────────────────────────────

    def make_classes(self, scopes: Sequence[CallScope]) -> None:
        """The classes of the calls of one depth, and each call of one."""
        blocks: dict[str, list[CallBody]] = {}
        inner_first = self.inner and any(map(self.is_inner, scopes))
        for scope in reversed(scopes) if inner_first else scopes:
            body = self.body_of(scope)
            blocks.setdefault(body.block, []).append(body)
        groups: dict[Any, list[ModuleCode]] = {}
        for each in blocks.values():
            for module in self.modules_of(completed(each)):
                groups.setdefault(module.skeleton(), []).append(module)
        inlined = self.inlined([m for modules in groups.values() for m in modules])
        variants: dict[tuple[str, ...], list[list[ModuleCode]]] = {}
        for modules in groups.values():
            self.uses |= modules[0].uses
            if [*modules[0].calls] == [""] and modules[0].block in inlined:
                plain = {module.scope.path: uncounted(module.calls[""]) for module in modules}
                self.calls |= plain
            else:
                alike = (modules[0].block, str(modules[0].is_chain), *modules[0].arguments)
                variants.setdefault(alike, []).append(modules)
        for several in variants.values():
            for made in self.shortest(several):
                if made.is_chain and not made.constructor:  # it does nothing
                    self.calls |= dict.fromkeys(made.calls, Call("nn.Sequential"))
                    continue
                self.classes.append(made)
                self.calls |= made.calls
                self.functions |= {*made.calls} if made.is_function else set()

    def modules_of(self, bodies: list[CallBody]) -> list[ModuleCode]:
        """The calls of a block."""
        chains = [links(body) for body in bodies]
        are_functions = all(map(holds_nothing, bodies))
        are_functions &= not all(self.in_chain[body.scope.path] for body in bodies)
        if all(chains):
            made = [
                self.module_of(body, chain=links)
                for body, links in zip(bodies, chains, strict=True)
            ]
        else:
            if len(bodies) == 1:
                bodies = [*map(self.with_lists, bodies)]
            form = self.form_of(max(bodies, key=lambda b: len(b.items)))
            made = [self.module_of(body, form) for body in bodies]
            keys = {module.skeleton() for module in made}
            if 1 < len(keys) <= MOST_VARIANTS and any(map(is_concatenation, bodies[0].items)):
                other = [
                    self.module_of(body, replace(form, concatenates_apart=True)) for body in bodies
                ]
                made = min(made, other, key=self.length_of)
            few = max(len(body.items) for body in bodies) <= MOST_COMPARED
            if 1 < len(keys) <= MOST_VARIANTS and few:
                other = [
                    self.module_of(body, form, named=named)
                    for body, named in split_where_they_differ(bodies)
                ]
                made = min(made, other, key=self.length_of)
        for module, body in zip(made, bodies, strict=True):
            if [*module.calls] == [""]:
                module.is_chain, module.arguments = True, [INPUT]
            flowing = body.takes[:1] and self.graph[body.takes[0]].shape
            module.channels = next(iter(flowing), None)
            module.sizes = [self.graph[name].shape for name in body.takes]
            module.is_function = are_functions
        return with_counts(made)

    def length_of(self, modules: Sequence[ModuleCode]) -> int:
        """How long the classes of calls of a block are."""
        groups: dict[Any, list[ModuleCode]] = {}
        for module in modules:
            groups.setdefault(module.skeleton(), []).append(module)
        return sum(made.length() for made in self.shortest([*groups.values()]))

    def inlined(self, modules: Sequence[ModuleCode]) -> set[str]:
        """The blocks that are nothing but an nn.Sequential, and shorter so than as a class."""
        several: dict[str, list[ModuleCode]] = {}
        for module in modules:
            if [*module.calls] == [""]:
                several.setdefault(module.block, []).append(module)
        return {block for block, alike in several.items() if not self.is_worth_a_class(alike)}

    def is_worth_a_class(self, modules: Sequence[ModuleCode]) -> bool:
        """Whether sequences are shorter as calls of a class, as often as each is written."""
        groups: dict[Any, list[ModuleCode]] = {}
        for module in modules:
            groups.setdefault(module.skeleton(), []).append(module)
        made = [made_class("Block", [alike]) for alike in groups.values()]
        calls = {path: call for one in made for path, call in one.calls.items()}
        written: dict[Any, ModuleCode] = {}
        for module in modules:
            around, local = self.around[module.scope.path]
            place = (around, local) if around else str(module.calls[""])
            written.setdefault((place, module.skeleton()), module)
        plain = sum(text_length(str(uncounted(module.calls[""]))) for module in written.values())
        called = sum(text_length(str(calls[module.scope.path])) for module in written.values())
        return called + sum(one.own_length() for one in made) < plain

    def shortest(self, variants: list[list[ModuleCode]]) -> list[PythonClass]:
        """Classes for the variants of a block: those in one that are shorter so than apart."""
        made: list[tuple[list[list[ModuleCode]], PythonClass]] = []
        taken = [*self.taken, *(known.name for known in self.classes)]
        for modules in variants:
            alone = made_class(self.class_name(modules[0], [*taken, *names_of(made)]), [modules])
            best, gain = -1, 0
            for place, (others, known) in enumerate(made):
                if len(others) < MOST_VARIANTS:
                    both = made_class(known.name, [*others, modules])
                    less = known.length() + alone.length() - both.length()
                    best, gain = (place, less) if less > gain else (best, gain)
            if best < 0:
                made.append(([modules], alone))
            else:
                others, known = made[best]
                made[best] = ([*others, modules], made_class(known.name, [*others, modules]))
        while (pair := self.shorter_together(made)) is not None:
            first, second, both = pair
            made[first] = ([*made[first][0], *made[second][0]], both)
            del made[second]
        return [known for _, known in made]

    @staticmethod
    def shorter_together(
        made: Sequence[tuple[list[list[ModuleCode]], PythonClass]],
    ) -> tuple[int, int, PythonClass] | None:
        """Two classes of a block that are shorter as one, which is told no more, and that."""
        for (first, (some, one)), (second, (others, other)) in combinations(enumerate(made), 2):
            if len(some) + len(others) <= MOST_VARIANTS:
                both = made_class(one.name, [*some, *others])
                told = max(len(one.parameters), len(other.parameters))
                less = one.own_length() + other.own_length() - both.own_length()
                if less > 0 and len(both.parameters) <= told:
                    return first, second, both
        return None

    def class_name(self, module: ModuleCode, taken: Sequence[str]) -> str:
        """A name for the class of a call, or the function."""
        name = self.function_name(module.block) if module.is_function else class_name(module.block)
        while name in self.variables:
            name += "_block" if module.is_function else "Block"
        apart = "_" if name[-1].isdigit() else ""
        same = sum(re.fullmatch(rf"{name}({apart}\d+)?", known) is not None for known in taken)
        return f"{name}{apart}{same + 1}" if same else name

    def function_name(self, block: str) -> str:
        """A name for the function of a block: that of no variable, and nothing of Python's."""
        name = identifier(block)
        taken = {*self.variables, *NAMES, *COUNTERS, *HELPERS, *dir(builtins)}
        return f"{name}_" if name in taken or re.fullmatch(r"t\d+", name) else name

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
        fields = [f"    {identifier(output)}: Tensor" for output in self.graph.outputs]
        return [f"class {name}Outputs(NamedTuple):\n" + "\n".join(fields)]

    def class_texts(self) -> list[str]:
        """The classes, but for chains that are written where one call makes them.

        A function that nothing calls, since what it makes leads nowhere, is left out.
        """
        lines = {made.name: self.constructor_lines(made) for made in self.classes}
        for made in self.classes[:-1]:
            if made.is_chain and not made.parameters:
                own = lines.pop(made.name)
                if not put_in_place(own, made.name, self.comment_of(made), lines):
                    lines[made.name] = own
        self.makers = self.makers_for(lines)
        texts: list[str] = []
        for made in reversed([made for made in self.classes if made.name in lines]):
            called = (
                not made.is_function
                or made is self.classes[-1]
                or any(re.search(rf"\b{made.name}\(", text) for text in texts)
            )
            texts += [self.class_text(made, lines[made.name])] if called else []
        return texts[::-1]

    def makers_for(self, lines: Mapping[str, Lines]) -> dict[str, str]:
        """The names of functions that make what is a chain, by those of its classes.

        `lines` are those of the constructors, in which no name may be another's.
        """
        code = "\n".join(text for own in lines.values() for text, _ in own)
        names = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
        given = {name for made in self.classes for name, _ in made.parameters}
        taken = {*self.taken, *names, *given, *lines, *HELPERS, *COUNTERS, *dir(builtins)}
        found: dict[str, str] = {}
        for made in self.classes[:-1]:
            step = made.scope.step
            if step and made.is_chain and made.name in lines and returned(lines[made.name]):
                name = function_name(step.block) + made.name[len(class_name(step.block)) :]
                while name in taken:
                    name += "_block"
                found[made.name] = name
                taken.add(name)
        return found

    def with_makers(self, lines: Lines) -> Lines:
        """The lines of a constructor with such functions."""
        if not self.makers:
            return lines
        called = re.compile(rf"(?<![\w.])({'|'.join(self.makers)})\(")
        return [(called.sub(lambda m: f"{self.makers[m[1]]}(", t), c) for t, c in lines]

    def comment_of(self, made: PythonClass) -> str:
        """What the definition says above a block, or the net."""
        return made.scope.step.doc if made.scope.step is not None else self.doc

    def constructor_lines(self, made: PythonClass) -> Lines:
        """What the constructor of a class does, with loops for what is alike.

        They rather count from 0 where those of `forward` do.
        """
        signatures = {other.name: dict(other.parameters) for other in self.classes}
        forward = self.folded(made.forward, made.scope, signatures)
        gain = 0 if counts_from_zero(forward) else LITTLE
        written = self.folded(made.constructor, made.scope, signatures, self.turns, gain)
        if made.is_chain and made.is_function:
            return returned(lines_at_once(made.constructor, written, signatures, self.turns))
        lets = [(line, "") for line in made.lets]
        if made.is_chain:
            own = made.scope is self.root
            chain = sequence_lines(made.constructor, written, signatures, self.turns, is_net=own)
            return [*lets, *chain]
        return [("super().__init__()", ""), *lets, *written, ("", "")] if written else []

    def class_text(self, made: PythonClass, constructor: Lines | None = None) -> str:
        """One class, or function."""
        written = self.constructor_lines(made) if constructor is None else constructor
        written = [(one_by_one(text), comment) for text, comment in written]
        lines = [f"# {line}".rstrip() for line in self.comment_of(made).splitlines()]
        given = [f"{p}={text_of(d)}" if d is not None else p for p, d in made.parameters]
        signatures = {other.name: dict(other.parameters) for other in self.classes}
        forward = self.folded(made.forward, made.scope, signatures)
        if made.is_function:
            lines += [f"def {made.name}({', '.join([*made.arguments, *given])}):"]
            body = self.with_makers(written) if made.is_chain else forward
            lines += [commented(*line, indent=4) for line in body]
            return text_of_lines(lines)
        if made.name in self.makers:
            lines += [f"def {self.makers[made.name]}({', '.join(given)}):"]
            body = self.with_makers(returned(written))
            lines += [commented(*line, indent=4) for line in body]
            return text_of_lines(lines)
        base = "Sequential" if made.is_chain else "Module"
        members = [text for text, _ in made.constructor]
        entries = [] if made.is_chain else in_dictionary(members, written, forward)
        if entries:
            base, (written, forward) = "ModuleDict", entries
        written = self.with_makers(written)
        name = self.rows_name(made, [*written, *forward])
        rows, written, forward = with_rows_once(written, forward, name)
        lines = [*([rows, "", ""] if rows else []), *lines, f"class {made.name}(nn.{base}):"]
        if written:
            lines += [f"    def __init__({', '.join(['self', *given])}):"]
            lines += [commented(*line, indent=8) for line in written]
        if made.is_chain and made.arguments != [INPUT]:
            (name,) = made.arguments
            lines += ["", f"    def forward(self, {name}):"]
            lines += [f"        return super().forward({name})"]
        elif not made.is_chain:
            lines += [f"    def forward({', '.join(['self', *made.arguments])}):"]
            lines += [commented(*line, indent=8) for line in forward]
        return text_of_lines(lines)

    def rows_name(self, made: PythonClass, lines: Lines) -> str:
        """The constant of the rows that lines of a class go through: `DARKNET_ROWS`."""
        taken = [word for text, _ in lines for word in re.findall(r"\w+", text)]
        taken += [*self.taken, *(known.name for known in self.classes), *self.makers.values()]
        taken += [name for of, name in self.rows.items() if of != made.name]
        self.rows[made.name] = free(f"{function_name(made.name).upper()}_ROWS", taken)
        return self.rows[made.name]


def text_of_lines(lines: Sequence[str]) -> str:
    """Lines as a text, long ones in several."""
    parts = [[line] if line.lstrip()[:1] == "#" else wrapped(line) for line in lines]
    return "\n".join(line for part in parts for line in part)


def commented(text: str, comment: str, *, indent: int) -> str:
    """A line with its comment."""
    return f"{' ' * indent}{text}{'  # ' * bool(comment)}{comment}".rstrip()


def names_of(made: Sequence[tuple[Any, PythonClass]]) -> list[str]:
    """The names of classes."""
    return [known.name for _, known in made]


def joined(parts: Sequence[str]) -> str:
    """Functions and classes with two empty lines between them."""
    return "\n\n\n".join(part.strip("\n") for part in parts) + "\n"


def is_chain(scope: CallScope) -> bool:
    """Whether each layer and call takes what the one before makes."""
    takes = [[*member.inputs] for member in scope.members]
    makes = [[m.name] if isinstance(m, Node) else m.outputs for m in scope.members]
    return takes[1:] == makes[:-1]


def inner_calls(scopes: Sequence[CallScope]) -> set[str]:
    """The calls of blocks directly in themselves, where each has one at most and few are deep."""
    found: set[str] = set()
    refused: set[str] = set()
    for scope in scopes:
        block = scope.step.block if scope.step else ""
        own = [call for call in scope.calls() if call.step and call.step.block == block]
        found |= {call.path for call in own}
        if len(own) > 1 or any(call.shares for call in own) or scope.height > MOST_NESTED:
            refused.add(block)
    blocks = {scope.path: scope.step.block if scope.step else "" for scope in scopes}
    return {path for path in found if blocks[path] not in refused}


def together(items: Sequence[Item], outputs: Sequence[str], names: Sequence[str]) -> list[Item]:
    """The items with what several of them do at once; `names` are those of the inputs."""
    several = any(MANY.search(item.template) for item in items)
    if not several:
        return [*items]
    return mapped(with_moves_together(with_parts_together(items), outputs), outputs, names)


def is_concatenation(item: Item) -> bool:
    """Whether a step puts tensors behind one another."""
    return item.template.startswith("torch.cat(")


def taken_in_rows(items: Sequence[Item]) -> set[str]:
    """What is taken by numbered modules that make something for another of their row."""
    rows = [tuple(re.sub(r"\d+", "#", n) for n in references(item.template)) for item in items]
    takers: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
    for item, row in zip(items, rows, strict=True):
        for source in item.takes:
            takers[source].add(row)
    return {
        source
        for item, row in zip(items, rows, strict=True)
        if "#" in "".join(row) and any(row in takers[made] for made in item.makes)
        for source in item.takes
    }


def branches_of(items: Sequence[Item]) -> set[str]:
    """The tensors of branches that come together: nothing but one step takes each."""
    uses = Counter(name for item in items for name in item.takes)
    makers = {name: item for item in items for name in item.makes}
    found: set[str] = set()
    for item in items:
        if len(item.takes) > 1 and (is_concatenation(item) or JOIN.fullmatch(item.template)):
            for name in item.takes:
                while uses[name] == 1 and name in makers and len(makers[name].takes) == 1:
                    found.add(name)
                    (name,) = makers[name].takes
    return found


def expanded(text: str) -> str:
    """A tensor without a batch once for each sample."""
    return f"{text}.expand({ANY}.shape[0], *{text}.shape)"


def class_name(name: str) -> str:
    """A block's name as that of a class: `double_conv` is `DoubleConv`."""
    made = "".join(part[:1].upper() + part[1:] for part in re.split(r"[\W_]+", name))
    made = made or "Net"
    return f"Net{made}" if made[0].isdigit() or made in ("None", "True", "False") else made


def function_name(name: str) -> str:
    """A net's name as that of a function: `LeNet5` is `le_net5`."""
    return identifier(re.sub(r"(?<=[a-z\d])(?=[A-Z])", "_", name).lower())


def write_source(graph: Graph, doc: str = "") -> str:
    """PyTorch source of a checked graph, `doc` the comment above the net.

    Raises `Unwritable` where PyTorch's modules cannot have the names of the layers, or share
    parameters as the layers do.
    """
    head, rest = source_of(graph, doc).text().split(IMPORTS, 1)
    return f"{head}{imports(rest)}{rest}"


def source_of(graph: Graph, doc: str = "", taken: Collection[str] = ()) -> SourceMaker:
    """The classes of a graph, none with a name that is `taken`; raises `Unwritable`."""
    make = partial(SourceMaker, graph, doc, taken=taken)
    flat = False
    try:
        plain = make(flat=flat).make()
    except Unreachable:
        flat = True
        try:
            plain = make(flat=flat).make()
        except Unreachable as error:
            message = f"two layers share the parameters of `{error}`, and are not called alike"
            raise Unwritable(message) from None
    if ".movedim(" not in plain.text():
        return plain
    other = make(flat=flat, has_channel_classes=True).make()
    return min(plain, other, key=lambda made: text_length(made.text()))
