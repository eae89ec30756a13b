"""What the documents say is so: their definitions check, their pasted output is what comes out."""

from __future__ import annotations

import doctest
import re
import shlex
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest

from compiler.driver import check_net, load
from compiler.pictures import Picture
from grammar.source import Source
from netc.main import main
from tests.netc.command import netc

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])

HOUSE = ("grammar", "compiler", "runtime", "netc")
WITH_EXAMPLES = sorted(
    path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
    for folder in HOUSE
    for path in (ROOT / folder).rglob("*.py")
    if ">>>" in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_the_examples_in_docstrings_are_true(module: str) -> None:
    outcome = doctest.testmod(import_module(module))
    assert outcome.attempted and not outcome.failed


def blocks(page: Path, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_definition_in_a_document_checks(page: Path) -> None:
    for text in blocks(page, "netdef"):
        module = load(Source(page.name, text))
        found = [str(d) for net in module.nets() for d in check_net(net).diagnostics]
        assert found == []


def sizeless(text: str) -> str:
    """Output without the sizes of files, which grow with what their metadata says."""
    return re.sub(r"\([\d,]+ bytes", "(… bytes", text.rstrip())


def test_the_readmes_tour_prints_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readme = ROOT / "README.md"
    definition, *_ = blocks(readme, "netdef")
    (tmp_path / "digits.netdef").write_text(definition, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    calls = [part for text in blocks(readme, "console") for part in text.split("$ ")[1:]]
    assert len(calls) >= 3
    for call in calls:
        line, _, expected = call.partition("\n")
        program, *arguments = shlex.split(line)
        assert program == "netc"
        result = netc(*arguments)
        assert sizeless(result.output) == sizeless(expected), line


def options_of(name: str) -> set[str]:
    """The options of a command, in all their spellings."""
    command = main.get_command(click.Context(main), name)
    assert command is not None, f"there is no command {name}"
    options = (p for p in command.params if isinstance(p, click.Option))
    return {text for p in options for text in (*p.opts, *p.secondary_opts)} | {"-h", "--help"}


@pytest.mark.parametrize("name", sorted({*main.list_commands(click.Context(main))} - {"lsp"}))
def test_every_option_is_explained_in_a_document(name: str) -> None:
    told = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    silent = {"-h", "--help", "--output"}  # -o is what is written everywhere
    for option in options_of(name) - silent:
        assert re.search(rf"(?<![\w-]){option}(?![\w-])", told), f"netc {name} {option}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_a_document_have_the_options_that_they_show(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name, rest in re.findall(r"(?:^ {4}|[`$] ?)netc ([a-z]+)([^\n`#]*)", text, re.MULTILINE):
        shown = re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", rest)
        assert set(shown) <= options_of(name), f"netc {name}{rest}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_python_in_a_document_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    (text,) = blocks(ROOT / "docs" / "running.md", "python")
    names: dict[str, Any] = {}
    exec(text, names)
    assert names["probs"].shape == (1, 1000) and names["batch"]["logits"].shape == (4, 1000)
    assert names["inner"]["layer3"].shape == (1, 256, 14, 14)


def test_the_table_of_picture_parameters_is_whole() -> None:
    text = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    for parameter in fields(Picture):
        assert re.search(rf"^\| .*`{parameter.name}`", text, re.MULTILINE), parameter.name
