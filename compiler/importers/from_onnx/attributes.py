"""What ONNX's own schemas say of an operator: its attributes, how many inputs and outputs.

A runtime refuses a model whose operator has an attribute that its schema does not know, or of
another type; so does the importer.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import onnx
from onnx.defs import OpSchema, SchemaError, get_schema

from compiler.importers.builder import Refused
from compiler.importers.from_onnx.operators import Operator
from grammar.diagnostics import did_you_mean

# They choose among ways to compute the same, or speak of training.
IDLE = frozenset({"consumed_inputs", "is_test", "seed", "storage_order"})

# Runtimes differ in what they take other numbers than 0 and 1 for.
FLAGS = frozenset(
    {
        *(
            "allowzero",
            "antialias",
            "ceil_mode",
            "count_include_pad",
            "exclude_outside",
            "keepdims",
        ),
        *("noop_with_empty_axes", "training_mode", "transA", "transB"),
    }
)


@cache
def schema_of(type: str, opset: int) -> OpSchema | None:
    """The schema of an operator of ONNX's own domain at an opset; None where there is none."""
    try:
        return get_schema(type, opset, "")
    except SchemaError:
        return None


def check_operator(operator: Operator, opset: int) -> None:
    """Raise `Refused` for what no runtime would take."""
    schema = schema_of(operator.type, opset)
    if schema is None:
        return
    for name, value in operator.attributes.items():
        if name not in schema.attributes:
            raise Refused(
                f"it has no attribute {name} at opset {opset}",
                did_you_mean(name, schema.attributes),
            )
        wanted = schema.attributes[name].type
        if wanted not in types_of(value):
            kind = str(wanted).rpartition(".")[2].lower()
            raise Refused(f"its attribute {name} is of type {kind}")
        if name in FLAGS and value not in (0, 1):
            raise Refused(f"its {name} is {value}, neither 0 nor 1")
    for what, count, most in (
        ("inputs", len(operator.inputs), schema.max_input),
        ("outputs", len(operator.outputs), schema.max_output),
    ):
        if count > most:
            raise Refused(f"it has {count} {what}, of which it takes {most} at most")


Kinds = OpSchema.AttrType
LISTS = {int: Kinds.INTS, float: Kinds.FLOATS, str: Kinds.STRINGS}
SINGLE = {int: Kinds.INT, float: Kinds.FLOAT, str: Kinds.STRING}


def types_of(value: object) -> Iterable[OpSchema.AttrType]:
    """The types that an attribute's value may have: an empty list any, a message its own."""
    if isinstance(value, tuple):
        return {LISTS.get(type(v), Kinds.TENSORS) for v in value} or {*LISTS.values()}
    if type(value) in SINGLE:
        return {SINGLE[type(value)]}
    if isinstance(value, onnx.TensorProto):
        return {Kinds.TENSOR}
    return {kind for kind in vars(Kinds).values() if isinstance(kind, Kinds)}


def unread(operator: Operator, opset: int, read: set[str]) -> list[str]:
    """The attributes that nobody asked for and that are not what they are when left out."""
    schema = schema_of(operator.type, opset)
    if schema is None:
        return []
    return [
        name
        for name, value in operator.attributes.items()
        if name not in read | IDLE and value != default_of(schema, name)
    ]


def default_of(schema: OpSchema, name: str) -> object:
    """The value of an attribute that is left out; None where there is none."""
    attribute = schema.attributes[name].default_value
    if not attribute.name:
        return None
    value = onnx.helper.get_attribute_value(attribute)
    return value.decode() if isinstance(value, bytes) else value
