"""The public Python interface: networks of definition files, of the library and of texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from compiler.driver import check_net
from compiler.driver import load as load_module
from compiler.files import Files
from compiler.symbols.modules import Module
from grammar.source import Source
from netc.given import documented, language_value, list_of, path_of, text_of
from netc.library import check_settings, choose_net, open_module
from netc.net import Net


@documented
def load(
    file: str | Path,
    net: str | None = None,
    *,
    include: Sequence[str | Path] = (),
    **parameters: Any,
) -> Net:
    """The network of a definition file (or of the library, by name), checked.

    `net` chooses one of several; `parameters` are the net's own (`classes=10`). Raises
    `DefinitionError` with every mistake, `CallError` when the call is at fault.
    """
    module, named = open_module(str(path_of(file)), files_in(include))
    return checked(module, net or named, parameters)


@documented
def loads(
    text: str,
    net: str | None = None,
    *,
    include: Sequence[str | Path] = (),
    **parameters: Any,
) -> Net:
    """The network that a text defines; its `use` looks in the `include` folders and the library."""
    module = load_module(Source("<text>", text_of("the definition", text)), files_in(include))
    return checked(module, net, parameters)


def files_in(include: Sequence[str | Path]) -> Files:
    """What a definition may read besides its own folder."""
    return Files(tuple(map(path_of, list_of("include", include))))


def checked(module: Module, net: str | None, parameters: Mapping[str, Any]) -> Net:
    """One network of a module, checked."""
    if net is not None:
        text_of("net", net)
    block = choose_net(module, net)
    parameters = {name: language_value(name, value) for name, value in parameters.items()}
    check_settings(block, parameters)
    return Net(check_net(block, parameters))
