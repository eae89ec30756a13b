"""A diagnostic as text and as JSON."""

from __future__ import annotations

import json

from grammar.diagnostics import (
    WIDEST,
    CallStep,
    Diagnostic,
    Fix,
    deduplicate,
    did_you_mean,
    render,
    together,
)
from grammar.source import Source, Span

TEXT = "net lenet5 {\n    input image: f32[1, 28, 28]\n    conv(120, 7x7)\n    output y\n}\n"
SOURCE = Source("lenet5.netdef", TEXT)


def place(word: str, source: Source = SOURCE) -> Span:
    start = source.text.index(word)
    return Span(source, start, start + len(word))


KERNEL = Diagnostic.of(
    "E302",
    "kernel is larger than its padded input",
    place("7x7"),
    "7 along height, but the padded input has 5",
    ("input: [16, 5, 5], from avgpool(2x2) at line 8", "size: floor((5 - 7)/1) + 1\n= -1"),
    "a kernel of at most 5x5 fits; so would pad=1",
    (CallStep("stage", place("conv"), "layer1", "stage(2)", ("s = 2",)),),
)


GOLDEN = """\
error[E302]: kernel is larger than its padded input
  --> lenet5.netdef:3:15
   |
3  |     conv(120, 7x7)
   |               ^^^ 7 along height, but the padded input has 5
   |
   = input: [16, 5, 5], from avgpool(2x2) at line 8
   = size: floor((5 - 7)/1) + 1
     = -1
   = help: a kernel of at most 5x5 fits; so would pad=1
   = in layer1: stage(2), line 3, s = 2"""


def test_a_diagnostic_is_rendered_with_its_line_and_what_helps() -> None:
    assert render(KERNEL) == GOLDEN


def test_its_json_has_the_documented_keys() -> None:
    found = json.loads(json.dumps(KERNEL.as_dict()))
    assert found | {"trail": None} == {
        "code": "E302",
        "severity": "error",
        "message": "kernel is larger than its padded input",
        "file": "lenet5.netdef",
        "line": 3,
        "column": 15,
        "end_line": 3,
        "end_column": 18,
        "notes": [
            "7 along height, but the padded input has 5",
            "input: [16, 5, 5], from avgpool(2x2) at line 8",
            "size: floor((5 - 7)/1) + 1\n= -1",
        ],
        "help": "a kernel of at most 5x5 fits; so would pad=1",
        "trail": None,
    }
    assert [(step["block"], step["file"], step["line"]) for step in found["trail"]] == [
        ("stage", "lenet5.netdef", 3)
    ]


def shown(source: Source, span: Span) -> tuple[str, str]:
    """The source line and its underline, without their gutters."""
    line, mark = render(Diagnostic.of("E101", "wrong", span)).splitlines()[3:5]
    return line.partition("| ")[2], mark.partition("| ")[2]


def test_the_underline_follows_tabs_and_wide_characters() -> None:
    source = Source("t", '\tlet a = "日本" 7\n')
    assert shown(source, place("7", source)) == ('\tlet a = "日本" 7', "\t" + " " * 15 + "^")
    assert shown(source, place("日本", source))[1] == "\t" + " " * 9 + "^^^^"


def test_of_a_long_line_the_part_around_the_place_is_shown() -> None:
    source = Source("t", "let a = [" + "1, " * 1000 + "here, " + "2, " * 1000 + "]")
    line, mark = shown(source, place("here", source))
    assert len(line) == WIDEST + 2 and line[0] == line[-1] == "…"
    assert line[mark.index("^") : len(mark)] == "here"
    line, mark = shown(source, Span(source, 0, len(source.text)))
    assert line.startswith("let a") and mark == "^" * WIDEST


def test_a_place_over_several_lines_is_underlined_on_its_first() -> None:
    assert shown(SOURCE, Span(SOURCE, TEXT.index("conv"), len(TEXT)))[1] == "    " + "^" * 14


def test_a_place_at_the_end_of_a_line_or_text_has_a_mark() -> None:
    assert (
        shown(SOURCE, Span(SOURCE, len("net lenet5 {"), len("net lenet5 {") + 1))[1].strip() == "^"
    )
    empty = Source("t", "")
    assert shown(empty, Span(empty, 0, 0)) == ("", "^")


def test_nothing_that_steers_a_terminal_is_written() -> None:
    source = Source("\x1b[31mx", "net \x1b[2J\udcff\r\x07 n\n")
    text = render(Diagnostic.of("E101", "\x1b[0m", Span(source, 4, 8), "\x9b", ("a\nb\x00",)))
    assert text.encode() and text.replace("\n", "").isprintable()
    for shown in (r"\x1b[31mx", r"net \x1b[2J\udcff\r\x07 n", r"\x1b[0m", r"\x9b", r"b\x00"):
        assert shown in text


def test_the_underline_stands_below_what_is_shown() -> None:
    source = Source("x", "\x1b\u202e\t日本 net\x07\n")
    text = render(Diagnostic.of("E101", "wrong", Span(source, 6, 10)))
    assert text.splitlines()[3:5] == [
        r"1  | \x1b\u202e" + "\t日本 net" + r"\x07",
        "   | " + " " * 10 + "\t" + " " * 5 + "^" * 7,
    ]


def test_each_mistake_is_said_once_in_the_order_of_the_text() -> None:
    first = Diagnostic.of("E101", "wrong", place("image"))
    again = Diagnostic.of("E101", "wrong", place("image"), call_stack=KERNEL.call_stack)
    assert deduplicate([KERNEL, first, again]) == [first, KERNEL]


def test_the_nearest_word_is_offered() -> None:
    assert did_you_mean("rleu", ["conv", "relu"]) == "did you mean `relu`?"
    assert did_you_mean("zzz", ["conv", "relu"]) is None


def test_edits_that_are_needed_together_are_one_in_the_order_of_the_text() -> None:
    kernel, channels = Fix("smaller", place("7x7"), "5x5"), Fix("fewer", place("120"), "60")
    whole = together("both", [kernel, channels])
    assert whole == Fix("both", place("120, 7x7"), "60, 5x5")


def test_edits_that_overlap_or_stand_in_several_texts_are_not_made_together() -> None:
    kernel = Fix("smaller", place("7x7"), "5x5")
    end = place("7x7").end
    added = Fix("padded", Span(SOURCE, end, end), ", pad=1")
    elsewhere = Fix("there", place("120", Source("other.netdef", TEXT)), "60")
    for other in (Fix("all", place("120, 7x7"), "1, 1"), elsewhere, None):
        assert together("both", [kernel, other]) is None
    assert together("both", [added, added]) is None
    assert together("both", []) is None
    assert together("both", [kernel, added]) == Fix("both", place("7x7"), "5x5, pad=1")
