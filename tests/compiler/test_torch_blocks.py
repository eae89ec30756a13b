"""PyTorch source of random nets of blocks, and the faults that they brought to light."""

from __future__ import annotations

import builtins
import symtable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from compiler.torch.loops import folded
from compiler.torch.source import write_source
from tests.compiler.block_nets import BlockNet
from tests.compiler.ruff import RUFF, complaints
from tests.define import define

SEEDS = range(12)
AT_HAND = {*dir(builtins), "__name__"}


def source(text: str) -> str:
    """The source of a definition's net."""
    return write_source(define(text).graph)


def tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    """A scope and all in it."""
    yield table
    for child in table.get_children():
        yield from tables(child)


def undefined(text: str) -> set[str]:
    """The names of a source that nothing in it defines."""
    whole = symtable.symtable(text, "written.py", "exec")
    known = {s.get_name() for s in whole.get_symbols() if s.is_assigned() or s.is_imported()}
    known |= {child.get_name() for child in whole.get_children()}
    used = {
        symbol.get_name()
        for table in tables(whole)
        for symbol in table.get_symbols()
        if symbol.is_global() or (table is whole and symbol.is_referenced())
    }
    return used - known - AT_HAND


def test_an_undefined_name_is_found() -> None:
    assert undefined("import math\ndef f(c):\n    return math.sqrt(wide * c)\n") == {"wide"}


@pytest.mark.parametrize("seed", SEEDS)
def test_no_name_of_a_source_is_undefined(seed: int) -> None:
    written = source(BlockNet(seed).text())
    compile(written, "written.py", "exec")
    assert not undefined(written)


@pytest.mark.skipif(not RUFF.is_file(), reason="ruff is not installed")
def test_ruff_has_nothing_to_say_of_blocks(tmp_path: Path) -> None:
    for seed in SEEDS:
        (tmp_path / f"net{seed}.py").write_text(source(BlockNet(seed).text()))
    assert not complaints(tmp_path)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_source_makes_the_numbers_of_the_interpreter(seed: int) -> None:
    pytest.importorskip("torch")
    from tests.torch_source import BOUND, check

    apart, _, _ = check(define(BlockNet(seed).text()).graph, derivatives=False)
    assert apart < BOUND


def test_nets_of_a_seed_are_the_same() -> None:
    assert BlockNet(3).text() == BlockNet(3).text() != BlockNet(4).text()


@pytest.mark.parametrize("name", ["OrderedDict", "Tensor", "math", "super", "range", "time", "nn"])
def test_no_parameter_is_called_as_what_a_source_uses(name: str) -> None:
    block = f"block unit({name}) {{ conv({name}, 3, pad=1) -> bn -> relu }}"
    body = "unit(4); unit(5); unit(7); unit(9); unit(3)"
    written = source(f"{block}\nnet t {{ input image: f32[3, 8, 8]; {body}; output y }}")
    assert f"def unit(in_channels, {name}_):" in written
    assert "import math" not in written and "import time" not in written


def test_no_class_is_called_as_a_parameter() -> None:
    blocks = (
        "block Part(c) { add { conv(c, 1); conv(c, 3, pad=1) } }\n"
        "block stage(Part_, Part) { add { conv(Part, 1); conv(Part, 3, pad=1) } -> relu }\n"
        "block whole(Part) { add { part(Part); conv(Part, 1) } }\n"
    ).replace("block Part(c)", "block part(c)")
    body = "whole(4); whole(5); whole(7); whole(3)"
    written = source(f"{blocks}net t {{ input image: f32[3, 8, 8]; {body}; output y }}")
    assert "class PartBlock(nn.Module):" in written and "PartBlock(in_channels, Part)" in written


def test_entries_of_a_dictionary_that_are_comprehensions_stay_as_they_are() -> None:
    """What a first visit made of some entries stays as it is in a second."""
    pairs = ((3, 5), (5, 6), (6, 5), (5, 6), (6, 5), (5, 6))
    entries = [f'"Unit{n}": unit({a}, {b})' for n, (a, b) in enumerate(pairs)]
    for line in (
        f"members = {{{', '.join(entries)}, 'part': other(6)}}",
        'members = {**{f"a{i}": unit(3, 5) for i in range(9)}, '
        '**{f"b{i}": unit(4, 6) for i in range(9)}, **{f"c{i}": unit(5, 7) for i in range(9)}}',
    ):
        ((text, _),) = folded([(line, "")], {"unit": {"c": None, "groups": None}})
        assert made_by(text) == made_by(line)


def made_by(line: str) -> dict[str, tuple[int, ...]]:
    """The dictionary that a line makes."""
    names: dict[str, Any] = {"unit": lambda c, groups: (c, groups), "other": lambda c: (c,)}
    exec(line, names)
    return {**names["members"]}
