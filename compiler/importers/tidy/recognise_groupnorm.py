"""Group normalisation written as an instance normalisation of its groups."""

from __future__ import annotations

import numpy as np

from compiler.dims import Dim
from compiler.ops.normalise import GroupNorm, InstanceNorm
from compiler.ops.reshape import Flatten, Reshape
from compiler.rewriting import Rewriting


def recognise_groupnorm(rewriting: Rewriting) -> None:
    """[C, …] as [G, …], each of the G normalised, and back to [C, …] is `groupnorm(G)`."""
    for node in rewriting.each():
        ending = Flatten if isinstance(node.op, Flatten) else Reshape
        three = rewriting.chain(node, Reshape, InstanceNorm, ending)
        if three is None or rewriting.shares(three[1]):
            continue
        first, norm, last = three
        (given,) = rewriting.shapes(first)
        groups, channels = first.shape[0], given[0]
        if last.shape != given or isinstance(groups, Dim) or isinstance(channels, Dim):
            continue
        if channels % groups:
            continue
        assert isinstance(norm.op, InstanceNorm)
        for array in ("weight", "bias"):
            held = rewriting.weight(norm, array)
            if held is not None:
                rewriting.values[norm.array(array)] = np.repeat(held, channels // groups)
        op = GroupNorm(groups=groups, eps=norm.op.eps, affine=norm.op.affine)
        rewriting.become(norm, op, first)
        rewriting.drop(last.name, norm.name)
        rewriting.remove(first.name)
