"""What comes from no input, as a batch of one: a join stretches it over the samples."""

from __future__ import annotations

from compiler.dims import Dim
from compiler.graph import Graph, Input, Node
from compiler.ops.connect import Dropout, DropPath
from compiler.ops.joins import Join
from compiler.ops.normalise import BatchNorm

OF_SAMPLES = (BatchNorm, Dropout, DropPath)  # do not do the same to each sample of a batch


def batches_of_one(graph: Graph) -> set[str]:
    """The layers that come from no input, and lead to nothing but joins with what does.

    What they learn would be worked into a number where PyTorch exports it: those are left out.
    """
    users = graph.users()
    found: set[str] = set()
    for node in graph.nodes():
        fed = found.issuperset(node.inputs) and not isinstance(node.op, OF_SAMPLES)
        fixed = not graph.weights(node) and not any(isinstance(s, Dim) for s in node.shape)
        if fed and fixed and (node.inputs or node.op.most_inputs == 0):
            found.add(node.name)
    found -= {*graph.outputs.values()}
    while True:
        kept = {
            name
            for name in found
            if found.issuperset(graph[name].inputs)
            and all(stretches(user, found) for user in users[name])
        }
        if kept == found:
            return found
        found = kept


def fed_by_inputs(graph: Graph) -> set[str]:
    """The layers that take something of an input, by whatever layers; and the inputs."""
    found: set[str] = set()
    for node in graph.nodes():
        if isinstance(node.op, Input) or not found.isdisjoint(node.inputs):
            found.add(node.name)
    return found


def stretches(user: Node, ones: set[str]) -> bool:
    """Whether a layer takes a batch of one: it makes another, or joins it with all samples."""
    joined = isinstance(user.op, Join) and not ones.issuperset(user.inputs)
    return joined or user.name in ones
