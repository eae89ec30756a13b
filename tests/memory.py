"""How much memory an action takes at its peak."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

STATUS = Path("/proc/self/status")
RESET = Path("/proc/self/clear_refs")


def peak_of(action: Callable[[], object]) -> int:
    """The bytes by which the process's resident memory rose above its level before, at most.

    Everything counts, whatever allocated it. Skips the test where the system cannot tell.
    """
    try:
        RESET.write_text("5")  # the high-water mark begins anew
        before = field("VmRSS")
    except OSError:
        pytest.skip("the peak of the resident memory is known on Linux only")
    action()
    return max(0, field("VmHWM") - before)


def field(name: str) -> int:
    """A size of /proc/self/status in bytes."""
    for line in STATUS.read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"no {name}")
