"""What people read fits where they read it, at every width, with and without colour."""

from __future__ import annotations

import re

import click
import pytest
from rich.cells import cell_len

import runtime.doctor
from compiler.driver import all_found, check_net, examine
from grammar.diagnostics import render
from grammar.source import Source
from netc.errors import coloured
from netc.main import COMMANDS, main
from runtime.doctor import Finding
from tests.mistakes import Case, all_cases
from tests.netc.command import netc

WIDTHS = (60, 80, 120, 200)
ESCAPES = re.compile(r"\x1b\[[\d;?]*[a-zA-Z]")


def lines(width: int, *call: str, color: bool) -> list[str]:
    """What a call prints, without its colours."""
    printed = netc(*call, color=color).output
    assert color or not ESCAPES.search(printed)
    return ESCAPES.sub("", printed).splitlines()


@pytest.mark.parametrize("color", [False, True], ids=["plain", "colour"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("call", ["list", "explain E302", "summary lenet5", "weights googlenet"])
def test_a_page_is_no_wider_than_the_screen(
    call: str, width: int, color: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    printed = lines(width, *call.split(), color=color)
    assert printed and max(map(cell_len, printed)) <= width


@pytest.mark.parametrize("width", WIDTHS)
def test_help_is_no_wider_than_the_screen(width: int) -> None:
    for name in (None, *COMMANDS):
        command = main if name is None else main.get_command(click.Context(main), name)
        assert command is not None
        text = command.get_help(click.Context(command, info_name="netc", terminal_width=width))
        assert [line for line in text.splitlines() if cell_len(line) > width] == [], name


@pytest.mark.parametrize("width", WIDTHS)
def test_every_word_of_a_finding_is_there(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Finding("on tensorrt", "wrong", "words " * 40 + "end", "do " * 40 + "this")]
    monkeypatch.setattr(runtime.doctor, "examine", lambda: found)
    monkeypatch.setenv("COLUMNS", str(width))
    printed = netc("doctor").output
    assert " ".join(printed.split()) == f"!! on tensorrt {found[0].text} help: {found[0].remedy}"
    assert max(map(len, printed.splitlines())) <= width


@pytest.mark.parametrize("case", all_cases()[::5], ids=str)
def test_colours_change_no_word_of_a_report(case: Case) -> None:
    module = examine(Source(case.path.name, case.text, case.path))
    for found in all_found(module, map(check_net, module.nets())):
        text = coloured(found)
        assert ESCAPES.sub("", text) == render(found)
        underline = text.splitlines()[4]
        assert re.search(r"\x1b\[1m *\t*\^", underline)
        assert (found.help is None) or "\x1b[1mhelp:\x1b[0m " in text
