"""What two stages must have in common to be one stage of a block, and what they cost to write."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from compiler.importers.structure.expressions import same
from compiler.importers.structure.tree import Chain, Expression, Item, RecoveredStage
from compiler.ops import OPS

# What stands behind a layer rather than begins something.
FOLLOWERS = frozenset(
    name for name, op in OPS.items() if op.group in ("normalise", "activate") and name != "lrn"
) | {"dropout"}
VARYING = frozenset(
    [
        "channels",
        "units",
        "kernel",
        "stride",
        "pad",
        "dilation",
        "groups",
        "output_pad",
        "size",
        "first",
        "last",
        "before",
        "after",
        "scale",
        "shape",
    ]
)
PROJECTION = 3  # layers in a shortcut that a block may have or lack


def written(stage: RecoveredStage) -> dict[str, Any]:
    """The arguments that a definition must write: those that are not the default."""
    return {
        name: value
        for name, value in stage.arguments.items()
        if name not in stage.defaults or not same(value, stage.defaults[name])
    }


def may_vary(stage: RecoveredStage, name: str) -> bool:
    """Whether an argument may be a parameter of a block: counts, kernels and their like."""
    return stage.callee not in OPS or name in VARYING


def skeleton(item: Item, relaxed: bool = True) -> Hashable:
    """What must be equal; when `relaxed` the shortcut of a residual block may be bare or not."""
    if not isinstance(item, RecoveredStage) or item.joined or item.like:
        return id(item)
    if relaxed not in item.skeletons:
        fixed = tuple(
            (name, len(value or ()) if name == "shape" else str(value))
            for name, value in sorted(item.arguments.items())
            if name == "shape" or not may_vary(item, name)
        )
        branches = tuple(chain_skeleton(branch, relaxed) for branch in item.branches)
        if relaxed and has_shortcut(item):
            branches = (branches[0], "shortcut")
        item.skeletons[relaxed] = (item.callee, fixed, grouping(item), branches)
    return item.skeletons[relaxed]


def chain_skeleton(chain: Chain, relaxed: bool = True) -> Hashable:
    """The skeletons of a chain's stages."""
    return tuple([skeleton(item, relaxed) for item in chain])


def grouping(stage: RecoveredStage) -> str:
    """Dense, depthwise or grouped: no block is made of both."""
    groups = stage.arguments.get("groups", 1) if stage.callee in ("conv", "deconv") else 1
    if isinstance(groups, Expression):
        return "expression"
    if groups == 1:
        return ""
    return "depthwise" if stage.given[:1] == (groups,) else "grouped"


def has_shortcut(stage: RecoveredStage) -> bool:
    """Whether this is a residual join whose second branch is bare or a short projection."""
    if stage.callee != "add" or len(stage.branches) != 2:
        return False
    main, other = stage.branches
    plain = all(isinstance(item, RecoveredStage) and not item.branches for item in other)
    return plain and len(other) <= PROJECTION and len(main) > len(other)


def cost(chain: Chain) -> int:
    """How much there is to read: a word for each stage and each argument."""
    return sum(item_cost(item) for item in chain)


def item_cost(item: Item) -> int:
    """The words of one stage."""
    if not isinstance(item, RecoveredStage):
        return 3 + cost(item.chain)
    own = 2 + len(written(item)) + len(item.joined) + bool(item.label)
    return own + sum(1 + cost(branch) for branch in item.branches)
