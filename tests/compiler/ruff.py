"""What ruff says of Python that netc writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

RUFF = Path(sys.executable).with_name("ruff")
MORE = "--select=E,F,W,I,B,UP,C4,SIM,PIE,RUF,PTH"


def complaints(folder: Path) -> str:
    """What it finds in a folder by the rules that it has of itself, and by more."""
    call = [str(RUFF), "check", "--isolated", "--no-cache", "--quiet", "--line-length=100"]
    return "".join(
        subprocess.run([*call, *rules, str(folder)], capture_output=True, text=True).stdout
        for rules in ([], [MORE])
    )
