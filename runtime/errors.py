"""What may go wrong besides the definition: the call, or the machine."""

from __future__ import annotations

import re


class CallError(ValueError):
    """The call is at fault, not the definition: exit code 2."""


class MachineError(Exception):
    """This machine cannot do what was asked (exit code 3); `remedy` says what would help."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def first_line(error: BaseException) -> str:
    """The first line of what an error says, or its kind; no place in ONNX Runtime's source."""
    first = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return re.sub(r"/\S+\.(cc|h):\d+ .*?\) (?=\S)", "", first)
