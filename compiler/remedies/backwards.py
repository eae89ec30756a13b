"""The output-size formula solved backwards: which change gives what was wanted.

From a layer that came out wrong the search walks back, nearest layer first, tries other values of
each layer's arguments and other sizes of the input, and infers again what lies between. A change
that would break a layer, or an assertion that holds, anywhere in the net is none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import chain, islice
from typing import Any

from compiler.dims import Dim
from compiler.graph import Input, Node
from compiler.ops.base import Shape, ShapeError
from compiler.ops.shapes import infer
from compiler.remedies.changes import Change, keeping_size, of_usual_size, resized
from compiler.remedies.surroundings import Fits, Surroundings
from grammar.records import dataclass

MOST_LAYERS = 24  # layers whose arguments are tried
MOST_INFERENCES = 20_000
MOST_SYMBOLIC = 500  # inferences of symbolic sizes, which take far longer
MOST_SHOWN = 3


@dataclass(frozen=True)
class Search:
    """A layer that came out wrong, perhaps not even in the graph; `fits` says what would be right.

    `wanted` is its shape when that is known whole; what is right depends on the layers `fixed`,
    which therefore stay as they are.
    """

    around: Surroundings
    target: Node
    fits: Fits
    wanted: Shape | None = None
    fixed: frozenset[str] = frozenset()

    @cached_property
    def upstream(self) -> list[Node]:
        """What leads to the target, inputs first."""
        return self.around.graph.upstream(self.target.inputs)

    def nearest(self) -> list[Node]:
        """The target and what leads to it, nearest first; an input is as near as what takes it."""
        queue, seen = deque([self.target]), {self.target.name}
        found: list[Node] = []
        while queue and len(found) < MOST_LAYERS:
            node = queue.popleft()
            fresh = [
                self.around.graph[name] for name in dict.fromkeys(node.inputs) if name not in seen
            ]
            seen |= {source.name for source in fresh}
            found += [*(source for source in fresh if isinstance(source.op, Input)), node]
            queue += [source for source in fresh if not isinstance(source.op, Input)]
        return found

    def outcome(self, change: Change) -> Shape | None:
        """The target's shape after a change; None when the change breaks something on the way."""
        changed = self.around.reinferred(self.upstream, change)
        if changed is None:
            return None
        if not self.target.inputs:
            return changed.get(self.target.name, self.target.shape)
        graph = self.around.graph
        inputs = tuple(changed.get(n, graph[n].shape) for n in self.target.inputs)
        try:
            return infer(change.op(self.target), inputs, graph.facts)
        except ShapeError:
            return None

    def solutions(self) -> list[Change]:
        """The changes that make it right, one for each layer and argument.

        The padding that keeps the size at stride 1 comes first, then what is nearest.
        """
        near = self.nearest()
        symbolic = any(isinstance(size, Dim) for node in near for size in node.shape)
        most = (MOST_SYMBOLIC if symbolic else MOST_INFERENCES) // (len(self.upstream) + 1)
        found: list[Change] = []
        for change in self.fitting(islice(self.around.trials(near, self.wanted), most)):
            if any(c.place == change.place and c.argument == change.argument for c in found):
                continue
            found.append(change)
            if len(found) == MOST_SHOWN:
                break
        found.sort(key=lambda change: not is_usual_padding(change))
        if not found or not is_usual_padding(found[0]):
            alike = islice(self.around.paddings(near), 1 + most // 8)
            found = [*islice(self.fitting(alike), 1), *found]
        return found[:MOST_SHOWN] or list(islice(self.fitting(self.usual_inputs()), 1))

    def fitting(self, trials: Iterable[Change]) -> Iterator[Change]:
        """Those changes that make it right."""
        tried: set[tuple[frozenset[str], str, Any]] = set()
        for change in trials:
            if change.nodes[0].name in self.fixed:
                continue
            # Layers of one stage, each in its turn, lead to the same change.
            key = (change.names, change.argument, change.value)
            if key in tried:
                continue
            tried.add(key)
            shape = self.outcome(change)
            if shape is None or not self.fits(shape):
                continue
            if self.around.reinferred(self.around.graph.nodes(), change) is not None:
                yield change

    def larger_inputs(self) -> Iterator[Change]:
        """The inputs at larger sizes, the nearest first."""
        for node in self.upstream:
            changes = sorted([*resized(node), *of_usual_size(node)], key=lambda c: c.value)
            yield from (change for change in changes if change.value > change.before)

    def usual_inputs(self) -> Iterator[Change]:
        """The inputs at the sizes that networks are made for."""
        return chain.from_iterable(map(of_usual_size, self.upstream))


def is_usual_padding(change: Change) -> bool:
    """Whether a change pads an unpadded layer so that it keeps the size of its input."""
    return change.argument == "pad" and change.value == keeping_size(change.nodes[0])


def rendered(changes: list[Change], *, together: bool = False) -> str | None:
    """Solutions in words, each enough or all `together`; None for none."""
    if not changes:
        return None
    return (" and " if together else ", or ").join(map(str, changes)) + " would do"
