"""Rules about joins."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.graph import Node
from compiler.lints.context import LintContext
from compiler.ops.base import is_join
from grammar import syntax as s
from grammar.diagnostics import Diagnostic, Fix, Remedy
from grammar.source import Span


def join_of_one_branch(context: LintContext) -> Iterator[Diagnostic]:
    """W111: a join that is called with one tensor, or left with one branch by a false `if`."""
    for node, stage in single_joins(context):
        if stage.body is None:
            yield of_one_tensor(context, node, stage)
            continue
        absent = [statement for statement in stage.body.statements if may_be_absent(statement)]
        if absent and not all(map(is_shortcut, absent)):
            yield context.warn(
                "W111",
                node,
                f"`{node.op.name}` joins a single branch",
                label="nothing else is joined",
                notes=[f"the `if` at line {absent[0].span.line} is false and gives no branch"],
                help="`else { identity }` joins what flows into the braces",
            )


def single_joins(context: LintContext) -> Iterator[tuple[Node, s.Stage]]:
    """The joins that join one tensor, and how they are written."""
    for node in context.graph.nodes():
        stage = context.elaborated.around.stages.get(node.span)
        if len(node.inputs) == 1 and stage is not None and is_join(node.op):
            yield node, stage


def passed_by(context: LintContext) -> set[str | None]:
    """The layers whose tensors flow to a join that takes another one, by `add(x)`."""
    joins = {node.name for node, stage in single_joins(context) if stage.body is None}
    return {
        made.flow.node
        for made in context.elaborated.made
        if made.flow and made.tensor.node in joins
    }


def of_one_tensor(context: LintContext, node: Node, stage: s.Stage) -> Diagnostic:
    """The warning of `-> add(x)`, which drops what flows."""
    warning = context.warn(
        "W111",
        node,
        f"`{node.op.name}` joins a single tensor",
        label="nothing else is joined",
        notes=["in round brackets stand the tensors that are joined; what flows is not among them"],
        help=f"`{node.op.name} {{ identity; … }}` joins what flows with others",
    )
    joined = with_flow(stage)
    if joined is None:
        return warning
    help = f"`{joined.text}` joins it with what flows"
    return warning.saying(remedy=Remedy(help, (joined,)))


def with_flow(stage: s.Stage) -> Fix | None:
    """`add(x)` as `add { identity; x }`, where x is a tensor's name."""
    given = stage.arguments or ()
    tensors = [argument.value for argument in given if argument.keyword is None]
    if stage.callee is None or len(tensors) != 1 or not isinstance(tensors[0], s.Name):
        return None
    named = ", ".join(a.span.text for a in given if a.keyword is not None)
    call = stage.callee.id + (f"({named})" if named else "")
    text = f"{call} {{ identity; {tensors[0].id} }}"
    end = stage.span.source.text.index(")", given[-1].span.end) + 1
    return Fix(f"replace with `{text}`", Span(stage.span.source, stage.span.start, end), text)


def is_shortcut(statement: s.Statement) -> bool:
    """Whether an `if` gives what flows or nothing: no shortcut where the sizes differ is meant."""
    if not isinstance(statement, s.If) or statement.otherwise is not None:
        return False
    flows = [st.chain for st in statement.then.statements if isinstance(st, s.Flow)]
    callees = [stage.callee for chain in flows for stage in chain.stages]
    same = all(callee is not None and callee.id in ("identity", "in") for callee in callees)
    return len(flows) == len(statement.then.statements) == 1 and same


def may_be_absent(statement: s.Statement) -> bool:
    """Whether a statement is an `if`, or a chain of them, that ends without an `else`."""
    while isinstance(statement, s.If) and statement.otherwise is not None:
        if len(statement.otherwise.statements) != 1:
            return False
        (statement,) = statement.otherwise.statements
    return isinstance(statement, s.If)
