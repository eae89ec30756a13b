"""The onboarding tour and its recipes are held against the tree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netc.pages import codes
from tests.netc.command import netc

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PLACES = ("", "grammar", "compiler", "runtime", "netc")  # where the tour's paths begin
SOURCES = ("grammar", "compiler", "runtime", "netc", "docs", "editors", "tests")


def section(title: str) -> str:
    """A recipe, or a chapter."""
    found = re.search(rf"^#+ {title}\n(.*?)(?=^#|\Z)", TEXT, re.DOTALL | re.MULTILINE)
    assert found is not None, title
    return found[1]


def paths(text: str) -> list[str]:
    """What is written as a path."""
    words = re.findall(r"`([^`\s]+)`", text)
    return [w for w in words if re.fullmatch(r"[\w./-]+(\.(py|md|json|lark|toml)|/)", w)]


def test_every_path_is_there() -> None:
    named = paths(TEXT)
    gone = [p for p in named if not any((ROOT / place / p).exists() for place in PLACES)]
    assert len(named) > 60 and gone == []


def test_the_recipe_of_an_op_names_every_file_that_an_op_is_in() -> None:
    """Held against an op that has all that a plain one can have."""
    named = set(paths(section("An op")))
    files = [p for place in SOURCES for p in (ROOT / place).rglob("*") if p.is_file()]
    texts = {
        p.relative_to(ROOT).as_posix(): p.read_text(encoding="utf-8")
        for p in files
        if p.suffix in (".py", ".md", ".json") and p != Path(__file__)
    }
    having = {name for name, text in texts.items() if re.search("softsign", text, re.IGNORECASE)}
    # they name many ops, and say when one is missing
    lists = {"tests/importers/random_onnx.py", "tests/conformance/core.py"}
    assert having - lists <= named
    always = {path for path in named if path.endswith("/activate.py")} | {"docs/ops.md"}
    assert always <= having


@pytest.mark.parametrize("kind", ["page of a code", "lints", "passes", "commands"])
def test_what_a_recipe_adds_is_listed_where_it_says(kind: str) -> None:
    """The lists that recipes send people to hold what stands in the folders, and nothing else."""
    from compiler import lints, passes
    from netc.main import COMMANDS

    if kind == "page of a code":
        assert {p.stem for p in (ROOT / "tests" / "bad").glob("*.md")} <= set(codes())
    elif kind == "lints":
        homes = {Path(rule.__code__.co_filename).parent for rule in lints.RULES}
        assert homes == {ROOT / "compiler" / "lints"}
    elif kind == "passes":
        folder = ROOT / "compiler" / "passes"
        assert {p.stem for p in folder.glob("*.py")} - {"__init__"} == {
            rewrite.__name__ for rewrite in passes.PASSES
        }
    else:
        folder = ROOT / "netc" / "commands"
        found = {p.stem.removesuffix("_") for p in folder.glob("*.py")} - {"__init_"}
        assert found == set(COMMANDS), "netc/main.py"


def test_the_tour_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tour = section("One layer, from text to numbers")
    monkeypatch.chdir(tmp_path)
    definition = re.search(r"```netdef\n(.*?)```", tour, re.DOTALL)
    assert definition is not None
    Path("one.netdef").write_text(definition[1])
    printed = "".join(
        netc(*["compile", "one.netdef", "--emit"], stage).stdout for stage in ("ast", "shapes")
    )
    assert "SizeLiteral" in printed and "conv1: [8, 6, 6]" in printed
    commands = re.findall(r"`netc ((?:compile|verify) one\.netdef[^`]*)`", tour)
    assert len(commands) == 3
    for command in commands:
        assert netc(*command.split()).exit_code == 0, command
