"""The command line from its first moment to its last: signals and streams.

Only the standard library is imported before Ctrl-C and closed streams are seen to.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from typing import Any, NoReturn

INTERRUPTED = 130
COLLECTED = (50_000, 20, 100)  # what a command makes mostly lives as long as it: look seldom


def start() -> NoReturn:
    """The command `netc`."""
    signal.signal(signal.SIGINT, leave)
    open_streams()
    gc.set_threshold(*COLLECTED)
    code = run()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the work is done
    sys.exit(last_words(code))


def leave(number: int, frame: Any) -> NoReturn:
    """Ctrl-C, at any moment: nothing half written stays, one line, exit code 130.

    An exception would be lost in a callback, or be told of as the fault of whatever was being
    imported. A command that has something to finish first takes the signal for itself.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    abandon = getattr(sys.modules.get("runtime.files"), "abandon", None)
    if abandon is not None:
        abandon()
    shown = b"\x1b[?25h" if os.isatty(2) else b""  # a progress bar hides the cursor
    try:
        os.write(2, shown + b"interrupted\n")
    finally:
        os._exit(INTERRUPTED)


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


def run() -> int:
    """The command; its exit code."""
    import click

    from netc.main import main

    try:
        code = main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except SystemExit as end:
        code = end.code
    return code if isinstance(code, int) else 0


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
