"""A path that all layers' names begin with says nothing."""

from __future__ import annotations

from compiler.importers.imported import Imported, renamed


def without_common_path(imported: Imported) -> Imported:
    """The kept names without the first parts that all of them share (`gpu_0.conv1`)."""
    shared = common_parts([name.split(".") for name in imported.kept])
    if not shared or len(imported.kept) < 2:
        return imported
    dropped = len(".".join(shared)) + 1
    taken = {node.name for node in imported.graph.nodes()} - imported.kept
    if any(name[dropped:] in taken for name in imported.kept):
        return imported
    return renamed(imported, {name: name[dropped:] for name in imported.kept})


def common_parts(names: list[list[str]]) -> list[str]:
    """The dotted parts that all names begin with, never the whole of one."""
    shared = []
    for column in zip(*(name[:-1] for name in names), strict=False):
        if len(set(column)) > 1:
            break
        shared.append(column[0])
    return shared
