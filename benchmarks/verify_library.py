"""Every net of the library on NumPy (float64) and on ONNX Runtime, compared at every layer.

    python benchmarks/verify_library.py [--device cpu|cuda] [NET …]

Prints a table: parameters, layers compared, the largest relative difference of a tensor (largest
difference over largest magnitude) and where, the largest share of its tolerance that a difference
took, seconds. Fails when a relative difference reaches 1e-4 on the CPU (1e-3 on CUDA). All nets run
at full width, two random samples each; VGG takes 4 GB of memory.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import netc
from netc.library import library_nets
from runtime.verify.tolerance import TOLERANCES

SETTINGS: dict[str, tuple[dict[str, Any], ...]] = {"googlenet": ({}, {"aux": True})}
COLUMNS = "{:28} {:>12} {:>7} {:>10}  {:>9} {:>8}  {}"


def main() -> int:
    """The exit code: 1 when some net differs."""
    parser = argparse.ArgumentParser(description="Verify every net of the library.")
    parser.add_argument("nets", nargs="*", metavar="NET", help="these only")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    given = parser.parse_args()
    limit = TOLERANCES[given.device][0]
    print(COLUMNS.format("net", "params", "layers", "relative", "tolerance", "seconds", "where"))
    failed = []
    for name in given.nets or sorted(library_nets()):
        for settings in SETTINGS.get(name, ({},)):
            net = netc.load(name, name, **settings)
            begin = time.perf_counter()
            found = net.verify(device=given.device)
            seconds = time.perf_counter() - begin
            label = " ".join([name, *(f"{key}={value}" for key, value in settings.items())])
            print(
                COLUMNS.format(
                    label,
                    f"{net.analysis.parameters:,}",
                    found.nodes,
                    f"{found.relative:.1e}",
                    f"{found.worst:.1%}",
                    f"{seconds:.1f}",
                    found.relative_node,
                ),
                flush=True,
            )
            if not found.ok or found.relative >= limit:
                failed.append(label)
    print(f"differ: {', '.join(failed)}" if failed else f"all below {limit:g}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
