"""A path that all layers' names begin with says nothing."""

from __future__ import annotations

from dataclasses import replace

from compiler.importers.imported import Imported


def without_common_path(imported: Imported) -> Imported:
    """The kept names without the first parts that all of them share (`gpu_0.conv1`)."""
    shared = common_parts([name.split(".") for name in imported.kept])
    if not shared or len(imported.kept) < 2:
        return imported
    dropped = len(".".join(shared)) + 1
    taken = {node.name for node in imported.graph.nodes()} - imported.kept
    if any(name[dropped:] in taken for name in imported.kept):
        return imported
    new = {name: name[dropped:] for name in imported.kept}
    nodes = [
        replace(
            node,
            name=new.get(node.name, node.name),
            inputs=tuple(new.get(name, name) for name in node.inputs),
            owner=new.get(node.owner, node.owner),
        )
        for node in imported.graph.nodes()
    ]
    values = {}
    for full, value in imported.graph.values.items():
        layer, _, weight = full.rpartition(".")
        values[f"{new.get(layer, layer)}.{weight}"] = value
    outputs = {output: new.get(name, name) for output, name in imported.graph.outputs.items()}
    graph = imported.graph.rebuilt(nodes, outputs=outputs, values=values)
    tensors = {new.get(name, name): tensor for name, tensor in imported.tensors.items()}
    return replace(imported, graph=graph, kept=frozenset(new.values()), tensors=tensors)


def common_parts(names: list[list[str]]) -> list[str]:
    """The dotted parts that all names begin with, never the whole of one."""
    shared = []
    for column in zip(*(name[:-1] for name in names), strict=False):
        if len(set(column)) > 1:
            break
        shared.append(column[0])
    return shared
