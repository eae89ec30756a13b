"""The shapes that drawn statements make; raises `Invalid` where the compiler would refuse them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from compiler.ops import OPS
from compiler.ops.base import parameters
from tests.differential import tree
from tests.differential.rearranged import count_of_parts
from tests.differential.rules import BARE, JOINS, shape_of
from tests.differential.scope import OP_VALUES, Call, Extent, OpName, Scope, Sizes
from tests.differential.sizes import Invalid, Shape, is_fed_whole

POSITIONS = {op: [parameter.name for parameter in parameters(OPS[op])] for op in OPS}


def run_body(body: tree.Body, scope: Scope, flow: Shape | None) -> Shape | None:
    """Run statements in order; returns what flows out."""
    for statement in body:
        if isinstance(statement, tree.Flow):
            flow = run_chain(statement.chain, scope, flow)
        elif isinstance(statement, tree.For | tree.Repeat | tree.If):
            for inner, place in turns(statement, scope):
                flow = run_body(inner, place, flow)
        else:
            run_aside(statement, scope, flow)
    return flow


def run_branches(body: tree.Body, scope: Scope, flow: Shape | None) -> list[Shape]:
    """The branches of a join, each fed by what flows."""
    found = []
    for statement in body:
        if isinstance(statement, tree.Flow):
            found.append(run_chain(statement.chain, scope, flow))
        elif isinstance(statement, tree.For | tree.Repeat | tree.If):
            for inner, place in turns(statement, scope):
                found += run_branches(inner, place, flow)
        else:
            run_aside(statement, scope, flow)
    return found


def run_aside(statement: tree.Statement, scope: Scope, flow: Shape | None) -> None:
    """A statement after which the flow is where it was."""
    match statement:
        case tree.Let(name, value):
            scope.values |= taken_apart(name, scope.evaluate(value))
        case tree.Apart(names, stage) if stage.head == "split":
            given, _ = arguments_of(stage, "split", scope)
            if len(names) != count_of_parts(given["parts"]) or flow is None:
                raise Invalid
            for place, name in enumerate(names):
                one = replace(stage, arguments=(*(stage.arguments or ()), ("part", str(place))))
                scope.tensors[name] = apply(one, "split", scope, flow)[0]
        case tree.Apart(names, stage):
            block = scope.all_values()[stage.head]
            _, _, outputs = call(stage, block, scope, flow)
            if len(outputs) != len(names):
                raise Invalid
            scope.tensors |= dict(zip(names, outputs.values(), strict=True))
        case tree.Bind(name, chain):
            scope.tensors[name] = run_chain(chain, scope, flow)
        case tree.Output(name, chain, pattern):
            shape = flow if chain is None else run_chain(chain, scope, flow)
            if shape is None or is_fed_whole(shape) or not fits(pattern, shape, scope):
                raise Invalid
            scope.call.outputs[name] = shape
        case tree.Assert() | tree.Expect():
            pass


def turns(
    statement: tree.For | tree.Repeat | tree.If, scope: Scope
) -> Iterator[tuple[tree.Body, Scope]]:
    """Each body with the names of its turn."""
    match statement:
        case tree.If(condition, then, otherwise):
            if scope.evaluate(condition):
                yield then, scope
            elif isinstance(otherwise, tree.If):
                yield from turns(otherwise, scope)
            elif otherwise is not None:
                yield otherwise, scope
        case tree.Repeat(count, body):
            turns_left = scope.evaluate(count)
            if turns_left < 0:
                raise Invalid
            for _ in range(turns_left):
                yield body, scope.inside({}, "")
        case tree.For(names, values, body):
            for value in scope.evaluate(values):
                bound = taken_apart(", ".join(names), value)
                yield body, scope.inside(bound, *bound)


def taken_apart(names: str, value: Any) -> dict[str, Any]:
    """The names of `i, (a, b)` with their parts of a value."""
    parts: list[str] = re.findall(r"\([^)]*\)|\w+", names)
    if len(parts) == 1:
        (only,) = parts
        return taken_apart(only[1:-1], value) if only.startswith("(") else {only: value}
    pairs = zip(parts, value, strict=True)
    return {name: v for part, each in pairs for name, v in taken_apart(part, each).items()}


def run_chain(chain: tree.Chain, scope: Scope, flow: Shape | None) -> Shape:
    """What the last stage makes."""
    for index, stage in enumerate(chain.stages):
        flow = run_stage(stage, scope, flow, first=index == 0)
    assert flow is not None
    return flow


def run_stage(stage: tree.Stage, scope: Scope, flow: Shape | None, *, first: bool) -> Shape:
    """One stage: a tensor's name, a group, an op, a block; then its label and its assertion."""
    target = scope.all_values().get(stage.head)
    head = scope.label(stage.head) if stage.head.startswith('"') else stage.head
    tensor = scope.call.entered if head == "in" else scope.all_tensors().get(head)
    owner: Any = None
    place = -1
    if stage.arguments is None and stage.body is None and tensor is not None:
        if not first:
            raise Invalid
        shape = tensor
    elif not stage.head or stage.head == "seq":
        assert stage.body is not None
        before = {*scope.call.owners}
        result = run_body(stage.body, scope.inside(), flow)
        if result is None:
            raise Invalid
        shape = result
        if stage.head == "seq":  # its layers are a level below: outside no `like` names them
            scope.call.owners |= dict.fromkeys({*scope.call.owners} - before, "")
    elif isinstance(target, tree.Block):
        place = scope.call.next_place()
        shape, owner, outputs = call(stage, target, scope, flow)
        if outputs and not target.input:
            raise Invalid
    else:
        op = target.name if isinstance(target, OpName) else stage.head
        if op in BARE and not first:
            raise Invalid
        if isinstance(target, OpName) and target.given:
            stage = replace(stage, arguments=tuple((k, str(v)) for k, v in target.given))
        shape, owner = apply(stage, op, scope, flow)
        place = scope.call.next_place() - 1
    if stage.like and not (owner and scope.call.owners.get(scope.label(stage.like)) == owner):
        raise Invalid  # what a sequence holds is not known here
    if stage.label and scope.label(stage.label):
        name = scope.label(stage.label)
        if name in scope.call.owners:
            raise Invalid
        scope.call.labels[name], scope.call.owners[name] = shape, owner
        scope.call.places[name] = place
    if not fits(stage.pattern, shape, scope):
        raise Invalid
    return shape


def apply(stage: tree.Stage, op: str, scope: Scope, flow: Shape | None) -> tuple[Shape, Any]:
    """An op: the shape it makes, and what says whether another can share its parameters."""
    if op not in OPS:
        raise Invalid
    given, named = arguments_of(stage, op, scope)
    if op in JOINS:
        inside = scope.inside()
        inputs = named if stage.body is None else run_branches(stage.body, inside, flow)
    elif op in BARE:
        inputs = []
    elif flow is None:
        raise Invalid
    else:
        inputs = [flow]
    if not inputs and op not in BARE:
        raise Invalid
    shape = shape_of(op, given, tuple(inputs))
    if scope.call.unrolled is not None:
        twin = scope.call.twin_of(scope.label(stage.like) if stage.like else "")
        shape = scope.call.unrolled.add(op, given, inputs, shape, twin)
    first = inputs[0] if inputs else shape
    kind = first if op in ("dense", "layernorm") else (first[0], len(first))
    held = {key: value for key, value in given.items() if key not in ("stride", "pad")}
    return shape, (op, kind, held)


def arguments_of(stage: tree.Stage, op: str, scope: Scope) -> tuple[dict[str, Any], list[Shape]]:
    """The values of the arguments by name, and the tensors that a join names."""
    given: dict[str, Any] = {}
    named: list[Shape] = []
    for index, (key, text) in enumerate(stage.arguments or ()):
        if op in JOINS and not key:
            named.append(named_tensor(text, scope))
            continue
        if not key and index >= len(POSITIONS[op]):
            raise Invalid
        if key == "like":  # a label may be another one in another call
            given[key] = named_tensor(text, scope)[1:]
        else:
            given[key or POSITIONS[op][index]] = scope.evaluate(text)
    return given, named


def named_tensor(text: str, scope: Scope) -> Shape:
    """A tensor in the call form of a join: a name, a label in quotes, `in`."""
    if text == "in":
        if scope.call.entered is None:
            raise Invalid
        return scope.call.entered
    found = scope.all_tensors().get(scope.label(text))
    if found is None:
        raise Invalid
    return found


def call(
    stage: tree.Stage, block: tree.Block, scope: Scope, flow: Shape | None
) -> tuple[Shape, Any, dict[str, Shape]]:
    """A block: what flows out of it, what says whether another call can share, its outputs."""
    if flow is None or (block.input is not None and block.name in scope.call.around):
        raise Invalid  # no net reaches itself
    given: dict[str, Any] = {}
    names = [name for name, _ in block.parameters]
    for index, (key, text) in enumerate(stage.arguments or ()):
        if not key and index >= len(names):
            raise Invalid
        value = scope.all_values().get(text)  # a block or an op has no value to evaluate to
        held = value if isinstance(value, tree.Block | OpName) else None
        held = held or OP_VALUES.get(text) or scope.evaluate(text)
        given[key or names[index]] = held
    twin = scope.call.twin_of(scope.label(stage.like) if stage.like else "")
    around = (*scope.call.around, block.name)
    inside = Call(scope.call.file, flow, unrolled=scope.call.unrolled, twin=twin, around=around)
    inside.first = inside.next_place()
    inner = Scope(inside)
    for name, default in block.parameters:
        if name in given:
            inner.values[name] = given[name]
        elif default:
            inner.values[name] = OP_VALUES.get(default) or inner.evaluate(default)
        else:
            raise Invalid
    enter(block, inner, flow)
    result = run_body(block.body, inner, flow)
    if result is None:
        raise Invalid
    return result, (block.name, flow, given), inside.outputs


def enter(block: tree.Block, inner: Scope, flow: Shape) -> None:
    """The input of a net that is called like a block: its names become the sizes that flow."""
    if block.input is None:
        return
    name, sizes = block.input
    if len(sizes) != len(flow):
        raise Invalid
    for text, size in zip(sizes, flow, strict=True):
        if text.isidentifier() and text not in inner.values:
            inner.values[text] = size
        elif inner.evaluate(text) != size:
            raise Invalid
    inner.tensors[name] = flow


def fits(pattern: tuple[str, ...] | None, shape: Shape, scope: Scope) -> bool:
    """Whether a shape is the asserted one."""
    if pattern is None:
        return True
    wanted = list(pattern)
    if "..." in wanted:
        at = wanted.index("...")
        wanted[at : at + 1] = ["_"] * (len(shape) - len(wanted) + 1)
    if len(wanted) != len(shape):
        return False
    pairs = zip(wanted, shape, strict=True)
    return all(text == "_" or scope.evaluate(text) == size for text, size in pairs)


__all__ = ["Extent", "Sizes", "run_body", "run_chain", "run_stage"]
