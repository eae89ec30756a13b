"""`netc lsp`: the language server."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from netc.options import INCLUDE
from runtime.errors import MachineError


@click.command("lsp")
@click.option("--stdio", is_flag=True, help="Talk over standard input and output, as always.")
@INCLUDE
def command(stdio: bool, include: tuple[Path, ...]) -> None:
    """Serve an editor over the Language Server Protocol."""
    try:
        from netc.lsp.features import serve
    except ModuleNotFoundError as error:
        raise MachineError(
            f"the language server needs a library that is missing: {error.name}",
            "pip install '.[lsp]' in a checkout of netc",
        ) from None
    sys.exit(0 if serve(tuple(folder.resolve() for folder in include)) else 1)
