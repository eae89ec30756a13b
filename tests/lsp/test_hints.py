"""The shapes shown behind the stages."""

from __future__ import annotations

from netc.lsp.hints import shape_hints
from netc.lsp.options import Options
from tests.lsp.texts import HALVES, analysed


def shown(text: str, **settings: object) -> list[str]:
    """Each hint behind the words that it follows."""
    analysis = analysed(text)
    options = Options.of({"inlayHints": settings})
    return [
        text[: hint.offset].rsplit(maxsplit=1)[-1] + " " + hint.label
        for hint in shape_hints(analysis, 0, len(text), options)
    ]


def net(*lines: str) -> str:
    return "\n".join(["net n {", "input x: f32[3, 8, 8]", *lines, "output y", "}"]) + "\n"


def test_each_stage_shows_the_shape_it_makes() -> None:
    assert shown(net("conv(4, 3) -> relu -> flatten")) == [
        "3) [4, 6, 6]",
        "relu [4, 6, 6]",
        "flatten [144]",
    ]


def test_a_block_shows_its_first_call_and_how_many_differ() -> None:
    assert shown(HALVES) == [
        "pad=1) [4, 8, 8], 2 of 3 calls differ",
        "relu [4, 8, 8], 2 of 3 calls differ",
        "first [4, 8, 8]",
        "stride=2) [8, 4, 4], 1 of 2 turns differ",
    ]


def test_a_shape_that_is_asserted_in_numbers_is_not_repeated() -> None:
    assert shown(net("conv(4, 3) : [4, 6, 6]")) == []
    assert shown(net("conv(4, 3) : [4, _, 6]")) == ["6] [4, 6, 6]"]


def test_a_join_shows_its_shape_behind_its_braces() -> None:
    text = net("concat {", "conv(4, 1)", "relu", "}")
    assert shown(text)[-1] == "} [7, 8, 8]"


def test_symbolic_sizes_are_shown_in_closed_form() -> None:
    text = net("maxpool(2)").replace("8, 8", "H, W")
    assert shown(text) == ["maxpool(2) [3, floor(H/2), floor(W/2)]"]


def test_with_changes_only_stages_that_keep_the_shape_are_silent() -> None:
    assert shown(net("conv(4, 3) -> bn -> relu -> gap"), shapes="changes") == [
        "3) [4, 6, 6]",
        "gap [4, 1, 1]",
    ]


def test_macs_and_receptive_fields_when_asked_for() -> None:
    text = net("conv(4, 3) -> conv(4, 3)")
    assert shown(text, shapes="off", macs=True, receptiveField=True) == [
        "3) 3.89 k MACs · sees 3x3",
        "3) 2.3 k MACs · sees 5x5",
    ]


def test_a_block_costs_what_its_layers_cost_together() -> None:
    hints = shown(HALVES, macs=True)
    assert hints[2] == "first [4, 8, 8] · 6.91 k MACs"


def test_no_hints_when_they_are_off() -> None:
    assert shown(HALVES, shapes="off") == []


def test_after_a_mistake_what_is_known_is_shown() -> None:
    text = net("conv(4, 3) -> conv(4, 99) -> relu", "a = in -> gap")
    assert shown(text) == ["3) [4, 6, 6]", "in [3, 8, 8]", "gap [3, 1, 1]"]


def test_the_first_net_that_reaches_a_block_speaks_for_it() -> None:
    text = "block b() { relu }\nnet m { input x: f32[3]\n b()\n output y }\n" + net("b()")
    assert shown(text)[0] == "relu [3]"


def test_the_tooltip_lists_every_shape_of_every_net() -> None:
    analysis = analysed(HALVES + HALVES[HALVES.index("net") :].replace("net n", "net m"))
    hint = shape_hints(analysis, 0, 200, Options())[0]
    assert hint.tooltip.splitlines() == [
        "**n**",
        "- `[4, 8, 8]` in first",
        "- `[8, 4, 4]` in unit1",
        "- `[8, 2, 2]` in unit2",
        "**m**",
        "- `[4, 8, 8]` in first",
        "- `[8, 4, 4]` in unit1",
        "- `[8, 2, 2]` in unit2",
    ]


def test_only_the_stages_of_the_range_have_hints() -> None:
    analysis = analysed(HALVES)
    start = HALVES.index("unit(4)")
    hints = shape_hints(analysis, start, start + 20, Options())
    assert [hint.label for hint in hints] == ["[4, 8, 8]"]


def test_stages_of_used_files_have_no_hints_here() -> None:
    text = 'use resnet, basic from "resnet.netdef"\nnet n { input x: f32[3, 224, 224]\n'
    text += "resnet(basic, [1, 1, 1, 1], 64, 10)\noutput y }\n"
    assert shown(text) == ["10) [10]"]


def test_ill_formed_settings_count_as_not_set() -> None:
    assert Options.of(None) == Options.of([]) == Options.of({"inlayHints": 3}) == Options()
    assert Options.of({"netc": {"inlayHints": {"shapes": "most", "macs": 1}}}) == Options()
    assert Options.of({"netc": {"inlayHints": {"macs": True}}}).macs
