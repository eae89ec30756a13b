"""Each kind of syntax mistake: its message, and exactly where it points."""

from __future__ import annotations

import pytest

from grammar.bad_syntax import EXAMPLES
from grammar.diagnostics import Diagnostic
from grammar.parse import parse
from grammar.source import Source

LABELLED = [(message, example) for message, examples in EXAMPLES.items() for example in examples]

# A statement of a net, the place of its mistake between « and », and what is said there.
PLACES = [
    ("conv(64 «3x3») -> relu", "arguments need a comma between them"),
    ("conv(64, 3x3 «pad»=1)", "arguments need a comma between them"),
    ("conv(«,» 1)", "an argument is missing"),
    ("conv(1, pad=«)»", "a value is missing after `=`"),
    ("relu -> «->» relu", "a stage is missing after `->`"),
    ("relu -«>»\n    output y", "a stage is missing after `->`"),
    ("side «=»\n    relu", "a chain is missing after `=`"),
    ("let a = 1 «+»\n    relu", "an operand is missing"),
    ("conv«(»8, 3x3 as stem", "this `(` is never closed"),
    ("«->» relu", "a stage is missing before `->`"),
    ("let a = 1 «->» relu", "`->` follows a stage, and this statement is none"),
    ("conv«(»8, 3x3", "this `(` is never closed"),
    ("conv«(»8, 3x3\n    relu -> tanh", "this `(` is never closed"),
    ("conv«(»8, [3, 3 -> relu", "this `(` is never closed"),
    ("let a = «[»[1, 2], [3, 4]\n    relu", "this `[` is never closed"),
    ("let a = [1, 2«)»", "a `[` is closed by a `)`"),
    ("conv(1, [2, 3«)»", "a `[` is closed by a `)`"),
    ("conv(1, 2)«)»", "a `)` or `]` has no partner"),
    ("let a = [1 «2»]", "list items need a comma between them"),
    ("relu : «64»", "a shape is written in brackets: `: [64, 56, 56]`"),
    ("input x: «[»3, 2]", "an input needs a type and a shape: `input image: f32[3, 224, 224]`"),
    ("for x «inn» y { relu }", "`for` is written `for x in values { … }`"),
    ("for k in [1, 3]«:» relu", "a `{` is missing: the body stands in braces"),
    ("for k in range(3«)»\n        relu\n    }", "a `{` is missing: the body stands in braces"),
    ("repeat «{» relu }", "`repeat` needs a number: `repeat 2 { … }`"),
    ("relu «tanh»", "a statement ends with a newline or `;`"),
    ("assert a «=» b", "`==` compares; `=` stands only in keyword arguments, `let` and names"),
    ("let a = 1 + «)»", "an operand is missing"),
    ("let a = 1 if «b»", "`a if condition else b` needs its `else`"),
    ("«else» { relu }", "`else` has no `if` before it"),
    ("«3x3»", "a statement begins with a layer, a name or a keyword"),
    ("«net» m { relu }", "`use`, `block`, `net` and `train` stand outside any body"),
    ("relu «=>» tanh", "the arrow is written `->`"),
    ("conv(8, 3x3) «>>» relu", "the arrow is written `->`"),
    ("a = relu «-->» tanh", "the arrow is written `->`"),
    ("conv(8, 3x3) «//» eight maps", "a comment begins with `#`"),
    ("input x: f32[3] «//» a vector", "a comment begins with `#`"),
    ("«/*» the stem */", "a comment begins with `#`"),
    ('«"""»A small net."""', "a comment begins with `#`"),
    ("a «:=» relu", "a tensor is named by `=`: `a = relu`"),
    ("conv(8, 3x3)«(»x)", "a layer is fed by an arrow: `x -> relu`"),
    ("concat «[»relu, tanh]", "the branches of a join stand in braces: `concat { … }`"),
    ("x «+» y -> relu", "tensors are joined by a call: `add(x, y)`, `sub(x, y)`, `mul(x, y)`"),
    ("y «+=» x", "tensors are joined by a call: `add(x, y)`, `sub(x, y)`, `mul(x, y)`"),
    (
        "concat { relu«,» tanh }",
        "stages are joined by `->`, statements and branches end with a newline or `;`",
    ),
    ("nn«.»conv(8, 3x3)", "a layer has no module before its name: `conv`, not `nn.conv`"),
    ("relu -> output «y»", "an output is a statement of its own: `output y` on the next line"),
    ("output y: «f32»[8]", "an output has a shape but no type: `output y : [64, 56, 56]`"),
    ("conv(8, 3 «x 3»)", "a size is written with a small x and without spaces: `3x3`"),
    ("conv(8, 3«X3»)", "a size is written with a small x and without spaces: `3x3`"),
    ("for i in «0..»3 { relu }", "a range is written `range(0, 3)`"),
    ("«while» in.h > 8 { maxpool(2) }", "`while` is no word of the language"),
    ("«return» y", "`return` is no word of the language"),
    ("if a { relu } «elif» b { tanh }", "`elif` is no word of the language"),
    (
        "conv(16, (3x3, pad«=»1)",
        "`==` compares; `=` stands only in keyword arguments, `let` and names",
    ),
    ("relu «ascii»", "a statement ends with a newline or `;`"),
    ("conv(64, 3«×»3)", "the character '×' has no meaning here"),
    ("conv(64, «'»same')", 'the character "\'" has no meaning here'),
    ("conv(64) «→» relu", "the character '→' has no meaning here"),
    ("if a «&» b { relu }", "the character '&' has no meaning here"),
    ("relu «\\»\n    -> tanh", "the character '\\\\' has no meaning here"),
    ("relu «\0»", "the character '\\x00' has no meaning here"),
    ('let a = «"never closed»', "this string is never closed"),
    ('relu as "a{«1 +»}"', "the expression between braces is broken"),
    ('relu as "a«{»b"', "this `{` in a string is never closed"),
    ('relu as "a«{}»"', "there is no expression between these braces"),
    ("let a = «" + "9" * 301 + "»", "a number has more than 300 digits"),
    ("let a = «1x" + "9" * 301 + "»", "a number has more than 300 digits"),
    ("let a = «1e999»", "a number is larger than 1.8e308"),
    ("relu as a «as b»", "a stage has one label"),
    ("relu like a as c «like b»", "a stage has one label"),
    ('output y labels "a" = relu «labels "b"»', "an output has one `labels`"),
]


def found(text: str) -> tuple[Diagnostic, ...]:
    return parse(Source("t", text)).diagnostics


@pytest.mark.parametrize(("message", "example"), LABELLED)
def test_a_labelled_example_is_reported_once_with_its_label(message: str, example: str) -> None:
    (only,) = found(example)
    assert only.message == message


@pytest.mark.parametrize(("marked", "message"), PLACES)
def test_a_mistake_is_reported_where_it_is(marked: str, message: str) -> None:
    before, inside, after = (part for end in marked.split("«") for part in end.split("»"))
    text = f"net n {{\n    {before}{inside}{after}\n}}\n"
    (only,) = found(text)
    assert only.message == message
    assert (only.span.text, only.span.start) == (inside, len("net n {\n    " + before))


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("network n {\n    relu\n}\n", "`network` is no word of the language", 1),
        ("def unit(c) {\n    relu\n}\n", "`def` is no word of the language", 1),
        ("leta = 3\n", "only `use`, `let`, `block`, `net` and `train` stand outside a body", 1),
        ("relu\n", "only `use`, `let`, `block`, `net` and `train` stand outside a body", 1),
        ("net n {\n}\n}\n", "a `}` has no partner", 3),
        ("net {\n    relu\n}\n", "a definition needs a name", 1),
        ("net n(3) { relu }\n", "parameters are names, with an optional `= default`", 1),
        ("use a from b\n", '`use` is written `use a, b from "file.netdef"`', 1),
        ("net n {\n    relu\n", "this `{` is never closed", 1),
        ("net n {\n    add {\n        relu\n    output y\n}\n", "this `{` is never closed", 2),
        ("net n {\n    relu\n\nnet m { relu }\n", "this `{` is never closed", 1),
        ("net n\n    relu\n}\n", "a `{` is missing: the body stands in braces", 1),
        ("let a = \udcff\n", "this is no UTF-8 text", 1),
        ('net n {}\n\nlet a = "\ud800"\n', "this is no UTF-8 text", 3),
    ],
)
def test_a_mistake_of_the_file_is_reported_where_it_is(text: str, message: str, line: int) -> None:
    (only,) = found(text)
    assert (only.message, only.span.line) == (message, line)


def test_a_sign_that_has_another_spelling_here_comes_with_it() -> None:
    (only,) = found("net n { conv(1, 3×3) }")
    assert only.help == "write a size with the letter x: 3x3"
    (only,) = found("net n { ¿ }")
    assert (only.help, only.label) == (None, "inverted question mark")


def test_a_sign_of_another_alphabet_comes_with_the_plain_one() -> None:
    (only,) = found("net n { conv(1， 3x3) }")
    assert only.help == "the plain sign is ,"
    (only,) = found("net n { conv(1,\xa03x3) }")
    assert only.help == "write a plain space"


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("net n {\n    imput x: f32[3]\n}\n", "did you mean `input`?"),
        ("net n {\n    outputs y\n}\n", "did you mean `output`?"),
        ("net n { relu }\n}\noutput y\n", "the `}` at line 2 ends the definition above"),
        ("net n {\n    relu\n}\noutput y\n", "the `}` at line 3 ends the definition above"),
        ("net n {\n    conv(1, 1))\n}\n", None),
    ],
)
def test_the_help_is_what_was_perhaps_meant(text: str, help: str | None) -> None:
    assert found(text)[-1].help == help


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("cp949", "CP949 (Korean)"),
        ("shift_jis", "Shift_JIS (Japanese)"),
        ("euc_jp", "EUC-JP (Japanese)"),
        ("gb18030", "GB18030 (Chinese)"),
        ("cp1251", "CP1251 (Cyrillic)"),
        ("cp1252", "CP1252 (Western)"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
    ],
)
def test_a_file_in_another_encoding_is_told_which(encoding: str, said: str) -> None:
    words = {
        "cp949": "합성곱",
        "shift_jis": "ネット",
        "euc_jp": "ネット",
        "gb18030": "网络",
        "cp1251": "слой",
    }
    word = words.get(encoding, "größe")
    raw = f"net n {{ # {word}\n    relu\n}}\n".encode(encoding)
    (only,) = found(raw.decode("utf-8-sig", errors="surrogateescape"))
    assert (only.code, only.help) == ("E102", f"it looks like {said}: save it as UTF-8")
