"""`netc summary`: the table of a network."""

from __future__ import annotations

import json

import click

from netc.errors import say
from netc.options import FORMAT, NetChoice, chooses_net, counted, takes_shapes
from runtime.errors import CallError

SORTS = ("params", "macs", "memory")


@click.command("summary")
@click.argument("file")
@counted(
    "--depth",
    metavar="N",
    least=0,
    help="Levels of blocks that are open; by default all, or as many as fit on a screen.",
)
@click.option("--tree", is_flag=True, help="Blocks with their sums above what they hold.")
@click.option("--sort", type=click.Choice(SORTS), help="The largest first.")
@click.option("--short", is_flag=True, help="Counts as 1.58 G.")
@click.option(
    "--bars", is_flag=True, help="Each row's share of the MACs (sorted by params: of them)."
)
@click.option("--train", metavar="NAME", help="The memory that a step of this training takes.")
@click.option(
    "--checkpoint", is_flag=True, help="Of a step that works activations out twice, not keeps them."
)
@FORMAT
@chooses_net
@takes_shapes
def command(
    file: str,
    depth: int | None,
    tree: bool,
    sort: str | None,
    short: bool,
    bars: bool,
    train: str | None,
    checkpoint: bool,
    form: str,
    choice: NetChoice,
) -> None:
    """Each layer's shape, parameters, MACs, receptive field; totals.

    FILE is a definition, a name of the library, or a model: .onnx, .prototxt, .cfg. The table is as
    wide as the terminal (or COLUMNS): where it is narrow columns give way, never digits.

    With --train: the memory of a step of that training, run as netc train runs it.
    """
    if train is not None:
        from netc.stepping import step_memories, tell_memories

        found = step_memories(file, train, choice, checkpoint)
        if form == "json":
            say(json.dumps({"training": train, "steps": found}, indent=2))
        else:
            tell_memories(found, train)
        return
    if checkpoint:
        raise CallError("--checkpoint is of a step: it goes with --train")
    if tree and sort:
        raise CallError("--tree keeps the order of the definition; --sort does not go with it")
    nets = choice.measured(file)
    if form == "json":
        say(json.dumps({"nets": [net.summary() for net in nets]}, indent=2))
        return
    from netc.layer_table import Look
    from netc.tables import print_summary
    from netc.tabular import page

    look, paper = Look(depth, tree, sort, short, bars), page()
    for index, net in enumerate(nets):
        if index:
            say()
        print_summary(net.graph, net.analysis, look, paper)
