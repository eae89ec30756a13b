"""Print the conformance report; exit code 1 when a case fails."""

from __future__ import annotations

import sys

from tests.conformance.report import run_core

if __name__ == "__main__":
    report = run_core()
    print("\n".join(report.lines()))
    sys.exit(1 if report.failed else 0)
