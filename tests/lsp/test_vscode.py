"""The VS Code extension says of the language what the compiler does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import grammar
from compiler.builtins import BUILTINS
from compiler.ops import OPS
from netc import __version__
from netc.lsp.describe import SIZES
from netc.lsp.options import Options, Shapes

EXTENSION = Path(__file__).parents[2] / "editors" / "vscode"
COLOUR_FILE = EXTENSION / "syntaxes" / "netdef.tmLanguage.json"
COLOURS = json.loads(COLOUR_FILE.read_text(encoding="utf-8"))
PACKAGE = json.loads((EXTENSION / "package.json").read_text())


def rules(node: Any) -> Iterator[dict[str, Any]]:
    """Every rule of the colours."""
    if isinstance(node, dict):
        yield node
    for child in (
        node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    ):
        yield from rules(child)


def words(*rooms: str) -> set[str]:
    """The words that the rules of some rooms of the colours list."""
    found: set[str] = set()
    for room in rooms:
        for rule in rules(COLOURS["repository"][room]):
            for group in re.findall(r"\((?:\?:)?([a-z0-9_|]+)\)", rule.get("match", "")):
                found |= set(group.split("|"))
    return found


def test_every_keyword_of_the_grammar_has_a_colour_and_no_other_word() -> None:
    source = Path(grammar.__file__).with_name("netdef.lark").read_text(encoding="utf-8")
    text = re.sub(r"//.*", "", source)
    keywords = set(re.findall(r'"([a-z]+)"', text))
    for choice in re.findall(r"/\(\?:([a-z|]+)\)\\b/", text):  # whole words only
        keywords |= set(choice.split("|"))
    assert len(keywords) > 20
    assert words("keyword", "definition", "declaration", "label") | {"true", "false"} == keywords


def test_every_op_has_a_colour_and_no_other_word(bless: bool) -> None:
    listed = "|".join(sorted(words("op")))
    if bless:
        text = COLOUR_FILE.read_text(encoding="utf-8")
        COLOUR_FILE.write_text(text.replace(listed, "|".join(sorted(OPS))), encoding="utf-8")
        return
    assert words("op") == set(OPS), "renew it with --bless"


def test_every_function_and_size_has_a_colour_and_no_other_word() -> None:
    assert words("function") == {*BUILTINS, "rf", "picture"}
    assert words("attribute") == set(SIZES)


def test_every_rule_that_is_included_exists_and_every_pattern_is_one() -> None:
    for rule in rules(COLOURS):
        include = rule.get("include")
        assert include is None or include.removeprefix("#") in COLOURS["repository"]
        for key in ("match", "begin", "end"):
            re.compile(rule.get(key, ""))


def test_the_settings_are_those_that_the_server_reads() -> None:
    properties = PACKAGE["contributes"]["configuration"]["properties"]
    shapes = properties["netc.inlayHints.shapes"]
    assert shapes["enum"] == list(get_args(Shapes))
    defaults: dict[str, Any] = {}
    for name, setting in properties.items():
        *path, last = name.removeprefix("netc.").split(".")
        here = defaults
        for step in path:
            here = here.setdefault(step, {})
        here[last] = setting["default"]
    assert Options.of(defaults) == Options()
    assert {"inlayHints", "include"} <= set(defaults)
    assert set(defaults["inlayHints"]) == {"shapes", "macs", "receptiveField"}


def test_the_version_is_that_of_the_compiler() -> None:
    assert PACKAGE["version"] == __version__


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((EXTENSION / "package-lock.json").read_text())
    assert all("resolved" not in package for package in lock["packages"].values())
