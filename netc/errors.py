"""Every expected failure as its message and exit code.

0 done; 1 the definition is at fault; 2 the call is at fault; 3 the machine cannot.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import click

from compiler.onnx.precision import PrecisionError
from grammar.diagnostics import DefinitionError, Diagnostic, Part, printable_lines, render
from grammar.unforeseen import CODE, REPORT, own_error
from netc.streams import silence
from runtime.errors import CallError, MachineError
from runtime.files import FULL

MOST_WARNINGS = 100  # that are shown to people; `--format json` has all


def say(text: str = "", *, err: bool = False) -> bool:
    """Tell a person something; names from files in it may hold anything. Whether anybody listens.

    Where nobody does any more, the work goes on all the same.
    """
    return write(printable_lines(text), err=err)


def write(text: str, *, err: bool = False) -> bool:
    """Print a text that is fine as it is, colours in it; whether anybody listens."""
    try:
        click.echo(text, err=err)
    except BrokenPipeError:
        silence(sys.stderr if err else sys.stdout)
        return False
    return True


def fail(code: int, message: str) -> NoReturn:
    """Say it on standard error and stop."""
    say(message, err=True)
    sys.exit(code)


def show(diagnostics: Sequence[Diagnostic]) -> None:
    """Diagnostics on standard error, coloured on a terminal, and a count."""
    warnings = [d for d in diagnostics if d.severity == "warning"]
    left_out = set(map(id, warnings[MOST_WARNINGS:]))  # errors end by themselves
    for diagnostic in diagnostics:
        if id(diagnostic) in left_out:
            continue
        write(coloured(diagnostic) + "\n", err=True)
    if left_out:
        say(f"and {len(left_out):,} more warnings", err=True)
    errors = sum(d.severity == "error" for d in diagnostics)
    if errors:
        say(f"{errors} error{'s' if errors != 1 else ''}", err=True)


def coloured(diagnostic: Diagnostic) -> str:
    """A diagnostic as the terminal gets it: its head and underline, its margin, its help."""
    colour = "red" if diagnostic.severity == "error" else "yellow"
    colours = {"head": colour, "underline": colour, "margin": "blue", "help": "green"}

    def paint(text: str, part: Part) -> str:
        word, rest = text, ""
        if part == "help":
            word, rest = text[: len("help:")], text[len("help:") :]
        return click.style(word, fg=colours[part], bold=True) + rest if part in colours else text

    return render(diagnostic, paint)


@contextmanager
def reported(words: Sequence[str] = ()) -> Iterator[None]:
    """Turn a failure into its message and exit code; `words` are those of the call.

    One that nobody foresaw is a line as well. Click's own exceptions are left to Click.
    """
    try:
        yield
    except DefinitionError as error:
        show(error.diagnostics)
        sys.exit(1)
    except (CallError, PrecisionError) as error:
        fail(2, f"error: {error}")
    except MachineError as error:
        fail(3, f"error: {error}\nhelp: {error.remedy}")
    except MemoryError:
        fail(3, "error: this network needs more memory than there is")
    except ImportError as error:
        help = "netc doctor looks at the installation; install netc again from its checkout"
        fail(3, f"error: a library is missing: {error}\nhelp: {help}")
    except BrokenPipeError:  # whoever read our output has what they wanted
        silence(sys.stdout)
        sys.exit(0)
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        fail(3 if error.errno in FULL else 2, f"error: {error.strerror or error}{where}")
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Exception as error:
        if os.environ.get("NETC_TRACEBACK"):
            import traceback

            traceback.print_exc()
        files = [word for word in words if Path(word).suffix and not word.startswith("-")]
        fail(3, f"error[{CODE}]: {': '.join([*files[:1], own_error(error)])}; {REPORT}")
