"""Series-parallel reduction: a graph becomes chains and joins of chains.

Two rules are applied until neither fits (Valdes, Tarjan and Lawler, "The Recognition of Series
Parallel Digraphs", SIAM J. Comput. 11(2), 1982): a layer used once by its successor joins that in
a chain, and chains that leave one tensor and meet in a join become its branches. What is left of a
graph that is not series-parallel are a few pieces that name the tensors they take.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

from compiler.graph import Graph, Input, Node, is_whole
from compiler.importers.imported import Imported
from compiler.importers.structure.tree import Chain, RecoveredStage, Statement, stages
from grammar.records import dataclass

COMMUTATIVE = {"add", "mul", "max", "mean", "min"}
DEEPEST = 8  # joins inside each other; what lies deeper gets a name


@dataclass(frozen=True)
class FedChain:
    """A chain with the tensors it takes: one, or those of the join that it begins with.

    `depth` is how many of its joins stand inside each other.
    """

    inputs: tuple[str, ...]
    chain: tuple[RecoveredStage, ...]
    depth: int = 0


def statements_of(imported: Imported) -> tuple[tuple[Statement, ...], frozenset[str]]:
    """The body of the net: as few statements as the graph allows, in an order that runs.

    Also gives the joins that take their two tensors in the other order.
    """
    pieces, swapped = reduced(imported)
    outputs = imported.graph.outputs
    body = in_order(imported.graph, pieces, outputs)
    declared = [name for statement in body for name in statement.outputs]
    if declared != list(outputs):  # those that come too early are declared at the end
        late = in_order(imported.graph, pieces, {})
        body = (*late, *(Statement((), made, (), (name,)) for name, made in outputs.items()))
    return body, frozenset(swapped)


def reduced(imported: Imported) -> tuple[dict[str, FedChain], set[str]]:
    """The pieces by the tensor that each makes, neither rule fitting any more."""
    graph = imported.graph
    swapped: set[str] = set()
    labelled = imported.kept.union(node.owner for node in graph.nodes())
    pieces = {
        node.name: FedChain(node.inputs, (stage_of(node, graph, node.name in labelled),))
        for node in graph.nodes()
        if not isinstance(node.op, Input)
    }
    uses = Counter(name for piece in pieces.values() for name in piece.inputs)
    uses.update(graph.outputs.values())
    changed = True
    while changed:
        changed = False
        for name in list(pieces):
            piece = branched(graph, pieces, uses, pieces[name], swapped)
            while len(set(piece.inputs)) == 1 and len(piece.inputs) == 1:
                before = pieces.get(piece.inputs[0])
                if before is None or uses[piece.inputs[0]] != 1:
                    break
                del pieces[piece.inputs[0]]
                depth = max(before.depth, piece.depth)
                joined = FedChain(before.inputs, before.chain + piece.chain, depth)
                piece = branched(graph, pieces, uses, joined, swapped)
            changed = changed or piece is not pieces[name]
            pieces[name] = piece
    return pieces, swapped


def stage_of(node: Node, graph: Graph, labelled: bool) -> RecoveredStage:
    """A layer as a stage, `labelled` where its name must stay or `like` says it."""
    given = graph[node.inputs[0]].shape if node.inputs else ()
    return RecoveredStage(
        node.op.name,
        {parameter.name: getattr(node.op, parameter.name) for parameter in fields(node.op)},
        {parameter.name: parameter.default for parameter in fields(node.op)},
        label=node.name if labelled else None,
        like=node.owner or None,
        given=given,
        made=node.shape,
        node=node.name,
    )


def branched(
    graph: Graph,
    pieces: dict[str, FedChain],
    uses: Counter[str],
    piece: FedChain,
    swapped: set[str],
) -> FedChain:
    """The piece with its join's inputs as branches, when they all leave one tensor."""
    if len(piece.inputs) < 2:
        return piece
    private = [
        uses[name] == 1 and name in pieces and len(pieces[name].inputs) == 1
        for name in piece.inputs
    ]
    origins = {
        pieces[name].inputs[0] if own else name
        for name, own in zip(piece.inputs, private, strict=True)
    }
    inside = (pieces[name].depth for name, own in zip(piece.inputs, private, strict=True) if own)
    depth = max(inside, default=0) + 1
    if len(origins) != 1 or depth > DEEPEST:
        return piece
    (origin,) = origins
    if is_whole(graph[origin]) and not all(private):  # whole numbers pass through no branch
        return piece
    branches: list[Chain] = [
        pieces[name].chain if own else () for name, own in zip(piece.inputs, private, strict=True)
    ]
    join = piece.chain[0]
    if len(branches) == 2 and join.callee in COMMUTATIVE:
        turned = branches[::-1]
        longer_first = len(branches[0]) < len(branches[1]) and not borrows_early(turned)
        if longer_first or borrows_early(branches):
            branches = turned
            swapped.add(join.node)
    if borrows_early(branches):
        return piece
    for name, own in zip(piece.inputs, private, strict=True):
        if own:
            del pieces[name]
    uses[origin] -= len(branches) - 1
    join = replace(join, branches=tuple(branches), given=graph[origin].shape)
    return FedChain((origin,), (join, *piece.chain[1:]), max(depth, piece.depth))


def borrows_early(chains: Sequence[Chain]) -> bool:
    """Whether a layer is `like` one that is written behind it."""
    written = [stage for chain in chains for stage in stages(chain)]
    places = {stage.node: place for place, stage in enumerate(written)}
    return any(places.get(stage.like or "", -1) > place for place, stage in enumerate(written))


def in_order(
    graph: Graph, pieces: dict[str, FedChain], declared: Mapping[str, str]
) -> tuple[Statement, ...]:
    """The pieces as statements: each begins at what flows where it can, else at a named tensor.

    The outputs `declared` are declared where they are made.
    """
    rank = {node.name: place for place, node in enumerate(graph.nodes())}
    inputs = [node.name for node in graph.inputs()]
    outputs: dict[str, list[str]] = {}
    for output, name in declared.items():
        outputs.setdefault(name, []).append(output)
    takers: defaultdict[str, list[str]] = defaultdict(list)
    for name, piece in pieces.items():
        for taken in {*piece.inputs}:
            takers[taken].append(name)
    borrows = {name: lenders(piece.chain) for name, piece in pieces.items()}
    missing = {name: len({*piece.inputs} - {*inputs}) for name, piece in pieces.items()}
    begun = sorted((name for name in pieces if not missing[name]), key=rank.__getitem__)
    left = {source: len(names) for source, names in takers.items()}  # that take it still
    flow = inputs[0] if len(inputs) == 1 else ""
    written: set[str] = set()
    found = [Statement((), name, (), tuple(outputs[name])) for name in inputs if name in outputs]
    while begun:
        ready = [name for name in begun if borrows[name] <= written] or begun
        here = [name for name in ready if pieces[name].inputs == (flow,)]
        sides = [name for name in here if name in outputs and not left.get(name)]
        name = min(sides, key=lambda n: len(pieces[n].chain)) if sides else (here or ready)[0]
        piece = pieces[name]
        for taken in {*piece.inputs}:
            left[taken] -= 1
        once = name in sides and len(outputs[name]) == 1
        aside = once and bool(left.get(flow))
        begins = len(piece.inputs) == 1 and piece.inputs[0] != flow
        source = piece.inputs[0] if begins else None
        made = tuple(outputs.get(name, ()))
        found.append(Statement(piece.inputs, name, piece.chain, made, source, aside))
        begun.remove(name)
        for taker in takers[name]:
            missing[taker] -= 1
            if not missing[taker]:
                insort(begun, taker, key=rank.__getitem__)
        written.update(stage.node for stage in stages(piece.chain))
        flow = flow if aside else name
    return tuple(found)


def lenders(chain: Chain) -> set[str]:
    """The layers outside a chain whose parameters some of its layers share."""
    inside = {stage.node for stage in stages(chain)}
    return {stage.like for stage in stages(chain) if stage.like} - inside
