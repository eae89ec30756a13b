"""`netc lsp`: the language server."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from runtime.errors import MachineError


@click.command("lsp")
@click.option("--stdio", is_flag=True, help="Talk over standard input and output, as always.")
@click.option(
    "-I",
    "include",
    multiple=True,
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder in which `use` may look; may be repeated.",
)
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
