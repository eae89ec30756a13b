"""The command line: finds the command's file by its name and imports only that."""

from __future__ import annotations

import gc
import keyword
from importlib import import_module
from typing import Any

import click

from netc import __version__
from netc.errors import reported

COMMANDS = (
    "check",
    "summary",
    "compile",
    "run",
    "train",
    "verify",
    "import",
    "bench",
    "quantize",
    "weights",
    "explain",
    "plot",
    "diff",
    "watch",
    "fmt",
    "list",
    "doctor",
    "lsp",
)


class Commands(click.Group):
    """The group of all commands, each imported from `netc/commands/` when it is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order of a first day's work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command of this name."""
        if name not in COMMANDS:
            return None
        module = f"{name}_" if keyword.iskeyword(name) else name
        command = import_module(f"netc.commands.{module}").command
        assert isinstance(command, click.Command)
        gc.freeze()  # what is loaded by now stays: no collection need look through it again
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, and remember the words that it is called with."""
        ctx.meta[__name__] += args
        return super().resolve_command(ctx, args)

    def make_context(self, *arguments: Any, **extra: Any) -> click.Context:
        """Take the command line, or print the help that it asks for."""
        with reported():
            return super().make_context(*arguments, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, failures reported with their exit codes."""
        words: list[str] = ctx.meta.setdefault(__name__, [])
        with reported(words):
            return super().invoke(ctx)


EPILOG = """\b
FILE is a definition, or a name of the library (netc list).
Exit codes: 0 done, 1 the definition is at fault, 2 the call, 3 the machine."""


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EPILOG)
@click.version_option(__version__, prog_name="netc")
def main() -> None:
    """The network definition compiler: check, measure, compile, run and verify."""
