"""The ops of the language, one file a family; `OPS` finds them by name."""

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
    "reshape",
    "spatial",
    "resampling",
    "slicing",
    "channels",
    "elementary",
    "scale",
)


def _collect() -> dict[str, type[Op]]:
    found: dict[str, type[Op]] = {}
    for family in FAMILIES:
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


OPS: dict[str, type[Op]] = _collect()
