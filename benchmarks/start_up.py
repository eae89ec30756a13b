"""What a command costs before it does anything, against importing what it needs anyway."""

from __future__ import annotations

import sys

from benchmarks.measure import Options, Row, Timing, clocked, in_turn, netc, process

LIBRARIES = "import lark, click, rich"
BOUNDS = {("--help",): 1.5, ("check", "lenet5"): 2.2}


def rows(options: Options) -> list[Row]:
    """`--help` and a check of a small net in multiples of the import of lark, click and rich."""
    runs = {" ".join(call): netc(*call) for call in BOUNDS}
    libraries = clocked(lambda: process(sys.executable, "-c", LIBRARIES))
    found = in_turn(runs | {LIBRARIES: libraries}, options.runs)
    theirs = Timing(LIBRARIES, found[LIBRARIES])
    return [
        Row(f"netc {name}", Timing("netc", found[name]), theirs, bound=bound)
        for name, bound in zip(runs, BOUNDS.values(), strict=True)
    ]
