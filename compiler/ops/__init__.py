"""The ops of the language, one file a family; `OPS` finds those of nets by name, `LOSSES` those
that only a training has."""

from __future__ import annotations

from importlib import import_module

from compiler.ops.base import Op

FAMILIES = (
    "convolution",
    "filtering",
    "pooling",
    "global_pooling",
    "normalise",
    "activate",
    "connect",
    "joins",
    "tensors",
    "gathering",
    "reducing",
    "reshape",
    "spatial",
    "resampling",
    "slicing",
    "channels",
    "elementary",
    "scale",
)
STEP_FAMILIES = ("losses", "training")  # of the graph of a training step


def _collect(*families: str) -> dict[str, type[Op]]:
    found: dict[str, type[Op]] = {}
    for family in families:
        module = import_module(f"compiler.ops.{family}")
        for value in vars(module).values():
            if (
                isinstance(value, type)
                and issubclass(value, Op)
                and value.name
                and value.__module__ == module.__name__
            ):
                found[value.name] = value
    return found


OPS: dict[str, type[Op]] = _collect(*FAMILIES)
LOSSES: dict[str, type[Op]] = _collect("losses")
