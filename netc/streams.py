"""Standard output and its brothers: closed, broken or full, and what is said of it then."""

from __future__ import annotations

import os
import sys
from typing import Any


def open_streams() -> None:
    """Make standard streams that are closed empty ones.

    Else the next file that is opened would be one of them, and be printed into.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "r+" if number else "r", closefd=False))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def last_words(code: int) -> int:
    """Flush what was printed; the exit code, which is 3 when it could not be."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            silence(stream)
        except OSError as error:
            silence(stream)
            if stream is sys.stdout and code == 0:
                print(f"error: the output cannot be written: {error.strerror}", file=sys.stderr)
                code = 3
        except ValueError:  # the stream is closed
            pass
    return code


def silence(stream: Any) -> None:
    """Let what is printed from now on, and what could not be, go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
