"""What a caller in Python gives, as netc takes it; what goes wrong, as netc's own errors."""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from compiler.importers.imported import UnreadableError
from compiler.onnx.precision import PrecisionError
from compiler.ops.arguments import Extent
from compiler.options import CompileOptions
from compiler.symbols.modules import Closure
from grammar.diagnostics import DefinitionError
from runtime.errors import CallError, MachineError

P = ParamSpec("P")
Result = TypeVar("Result")


def documented(function: Callable[P, Result]) -> Callable[P, Result]:
    """A function of the public interface: it raises nothing but its documented errors.

    `DefinitionError`, `CallError` and `MachineError`, whose tracebacks end at the call: what netc
    did inside is of no use to the caller (the environment's NETC_TRACEBACK keeps it).
    """

    @wraps(function)
    def wrapped(*arguments: P.args, **named: P.kwargs) -> Result:
        __tracebackhide__ = True  # IPython and pytest leave this frame out too
        try:
            return function(*arguments, **named)
        except (DefinitionError, CallError, MachineError) as error:
            told: Exception = error
        except (PrecisionError, UnreadableError) as error:
            told = CallError(str(error)).with_traceback(error.__traceback__)
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            told = CallError(f"{where}{error.strerror or error}")
            told.with_traceback(error.__traceback__)
        if os.environ.get("NETC_TRACEBACK"):
            raise told
        raise told.with_traceback(None) from None

    return wrapped


def path_of(value: Any) -> Path:
    """A path; raises `CallError` for what is none."""
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if not isinstance(value, str):
        raise CallError(f"a path is text or a Path, not {kind_of(value)}")
    return Path(value)


def text_of(name: str, value: Any) -> str:
    """A text; raises `CallError` for what is none."""
    if not isinstance(value, str):
        raise CallError(f"{name} is text, not {kind_of(value)}")
    return value


def list_of(name: str, value: Any) -> list[Any]:
    """The items of a list; raises `CallError` for a text, or what has none."""
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise CallError(f"{name} is a list, not {kind_of(value)}")
    return list(value)


def one_of(name: str, value: Any, choices: Sequence[str]) -> None:
    """Raise `CallError` unless a value is among the choices."""
    if not isinstance(value, str) or value not in choices:
        raise CallError(f"there is no {name} {value}; it is one of {', '.join(choices)}")


def compile_options(options: CompileOptions) -> CompileOptions:
    """The same with whole numbers as such; raises `CallError` for what cannot be asked for."""
    if options.embed is not None:
        one_of("layout", options.embed, ("nhwc", "nchw"))
        if options.io_dtype != "f32":
            raise CallError("inputs are pixels with --embed-preprocess, no --io-dtype")
    opset, batch = options.opset, options.batch
    return replace(
        options,
        seed=whole("seed", options.seed, 0),
        opset=None if opset is None else whole("opset", opset),
        batch=None if batch is None else whole("batch", batch, 1),
    )


def whole(name: str, value: Any, least: int | None = None) -> int:
    """A whole number, NumPy's too; raises `CallError` for another value, or one below `least`."""
    try:
        number = operator.index(value)
    except TypeError:
        raise CallError(f"{name} is a whole number, not {kind_of(value)}") from None
    if least is not None and number < least:
        raise CallError(f"{name} is at least {least}, not {number}")
    return number


def language_value(name: str, value: Any) -> Any:
    """A value of the definition language: NumPy's numbers and arrays as numbers and lists.

    Raises `CallError` for what the language has not.
    """
    if hasattr(value, "tolist"):  # NumPy's; the plain types have no such method
        value = value.tolist()
    if isinstance(value, list | tuple):
        return type(value)([language_value(name, item) for item in value])
    if isinstance(value, bool | int | float | str | Extent | Closure | type):
        return value
    raise CallError(f"{name} is {kind_of(value)}, which is no value of a definition")


def kind_of(value: Any) -> str:
    """What a value is, for messages."""
    return "nothing" if value is None else f"of type {type(value).__name__}"
