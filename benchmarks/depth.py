"""The 1202-layer network: its check as a whole, and the cost of a layer against a shorter net.

`python -m benchmarks.depth NET` prints the microseconds that a layer of the net takes, in a process
that checks nothing else.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from benchmarks.measure import Options, Row, Timing, in_turn, netc, process
from compiler.driver import check_net
from netc.library import choose_net, open_module


def rows(options: Options) -> list[Row]:
    """Under 1.5 s; a layer of 1202 costs at most 1.3 times one of 110."""
    found = in_turn(
        {
            "whole": netc("check", "resnet1202"),
            "short": a_layer_of("resnet110"),
            "deep": a_layer_of("resnet1202"),
        },
        options.runs,
    )
    deep = Timing("resnet1202, a layer", found["deep"], "µs")
    short = Timing("resnet110, a layer", found["short"], "µs")
    return [
        Row("check resnet1202, whole process", Timing("netc check", found["whole"]), bound=1.5),
        Row("check, cost of a layer", deep, short, bound=1.3),
    ]


def a_layer_of(name: str) -> Callable[[], float]:
    """What a process of its own says of a net."""
    return lambda: float(process(sys.executable, "-m", "benchmarks.depth", name).stdout)


def main(name: str) -> None:
    """Check the net once."""
    module, _ = open_module(name)
    net = choose_net(module, name)
    start = time.perf_counter()
    layers = len(check_net(net).graph)
    print(1e6 * (time.perf_counter() - start) / layers)


if __name__ == "__main__":
    main(sys.argv[1])
