"""Which definition a name stands for, and from where to where it can be seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.builtins import BUILTINS
from compiler.ops import LOSSES, OPS
from compiler.ops.losses import FUNCTIONS
from compiler.symbols.names import NameDefinition, Names, Reference
from compiler.symbols.resolve import resolve
from compiler.training.augmentations import AUGMENTATIONS
from compiler.training.optimisers import OPTIMISERS
from compiler.training.schedules import SCHEDULES
from grammar.parse import parse
from grammar.source import Source
from netc.library import library_files, read
from netc.lsp.describe import MEASURES


def names_of(text: str) -> Names:
    return resolve(parse(Source("t.netdef", text)).file)


def meaning(text: str) -> list[str]:
    """What the name after the mark `|` stands for: the kind and line of each definition."""
    offset = text.index("|")
    found = names_of(text.replace("|", "")).at(offset)
    assert isinstance(found, Reference)
    return [f"{d.kind} {d.span.line}" for d in found.definitions]


def net(*lines: str) -> str:
    """A net whose first statement stands on line 3."""
    return "\n".join(["net n {", "input x: f32[3, 8, 8]", *lines, "}"]) + "\n"


def test_a_stage_names_the_block_below_it_in_the_file() -> None:
    assert meaning("net n { input x: f32[3]\n |unit(4) }\nblock unit(c) { dense(c) }\n") == [
        "block 3"
    ]


def test_a_keyword_names_the_parameter_of_the_called_block() -> None:
    text = "block unit(c, stride=1) { conv(c, 1) }\n" + net("unit(4, |stride=2)")
    assert meaning(text) == ["parameter 1"]


def test_a_keyword_of_an_op_names_nothing_in_the_file() -> None:
    assert meaning("let pad = 1\n" + net("conv(4, 3, |pad=1)")) == []


def test_a_keyword_of_a_passed_block_names_the_parameters_of_all_that_are_passed() -> None:
    text = (
        "block one(c, stride=1) { conv(c, 1) }\nblock two(c, stride=1) { conv(c, 1) }\n"
        "block inner(unit) { unit(4, |stride=2) }\nblock outer(block_) { inner(unit=block_) }\n"
        "net n { input x: f32[3]\n outer(one) -> outer(two) }\n"
    )
    assert meaning(text) == ["parameter 1", "parameter 2"]


def test_an_argument_is_a_value_of_the_caller() -> None:
    text = "block unit(c) { conv(c, 1) }\nblock two(c) {\n unit(c=|c) }\n"
    assert meaning(text) == ["parameter 2"]


def test_a_parameter_hides_a_let_of_the_file() -> None:
    assert meaning("let c = 3\nblock unit(c) {\n conv(|c, 1) }\n") == ["parameter 2"]


def test_a_default_sees_the_parameters_before_it_and_the_file() -> None:
    assert meaning("let c = 3\nblock unit(a,\n b=|a) { conv(b, a) }\n") == ["parameter 2"]
    assert meaning("let c = 3\nblock unit(\n b=|c, c=1) { conv(b, c) }\n") == ["let 1"]


def test_a_tensor_wins_at_the_beginning_of_a_chain() -> None:
    text = "block side() { relu }\n" + net("side = relu", "|side -> relu")
    assert meaning(text) == ["tensor 4"]


def test_a_value_wins_inside_an_expression() -> None:
    text = net("let side = 3", "side = relu", "conv(|side, 1)")
    assert meaning(text) == ["let 3"]


def test_a_call_with_parentheses_is_no_tensor() -> None:
    text = "block side() { relu }\n" + net("side = relu", "|side()")
    assert meaning(text) == ["block 1"]


def test_an_op_after_an_arrow_is_no_tensor_of_that_name() -> None:
    assert meaning(net("relu = tanh", "tanh -> |relu")) == []


def test_a_name_is_not_seen_before_its_definition() -> None:
    assert meaning(net("concat(|side, in)", "side = relu")) == []


def test_both_branches_of_an_if_define_a_name() -> None:
    text = net("if true { relu as a }", "else { tanh as a }", "concat(|a, in)")
    assert meaning(text) == ["label 3", "label 4"]


def test_a_name_bound_in_a_loop_is_not_seen_after_it_but_a_label_is() -> None:
    assert meaning(net("repeat 1 { side = relu }", "concat(|side, in)")) == []
    assert meaning(net("repeat 1 { relu as side }", "concat(|side, in)")) == ["label 3"]


def test_a_label_is_seen_in_its_own_block_only() -> None:
    text = "block unit() { relu as a }\n" + net("unit()", "concat(|a, in)")
    assert meaning(text) == []


def test_names_of_a_for_are_seen_in_its_body() -> None:
    text = net("let i = 9", "for i, c in [(1, 2)] {", "conv(c, |i) }")
    assert meaning(text) == ["loop 4"]


def test_interpolations_use_names() -> None:
    assert meaning(net("for i in [1] {", 'relu as "stage{|i + 1}" }')) == ["loop 3"]


def test_like_names_a_label() -> None:
    assert meaning(net("conv(3, 1) as tower", "conv(3, 1) like |tower")) == ["label 3"]
    assert meaning(net("conv(3, 1) as tower", 'conv(3, 1) like "|tower"')) == ["label 3"]


def test_a_string_names_a_tensor_only_in_a_join() -> None:
    assert meaning(net("relu as a", 'concat("|a", in)')) == ["label 3"]
    names = names_of(net("relu as zero", 'conv(3, 3, pad=1, pad_mode="zero")'))
    assert [use for use in names.uses if use.role == "text"] == []


def test_a_contract_sees_what_the_net_names_after_it() -> None:
    assert meaning(net("expect rf(|late) == 1x1", "relu as late")) == ["label 4"]
    assert meaning(net('expect rf("|late") == 1x1', "output late = relu")) == ["output 4"]


def test_in_is_the_single_input_of_a_net_and_nothing_in_a_block() -> None:
    assert meaning(net("conv(|in.c, 1)")) == ["input 2"]
    assert meaning("block b() { conv(|in.c, 1) }\n") == []


def test_a_size_that_nothing_defines_is_a_symbol() -> None:
    text = "let C = 3\nnet n {\n input x: f32[C, H, |H]\n relu }\n"
    assert meaning(text) == ["symbol 3"]
    assert meaning(text.replace("|", "").replace("[C", "[|C")) == ["let 1"]


def test_a_used_name_is_defined_by_its_use() -> None:
    text = 'use unit from "blocks.netdef"\n' + net("|unit(3)")
    assert meaning(text) == ["used 1"]
    keyword = names_of('use unit from "b.netdef"\n' + net("unit(c=3)")).uses[-1]
    assert keyword.role == "keyword" and keyword.callee[0].kind == "used"


def test_a_label_with_an_interpolation_is_a_pattern() -> None:
    patterns = [d for d in names_of(net('relu as "a{1}"')).definitions if d.kind == "pattern"]
    assert [d.name for d in patterns] == ["a{1}"]


def test_the_empty_label_names_nothing() -> None:
    text = "block unit() { relu }\n" + net('unit() as ""')
    assert "label" not in [d.kind for d in names_of(text).definitions]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (net("let a = 1", "repeat 2 { let b = 2 }", "|relu"), {"n", "x", "a"}),
        (net("let a = 1", "repeat 2 { let b = 2", "|relu }"), {"n", "x", "a", "b"}),
        (net("relu as a", "|relu"), {"n", "x", "a"}),
        ("block b(c) { |relu }\nlet d = 1\n", {"b", "c", "d"}),
    ],
)
def test_what_is_visible_at_a_place(text: str, seen: set[str]) -> None:
    offset = text.index("|")
    names = names_of(text.replace("|", ""))
    assert {d.name for d in names.visible(offset)} == seen


def test_spans_cover_the_name_without_quotes() -> None:
    names = names_of('block unit(c) { relu }\nnet n { input x: f32[3]\n unit(c=1) as "a b" }\n')
    places: list[NameDefinition | Reference] = [*names.definitions, *names.uses]
    assert [p.span.text for p in places] == [p.name for p in places]


@pytest.mark.parametrize("path", library_files(), ids=lambda path: path.stem)
def test_every_name_of_the_library_is_found(path: Path) -> None:
    trained = {*AUGMENTATIONS, *OPTIMISERS, *SCHEDULES, *LOSSES, *FUNCTIONS}
    known = {*OPS, *BUILTINS, *MEASURES, *trained, "in", "seq"}
    for use in resolve(parse(read(path, path.name)).file).uses:
        # the parameters of an op, or of a block of another file
        elsewhere = use.role == "keyword" and all(d.kind == "used" for d in use.callee)
        assert use.definitions or use.name in known or elsewhere, use.span


def test_results_taken_apart_parts_and_elements_lead_to_their_names() -> None:
    assert meaning(net("a, b = trunk()", "|b -> relu")) == ["tensor 3"]
    assert meaning(net("trunk() as t", "|t.low -> relu")) == ["label 3"]
    assert meaning(net("let taps = [x]", "|taps[0] -> relu")) == ["let 3"]


def test_a_string_leads_to_every_tensor_that_it_may_spell() -> None:
    text = net("p2 = relu", "tanh as p3", '"|p{1 + 1}" -> relu')
    assert meaning(text) == ["tensor 3", "label 4"]
    assert meaning(net('relu as "h{1}"', 'output y = "|h{1}"')) == ["pattern 3"]


def test_parameters_of_a_function_and_names_of_a_list_are_seen_in_them_alone() -> None:
    assert meaning("let f(v, d=2) = |v * d\n") == ["parameter 1"]
    assert meaning("let f(v, d=2) = v * d\nlet a = f(1, |d=3)\n") == ["parameter 1"]
    assert meaning("let a = [|n for n in [1]]\n") == ["loop 1"]
    assert meaning("let a = [n for n in [1]]\nlet b = |n\n") == []
