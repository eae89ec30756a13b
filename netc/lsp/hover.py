"""What stands under the mouse: the meaning of a word, and what it makes here."""

from __future__ import annotations

from dataclasses import dataclass

from compiler.analysis import Analysis
from compiler.derivation import derive, sizes
from compiler.graph import Graph
from compiler.ops import OPS
from compiler.ops.base import Shape, show_count, show_shape
from compiler.symbols.names import NameDefinition, Reference
from grammar import syntax as s
from grammar.source import Span
from netc.lsp.analysis import AnalysedText, nodes
from netc.lsp.calls import signature_at
from netc.lsp.describe import SIZES, code, definition_text, slot_text, slots_of, word_text
from netc.lsp.project import Project

LITERALS = (s.Number, s.SizeLiteral, s.Text, s.Truth)


@dataclass(frozen=True)
class Hover:
    """Markdown about the text that `span` covers."""

    span: Span
    text: str


def hover(project: Project, analysis: AnalysedText, offset: int) -> Hover | None:
    """What there is to say about the word at an offset."""
    place = analysis.names.at(offset)
    if place is None:
        return literal_or_size(project, analysis, offset)
    if isinstance(place, Reference) and place.span.text == "in":
        return Hover(place.span, entered(analysis, offset))
    homes = project.homes(project.text_of(analysis), place)
    stage = analysis.stage_named_at(offset)
    made = here(analysis, stage) if stage is not None else []
    if homes:
        definition = homes[0].definition
        made += known_of(analysis, definition) if stage is None else []
        source = homes[0].text.source
        made += [f"From `{source.name}`."] if source is not analysis.source else []
        return Hover(place.span, definition_text(definition, made))
    around = analysis.stage_at(offset)
    if isinstance(place, Reference) and place.role == "keyword" and around is not None:
        rendered = parameter_text(around, place.name)
    else:
        rendered = word_text(place.name, made)
    return Hover(place.span, rendered) if rendered else None


def parameter_text(stage: s.Stage, keyword: str) -> str | None:
    """A parameter of the op that a stage names."""
    slots = slots_of(stage.callee.id) if stage.callee is not None else None
    slot = next((slot for slot in slots or () if slot.name == keyword), None)
    return slot_text(slot) if slot else None


def literal_or_size(project: Project, analysis: AnalysedText, offset: int) -> Hover | None:
    """Which parameter a literal is for; what the word after a tensor's dot means."""
    covering = [node for node in nodes(analysis.file) if inside(node.span, offset)]
    node = covering[-1] if covering else None
    if isinstance(node, s.Attribute):
        rendered = SIZES.get(node.name)
        return (
            Hover(node.span, f"{code(node.span.text)}\n{rendered.capitalize()}.")
            if rendered
            else None
        )
    if isinstance(node, LITERALS):
        call = signature_at(project, analysis, analysis.source.text, node.span.start)
        if call is not None and call.active is not None:
            return Hover(node.span, slot_text(call.slots[call.active]))
    return None


def known_of(analysis: AnalysedText, definition: NameDefinition) -> list[str]:
    """The shape of a tensor, the measures of a net, the domain of a size, a block's first call."""
    if (shape := shape_of(analysis, definition)) is not None:
        return [f"`{show_shape(shape)}`"]
    if definition.kind == "net":
        named = [net for net in analysis.nets if net.graph.name == definition.name]
        return [totals(net.graph, net.analysis) for net in named if net.analysis is not None]
    owner = definition.owner
    if definition.kind == "symbol" and owner is not None:
        domains = [net.graph.domain for net in analysis.nets if net.graph.name == owner.name]
        lines = [line for domain in domains if domain for line in domain.lines()]
        return [", ".join(f"`{line}`" for line in lines)] if lines else []
    block = definition if definition.kind == "block" else owner
    if block is not None and block.kind == "block" and definition.kind in ("block", "parameter"):
        steps = first_call(analysis, block)
        return [f"First called {step}." for step in steps]
    return []


def totals(graph: Graph, measured: Analysis) -> str:
    """What a whole net holds and costs, and the sizes it takes."""
    rendered = f"{measured.parameters:,} parameters, {show_count(measured.macs)} MACs"
    lines = graph.domain.lines() if graph.domain else []
    return ", ".join([rendered, f"depth {measured.depth}", *(f"`{line}`" for line in lines)])


def first_call(analysis: AnalysedText, block: NameDefinition) -> list[str]:
    """The call that led into a block first, as the terminal says it; none for an unused one."""
    span = block.node.span
    for net in analysis.nets:
        for made in net.made:
            at = made.stage.span
            if made.call_stack and at.source is span.source and span.start <= at.start < span.end:
                return [str(made.call_stack[-1])]
    return []


def here(analysis: AnalysedText, stage: s.Stage) -> list[str]:
    """What a stage makes of what: shapes, the formula with its numbers, what it costs."""
    calls = analysis.calls_of(stage)
    if not calls:
        return []
    net, made = calls[0]
    if made.tensor.node is None:
        given = made.flow.shape if made.flow is not None and made.flow.node is not None else None
        return [f"Input `{show_shape(given)}`; no output, because of a mistake."] if given else []
    lines = []
    node = net.graph[made.tensor.node]
    own = node.span == stage.span
    shapes = (
        net.graph.input_shapes(node) if own else () if made.flow is None else (made.flow.shape,)
    )
    inputs = ", ".join(f"`{show_shape(shape)}`" for shape in shapes)
    place = (
        f" in {made.call_stack[-1].name}" if made.call_stack and made.call_stack[-1].name else ""
    )
    among = f" (the first of {len(calls)} calls)" if len(calls) > 1 else ""
    lines.append(f"{inputs} → `{show_shape(made.tensor.shape)}`{place}{among}")
    cost = analysis.costs(net).of(made)
    if own and node.op.name in OPS:
        found = derive(net.graph, cost.layer) if cost and cost.layer else sizes(net.graph, node)
        lines += [line for line in found if " makes [" not in line]  # said above
    elif cost and cost.text():
        lines.append(cost.text())
    return ["  \n".join(lines)]


def shape_of(analysis: AnalysedText, definition: NameDefinition) -> Shape | None:
    """The shape of a named tensor, in the first call that makes it."""
    node = definition.node
    declared = isinstance(node, s.InputDeclaration | s.OutputDeclaration)
    declared = declared or (isinstance(node, s.Bind) and len(node.names) > 1)
    if declared and definition.owner is not None:
        for net in analysis.nets:
            if net.graph.name != definition.owner.name:
                continue
            name = net.graph.tensors.get(definition.name)
            return None if name is None or definition.kind == "symbol" else net.graph[name].shape
    stage = node if isinstance(node, s.Stage) else None
    if isinstance(node, s.Bind):
        stage = node.chain.stages[-1]
    calls = analysis.calls_of(stage) if stage is not None else []
    return next((c.made.tensor.shape for c in calls if c.made.tensor.node is not None), None)


def entered(analysis: AnalysedText, offset: int) -> str:
    """What `in` is at an offset: the tensor that entered the block, in its first call."""
    owner = next(
        (d for d in analysis.file.items if isinstance(d, s.Definition) and inside(d.span, offset)),
        None,
    )
    rendered = "The tensor that entered the body."
    if owner is None:
        return rendered
    for net in analysis.nets:
        inputs = net.graph.inputs()
        if net.graph.name == owner.name.id and len(inputs) == 1:
            return f"{rendered} `{show_shape(inputs[0].shape)}`"
        for made in net.made:
            if made.call_stack and made.call_stack[-1].block == owner.name.id:
                flow = made.flow  # the first stage that ran in the first call
                return f"{rendered} `{show_shape(flow.shape)}`" if flow and flow.node else rendered
    return rendered


def inside(span: Span, offset: int) -> bool:
    """Whether a span covers an offset."""
    return span.start <= offset <= span.end
