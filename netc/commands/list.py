"""`netc list`: the library."""

from __future__ import annotations

import json

import click

from netc.errors import say
from netc.library import library_nets, open_module
from netc.options import FORMAT


@click.command("list")
@FORMAT
def command(form: str) -> None:
    """The networks that come with netc."""
    rows = []
    for path in dict.fromkeys(library_nets().values()):
        module, _ = open_module(str(path))
        for net in module.nets():
            first = (net.definition.doc.splitlines() or [""])[0]
            rows.append((net.name, path.name, first))
    if form == "json":
        say(json.dumps([{"net": n, "file": f, "doc": d} for n, f, d in rows], indent=2))
        return
    from netc.tables import print_library

    print_library(rows)
