"""Names for blocks and their parameters, after what the field calls such things."""

from __future__ import annotations

from collections.abc import Sequence, Set

from compiler.importers.numbered import numbered
from compiler.importers.structure.parallel import AlignedStages
from compiler.importers.structure.tree import Chain, Choice, Expression, RecoveredStage, stages
from compiler.ops import OPS
from compiler.ops.arguments import Extent

POOLS = ("maxpool", "avgpool", "lppool", "gap", "gmp")


def side(kernel: object) -> str:
    """The side of a square kernel as a digit: 3 of `3x3`."""
    if isinstance(kernel, Extent) and len(set(kernel)) == 1:
        return str(kernel[0])
    return str(kernel) if isinstance(kernel, int) else ""


def count_hints(places: Sequence[AlignedStages], within: bool = False) -> dict[int, str]:
    """What a parameter for the channels of each convolution would be called, by its identity.

    In the branches of a concat, as in the table of GoogLeNet: `c3` for the 3x3 convolution, `r3`
    for what reduces the channels before it, `cp` for the one behind the pool; else `c`.
    """
    hints: dict[int, str] = {}
    convolutions = [place for place in places if place.first.callee in ("conv", "deconv")]
    last = convolutions[-1] if convolutions else None
    pooled = bool(places) and places[0].first.callee in POOLS
    for place in places:
        for branch in place.branches:
            hints |= count_hints(branch.places, place.first.callee == "concat")
        if place in convolutions and within and last is not None:
            kernel = side(last.first.arguments["kernel"])
            hints[id(place)] = "cp" if pooled else f"c{kernel}" if place is last else f"r{kernel}"
    return hints


def block_name(chain: Chain, taken: Set[str]) -> str:
    """A name for a block, with a number behind it when it is taken."""
    return numbered(describe(chain), taken)


def describe(chain: Chain) -> str:
    """The field's word for a block of this form."""
    callees = [stage.callee for stage in stages(chain)]
    convolutions = [s for s in stages(chain) if s.callee in ("conv", "deconv")]
    if "channel_shuffle" in callees:
        return "shuffle_unit"
    joins = [item for item in chain if isinstance(item, RecoveredStage) and item.branches]
    own = [s for s in chain if isinstance(s, RecoveredStage) and s.callee in ("conv", "deconv")]
    if own and all(join.callee == "mul" for join in joins):
        joins, convolutions = [], own  # a gate is a part of what its layers are
    if joins:
        return describe_join(joins[0], len(joins))
    if any(is_depthwise(s) for s in convolutions):
        return {2: "separable", 3: "inverted"}.get(len(convolutions), "depthwise")
    if any(callee not in OPS for callee in callees):
        return "stage"
    if "dense" in callees:
        return "head"
    if callees[:1] in (["bn"], ["relu"]):
        return "preactivated"
    if any(c in POOLS for c in callees):
        return "stage" if len(convolutions) > 1 else "reduction"
    words = {1: "unit", 2: "double_conv", 3: "triple_conv"}
    return words.get(len(convolutions), "sequence")


def describe_join(join: RecoveredStage, joins: int) -> str:
    """The field's word for a join and what is around it."""
    branches = [[s for s in stages(b) if s.callee == "conv"] for b in join.branches]
    bare = any(not chain or isinstance(chain[0], Choice) for chain in join.branches)
    if join.callee == "mul":
        return "squeeze_excite" if bare else "gated"
    if join.callee == "add":
        kernels = [side(s.arguments["kernel"]) for s in max(branches, key=len)]
        return (
            "bottleneck"
            if kernels == ["1", "3", "1"]
            else "basic"
            if kernels == ["3", "3"]
            else "residual"
        )
    if join.callee == "concat":
        if bare:
            return "dense_layer"
        kernels = [side(s.arguments["kernel"]) for branch in branches for s in branch]
        if kernels == ["1", "3"] and len(branches) == 2:
            return "fire"
        return "inception" if len(branches) > 2 and any(branches) else "branches"
    return f"{join.callee}_of"


def is_depthwise(stage: RecoveredStage) -> bool:
    """A convolution with as many groups as channels."""
    groups = stage.arguments.get("groups", 1)
    return groups != 1 or isinstance(groups, Expression)
