"""`netc summary`: the table of a network."""

from __future__ import annotations

import json

import click

from netc.options import FORMAT, Choice, chooses_net


@click.command("summary")
@click.argument("file")
@FORMAT
@chooses_net
def command(file: str, form: str, choice: Choice) -> None:
    """Each layer's shape, parameters, MACs, receptive field; totals.

    FILE is a definition, a name of the library, or a model: .onnx, .prototxt, .cfg.
    """
    nets = choice.measured(file)
    if form == "json":
        click.echo(json.dumps({"nets": [net.summary() for net in nets]}, indent=2))
        return
    from netc.tables import print_summary

    for index, net in enumerate(nets):
        if index:
            click.echo()
        print_summary(net.graph, net.analysis)
