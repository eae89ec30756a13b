"""What a step computes as a Python function of the nets and the batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from keyword import iskeyword
from textwrap import wrap

from compiler.graph import Graph, Input, Node, is_whole
from compiler.ops.base import Op
from compiler.torch import SOURCES
from compiler.torch.layer import Layer
from compiler.torch.lines import wrapped
from compiler.torch.statements import ANY, LONGEST, identifier, tidy
from compiler.training.model import TrainedNet, TrainingPlan
from grammar.diagnostics import DefinitionError, Diagnostic
from grammar.records import dataclass
from grammar.source import Span

OWN = frozenset({"nets", "batch", "np", "math", "dist"})  # names that a function uses for itself


def refused(message: str, span: Span, note: str = "") -> DefinitionError:
    """What a script cannot say, with its place."""
    notes = (note,) if note else ()
    return DefinitionError([Diagnostic.of("E605", message, span, notes=notes)])


def name_of(text: str) -> str:
    """A name that a function of a script may have."""
    made = identifier(text)
    return f"{made}_" if made in OWN else made


@dataclass
class StepNet:
    """A net as the steps use it: its graph with the outputs that any of them takes.

    `fields` are what these outputs are called, by the layer that makes them.
    """

    net: TrainedNet
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def graph(self) -> Graph:
        """The net with these outputs; its parameters stay, whatever they lead to."""
        outputs = {name: layer for layer, name in self.fields.items()}
        return replace(self.net.graph, outputs=outputs, labels={})

    def add(self, layer: str) -> None:
        """One more layer whose tensor is taken; it is called as the definition calls it."""
        if layer in self.fields:
            return
        graph = self.net.graph
        named = [*graph.outputs.items(), *graph.tensors.items()]
        name = identifier(next((name for name, node in named if node == layer), layer))
        name = f"tensor{name}" if name.startswith("_") else name  # as a NamedTuple wants it
        while name in self.fields.values():
            name += "_"
        self.fields[layer] = name


@dataclass
class NetCall:
    """One call of a net in a graph: `path` begins its layers' names, `inputs` what it takes."""

    path: str
    net: str
    span: Span
    inputs: dict[str, str] = field(default_factory=dict)

    def local(self, name: str) -> str:
        """What a layer inside is called in its net."""
        return name[len(self.path) + 1 :]


def calls_of(graph: Graph, nets: Mapping[str, TrainedNet]) -> dict[str, NetCall]:
    """The call that each layer of a net belongs to; raises E605 for one built in another way."""
    calls: dict[str, NetCall] = {}
    found: dict[str, NetCall] = {}
    for node in graph.nodes():
        if not node.call_stack or node.call_stack[0].block not in nets:
            continue
        step = node.call_stack[0]
        if not node.name.startswith(f"{step.name}."):
            continue
        call = calls.setdefault(step.name, NetCall(step.name, step.block, step.span))
        found[node.name] = call
        own = nets[call.net].graph
        local = own.layers.get(call.local(node.name))
        if local is None or (local.op, local.shape) != (node.op, node.shape):
            message = f"`{call.net}` is called with two sizes, a module of PyTorch is built for one"
            raise refused(message, call.span)
        for source, given in zip(local.inputs, node.inputs, strict=True):
            if isinstance(own[source].op, Input):
                call.inputs[source] = given
    return found


def used_nets(training: TrainingPlan) -> dict[str, StepNet]:
    """The nets of a training, each with all that its steps take of it."""
    nets = {net.prefix: net for net in training.nets}
    used = {prefix: StepNet(net) for prefix, net in nets.items()}
    graphs = [*(step.graph for step in training.steps), *(show.graph for show in training.shows)]
    for graph in graphs:
        calls = calls_of(graph, nets)
        taken = {*graph.outputs.values()}
        taken |= {
            s for n in graph.nodes() for s in n.inputs if calls.get(s) is not calls.get(n.name)
        }
        for node in graph.nodes():
            if node.name in taken and node.name in calls:
                call = calls[node.name]
                used[call.net].add(call.local(node.name))
    return {prefix: net for prefix, net in used.items() if net.fields}


class StepWriter:
    """Writes the graph of a step, whose layers of nets are calls of modules."""

    def __init__(self, graph: Graph, used: Mapping[str, StepNet]) -> None:
        self.graph = graph
        self.used = used
        self.calls = calls_of(graph, {prefix: net.net for prefix, net in used.items()})
        self.uses: set[str] = set()  # helpers
        self.lines: list[str] = []
        self.texts: dict[str, str] = {}  # of tensors
        self.taken: set[str] = set()
        self.counts = Counter(
            source
            for node in graph.nodes()
            for source in node.inputs
            if self.calls.get(source) is None or self.calls[source] is not self.calls.get(node.name)
        )
        self.counts.update(graph.outputs.values())

    def write(self, name: str, doc: str) -> str:
        """The function, from the nets and the batch to what each output is, by name."""
        for node in self.graph.nodes():
            if isinstance(node.op, Input):
                self.texts[node.name] = self.assign(node.name, f'batch["{node.name}"]')
        done: set[str] = set()
        for node in self.graph.nodes():
            call = self.calls.get(node.name)
            if call is None and not isinstance(node.op, Input):
                self.layer(node)
            elif call is not None and call.path not in done:
                done.add(call.path)
                self.call(call)
        lines = [*self.lines, "    return {"]
        lines += [
            f'        "{output}": {self.texts[node]},'
            for output, node in self.graph.outputs.items()
        ]
        lines += ["    }"]
        body = [part for line in lines for part in wrapped(line)]
        return "\n".join([f"def {name}(nets, batch):", *docstring(doc), *body])

    def assign(self, word: str, text: str) -> str:
        """A line that gives an expression a name, like `word`; returns the name."""
        name = first = name_of(word)
        count = 1
        while name in self.taken or iskeyword(name):
            count += 1
            name = f"{first}_{count}"
        self.taken.add(name)
        self.lines.append(f"    {name} = {text}")
        return name

    def call(self, call: NetCall) -> None:
        """The call of a net, and how what it makes is reached."""
        used = self.used[call.net]
        given = []
        for node in used.net.graph.inputs():
            if node.name not in call.inputs:
                message = f"this call of `{call.net}` takes nothing of what `{node.name}` leads to"
                raise refused(message, call.span, "its module would need it all the same")
            given.append(self.texts[call.inputs[node.name]])
        made = f'nets["{call.net}"]({", ".join(given)})'
        single = len(used.fields) == 1
        name = self.assign(next(iter(used.fields.values())) if single else call.net, made)
        for layer, word in used.fields.items():
            self.texts[f"{call.path}.{layer}"] = name if single else f"{name}.{word}"

    def any_tensor(self, names: Iterable[str]) -> str | None:
        """One of these tensors that has a name, of whose kind others are made: no whole numbers."""
        floats = (self.texts[name] for name in names if not is_whole(self.graph[name]))
        return next(filter(str.isidentifier, floats), None)

    def layer(self, node: Node) -> None:
        """A layer outside of the nets: an expression where it is used once, else a line."""
        layer = Layer(self.graph, node, node.name)
        taken = [self.texts[source] for source in node.inputs]
        texts = [t if t.replace(".", "").isidentifier() else f"({t})" for t in taken]
        any_tensor = self.any_tensor(node.inputs) or self.any_tensor(self.texts)
        op: Op = node.op
        text = SOURCES[type(op)](op, layer, *texts)
        text = tidy(text.replace(ANY, any_tensor or "next(iter(batch.values()))"))
        text = text.replace("--", "")  # of what is negative the negative
        self.uses |= layer.uses
        if self.counts[node.name] == 1 and len(text) <= LONGEST:
            self.texts[node.name] = text
        else:
            outputs = [o for o, made in self.graph.outputs.items() if made == node.name]
            self.texts[node.name] = self.assign(outputs[0] if outputs else node.op.name, text)


def docstring(text: str) -> list[str]:
    """A statement of the definition as a docstring."""
    words = " ".join(text.split()).replace("\\", "\\\\").replace('"', "'")
    lines = [f"    {line}" for line in wrap(f'"""{words}"""', 92)]
    return lines if len(lines) == 1 else [*lines[:-1], lines[-1].removesuffix('"""'), '    """']


def step_functions(
    training: TrainingPlan, used: Mapping[str, StepNet]
) -> tuple[list[str], list[str], set[str]]:
    """The functions of the steps and of what is shown, as text, and the helpers they need."""
    helpers: set[str] = set()
    steps, shows = [], []
    for step in training.steps:
        writer = StepWriter(step.graph, used)
        steps.append(writer.write(step.name, step.span.text))
        helpers |= writer.uses
    for show in training.shows:
        writer = StepWriter(show.graph, used)
        shows.append(writer.write(f"show_{show.name}", show.span.text))
        helpers |= writer.uses
    return steps, shows, helpers


def parameters_text(training: TrainingPlan, names: Sequence[str]) -> str:
    """The parameters of some names as a list in Python."""
    parts = []
    for net in training.nets:
        own = [n for n, w in net.graph.parameters().items() if not w.buffer]
        chosen = [name for name in own if f"{net.prefix}.{name}" in names]
        if chosen == own:
            parts.append(f'*nets["{net.prefix}"].parameters()')
        elif chosen:
            listed = ", ".join(f'"{name}"' for name in chosen)
            parts.append(f'*chosen(nets["{net.prefix}"], [{listed}])')
    return f"[{', '.join(parts)}]"
