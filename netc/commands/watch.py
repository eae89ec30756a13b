"""`netc watch`: check again whenever the file, or one that it uses, is saved."""

from __future__ import annotations

import time
from pathlib import Path

import click

from compiler.driver import all_found
from netc.errors import show
from netc.library import find
from netc.options import Choice, chooses_net
from netc.watching import changes


@click.command("watch")
@click.argument("file")
@chooses_net
def command(file: str, choice: Choice) -> None:
    """Check a definition on each save until interrupted."""
    paths = {find(file)[0].path or Path(file)}

    def watched() -> set[Path]:
        return paths

    try:
        for _ in changes(watched):
            click.clear()
            paths.update(check_once(file, choice))
            click.echo(f"{time.strftime('%H:%M:%S')}  watching {file}; Ctrl-C ends")
    except KeyboardInterrupt:
        click.echo()


def check_once(file: str, choice: Choice) -> set[Path]:
    """Check and report; the files that were read."""
    module, checked_nets = choice.examined(file)
    found = all_found(module, (checked for _, checked in checked_nets))
    show(found)
    for block, checked in checked_nets:
        if checked.analysis is not None and not checked.errors:
            click.echo(f"{block.name} is fine")
    used = {d.span.source.path for d in found if d.span.source.path}
    return used | {
        node.span.source.path
        for _, checked in checked_nets
        for node in checked.graph.nodes()
        if node.span.source.path
    }
