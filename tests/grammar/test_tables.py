"""The kept tables of the grammar are current, and are not used when they are not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import lark
import pytest
from lark import Lark

from compiler.files import LIBRARY
from grammar import tables

TEXTS = {path.name: path.read_text(encoding="utf-8") for path in sorted(LIBRARY.glob("*.netdef"))}


@pytest.fixture(scope="module")
def built() -> Lark:
    return tables.build_parser()


def kept_origin() -> Any:
    return json.loads(tables.TABLES.read_text(encoding="utf-8"))["origin"]


def test_the_file_has_the_tables_of_the_grammar() -> None:
    assert kept_origin()["grammar"] == tables.origin()["grammar"], "run `make tables`"
    if kept_origin()["lark"] == lark.__version__:
        assert tables.TABLES.read_text(encoding="utf-8") == tables.tables_text()
    else:
        assert tables.kept_tables() is None


@pytest.mark.skipif(
    kept_origin()["lark"] != lark.__version__, reason="the tables are another Lark's"
)
@pytest.mark.parametrize("name", TEXTS)
def test_kept_and_built_tables_parse_alike(name: str, built: Lark) -> None:
    kept = tables.load_parser()
    assert kept.source_path == "<deserialized>"
    assert kept.parse(TEXTS[name], start="start") == built.parse(TEXTS[name], start="start")


@pytest.mark.parametrize("text", ["a + b * 2", "[1, (2, 3), x if y else z]", '"{a}" == f(in.c)'])
def test_kept_and_built_tables_parse_expressions_alike(text: str, built: Lark) -> None:
    kept = tables.load_parser()
    assert kept.parse(text, start="expression") == built.parse(text, start="expression")


def is_built() -> bool:
    """Whether a parser would be built from the text; it parses then as well."""
    parser = tables.load_parser()
    parser.parse("net n { input x: f32[1]\n output x }", start="start")
    return parser.source_path != "<deserialized>"


def test_tables_of_another_lark_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lark, "__version__", "0.0")
    assert is_built()


def test_tables_of_another_grammar_are_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    changed = tmp_path / "netdef.lark"
    changed.write_text(tables.GRAMMAR.read_text(encoding="utf-8") + "\n// changed\n")
    monkeypatch.setattr(tables, "GRAMMAR", changed)
    assert is_built()


@pytest.mark.parametrize("content", [None, "", "[]", "{", '{"origin": {}}'])
def test_without_readable_tables_the_parser_is_built(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "tables.json"
    if content is not None:
        file.write_text(content)
    monkeypatch.setattr(tables, "TABLES", file)
    assert is_built()
