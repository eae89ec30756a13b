"""The shape that each stage makes, shown behind it while the text is written."""

from __future__ import annotations

from dataclasses import dataclass

from compiler.ops.base import Shape, show_shape
from compiler.receptive_field import show_field
from grammar import syntax as s
from netc.lsp.analysis import AnalysedText, StageCall
from netc.lsp.costs import short
from netc.lsp.options import Options

MOST_SHAPES = 8  # in a tooltip
MOST_PLACES = 4


@dataclass(frozen=True)
class Hint:
    """A text shown at an offset, and what the mouse finds there (Markdown)."""

    offset: int
    label: str
    tooltip: str


def shape_hints(analysis: AnalysedText, start: int, end: int, options: Options) -> list[Hint]:
    """The hints between two offsets, in the order of the text.

    A stage whose assertion says its shape already has none; a block that is called several times
    shows what its first call makes, and how many calls differ.
    """
    if options.shapes == "off" and not options.macs and not options.receptive_field:
        return []
    unchanged = silent_stages(analysis) if options.shapes == "changes" else set()
    found = []
    for stage in analysis.stages:
        if not start <= stage.span.end <= end or stage.span in unchanged:
            continue
        calls = [c for c in analysis.calls_of(stage) if c.made.tensor.node is not None]
        if calls and (label := label_of(analysis, stage, calls, options)):
            found.append(Hint(stage.span.end, label, tooltip(analysis, stage)))
    return sorted(found, key=lambda hint: hint.offset)


def silent_stages(analysis: AnalysedText) -> set[object]:
    """The stages that leave the shape as it was in every call of the first net."""
    return {
        stage.span
        for stage in analysis.stages
        if all(
            c.made.flow is not None and c.made.flow.shape == c.made.tensor.shape
            for c in analysis.calls_of(stage)
        )
    }


def label_of(
    analysis: AnalysedText, stage: s.Stage, calls: list[StageCall], options: Options
) -> str:
    """`[64, 56, 56], 12 of 16 calls differ`; "" when there is nothing to say."""
    first = calls[0].made
    shape = first.tensor.shape
    differing = sum(call.made.tensor.shape != shape for call in calls)
    parts = []
    if options.shapes != "off" and (differing or not says(stage, shape)):
        parts.append(show_shape(shape))
        if differing:
            word = "calls" if first.call_stack else "turns"
            parts[0] += f", {differing} of {len(calls)} {word} differ"
    cost = (
        analysis.costs(calls[0].net).of(first) if options.macs or options.receptive_field else None
    )
    if cost is not None and options.macs and cost.macs != 0:
        parts.append(f"{short(cost.macs)} MACs")
    if cost is not None and options.receptive_field and cost.field:
        parts.append(f"sees {show_field(cost.field)}")
    return " · ".join(parts)


def says(stage: s.Stage, shape: Shape) -> bool:
    """Whether a stage's assertion spells its shape out in numbers."""
    if stage.shape is None:
        return False
    numbers = [size.value for size in stage.shape.sizes if isinstance(size, s.Number)]
    return tuple(numbers) == shape


def tooltip(analysis: AnalysedText, stage: s.Stage) -> str:
    """Every shape that the stage makes, and where, for each net."""
    lines = []
    calls = analysis.calls.get((stage.span.start, stage.span.end), [])
    for net in dict.fromkeys(call.net.graph.name for call in calls):
        shapes: dict[Shape, list[str]] = {}
        for call in calls:
            if call.net.graph.name == net and call.made.tensor.node is not None:
                places = shapes.setdefault(call.made.tensor.shape, [])
                places.append(call.made.call_stack[-1].name if call.made.call_stack else "")
        lines.append(f"**{net}**")
        lines += [f"- `{show_shape(k)}`{among(v)}" for k, v in [*shapes.items()][:MOST_SHAPES]]
        if len(shapes) > MOST_SHAPES:
            lines.append(f"- and {len(shapes) - MOST_SHAPES} other shapes")
    return "\n".join(lines)


def among(places: list[str]) -> str:
    """` in layer1.0, layer1.1 and 3 more`"""
    names = [name for name in dict.fromkeys(places) if name]
    if not names:
        return f", {len(places)} times" if len(places) > 1 else ""
    more = f" and {len(names) - MOST_PLACES} more" if len(names) > MOST_PLACES else ""
    return " in " + ", ".join(names[:MOST_PLACES]) + more
