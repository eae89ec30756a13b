"""`python -m benchmarks [NAME…]`: everything, or those of these files, in one table."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from benchmarks.measure import THREADS, Options, Row
from benchmarks.table import as_json, print_table

BENCHMARKS = (
    "cold_start",
    "start_up",
    "depth",
    "export",
    "interpreter",
    "memory",
    "inference",
    "training",
    "step_memory",
    "accuracy",
    "language_server",
    "growth",
    "importing",
    "serving",
    "engines",
    "ray",
)


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME…]")
@click.option(
    "--runs", default=7, show_default=True, type=click.IntRange(1), help="Rounds counted."
)
@click.option(
    "--torch",
    default=sys.executable,
    metavar="PYTHON",
    help="The Python that has torch; this one by default.",
)
@click.option("--busy", is_flag=True, help="Others use this machine: inference in CPU time.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def main(names: tuple[str, ...], runs: int, torch: str, busy: bool, form: str) -> None:
    """Measure netc against its yardsticks; the exit code is 1 when a bound is not kept."""
    for name in names:
        if name not in BENCHMARKS:
            raise click.UsageError(f"no benchmark {name}; there are {', '.join(BENCHMARKS)}")
    # NumPy reads it when it is first imported, which the benchmarks do.
    os.environ["OPENBLAS_NUM_THREADS"] = str(THREADS)
    # Both sides by the kernels of this processor: ONNX Runtime has no such variable.
    os.environ.pop("OPENBLAS_CORETYPE", None)
    rows: list[Row] = []
    for name in names or BENCHMARKS:
        click.echo(f"measuring {name}", err=True)
        rows += import_module(f"benchmarks.{name}").rows(Options(runs, torch, busy))
    if form == "json":
        click.echo(as_json(rows))
    else:
        print_table(rows)
    sys.exit(1 if any(row.ok is False for row in rows) else 0)


if __name__ == "__main__":
    main()
