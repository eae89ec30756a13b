"""Finding a definition: a path, or a name of the library."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from compiler.domain import Facts
from compiler.driver import examine
from compiler.evaluate import Evaluator
from compiler.files import LIBRARY, Files, is_regular, read_source
from compiler.importers import FORMATS
from compiler.symbols.modules import Closure, Module
from compiler.values import Mistake, Scope
from grammar.diagnostics import did_you_mean
from grammar.parse import parse_expression
from grammar.source import Source
from runtime.errors import CallError
from runtime.files import no_file


def library_files() -> list[Path]:
    """The definition files that come with netc."""
    return sorted(LIBRARY.glob("*.netdef"))


def library_nets() -> dict[str, Path]:
    """Each net of the library with its file, found without parsing."""
    found: dict[str, Path] = {}
    for path in library_files():
        for name in re.findall(r"^net\s+(\w+)", path.read_text(encoding="utf-8"), re.MULTILINE):
            found.setdefault(name, path)
    return found


def find(text: str) -> tuple[Source, str | None]:
    """The source that a path or library name stands for, and the net it names if it names one."""
    if text == "-":
        return standard_input(), None
    path = Path(text)
    if path.suffix in FORMATS and is_regular(path):
        raise CallError(f"{text} is a model, not a definition; netc import {text} makes it one")
    if is_regular(path):
        return read(path, text), None
    if path.is_dir():
        raise CallError(f"{text} is a folder, not a definition")
    if path.suffix or len(path.parts) > 1 or os.path.exists(text):  # noqa: PTH110
        raise CallError(no_file(text))
    nets = library_nets()
    if text in nets:
        return read(nets[text], nets[text].name), text
    file = LIBRARY / f"{text}.netdef"
    if file.is_file():
        return read(file, file.name), None
    hint = did_you_mean(text, [*nets, *(f.stem for f in library_files())])
    raise CallError(f"there is no file or library net {text}" + (f"; {hint}" if hint else ""))


def standard_input() -> Source:
    """What standard input holds, as the text of a definition."""
    text = sys.stdin.buffer.read().decode("utf-8-sig", errors="surrogateescape")
    return Source("<stdin>", text.replace("\r\n", "\n").replace("\r", "\n"))


def read(path: Path, name: str) -> Source:
    """The text of a definition file; raises `CallError` when it cannot be read."""
    try:
        return read_source(path, name)
    except OSError as error:
        raise CallError(f"{name} cannot be read: {error.strerror or error}") from None


def open_module(text: str, files: Files | None = None) -> tuple[Module, str | None]:
    """The loaded definition file of a path or name, and the net it names if it names one."""
    module, net = examine_module(text, files)
    return module.whole(), net


def examine_module(text: str, files: Files | None = None) -> tuple[Module, str | None]:
    """As `open_module`, but the mistakes of a file are in the module's `diagnostics`."""
    source, net = find(text)
    if files is not None and source.path is not None:
        files.seen.add(source.path)
    return examine(source, files), net


def choose_net(module: Module, name: str | None) -> Closure:
    """The net called `name`, or the only one of the file; raises `CallError`."""
    return choose(module, module.nets(), name, "net", "--net")


def choose(
    module: Module, known: Sequence[Closure], name: str | None, kind: str, option: str
) -> Closure:
    """What is called `name` of what a file defines of a `kind`, or the only one of them."""
    names = ", ".join(one.name for one in known)
    file = module.file.source.name
    if not known:
        how = ": train name { … }" if kind == "training" else ""
        raise CallError(f"{file} defines no {kind}{how}")
    if name is None:
        if len(known) > 1:
            raise CallError(f"{file} defines several {kind}s; choose one with {option}: {names}")
        return known[0]
    for one in known:
        if one.name == name:
            return one
    hint = did_you_mean(name, [one.name for one in known])
    raise CallError(
        f"{file} defines no {kind} {name}; it has {names}" + (f"; {hint}" if hint else "")
    )


def parse_settings(settings: Sequence[str]) -> dict[str, Any]:
    """`--set classes=10` as values of the language."""
    found: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name.strip().isidentifier():
            raise CallError(f"--set takes name=value, not {setting}")
        try:
            value = Evaluator(Facts())(parse_expression(text.strip(), "--set"), Scope())
        except Mistake as mistake:
            raise CallError(f"--set {setting}: {mistake.message}") from None
        found[name.strip()] = value
    return found


def check_settings(chosen: Closure, settings: Mapping[str, Any]) -> None:
    """Raise `CallError` for a setting that is no parameter of a net or training."""
    known = [parameter.name.id for parameter in chosen.definition.parameters]
    kind = "training" if chosen.definition.kind == "train" else "net"
    for name in settings:
        if name not in known:
            has = "it has " + ", ".join(known) if known else "it has none"
            raise CallError(f"{kind} {chosen.name} has no parameter {name}; {has}")
