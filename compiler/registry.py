"""Tables of functions: what each op, or each operator of another format, means in one place.

A meaning (ONNX, NumPy, a format that is read) is one table. Its functions stand in files of their
own and enter themselves with a decorator; the files are loaded when the table is first asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from functools import cached_property
from importlib import import_module
from typing import Any, TypeVar

K = TypeVar("K")
F = TypeVar("F", bound=Callable[..., Any])
G = TypeVar("G", bound=Callable[..., Any])


class Registry(MutableMapping[K, F]):
    """The functions by what they give a meaning to.

    `package` is where the files named `files` stand. `unsupported` says of each key that has no
    function on purpose why it has none.
    """

    def __init__(
        self, package: str, files: Sequence[str], unsupported: Mapping[K, str] | None = None
    ) -> None:
        self.unsupported = dict(unsupported or {})
        self._missing = [f"{package}.{file}" for file in reversed(files)]
        self._functions: dict[K, F] = {}

    def register(self, *keys: K) -> Callable[[G], G]:
        """Enter the decorated function for some keys, each of which may have one only."""

        def enter(function: G) -> G:
            for key in keys:
                assert key not in self._functions, f"{key} is registered twice"
                self._functions[key] = function  # type: ignore[assignment]
            return function

        return enter

    @cached_property
    def functions(self) -> dict[K, F]:
        """All of them, every file loaded."""
        while self._missing:
            import_module(self._missing.pop())
        return self._functions

    def __getitem__(self, key: K) -> F:
        return self.functions[key]

    def __setitem__(self, key: K, function: F) -> None:
        self.functions[key] = function

    def __delitem__(self, key: K) -> None:
        del self.functions[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self.functions)

    def __len__(self) -> int:
        return len(self.functions)
