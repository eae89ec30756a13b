"""What a definition is made of while it is being recovered from a graph.

A chain is a tuple of stages. The stages of the net hold plain values; the stages in the body of a
block may hold expressions of its parameters. Labels are relative to the body they stand in.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import field
from functools import cached_property
from typing import Any, TypeAlias

from grammar.records import dataclass


class Expression(str):
    """The text of an expression over a block's parameters: `4 * c`."""

    __slots__ = ()


@dataclass(frozen=True)
class RecoveredStage:
    """A layer, a join, or a call of a block.

    `arguments` are all its arguments by name, `defaults` those that need not be written;
    `roles` say of a block's parameters which arguments of an op they are. `label` is the name to
    keep, None where any name will do, "" for a call that adds no level.
    `branches` are a join's; `joined` are the tensors of a join that names them. `tag` is set when
    other statements use what it makes. `given` and `made` are the shapes that enter and leave; in
    the body of a block their channels only, () where it cannot say them.
    """

    callee: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    label: str | None = None
    branches: tuple[Chain, ...] = ()
    joined: tuple[str, ...] = ()
    like: str | None = None
    tag: str | None = None
    given: tuple[Any, ...] = ()
    made: tuple[Any, ...] = ()
    node: str = ""

    @cached_property
    def skeletons(self) -> dict[bool, Hashable]:
        """What `skeletons.skeleton` has worked out of the stage, relaxed or not."""
        return {}


@dataclass(frozen=True)
class Choice:
    """A branch that is there under a condition: `if condition { … } else { identity }`."""

    condition: str
    chain: Chain


@dataclass(frozen=True)
class Loop:
    """A chain that runs `count` times: `for i in range(start, start + count) { … }`.

    Without a `variable` it is `repeat count { … }`.
    """

    variable: str
    start: int
    count: int
    chain: Chain


Item: TypeAlias = "RecoveredStage | Choice | Loop"
Chain: TypeAlias = "tuple[Item, ...]"


@dataclass(frozen=True)
class BlockParameter:
    """A parameter of a block; `default` is None when a call must give it."""

    name: str
    default: Any = None


@dataclass(frozen=True)
class Block:
    """A block: one chain, with the parameters that its expressions name."""

    name: str
    parameters: tuple[BlockParameter, ...]
    chain: Chain


@dataclass(frozen=True)
class Statement:
    """A chain of the net's body that takes tensors and makes one, by their names in the graph.

    `source` is the tensor that it begins at, None for what flows (or for a join of several);
    `outputs` are declared of its result; with `aside` the flow stays where it was. Without a chain
    it declares the tensor that it `makes`, an input or one made before.
    """

    takes: tuple[str, ...]
    makes: str
    chain: Chain
    outputs: tuple[str, ...] = ()
    source: str | None = None
    aside: bool = False


@dataclass(frozen=True)
class RecoveredNet:
    """The whole: blocks, and the body of the net.

    `inputs` and `outputs` are called in the text as they say. `swapped` are the joins of two
    tensors, by their names in the graph, that take them in the other order here, which changes
    nothing.
    """

    blocks: tuple[Block, ...]
    body: tuple[Statement, ...]
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    swapped: frozenset[str] = frozenset()


def stages(chain: Chain) -> Iterator[RecoveredStage]:
    """Every stage of a chain with those in its branches, in the order of elaboration."""
    for item in chain:
        if not isinstance(item, RecoveredStage):
            yield from stages(item.chain)
            continue
        for branch in item.branches:
            yield from stages(branch)
        yield item
