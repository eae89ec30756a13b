"""`netc --help` and the README: every command, each in a line that is whole."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from netc.main import COMMANDS, Commands, main
from tests.netc.command import netc

README = Path(__file__).parents[2] / "README.md"


def test_the_help_tells_each_command_in_one_whole_line() -> None:
    text = netc("--help").stdout
    assert re.findall(r"^  (\w+)  +[A-Z].*\.$", text, re.MULTILINE) == list(COMMANDS)
    assert "Exit codes" in text


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_says_of_a_command_what_the_command_says(name: str) -> None:
    assert isinstance(main, Commands)
    command = main.get_command(click.Context(main), name)
    assert command is not None and command.get_short_help_str(80) == COMMANDS[name]


def test_the_readme_lists_every_command() -> None:
    table = re.findall(r"^\| `(\w+)", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(table) == sorted(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_is(name: str) -> None:
    assert isinstance(main, Commands)
    command = main.get_command(click.Context(main), name)
    assert command is not None and command.help
    options = [p for p in command.params if isinstance(p, click.Option)]
    for option in options:
        assert option.help and option.help.endswith("."), option.name
    for option in options:
        if option.multiple:
            assert "may be repeated" in (option.help or ""), option.name
