"""A graph as its layers are while a network learns."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields, replace

from compiler.graph import Graph, Input, Node
from compiler.ops.connect import Dropout, DropPath
from compiler.ops.joins import Mul
from compiler.ops.normalise import BatchNorm
from compiler.ops.training import BatchNormTraining
from grammar.records import dataclass


@dataclass(frozen=True)
class Mask(Input):
    """What a dropout multiplies its input by: 0 with probability `p`, else 1/(1 - p).

    It is drawn outside of the graph, so that a step can be repeated and checked exactly
    (Srivastava et al. 2014, scaled while training as everybody does).
    """

    p: float = 0.5


def in_training(graph: Graph, evaluated: Collection[str] = ()) -> Graph:
    """The graph with every layer in training mode but those named in `evaluated`.

    A dropout becomes the product with a mask, an input called like the layer with `/mask` behind,
    that of a drop_path one number a sample; a batch normalisation takes the statistics of the
    batch.
    """
    nodes: list[Node] = []
    for node in graph.nodes():
        if node.name in evaluated:
            nodes.append(node)
        elif isinstance(node.op, Dropout) and node.op.p:
            whole = isinstance(node.op, DropPath)
            shape = (1,) * len(node.shape) if whole else node.shape
            mask = Node(f"{node.name}/mask", Mask(p=node.op.p), (), shape, node.span)
            nodes += [mask, replace(node, op=Mul(), inputs=(*node.inputs, mask.name))]
        elif type(node.op) is BatchNorm:
            given = {field.name: getattr(node.op, field.name) for field in fields(node.op)}
            nodes.append(replace(node, op=BatchNormTraining(**given)))
        else:
            nodes.append(node)
    return graph.rebuilt(nodes)
