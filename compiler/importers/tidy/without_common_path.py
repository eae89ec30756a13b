"""A path that all layers' names begin with says nothing."""

from __future__ import annotations

from compiler.importers.imported import Imported, renamed
from compiler.importers.structure.labels import common_path


def without_common_path(imported: Imported) -> Imported:
    """The kept names without the first parts that all of them share (`gpu_0.conv1`)."""
    shared = common_path(imported.kept)
    if not shared or len(imported.kept) < 2:
        return imported
    dropped = len(".".join(shared)) + 1
    taken = {node.name for node in imported.graph.nodes()} - imported.kept
    if any(name[dropped:] in taken for name in imported.kept):
        return imported
    return renamed(imported, {name: name[dropped:] for name in imported.kept})
