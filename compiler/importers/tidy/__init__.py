"""Several layers of another format that are one of ours.

Each file holds rewrites (`compiler.rewriting`); `TIDIES` lists them in the order in which they are
applied (an LRN is recognised by a pooling that holds its pads). Each leaves alone what it does not
recognise, and never merges what an output or another layer takes as well.
"""

from __future__ import annotations

from dataclasses import replace

from compiler.importers.imported import Imported
from compiler.importers.tidy.merge_constants import merge_constants
from compiler.importers.tidy.merge_crops import merge_crops
from compiler.importers.tidy.merge_pads import merge_pads
from compiler.importers.tidy.merge_reshapes import merge_reshapes
from compiler.importers.tidy.merge_resizes import merge_resizes
from compiler.importers.tidy.merge_transposes import merge_transposes, part_transposes
from compiler.importers.tidy.nest_concats import nest_concats
from compiler.importers.tidy.recognise_averages import recognise_averages
from compiler.importers.tidy.recognise_groupnorm import recognise_groupnorm
from compiler.importers.tidy.recognise_lrn import recognise_lrn
from compiler.importers.tidy.recognise_pooling import merge_poolings, recognise_pooling
from compiler.importers.tidy.recognise_shuffles import drop_undone_shuffles, recognise_shuffles
from compiler.importers.tidy.share_concats import share_concats
from compiler.importers.tidy.turn_products import turn_products
from compiler.importers.tidy.write_constants import write_constants
from compiler.rewriting import Rewrite, Rewriting, edited

TIDIES: tuple[Rewrite, ...] = (
    merge_reshapes,
    part_transposes,
    merge_transposes,
    merge_reshapes,
    recognise_shuffles,
    drop_undone_shuffles,
    turn_products,
    recognise_pooling,
    merge_poolings,
    merge_crops,
    merge_resizes,
    merge_pads,
    recognise_averages,
    recognise_lrn,
    recognise_groupnorm,
    merge_constants,
    write_constants,
    share_concats,
    nest_concats,
)


def drop_unused(rewriting: Rewriting) -> None:
    """What leads to no output goes, as after every rewrite: no layer is shared with it."""


def tidy(imported: Imported) -> Imported:
    """The imported graph after all rewrites; a layer without its numbers may lose its name."""
    for rewrite in (drop_unused, *TIDIES):
        own = imported.kept if imported.exact else frozenset()
        rewriting = Rewriting(imported.graph, imported.kept, imported.constants, own)
        graph = edited(rewriting, rewrite)
        kept = rewriting.kept & {node.name for node in graph.nodes()}
        imported = replace(imported, graph=graph, kept=frozenset(kept))
    return imported
