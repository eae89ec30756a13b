"""Which provider runs which node of an opened model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runtime.devices import CPU

RECORD = "session.record_ep_graph_assignment_info"  # the session's config entry that it needs

WINDOWS = frozenset(
    {
        *("Conv", "FusedConv", "ConvInteger", "QLinearConv", "ConvTranspose", "NhwcConv"),
        *("MaxPool", "AveragePool", "LpPool", "LRN"),
    }
)


@dataclass(frozen=True)
class Placement:
    """For each provider the (name, operator) of its nodes, as ONNX Runtime divided them."""

    nodes: Mapping[str, tuple[tuple[str, str], ...]]

    @property
    def counts(self) -> dict[str, int]:
        """How many nodes each provider runs, the largest share first."""
        return dict(Counter({name: len(nodes) for name, nodes in self.nodes.items()}).most_common())

    def windows_on_cpu(self) -> tuple[str, ...]:
        """The convolutions and poolings that fell to the CPU."""
        return tuple(name for name, op_type in self.nodes.get(CPU, ()) if op_type in WINDOWS)

    def __str__(self) -> str:
        return ", ".join(
            counted(count, name.removesuffix("ExecutionProvider"))
            for name, count in self.counts.items()
        )

    def lines(self) -> list[str]:
        """For each provider how many nodes of which operators it runs."""
        return [rendered(name, [kind for _, kind in nodes]) for name, nodes in self.nodes.items()]


def rendered(provider: str, operators: Sequence[str]) -> str:
    """What a provider runs: `3 nodes on CPUExecutionProvider: 2 Conv, 1 Gemm`"""
    counts = ", ".join(f"{operators.count(kind)} {kind}" for kind in sorted(set(operators)))
    return f"{counted(len(operators), provider)}: {counts}"


def counted(nodes: int, provider: str) -> str:
    """`1 node on CPU`, `3 nodes on CPU`"""
    return f"{nodes} node{'s' * (nodes != 1)} on {provider}"


def placement(session: Any) -> Placement | None:
    """The placement of an ONNX Runtime session; None where this version cannot tell.

    Nor can it where the name of a node is no UTF-8 text.
    """
    tell = getattr(session, "get_provider_graph_assignment_info", None)
    if tell is None:
        return None
    found: dict[str, list[tuple[str, str]]] = {}
    for part in tell():
        try:
            nodes = [(node.name, node.op_type) for node in part.get_nodes()]
        except UnicodeDecodeError:
            return None
        found.setdefault(part.ep_name, []).extend(nodes)
    return Placement({name: tuple(nodes) for name, nodes in found.items()})
