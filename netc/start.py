"""The command line from its first moment to its last.

Nothing but the standard library, and what is said of streams by it alone, is imported before Ctrl-C
and closed streams are seen to.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from typing import Any, NoReturn

from netc.streams import last_words, open_streams

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
