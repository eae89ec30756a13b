"""A whole `netc check` process against the import of torch alone."""

from __future__ import annotations

from benchmarks.measure import Options, Row, Timing, clocked, in_turn, lacks, netc, process

FILE = "netdefs/resnet.netdef"


def rows(options: Options) -> list[Row]:
    """At most a quarter of `import torch`."""
    name = f"check {FILE}, cold"
    missing = lacks(options.torch, ("torch",))
    if missing:
        return [Row(name, skipped=missing)]
    found = in_turn(
        {
            "ours": netc("check", FILE),
            "torch": clocked(lambda: process(options.torch, "-c", "import torch")),
        },
        options.runs,
    )
    ours, theirs = Timing("netc check", found["ours"]), Timing("import torch", found["torch"])
    return [Row(name, ours, theirs, bound=0.25)]
