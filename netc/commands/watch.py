"""`netc watch`: check again whenever the file, or one that it uses, is saved."""

from __future__ import annotations

import time

import click

from compiler.driver import all_found
from netc.errors import say, show
from netc.library import find
from netc.options import NetChoice, chooses_net
from netc.watching import changes
from runtime.errors import CallError


@click.command("watch")
@click.argument("file")
@chooses_net
def command(file: str, choice: NetChoice) -> None:
    """Check a definition on each save until interrupted."""
    path = find(file)[0].path
    seen = choice.files.seen  # with each file that a check reads, or looks for
    if path is not None:
        seen.add(path)
    for _ in changes(lambda: seen):
        click.clear()
        check_once(file, choice)
        if not say(f"{time.strftime('%H:%M:%S')}  watching {file}; Ctrl-C ends"):
            break


def check_once(file: str, choice: NetChoice) -> None:
    """Check and report; a file that is gone, or has no such net, may be back at the next save."""
    try:
        module, checked_nets = choice.examined(file)
    except CallError as error:
        say(f"error: {error}", err=True)
        return
    found = all_found(module, (checked for _, checked in checked_nets))
    show(found)
    for block, checked in checked_nets if not any(d.severity == "error" for d in found) else ():
        if checked.analysis is not None:
            say(f"{block.name} is fine")
