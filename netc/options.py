"""The options that commands share, and the nets that they choose."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from compiler.driver import Checked, FileCheck, check_net
from compiler.files import Files
from compiler.onnx.precision import DTYPES
from compiler.symbols.modules import Closure, Module
from grammar.diagnostics import printable
from netc.errors import show
from netc.library import check_settings, choose_net, examine_module, open_module, parse_settings
from netc.net import Net
from runtime.errors import CallError
from runtime.files import refuse_inputs, written_in

if TYPE_CHECKING:
    from runtime.weights.rename import WeightsFile

Decorator: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]

SHAPE = re.compile(r"(.+)=(\d+(?:x\d+)*)", re.DOTALL)
SHAPES = click.option(
    "--shape",
    "shapes",
    multiple=True,
    metavar="INPUT=3x224x224",
    help="The shape of an input whose sizes a model leaves open, without the batch; may be "
    "repeated.",
)
FORMAT = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print."
)
SEED = click.option("--seed", default=0, show_default=True, help="Seed of the initial weights.")
# What a file on the command line is for: read (also by a name of the library), a pattern of files
# or of pictures that are read, written, or a folder of files that are written.
INPUT = click.Path(path_type=Path)
NAMED = click.types.StringParamType()
PATTERN = click.types.StringParamType()
PICTURES = click.types.StringParamType()
OUTPUT = click.Path(path_type=Path)
FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.argument("file", type=NAMED)
DEVICE = click.option(
    "--device",
    default="auto",
    show_default=True,
    metavar="DEVICE",
    help="Where to run: cpu, cuda[:N], tensorrt[:N], openvino, tensorrt-rtx or numpy; one that "
    "cannot be had is an error. auto takes CUDA, OpenVINO, else the CPU.",
)
DTYPE = click.option(
    "--dtype",
    type=click.Choice(DTYPES),
    default="f32",
    show_default=True,
    help="What the net computes in, and its weights are stored in.",
)
TF32 = click.option(
    "--tf32", is_flag=True, help="Let CUDA round float32 products to TF32: faster, less exact."
)


def output(metavar: str, help: str, *, required: bool = False) -> Decorator:
    """The option `-o`: where to write."""
    return click.option(
        "-o", "--output", type=OUTPUT, required=required, metavar=metavar, help=help
    )


def pictures(help: str, *, required: bool = False) -> Decorator:
    """The option `--image`, which may be repeated."""
    return click.option(
        "--image",
        "images",
        type=PICTURES,
        multiple=True,
        required=required,
        metavar="PICTURE",
        help=help,
    )


def counted(
    *names: str, least: int = 1, most: int | None = None, default: int | None = None, **rest: Any
) -> Decorator:
    """An option that takes a whole number from `least` to `most`; its default is told."""
    shown = default is not None
    kind = click.IntRange(least, most)
    return click.option(*names, type=kind, default=default, show_default=shown, **rest)


SETTINGS = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="A value for a parameter of the net, as classes=10; may be repeated.",
)
INCLUDE = click.option(
    "-I",
    "include",
    multiple=True,
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder in which `use` and `labels` may look; may be repeated.",
)


def takes_renames(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--rename` and `--rename-file`."""
    rename = click.option(
        "--rename",
        multiple=True,
        metavar="FROM=TO",
        help="A rule for names in a file of weights, module.*=* or /regex/=text; may be repeated.",
    )
    file = click.option(
        "--rename-file",
        type=INPUT,
        metavar="FILE",
        help="A file of such rules, one a line.",
    )
    return rename(file(command))


def _takes_weights(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--weights`, `--rename` and `--rename-file`; they reach it as one."""

    @wraps(command)
    def wrapped(
        weights: Path | None, rename: tuple[str, ...], rename_file: Path | None, **rest: Any
    ) -> Any:
        return command(weights=weights_file(weights, rename, rename_file), **rest)

    weights = click.option(
        "--weights",
        type=INPUT,
        metavar="FILE",
        help="Parameters from a .safetensors, .npz, .onnx, .pt, .pth or .ckpt file, or from "
        "hf:OWNER/REPO.",
    )
    return weights(takes_renames(wrapped))


WEIGHTS = _takes_weights


def weights_file(
    path: Path | None, rules: Sequence[str], rule_file: Path | None, option: str = "--weights"
) -> WeightsFile | None:
    """A file of weights with the rules for its names, those of the rule file first.

    `option` is the one that gives the file.
    """
    from runtime.weights.rename import WeightsFile, parse_rule, read_rules

    texts = [*(read_rules(rule_file) if rule_file else ()), *rules]
    if path is None:
        if texts:
            raise CallError(f"--rename is for the names in a file of weights: give {option}")
        return None
    return WeightsFile(path, tuple(map(parse_rule, texts)))


@dataclass(frozen=True)
class NetChoice:
    """Which nets of a file a call means, and with which values of their parameters."""

    net: str | None
    settings: Mapping[str, Any]
    files: Files
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # of a model's inputs

    def module(self, file: str) -> Module:
        """The loaded file, whatever nets it has."""
        return open_module(file, self.files)[0]

    def checked(self, file: str) -> list[tuple[Closure, Checked]]:
        """Each chosen net with what its check found; the list is empty for a file of blocks."""
        module, named = open_module(file, self.files)
        return self._checked(module, named)

    def examined(self, file: str) -> tuple[Module, list[tuple[Closure, Checked]]]:
        """The module with its mistakes, and each chosen net that its text still gives."""
        module, named = examine_module(file, self.files)
        if module.diagnostics and not module.nets():
            return module, []
        return module, self._checked(module, named)

    def _checked(self, module: Module, named: str | None) -> list[tuple[Closure, Checked]]:
        name = self.net or named
        blocks = module.nets() if name is None else [choose_net(module, name)]
        if len(blocks) == 1:
            check_settings(blocks[0], self.settings)
        check = FileCheck()
        return [(block, check.net(block, self.settings_of(block))) for block in blocks]

    def trainings(self, module: Module) -> list[Closure]:
        """The trainings that are checked: all of them, unless one net is meant."""
        return [] if self.net else module.trainings()

    def settings_of(self, block: Closure) -> dict[str, Any]:
        """Those values that are for parameters of this net."""
        known = {parameter.name.id for parameter in block.definition.parameters}
        return {name: value for name, value in self.settings.items() if name in known}

    def opened(self, file: str) -> list[Net]:
        """Each chosen net, of which there is at least one; their warnings are shown."""
        self.refuse_shapes()
        nets = [Net(checked) for _, checked in self.checked(file)]
        if not nets:
            raise CallError(f"{file} defines no net")
        for net in nets:
            show(net.warnings)
        return nets

    def measured(self, file: str) -> list[Net]:
        """As `opened`, but the file may be a model of another format too."""
        from netc.models import is_model, read

        if not is_model(file):
            return self.opened(file)
        self.refuse()
        return [read(file, **self.shapes)]

    def refuse(self, weights: WeightsFile | None = None) -> None:
        """Raise `CallError` when a net of a definition is chosen, or weights for one."""
        if self.net or self.settings:
            raise CallError("a model has one net, its parameters inside: no --net, no --set")
        if weights is not None:
            raise CallError("an ONNX file has its weights inside: no --weights")

    def refuse_shapes(self) -> None:
        """Raise `CallError` when shapes are given for a definition."""
        if self.shapes:
            raise CallError("--shape is for a model; a definition says what its inputs are")

    def single(self, file: str, weights: WeightsFile | None = None) -> Net:
        """The one net that is meant, with weights where they are given; its warnings are shown."""
        self.refuse_shapes()
        module, named = open_module(file, self.files)
        block = choose_net(module, self.net or named)
        check_settings(block, self.settings)
        net = Net(check_net(block, self.settings))
        show(net.warnings)
        return net if weights is None else net.with_weights(weights)


class Command(click.Command):
    """A command that writes: what it reads is not written over.

    It may have patterns of files among its options, which a shell spreads if unquoted.
    """

    allow_extra_args = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take a command line; raises `UsageError` for words that belong to nothing."""
        rest = super().parse_args(ctx, args)
        if rest and not ctx.resilient_parsing:
            more = f" and {len(rest) - 1:,} more" if len(rest) > 1 else ""
            patterns = [p.opts[0] for p in self.params if p.type in (PATTERN, PICTURES)]
            hint = f'; a pattern of files is quoted, as in {patterns[0]} "photos/*.jpg"'
            raise click.UsageError(
                f"unexpected beside FILE: {printable(rest[0])}{more}{hint if patterns else ''}", ctx
            )
        return rest

    def invoke(self, ctx: click.Context) -> Any:
        """Run it, unless an output is one of the inputs: raises `CallError` before any is read."""
        outputs = [value for p, value in given(self, ctx) if p.type is OUTPUT]
        read = [file for p, value in given(self, ctx) for file in files_of(p, value)]
        refuse_inputs(outputs, read)
        for folder in (value for p, value in given(self, ctx) if p.type is FOLDER):
            refuse_inputs(written_in(folder), read)
        if len(set(map(os.path.realpath, outputs))) < len(outputs):
            raise CallError(f"{outputs[0]} would be written twice: choose another")
        return super().invoke(ctx)


def given(command: click.Command, ctx: click.Context) -> Iterator[tuple[click.Parameter, Any]]:
    """The parameters of a call that have a value."""
    for parameter in command.params:
        value = ctx.params.get(parameter.name or "")
        if value not in (None, ()):
            yield parameter, value


def files_of(parameter: click.Parameter, value: Any) -> list[str]:
    """The files that a parameter makes a command read, as far as they are there."""
    if parameter.type in (INPUT, NAMED):
        return [str(value)]
    if parameter.type not in (PATTERN, PICTURES):
        return []
    from runtime.decode import SUFFIXES
    from runtime.inputs import KINDS, expand

    found: list[str] = []
    for text in value:
        for path in (text, text.partition("=")[2]):
            with suppress(CallError):  # what is not there is told of when it is wanted
                found += expand(path, SUFFIXES if parameter.type is PICTURES else KINDS)
    return found


def shape_of(text: str) -> tuple[str, tuple[int, ...]]:
    """`image=3x224x224` as a name and its sizes."""
    match = SHAPE.fullmatch(text)
    if match is None:
        raise CallError(f"--shape takes INPUT=3x224x224, not {text}")
    return match[1], tuple(map(int, match[2].split("x")))


def takes_shapes(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--shape`, which reaches it inside its `choice`."""

    @SHAPES
    @wraps(command)
    def wrapped(shapes: tuple[str, ...], choice: NetChoice, **rest: Any) -> Any:
        return command(choice=replace(choice, shapes=dict(map(shape_of, shapes))), **rest)

    return wrapped


def chooses_net(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--net`, `--set` and `-I`; they reach it as one `choice`."""

    @click.option("--net", metavar="NAME", help="Which net, of a file with several.")
    @SETTINGS
    @INCLUDE
    @wraps(command)
    def wrapped(
        net: str | None, settings: tuple[str, ...], include: tuple[Path, ...], **rest: Any
    ) -> Any:
        return command(choice=NetChoice(net, parse_settings(settings), Files(include)), **rest)

    return wrapped


def takes_net(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command a net with its weights: `--seed`, `--weights` and what chooses it."""
    return SEED(WEIGHTS(chooses_net(command)))
