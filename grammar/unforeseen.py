"""Errors that nobody foresaw: told in one line that says where, and how to report it."""

from __future__ import annotations

import traceback

CODE = "E901"
REPORT = "please report it, with this line and the file"


def own_error(error: Exception) -> str:
    """What happened, in one line: `netc met an error of its own (KeyError: 'size', x.py:75)`."""
    first = (str(error).splitlines() or [""])[0]
    kind = type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    notes = " ".join(getattr(error, "__notes__", ()))
    rendered = ", ".join(filter(None, [f"{kind}: {first}" if first else kind, place, notes]))
    return f"netc met an error of its own ({rendered})"
