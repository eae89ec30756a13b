"""What a stage of the text costs: the layer, or all layers of the block, that one call makes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from compiler.analysis import LayerCost
from compiler.dims import Dim, Size
from compiler.driver import Checked
from compiler.elaborate import Made
from compiler.ops.base import show_count
from compiler.receptive_field import Field, show_field


@dataclass(frozen=True)
class Cost:
    """Learnable values, multiply-accumulates per sample, and what the output sees of the input.

    `layer` is the single layer that a stage makes; a block has none.
    """

    parameters: int
    macs: Size
    field: Field
    layer: LayerCost | None = None

    def text(self) -> str:
        """In words: `9,408 parameters, 118,013,952 MACs, receptive field 7x7`."""
        parts = [f"{self.parameters:,} parameters"] if self.parameters else []
        parts += [f"{show_count(self.macs)} MACs"] if self.macs != 0 else []
        parts += [f"receptive field {show_field(self.field)}"] if self.field else []
        return ", ".join(parts)


class Costs:
    """The costs of a net's calls; there are none for a net with mistakes."""

    def __init__(self, net: Checked) -> None:
        self.graph = net.graph
        self.layers: dict[str, Cost] = {}
        self.calls: dict[int, Cost] = {}  # by the identity of the step that a call adds to a trail
        for layer in net.analysis.layers if net.analysis else ():
            own = Cost(layer.parameters, layer.macs, layer.field, layer)
            self.layers[layer.node.name] = own
            for step in layer.node.call_stack:
                sofar = self.calls.get(id(step), Cost(0, 0, ()))
                self.calls[id(step)] = Cost(
                    sofar.parameters + own.parameters, sofar.macs + own.macs, ()
                )

    def of(self, made: Made) -> Cost | None:
        """What one call of a stage costs; None for a tensor's name and in a net with mistakes."""
        name = made.tensor.node
        if name not in self.layers:
            return None
        node = self.graph[name]
        if node.span == made.stage.span:
            return self.layers[name]
        depth = len(made.call_stack)
        if len(node.call_stack) > depth and node.call_stack[depth].span == made.stage.span:
            whole = self.calls[id(node.call_stack[depth])]
            return replace(whole, field=self.layers[name].field)
        return None


def short(count: Size) -> str:
    """A number with three digits and a unit: `118 M`, `1.58 G`."""
    if isinstance(count, Dim):
        return str(count)
    value = float(count)
    for unit in ("", " k", " M", " G"):
        if value < 999.5:
            return f"{value:.3g}{unit}"
        value /= 1000
    return f"{value:.3g} T"
