"""`expect`: a paper's table as a contract, checked against what the network measures."""

from __future__ import annotations

from itertools import chain, islice, pairwise
from typing import Any

from compiler.analysis import Analysis, analyse
from compiler.builtins import Builtin
from compiler.dims import Dim
from compiler.elaborate import Elaborated
from compiler.elaborate.state import MOST_REPORTS
from compiler.evaluate import Evaluator
from compiler.graph import Graph
from compiler.ops.arguments import Extent, show
from compiler.remedies.backwards import MOST_SHOWN, rendered
from compiler.remedies.changes import Change
from compiler.remedies.surroundings import changed_graph
from compiler.symbols.modules import diagnostic
from compiler.values import Mistake, Scope, Silenced, Tensor
from grammar import syntax as s
from grammar.diagnostics import Diagnostic, Fix
from grammar.source import Span

# The words of a contract, each with the field of the analysis that it stands for.
MEASURES = {
    "params": "parameters",
    "trainable": "trainable",
    "macs": "macs",
    "depth": "depth",
    "memory": "peak",
}
MOST_REMEDIED = 10  # contracts of a net for which a remedy is looked for
MOST_LAYERS = 8000  # layers measured again in search of a remedy
MOST_SYMBOLIC = 300  # of symbolic sizes, which take far longer


def check_contracts(elaborated: Elaborated, analysis: Analysis) -> list[Diagnostic]:
    """A diagnostic for each condition that does not hold: expected, got, and the difference."""
    scope = contract_scope(elaborated.scope, elaborated.graph, analysis)
    evaluate = Evaluator(elaborated.graph.facts)
    found: list[Diagnostic] = []
    for contract in elaborated.contracts:
        grouped = with_commas(contract)
        if grouped is not None:
            found.append(grouped)
            continue
        for condition in contract.conditions:
            try:
                if len(found) < MOST_REPORTS and not evaluate.truth(condition, scope):
                    tried = len(found) < MOST_REMEDIED
                    changes = remedies(elaborated, condition) if tried else []
                    fixes = elaborated.around.fixes(changes)
                    found.append(
                        diagnostic(broken(condition, evaluate, scope, rendered(changes), fixes))
                    )
            except Mistake as mistake:
                found.append(diagnostic(mistake))
            except Silenced:
                continue
    return found


def with_commas(contract: s.Expect) -> Diagnostic | None:
    """The E205 of `params == 61,706`, whose number ends at the comma."""
    for condition, after in pairwise(contract.conditions):
        if isinstance(condition, s.Comparison) and isinstance(after, s.Number):
            number = condition.operands[-1]
            if isinstance(number, s.Number) and len(after.span.text) == 3:
                span = Span(number.span.source, number.span.start, after.span.end)
                text = f"{number.span.text}_{after.span.text}"
                return Diagnostic.of(
                    "E205",
                    "a number has no commas in it",
                    span,
                    label="these are two conditions",
                    help=f"write {text}",
                    fixes=[Fix(f"write {text}", span, text)],
                )
    return None


def remedies(elaborated: Elaborated, condition: s.Expression) -> list[Change]:
    """Single changes, the layer nearest to the output first, with which a contract would hold."""
    around = elaborated.around
    evaluate = Evaluator(around.graph.facts)
    nodes = list(around.graph.nodes())
    trials = chain.from_iterable(around.trials([node]) for node in reversed(nodes))
    found: list[Change] = []
    symbolic = any(isinstance(size, Dim) for node in nodes for size in node.shape)
    for change in islice(trials, (MOST_SYMBOLIC if symbolic else MOST_LAYERS) // len(nodes)):
        graph = changed_graph(around, change)
        if graph is None or any(c.place == change.place for c in found):
            continue
        if change.argument != "input" and not around.fixes([change]):
            continue
        scope = contract_scope(elaborated.scope, graph, analyse(graph))
        try:
            if evaluate.truth(condition, scope):
                found.append(change)
        except (Mistake, Silenced):
            continue
        if len(found) == MOST_SHOWN:
            break
    return found


def contract_scope(outer: Scope, graph: Graph, analysis: Analysis) -> Scope:
    """The net's names, and what a contract can measure."""
    measured = {word: getattr(analysis, name) for word, name in MEASURES.items()}
    values = {word: value for word, value in measured.items() if value is not None}
    values["rf"] = Builtin(
        "rf(tensor) of a tensor with spatial axes before it",
        lambda tensor: receptive_field(graph, analysis, tensor),
    )
    return Scope(outer, values)


def receptive_field(graph: Graph, analysis: Analysis, tensor: Any) -> Any:
    """The receptive field of a tensor (or of the layer that a string names) as a size."""
    name = tensor.node if isinstance(tensor, Tensor) else graph.outputs.get(tensor, tensor)
    field = analysis.field(str(name))
    if not field:
        raise ValueError
    sizes = [axis.size for axis in field]
    return sizes[0] if len(sizes) == 1 else Extent(sizes)  # type: ignore[arg-type]


def broken(
    condition: s.Expression, evaluate: Evaluator, scope: Scope, help: str | None, fixes: list[Fix]
) -> Mistake:
    """The mistake of a contract that does not hold."""
    if not isinstance(condition, s.Comparison) or len(condition.operators) != 1:
        return Mistake("E402", "a contract does not hold", condition.span, help=help, fixes=fixes)
    left, right = (evaluate(operand, scope) for operand in condition.operands)
    notes = [
        f"expected: {condition.span.text}",
        f"got:      {shown(left)}",
    ]
    if isinstance(left, int | float) and isinstance(right, int | float):
        difference = left - right
        notes.append(
            f"difference: {abs(difference):_} too {'many' if difference > 0 else 'few'}"
            if isinstance(difference, int)
            else f"difference: {difference:+_g}"
        )
    return Mistake(
        "E402",
        "a contract does not hold",
        condition.span,
        label=f"{condition.operands[0].span.text} is {shown(left)}",
        notes=notes,
        help=help,
        fixes=fixes,
    )


def shown(value: Any) -> str:
    """A measure as a definition would write it."""
    return f"{value:_}" if type(value) is int else show(value)
