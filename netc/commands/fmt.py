"""`netc fmt`: definition files in the house style."""

from __future__ import annotations

import difflib
import stat
import sys
from pathlib import Path

import click

from grammar.diagnostics import DefinitionError
from grammar.format import format_source
from grammar.source import Source
from netc.errors import say, show
from netc.library import find, read, standard_input
from runtime.files import write_whole


@click.command("fmt")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--check", is_flag=True, help="Write nothing; name what would change, and fail.")
@click.option("--diff", is_flag=True, help="Write nothing; print what would change.")
def command(files: tuple[str, ...], check: bool, diff: bool) -> None:
    """Format definition files in place.

    The file `-` is standard input, written to standard output.
    """
    failed = False
    for file in files:
        try:
            changed = format_one(file, write=not (check or diff), diff=diff)
        except DefinitionError as error:
            show(error.diagnostics)
            failed = True
            continue
        failed = failed or (check and changed)
        if changed and check:
            say(f"would change {file}")
    sys.exit(1 if failed else 0)


def format_one(file: str, *, write: bool, diff: bool) -> bool:
    """Format a file, or show how; whether that changes it. Raises `DefinitionError`."""
    source = read_input(file, write=write)
    result = format_source(source)
    changed = result != source.text
    if diff and changed:
        say(difference(file, source.text, result).removesuffix("\n"))
    if write and file == "-":
        click.echo(result, nl=False)
    elif write and changed:
        replace_text(Path(file), result)
        say(f"formatted {file}")
    return changed


def read_input(file: str, *, write: bool) -> Source:
    """The text of a file, or of standard input; raises `CallError` when it cannot be read.

    A file to be written is no name of the library.
    """
    if file != "-":
        return read(Path(file), file) if write else find(file)[0]
    return standard_input()


def difference(file: str, before: str, after: str) -> str:
    """A unified diff."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    lines = difflib.unified_diff(old, new, file, file)
    return "".join(line if line.endswith("\n") else line + "\n" for line in lines)


def replace_text(path: Path, text: str) -> None:
    """Write a file whole, with the line ends and the mode that it had."""
    target = path.resolve()
    windows = b"\r\n" in target.read_bytes()
    mode = stat.S_IMODE(target.stat().st_mode)
    write_whole(target, (text.replace("\n", "\r\n") if windows else text).encode())
    target.chmod(mode)
