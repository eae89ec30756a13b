"""Several layers of another format that are one of ours.

Each file holds rewrites (`compiler.rewriting`); `tidies` lists them in the order in which they are
applied (an LRN is recognised by a pooling that holds its pads). Each leaves alone what it does not
recognise, and never merges what an output or another layer takes as well.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial

from compiler.importers.imported import Imported
from compiler.importers.tidy.merge_constants import merge_constants
from compiler.importers.tidy.merge_crops import merge_crops
from compiler.importers.tidy.merge_pads import merge_pads
from compiler.importers.tidy.merge_reshapes import merge_reshapes
from compiler.importers.tidy.merge_transposes import merge_transposes
from compiler.importers.tidy.nest_concats import nest_concats
from compiler.importers.tidy.recognise_lrn import recognise_lrn
from compiler.importers.tidy.recognise_pooling import merge_poolings, recognise_pooling
from compiler.importers.tidy.recognise_shuffles import drop_undone_shuffles, recognise_shuffles
from compiler.importers.tidy.share_concats import share_concats
from compiler.rewriting import Rewrite, edited, finished


def tidies(constants: Collection[str]) -> tuple[Rewrite, ...]:
    """All of them; `constants` are the layers that hold a factor and offset for each channel."""
    return (
        merge_transposes,
        merge_reshapes,
        recognise_shuffles,
        drop_undone_shuffles,
        recognise_pooling,
        merge_poolings,
        merge_crops,
        partial(merge_pads, constants=constants),
        recognise_lrn,
        partial(merge_constants, constants=constants),
        share_concats,
        nest_concats,
    )


def tidy(imported: Imported) -> Imported:
    """The imported graph after all rewrites; a layer without its numbers may lose its name."""
    for rewrite in tidies(imported.constants):
        rewriting = edited(imported.graph, rewrite)
        graph = finished(rewriting)
        left = {node.name for node in graph.nodes()} - rewriting.forgotten
        imported = replace(imported, graph=graph, kept=imported.kept & left)
    return imported
