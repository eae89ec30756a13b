"""Print the conformance report; exit code 1 when a case fails."""

from __future__ import annotations

import sys

from tests.conformance.light import NAMES, run_light
from tests.conformance.report import run_core, run_exports


def main() -> int:
    """Run everything, a section each."""
    failed = False
    for title, run in (
        ("ONNX node tests of the core, on the NumPy interpreter", run_core),
        ("models that PyTorch exported, on the NumPy interpreter", run_exports),
    ):
        report = run()
        failed = failed or bool(report.failed)
        print(f"== {title}", *report.lines(), sep="\n")
    print("== whole networks of the onnx package, on NumPy and ONNX Runtime")
    for name in NAMES:
        agrees = run_light(name).agrees()
        failed = failed or not agrees
        print(
            f"{name}: {'agrees with' if agrees else 'DIFFERS FROM'} the expected output both ways"
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
