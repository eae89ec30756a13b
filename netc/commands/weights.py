"""`netc weights`: the arrays that a definition wants, and whether a file has them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from netc.errors import say
from netc.options import FORMAT, NetChoice, chooses_net, takes_renames, weights_file


@click.command("weights")
@click.argument("file")
@click.option(
    "--compare",
    type=click.Path(path_type=Path),
    metavar="W",
    help="Hold this file of weights against the definition, and suggest renames.",
)
@takes_renames
@FORMAT
@chooses_net
def command(
    file: str,
    compare: Path | None,
    rename: tuple[str, ...],
    rename_file: Path | None,
    form: str,
    choice: NetChoice,
) -> None:
    """List the arrays that a net wants, or check a file of them."""
    from runtime.weights.wanted import wanted_arrays

    weights = weights_file(compare, rename, rename_file, "--compare")
    net = choice.single(file)
    if weights is not None:
        from runtime.weights.fit import compare_weights, open_renamed

        fit = compare_weights(net.graph, open_renamed(weights))
        say(json.dumps(fit.as_dict(), indent=2) if form == "json" else fit.report())
        sys.exit(0 if fit.ok else 2)
    arrays = list(wanted_arrays(net.graph).values())
    if form == "json":
        listed = [array.as_dict() for array in arrays]
        say(json.dumps({"net": net.name, "arrays": listed}, indent=2))
        return
    if not arrays:
        say(f"no layer of {net.name} has weights")
        return
    from netc.tables import print_weights

    print_weights(net.name, arrays)
