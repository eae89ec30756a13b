"""A syntax tree as text, for those who make one without a text: importers, tests."""

from __future__ import annotations

import re
from collections.abc import Iterable

from grammar import syntax as s
from grammar.lexemes import RESERVED

# How tightly a form holds together; a looser one inside a tighter one needs parentheses.
CONDITIONAL, OR, AND, NOT, COMPARISON, SUM, PRODUCT, SIGN, POSTFIX, ATOM = range(10)
BINARY = {
    "+": (SUM, SUM, PRODUCT),
    "-": (SUM, SUM, PRODUCT),
    "*": (PRODUCT, PRODUCT, SIGN),
    "/": (PRODUCT, PRODUCT, SIGN),
    "//": (PRODUCT, PRODUCT, SIGN),
    "%": (PRODUCT, PRODUCT, SIGN),
    "**": (SIGN, POSTFIX, SIGN),
}  # how tight it is itself, and how tight its left and right sides must be
ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\t": r"\t", "{": "{{", "}": "}}"})


def file_text(file: s.File) -> str:
    """A file: its items, an empty line between them, what documents a definition above it."""
    return "\n\n".join(map(item_text, file.items)) + "\n" if file.items else ""


def item_text(item: s.Item) -> str:
    """`use`, `let`, `block` or `net`; raises ValueError for what was broken."""
    match item:
        case s.Use():
            names = ", ".join(name.id for name in item.names)
            return f"use {names} from {text_text(item.path)}"
        case s.Let() | s.Function():
            return statement_text(item)
        case s.Definition():
            parameters = ", ".join(map(parameter_text, item.parameters))
            head = f"{item.kind} {item.name.id}" + (f"({parameters})" if parameters else "")
            lines = item.doc.split("\n") if item.doc else []
            doc = "".join(f"# {line}".rstrip() + "\n" for line in lines)
            return f"{doc}{head} {body_text(item.body)}"
    raise ValueError("what is broken in the text has no tree to print")


def parameter_text(parameter: s.Parameter) -> str:
    """`stride=1`"""
    default = parameter.default
    return parameter.name.id + ("" if default is None else f"={expression_text(default)}")


# ── statements ───────────────────────────────────────────────────────────────────────────────


def body_text(body: s.Body) -> str:
    """`{ … }`, a line for each statement"""
    lines = "".join(statement_text(statement) + "\n" for statement in body.statements)
    return f"{{\n{lines}}}" if lines else "{}"


def statement_text(statement: s.Statement) -> str:
    """Any statement; raises ValueError for one that was broken."""
    match statement:
        case s.Flow():
            return chain_text(statement.chain)
        case s.Bind():
            names = ", ".join(name.id for name in statement.names)
            return f"{names} = {chain_text(statement.chain)}"
        case s.InputDeclaration():
            shape = pattern_text(statement.shape)
            origin = statement.origin
            source = "" if origin is None else f" from {expression_text(origin)}"
            name = statement.name.id + outside_text(statement.outside)
            return f"input {name}: {statement.dtype.id}{shape}{source}"
        case s.OutputDeclaration():
            return output_text(statement)
        case s.Let():
            return f"let {targets_text(statement.names)} = {expression_text(statement.value)}"
        case s.Function():
            parameters = ", ".join(map(parameter_text, statement.parameters))
            head = f"{statement.name.id}({parameters})"
            return f"let {head} = {expression_text(statement.value)}"
        case s.Assert():
            why = "" if statement.message is None else f", {expression_text(statement.message)}"
            return f"assert {expression_text(statement.condition)}{why}"
        case s.Expect():
            return "expect " + expressions_text(statement.conditions)
        case s.For():
            names = targets_text(statement.names)
            values = expression_text(statement.values)
            body = body_text(statement.body)
            return f"for {names} in {values} {body}{assertion_text(statement.shape)}"
        case s.Repeat():
            count, body = expression_text(statement.count), body_text(statement.body)
            return f"repeat {count} {body}{assertion_text(statement.shape)}"
        case s.If():
            return if_text(statement) + assertion_text(statement.shape)
        case s.Broken():
            raise ValueError("what is broken in the text has no tree to print")
    return learning_text(statement)


def learning_text(statement: s.Learning) -> str:
    """A statement that only a training has."""
    match statement:
        case s.DataDeclaration():
            return "data " + ", ".join(map(declared_text, statement.parts))
        case s.NoiseDeclaration():
            kind = f"{statement.kind.id}{pattern_text(statement.shape)}"
            return f"noise {statement.name.id}: {kind} {statement.distribution.id}"
        case s.Augment():
            names = ", ".join(name.id for name in statement.names)
            return f"augment {names}: {stages_text(statement.stages)}"
        case s.Assign():
            return f"{statement.name.id} = {stages_text(statement.stages)}"
        case s.Objective():
            word = "maximize" if statement.maximize else "minimize"
            return f"{word} {expression_text(statement.value)}"
        case s.Report():
            return "report " + ", ".join(map(reported_text, statement.items))
        case s.Update():
            nets = ", ".join(name.id for name in statement.nets)
            only = ", ".join(map(text_text, statement.only))
            chosen = f" only {only}" if only else ""
            return f"update {nets}{chosen} with {expression_text(statement.optimiser)}"
        case s.Setting():
            return f"{statement.keyword} {expression_text(statement.value)}"
        case s.Step():
            return f"step {body_text(statement.body)}"
        case s.Show():
            shown, grid = expression_text(statement.value), expression_text(statement.grid)
            return f"show {shown} grid {grid} as {label_text(statement.label)}"


def declared_text(part: s.Declared) -> str:
    """`image: f32[1, 28, 28] from picture(crop=28)`"""
    source = "" if part.origin is None else f" from {expression_text(part.origin)}"
    return f"{part.name.id}: {part.kind.id}{pattern_text(part.shape)}{source}"


def reported_text(item: s.Reported) -> str:
    """`accuracy(logits, label) as top1`"""
    name = "" if item.label is None else f" as {label_text(item.label)}"
    return f"{expression_text(item.value)}{name}"


def stages_text(stages: Iterable[s.Expression]) -> str:
    """`crop(24) -> flip`"""
    return " -> ".join(map(expression_text, stages))


def output_text(statement: s.OutputDeclaration) -> str:
    """`output probs as "386" labels "names.txt" = softmax`, `output features : [64, 56, 56]`"""
    name = statement.name
    word = name.id if isinstance(name, s.Name) else text_text(name)
    text = f"output {word}{outside_text(statement.outside)}"
    if statement.labels is not None:
        text += f" labels {text_text(statement.labels.path)}"
        if statement.labels.condition is not None:
            text += f" if {expression_text(statement.labels.condition)}"
    if statement.chain is not None:
        text += f" = {chain_text(statement.chain)}"
    return text + assertion_text(statement.shape)


def outside_text(outside: s.Text | None) -> str:
    """` as "input.1"`, nothing where the name is the one in the text"""
    return "" if outside is None else f" as {text_text(outside)}"


def if_text(statement: s.If) -> str:
    """`if aux { … } else if … { … } else { … }`"""
    text = f"if {expression_text(statement.condition)} {body_text(statement.then)}"
    otherwise = statement.otherwise
    if otherwise is None:
        return text
    inner = otherwise.statements
    if len(inner) == 1 and isinstance(inner[0], s.If):
        return f"{text} else {if_text(inner[0])}"
    return f"{text} else {body_text(otherwise)}"


# ── flow ─────────────────────────────────────────────────────────────────────────────────────


def chain_text(chain: s.Chain) -> str:
    """`conv(6, 5x5) -> tanh`"""
    return " -> ".join(map(stage_text, chain.stages))


def stage_text(stage: s.Stage) -> str:
    """One stage with all that may follow it."""
    text = "" if stage.callee is None else stage.callee.id
    if stage.source is not None:
        text = expression_text(stage.source)
    if stage.arguments is not None:
        text += f"({arguments_text(stage.arguments)})"
    if stage.body is not None:
        text += f" {body_text(stage.body)}" if text else body_text(stage.body)
    if stage.label is not None:
        text += f" as {label_text(stage.label)}"
    if stage.like is not None:
        text += f" like {label_text(stage.like)}"
    return text + assertion_text(stage.shape)


def label_text(label: s.Text) -> str:
    """A name where the label is one, else a string."""
    (word, *more) = label.parts
    if not more and isinstance(word, str) and re.fullmatch(r"[A-Za-z_]\w*", word, re.ASCII):
        return word if word not in RESERVED else text_text(label)
    return text_text(label)


def assertion_text(pattern: s.ShapePattern | None) -> str:
    """` : [64, _, ...]`, or nothing where no shape is asserted."""
    return "" if pattern is None else f" : {pattern_text(pattern)}"


def pattern_text(pattern: s.ShapePattern) -> str:
    """`[64, _, ...]`"""
    sizes = (
        ("..." if size.run else "_") if isinstance(size, s.Wildcard) else expression_text(size)
        for size in pattern.sizes
    )
    return f"[{', '.join(sizes)}]"


def arguments_text(arguments: Iterable[s.Argument]) -> str:
    """What stands between the parentheses of a call."""
    return ", ".join(
        expression_text(a.value) if a.keyword is None else f"{a.keyword}={expression_text(a.value)}"
        for a in arguments
    )


# ── expressions ──────────────────────────────────────────────────────────────────────────────


def expressions_text(nodes: Iterable[s.Expression]) -> str:
    """Expressions with commas between them."""
    return ", ".join(map(expression_text, nodes))


def expression_text(node: s.Expression, least: int = CONDITIONAL) -> str:
    """An expression, in parentheses when it holds together less tightly than `least`."""
    text, holds = _expression(node)
    return f"({text})" if holds < least else text


def _expression(node: s.Expression) -> tuple[str, int]:
    match node:
        case s.Number():
            return repr(node.value), ATOM if node.value >= 0 else SIGN
        case s.Truth():
            return ("true" if node.value else "false"), ATOM
        case s.SizeLiteral():
            return "x".join(map(str, node.extents)), ATOM
        case s.Text():
            return text_text(node), ATOM
        case s.Name():
            return node.id, ATOM
        case s.ListDisplay():
            return f"[{expressions_text(node.items)}]", ATOM
        case s.Comprehension():
            clauses = "".join(map(clause_text, node.clauses))
            return f"[{expression_text(node.item)}{clauses}]", ATOM
        case s.TupleDisplay():
            comma = "," if len(node.items) == 1 else ""
            return f"({expressions_text(node.items)}{comma})", ATOM
        case s.Index():
            index = expression_text(node.index)
            return f"{expression_text(node.value, POSTFIX)}[{index}]", POSTFIX
        case s.Slice():
            ends = (node.start, node.stop, node.step)
            start, stop, step = ("" if e is None else expression_text(e) for e in ends)
            inside = f"{start}:{stop}" + (f":{step}" if step else "")
            return f"{expression_text(node.value, POSTFIX)}[{inside}]", POSTFIX
        case s.Attribute():
            return f"{expression_text(node.value, POSTFIX)}.{node.name}", POSTFIX
        case s.CallExpression():
            function = expression_text(node.function, POSTFIX)
            return f"{function}({arguments_text(node.arguments)})", POSTFIX
        case _:
            return _operation(node)


def clause_text(clause: s.Clause) -> str:
    """` for c in widths if c > 8`"""
    text = f" for {targets_text(clause.names)} in {expression_text(clause.values, OR)}"
    kept = clause.condition
    return text if kept is None else f"{text} if {expression_text(kept, OR)}"


def targets_text(targets: Iterable[s.Target]) -> str:
    """`i, (c, stride)`"""
    return ", ".join(
        target.id if isinstance(target, s.Name) else f"({targets_text(target.parts)})"
        for target in targets
    )


def _operation(node: s.Expression) -> tuple[str, int]:
    match node:
        case s.Unary(operator="not"):
            return f"not {expression_text(node.operand, NOT)}", NOT
        case s.Unary():
            return node.operator + expression_text(node.operand, SIGN), SIGN
        case s.Binary():
            holds, left, right = BINARY[node.operator]
            sides = expression_text(node.left, left), expression_text(node.right, right)
            return f" {node.operator} ".join(sides), holds
        case s.Logical():
            holds = AND if node.operator == "and" else OR
            parts = (expression_text(operand, holds + 1) for operand in node.operands)
            return f" {node.operator} ".join(parts), holds
        case s.Comparison():
            first, *others = (expression_text(operand, SUM) for operand in node.operands)
            pairs = zip(node.operators, others, strict=True)
            return first + "".join(f" {sign} {other}" for sign, other in pairs), COMPARISON
        case s.Conditional():
            then, condition = (expression_text(n, OR) for n in (node.then, node.condition))
            return f"{then} if {condition} else {expression_text(node.otherwise)}", CONDITIONAL
    raise AssertionError(node)


def text_text(node: s.Text) -> str:
    """A string in quotes; raises ValueError for a string between the braces of a string."""
    parts = []
    for part in node.parts:
        inner = part.translate(ESCAPES) if isinstance(part, str) else expression_text(part)
        if not isinstance(part, str) and '"' in inner:
            raise ValueError("a string cannot stand between the braces of a string")
        parts.append(inner if isinstance(part, str) else f"{{{inner}}}")
    return f'"{"".join(parts)}"'
