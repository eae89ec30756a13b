"""`python -m tests.differential --count 2000`: random nets, run every way there is."""

from __future__ import annotations

import time

import click

from tests.differential.agreement import check
from tests.differential.campaign import Summary, run
from tests.differential.gradients import check_gradients

EVERY = 10.0  # seconds from one line of progress to the next


@click.command()
@click.option("--count", default=2000, show_default=True, help="How many different nets.")
@click.option("--seed", default=0, show_default=True, help="The first batch's seed.")
@click.option("--gradients", is_flag=True, help="Hold the derivatives of each against NumPy's.")
def main(count: int, seed: int, gradients: bool) -> None:
    """Draw random valid definitions and hold all accounts of each against one another.

    Exits with 1 when there is a difference; each is shrunk to a minimal definition and printed
    with the command that repeats it.
    """
    last = time.perf_counter()

    def progress(summary: Summary) -> None:
        nonlocal last
        if time.perf_counter() - last > EVERY:
            last = time.perf_counter()
            click.echo(f"{summary.findings.nets} of {count} nets", err=True)

    hold = check_gradients if gradients else check
    summary = run(count, seed, lambda text: click.echo(f"{text}\n"), progress, hold)
    for line in summary.lines():
        click.echo(line)
    raise SystemExit(1 if summary.failures else 0)


if __name__ == "__main__":
    main()
