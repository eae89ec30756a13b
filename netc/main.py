"""The command line: finds the command's file by its name and imports only that."""

from __future__ import annotations

import gc
import keyword
from importlib import import_module
from typing import Any

import click

from netc import __version__

# What `netc --help` says of each, in the order of a first day's work; a test holds it against them.
COMMANDS = {
    "check": "Find every mistake in definition files.",
    "summary": "Each layer's shape, parameters, MACs, receptive field; totals.",
    "compile": "Compile a net, or a step of a training, to an ONNX file.",
    "run": "Run a definition or an ONNX model on pictures or arrays.",
    "serve": "Serve a definition or an ONNX model over HTTP.",
    "train": "Train a net as a `train` item says.",
    "verify": "Compare NumPy with ONNX Runtime at every layer.",
    "import": "Turn an ONNX, Caffe or Darknet model into a definition.",
    "bench": "Time a definition or an ONNX model: latency and throughput.",
    "quantize": "Quantize to int8, and say what that costs in accuracy.",
    "weights": "List the arrays that a net wants, or check a file of them.",
    "explain": "Derive every size, or explain a code (E302) or an op (conv).",
    "plot": "Draw a net: its layers and blocks, shapes on the lines.",
    "report": "Show a net on one page: picture, table, text, charts.",
    "maps": "Draw what each layer makes of a picture, what outputs see.",
    "diff": "What one network adds, removes and changes of another.",
    "watch": "Check a definition on each save until interrupted.",
    "fmt": "Format definition files in place.",
    "list": "The networks that come with netc.",
    "doctor": "What this machine can run, what is wrong, what would help.",
    "lsp": "Serve an editor over the Language Server Protocol.",
}


class Commands(click.Group):
    """The group of all commands, each imported from `netc/commands/` when it is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in their order."""
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what each does, without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

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
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            raise click.UsageError(f"there is no command {args[0]}{hint}", ctx)
        return super().resolve_command(ctx, args)

    def make_context(self, *arguments: Any, **extra: Any) -> click.Context:
        """Take the command line, or print the help that it asks for."""
        try:
            return super().make_context(*arguments, **extra)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception:
            from netc.errors import reported  # which loads the compiler, for its failures

            with reported():
                raise

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, failures reported with their exit codes."""
        from netc.errors import reported  # which loads the compiler, for its failures

        words: list[str] = ctx.meta.setdefault(__name__, [])
        with reported(words):
            return super().invoke(ctx)


EPILOG = """FILE is a definition, or a name of the library (netc list).

Exit codes: 0 done, 1 the definition is at fault, 2 the call, 3 the machine."""


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EPILOG)
@click.version_option(__version__, prog_name="netc")
def main() -> None:
    """The network definition compiler: check, measure, compile, run and verify."""
