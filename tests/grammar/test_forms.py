"""Each form of the language parses to the tree that its class describes."""

from __future__ import annotations

from typing import Any
from unicodedata import normalize

import pytest

from grammar import syntax as s
from grammar.format import format_source, print_file
from grammar.parse import parse, parse_expression
from grammar.source import Source, Span

AT = Span(Source("", ""), 0, 0)  # places do not count when trees are compared


def name(word: str) -> s.Name:
    return s.Name(AT, word)


def number(value: float) -> s.Number:
    return s.Number(AT, value)


def text(*parts: str | s.Expression) -> s.Text:
    return s.Text(AT, parts)


def stage(callee: str, *arguments: s.Expression, **more: object) -> s.Stage:
    given = tuple(s.Argument(AT, None, value) for value in arguments) if arguments else None
    empty: dict[str, Any] = dict.fromkeys(["body", "label", "like", "shape"])
    return s.Stage(AT, name(callee), **({"arguments": given} | empty | more))


def source(expression: s.Expression, **more: object) -> s.Stage:
    empty = dict.fromkeys(["callee", "arguments", "body", "label", "like", "shape"])
    return s.Stage(AT, **(empty | more), source=expression)


def chain(*stages: s.Stage) -> s.Chain:
    return s.Chain(AT, stages)


def body(*statements: s.Statement) -> s.Body:
    return s.Body(AT, statements)


def shape(*sizes: s.Expression | s.Wildcard) -> s.ShapePattern:
    return s.ShapePattern(AT, sizes)


RELU = s.Flow(AT, chain(stage("relu")))
TANH = s.Flow(AT, chain(stage("tanh")))
ANY, RUN = s.Wildcard(AT, False), s.Wildcard(AT, True)
A, B, C = name("a"), name("b"), name("c")
NAMED = s.ClassNames(AT, text("names.txt"), None)
TRUE = s.Truth(AT, True)


def binary(operator: str, left: s.Expression, right: s.Expression) -> s.Binary:
    return s.Binary(AT, operator, left, right)


EXPRESSIONS: dict[str, s.Expression] = {
    "61_706": number(61706),
    "0.75": number(0.75),
    "5e5": number(5e5),
    "2.5E-3": number(2.5e-3),
    "true": TRUE,
    "false": s.Truth(AT, False),
    "3x3": s.SizeLiteral(AT, (3, 3)),
    "1x7x12": s.SizeLiteral(AT, (1, 7, 12)),
    '""': text(""),
    '"layer{s + 1}.{i}"': text("layer", binary("+", name("s"), number(1)), ".", name("i")),
    r'"a\"\\\n\t{{}}"': text('a"\\\n\t{}'),
    '"{a}{b}"': text(A, B),
    "classes": name("classes"),
    "in": name("in"),
    "index": name("index"),
    "[3, 4, 6, 3]": s.ListDisplay(AT, (number(3), number(4), number(6), number(3))),
    "[a,]": s.ListDisplay(AT, (A,)),
    "[]": s.ListDisplay(AT, ()),
    "(1, 2)": s.TupleDisplay(AT, (number(1), number(2))),
    "(a,)": s.TupleDisplay(AT, (A,)),
    "(a)": A,
    "-a": s.Unary(AT, "-", A),
    "not a": s.Unary(AT, "not", A),
    "- - a": s.Unary(AT, "-", s.Unary(AT, "-", A)),
    "64 * 2 ** a": binary("*", number(64), binary("**", number(2), A)),
    "a - b - c": binary("-", binary("-", A, B), C),
    "a + b * c": binary("+", A, binary("*", B, C)),
    "(a + b) // c % 2": binary("%", binary("//", binary("+", A, B), C), number(2)),
    "-a ** -b": s.Unary(AT, "-", binary("**", A, s.Unary(AT, "-", B))),
    "a ** b ** c": binary("**", A, binary("**", B, C)),
    "a and b and c": s.Logical(AT, "and", (A, B, C)),
    "a or b and not c": s.Logical(AT, "or", (A, s.Logical(AT, "and", (B, s.Unary(AT, "not", C))))),
    "0 < a <= 3": s.Comparison(AT, (number(0), A, number(3)), ("<", "<=")),
    "a != 3x3": s.Comparison(AT, (A, s.SizeLiteral(AT, (3, 3))), ("!=",)),
    "2 if a > 0 else 1": s.Conditional(
        AT, number(2), s.Comparison(AT, (A, number(0)), (">",)), number(1)
    ),
    "a if b else c if a else b": s.Conditional(AT, A, B, s.Conditional(AT, C, A, B)),
    "a[0][b]": s.Index(AT, s.Index(AT, A, number(0)), B),
    "a in b": s.Comparison(AT, (A, B), ("in",)),
    "a not  in b": s.Comparison(AT, (A, B), ("not in",)),
    "not in in in": s.Unary(AT, "not", s.Comparison(AT, (name("in"), name("in")), ("in",))),
    "a[1:]": s.Slice(AT, A, number(1), None, None),
    "a[:b:-1]": s.Slice(AT, A, None, B, s.Unary(AT, "-", number(1))),
    "a[:]": s.Slice(AT, A, None, None, None),
    "[a for a in b]": s.Comprehension(AT, A, (s.Clause(AT, (A,), B, None),)),
    "[a for a, (b, c) in b if c for c in a]": s.Comprehension(
        AT,
        A,
        (
            s.Clause(AT, (A, s.NameGroup(AT, (B, C))), B, C),
            s.Clause(AT, (C,), A, None),
        ),
    ),
    "in.c": s.Attribute(AT, name("in"), "c"),
    "enumerate(a)": s.CallExpression(AT, name("enumerate"), (s.Argument(AT, None, A),)),
    "a.b(c=1)[2]": s.Index(
        AT,
        s.CallExpression(AT, s.Attribute(AT, A, "b"), (s.Argument(AT, "c", number(1)),)),
        number(2),
    ),
}

STATEMENTS: dict[str, s.Statement] = {
    "relu": RELU,
    "conv(6, 5x5) -> tanh": s.Flow(
        AT, chain(stage("conv", number(6), s.SizeLiteral(AT, (5, 5))), stage("tanh"))
    ),
    "relu\n    -> tanh": s.Flow(AT, chain(stage("relu"), stage("tanh"))),
    "relu\n\n    # why\n    # indeed\n    -> tanh": s.Flow(AT, chain(stage("relu"), stage("tanh"))),
    "conv(pad=1,) as stem : [64, _, ...]": s.Flow(
        AT,
        chain(
            s.Stage(
                AT,
                name("conv"),
                (s.Argument(AT, "pad", number(1)),),
                None,
                text("stem"),
                None,
                shape(number(64), ANY, RUN),
            )
        ),
    ),
    'tower(8) like "t{a}" as u': s.Flow(
        AT, chain(stage("tower", number(8), like=text("t", A), label=text("u")))
    ),
    "concat { relu; tanh }": s.Flow(AT, chain(stage("concat", body=body(RELU, TANH)))),
    "concat {\n    relu\n\n    tanh\n}": s.Flow(AT, chain(stage("concat", body=body(RELU, TANH)))),
    "{ relu } : []": s.Flow(AT, chain(s.Stage(AT, None, None, body(RELU), None, None, shape()))),
    "gap()": s.Flow(AT, chain(stage("gap", arguments=()))),
    "side = in -> gap": s.Bind(AT, (name("side"),), chain(stage("in"), stage("gap"))),
    "input image: f32[3, H, 8 * 4]": s.InputDeclaration(
        AT,
        name("image"),
        None,
        name("f32"),
        shape(number(3), name("H"), binary("*", number(8), number(4))),
        None,
    ),
    "input image: f32[1] from picture(crop=224)": s.InputDeclaration(
        AT,
        name("image"),
        None,
        name("f32"),
        shape(number(1)),
        s.CallExpression(AT, name("picture"), (s.Argument(AT, "crop", number(224)),)),
    ),
    "output probs": s.OutputDeclaration(AT, name("probs"), None, None, None, None),
    "output features : [64, 56, 56]": s.OutputDeclaration(
        AT, name("features"), None, None, None, shape(number(64), number(56), number(56))
    ),
    'output probs labels "names.txt" = relu': s.OutputDeclaration(
        AT, name("probs"), None, NAMED, chain(stage("relu")), None
    ),
    'output probs labels "names.txt" if a': s.OutputDeclaration(
        AT, name("probs"), None, s.ClassNames(AT, text("names.txt"), A), None, None
    ),
    'output probs = relu labels "names.txt"': s.OutputDeclaration(
        AT, name("probs"), None, NAMED, chain(stage("relu")), None
    ),
    'input image as "input.1": f32[1]': s.InputDeclaration(
        AT, name("image"), text("input.1"), name("f32"), shape(number(1)), None
    ),
    'output probs as "386:0"': s.OutputDeclaration(
        AT, name("probs"), text("386:0"), None, None, None
    ),
    'output probs as "386:0" labels "names.txt" = relu': s.OutputDeclaration(
        AT, name("probs"), text("386:0"), NAMED, chain(stage("relu")), None
    ),
    "let width = 64": s.Let(AT, (name("width"),), number(64)),
    "let a, (b, c) = a": s.Let(AT, (A, s.NameGroup(AT, (B, C))), A),
    "let a(b, c=1) = b": s.Function(
        AT, A, (s.Parameter(AT, B, None), s.Parameter(AT, C, number(1))), B
    ),
    "let a() = 1": s.Function(AT, A, (), number(1)),
    "a, b = relu": s.Bind(AT, (A, B), chain(stage("relu"))),
    '"p{a}" -> relu': s.Flow(AT, chain(source(text("p", A)), stage("relu"))),
    "a[0].b -> relu": s.Flow(
        AT, chain(source(s.Attribute(AT, s.Index(AT, A, number(0)), "b")), stage("relu"))
    ),
    'a = in.b as ""': s.Bind(
        AT, (A,), chain(source(s.Attribute(AT, name("in"), "b"), label=text("")))
    ),
    'output "y{a}" = relu': s.OutputDeclaration(
        AT, text("y", A), None, None, chain(stage("relu")), None
    ),
    'output "y{a}" : [1]': s.OutputDeclaration(
        AT, text("y", A), None, None, None, shape(number(1))
    ),
    "for a, (b, c) in c { }": s.For(AT, (A, s.NameGroup(AT, (B, C))), C, body(), None),
    'assert a, "why"': s.Assert(AT, A, text("why")),
    "assert a": s.Assert(AT, A, None),
    "expect a, b": s.Expect(AT, (A, B)),
    "for a, b in c { relu }": s.For(AT, (A, B), C, body(RELU), None),
    "for a, b, c in c { relu } : [_]": s.For(AT, (A, B, C), C, body(RELU), shape(ANY)),
    "for a in [1] { }": s.For(AT, (A,), s.ListDisplay(AT, (number(1),)), body(), None),
    "repeat 2 { relu }": s.Repeat(AT, number(2), body(RELU), None),
    "repeat 2 { relu } : [3, ...]": s.Repeat(AT, number(2), body(RELU), shape(number(3), RUN)),
    "if a { relu }": s.If(AT, A, body(RELU), None, None),
    "if a { relu } else { tanh }": s.If(AT, A, body(RELU), body(TANH), None),
    "if a { relu }\n    # or\n    else { tanh }": s.If(AT, A, body(RELU), body(TANH), None),
    "if a { relu } else if b { tanh } else { relu } : [_]": s.If(
        AT, A, body(RELU), body(s.If(AT, B, body(TANH), body(RELU), None)), shape(ANY)
    ),
}

LEARNING: dict[str, s.Statement] = {
    "data a: f32[1] from picture(c=1), b: class[10]": s.DataDeclaration(
        AT,
        (
            s.Declared(
                AT,
                A,
                name("f32"),
                shape(number(1)),
                s.CallExpression(AT, name("picture"), (s.Argument(AT, "c", number(1)),)),
            ),
            s.Declared(AT, B, name("class"), shape(number(10)), None),
        ),
    ),
    "noise a: f32[3] normal": s.NoiseDeclaration(
        AT, A, name("f32"), shape(number(3)), name("normal")
    ),
    "augment a, b: c\n    -> b": s.Augment(AT, (A, B), (C, B)),
    "a = b -> c": s.Assign(AT, A, (B, C)),
    "a = b": s.Assign(AT, A, (B,)),
    "minimize a + b": s.Objective(AT, False, binary("+", A, B)),
    "maximize -a": s.Objective(AT, True, s.Unary(AT, "-", A)),
    "report a, b as top": s.Report(AT, (s.Reported(AT, A, None), s.Reported(AT, B, text("top")))),
    "update a with b": s.Update(AT, (A,), (), B),
    'update a, b only "c*", "b" with c': s.Update(AT, (A, B), (text("c*"), text("b")), C),
    "batch 64": s.Setting(AT, "batch", number(64)),
    "epochs a": s.Setting(AT, "epochs", A),
    "accumulate 4": s.Setting(AT, "accumulate", number(4)),
    "step { minimize a }": s.Step(AT, body(s.Objective(AT, False, A))),
    "repeat 2 { step { } }": s.Repeat(AT, number(2), body(s.Step(AT, body())), None),
    "if a { batch 64 } else { let a = 1 }": s.If(
        AT,
        A,
        body(s.Setting(AT, "batch", number(64))),
        body(s.Let(AT, (A,), number(1))),
        None,
    ),
    "if a { batch 1 } else if b { batch 2 } else { batch 3 }": s.If(
        AT,
        A,
        body(s.Setting(AT, "batch", number(1))),
        body(
            s.If(
                AT,
                B,
                body(s.Setting(AT, "batch", number(2))),
                body(s.Setting(AT, "batch", number(3))),
                None,
            )
        ),
        None,
    ),
    "show a grid 3x3 as b": s.Show(AT, A, s.SizeLiteral(AT, (3, 3)), text("b")),
    "expect a": s.Expect(AT, (A,)),
    "assert a": s.Assert(AT, A, None),
}

ITEMS: dict[str, s.Item] = {
    "train b(a) { }": s.Definition(AT, "train", B, (s.Parameter(AT, A, None),), body(), ""),
    'use a, b from "blocks.netdef"': s.Use(AT, (A, B), text("blocks.netdef")),
    "let a = 1": s.Let(AT, (A,), number(1)),
    "let a(b) = b": s.Function(AT, A, (s.Parameter(AT, B, None),), B),
    "block b { relu }": s.Definition(AT, "block", B, (), body(RELU), ""),
    "block b() { relu }": s.Definition(AT, "block", B, (), body(RELU), ""),
    "# What\n#  it is.\nnet b(a, c=1,) { relu }": s.Definition(
        AT,
        "net",
        B,
        (s.Parameter(AT, A, None), s.Parameter(AT, C, number(1))),
        body(RELU),
        "What\nit is.",
    ),
    "# far above\n\nnet b { relu }": s.Definition(AT, "net", B, (), body(RELU), ""),
}


@pytest.mark.parametrize("written", EXPRESSIONS)
def test_an_expression(written: str) -> None:
    assert parse_expression(written) == EXPRESSIONS[written]


@pytest.mark.parametrize("written", STATEMENTS)
def test_a_statement(written: str) -> None:
    (net,) = parse(Source("t", f"net n {{\n    {written}\n}}")).whole().items
    assert isinstance(net, s.Definition)
    assert net.body.statements == (STATEMENTS[written],)


@pytest.mark.parametrize("written", LEARNING)
def test_a_statement_of_a_training(written: str) -> None:
    (training,) = parse(Source("t", f"train t {{\n    {written}\n}}")).whole().items
    assert isinstance(training, s.Definition)
    assert training.body.statements == (LEARNING[written],)


@pytest.mark.parametrize("written", LEARNING)
def test_a_training_is_printed_and_formatted_faithfully(written: str) -> None:
    file = parse(Source("t", f"train t(a, n=3) {{\n    {written}\n}}\n")).whole()
    printed = print_file(file)
    assert parse(Source("t", printed)).whole().items == file.items
    assert format_source(Source("t", printed)) == printed


def test_words_of_a_training_are_names_elsewhere() -> None:
    written = "net train { input data: f32[1]; data -> batch(show=step) as report; output epochs }"
    (net,) = parse(Source("t", written)).whole().items
    assert isinstance(net, s.Definition)
    assert net.name.id == "train"
    assert parse(Source("t", "let train = 1; let minimize = train")).diagnostics == ()


@pytest.mark.parametrize("written", ITEMS)
def test_an_item(written: str) -> None:
    assert parse(Source("t", written)).whole().items == (ITEMS[written],)


def test_every_class_of_the_tree_is_among_the_forms() -> None:
    seen: set[type] = set()
    waiting: list[object] = [
        *EXPRESSIONS.values(),
        *STATEMENTS.values(),
        *LEARNING.values(),
        *ITEMS.values(),
    ]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tuple):
            waiting += node
        elif isinstance(node, s.Syntax):
            seen.add(type(node))
            waiting += vars(node).values()
    assert seen == set(s.Syntax.__subclasses__()) - {s.Broken, s.Given}


def test_several_items_stand_on_one_line_after_semicolons() -> None:
    items = parse(Source("t", "let a = 1; let b = 2;\n;\nlet c = 3")).whole().items
    lets = [item for item in items if isinstance(item, s.Let)]
    assert [n.id for item in lets for n in s.names_in(item.names)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "written", ["", "\n\n", "# only a comment", "   \t", "\ufeff", "\ufefflet a = 1", "#"]
)
def test_little_or_nothing_is_a_file(written: str) -> None:
    assert len(parse(Source("t", written)).whole().items) == written.count("let")


def test_line_ends_of_windows_and_tabs_are_space() -> None:
    windows = "net n {\r\n\trelu\r\n\r\n\t# why\r\n\t-> tanh\r\n\tconv(1,\r\n\t1)\r\n}\r\n"
    plain = windows.replace("\r\n", "\n").replace("\t", " ")
    assert parse(Source("t", windows)).whole().items == parse(Source("t", plain)).whole().items


def test_names_of_any_script_are_one_name_however_they_are_composed() -> None:
    composed, apart = (
        "\ud569\uc131\uacf11",
        "\u1112\u1161\u11b8\u1109\u1165\u11bc\u1100\u1169\u11b81",
    )
    for word in ("é", "e\u0301", composed, apart, "слой", "층_2", "conv层", "परत"):
        (let,) = parse(Source("t", f"let {word} = 1")).whole().items
        assert isinstance(let, s.Let)
        assert let.names == (name(normalize("NFC", word)),)
    assert parse(Source("t", "let ２ = 1")).diagnostics


def test_words_of_the_language_are_names_elsewhere() -> None:
    written = "net n { conv(as, like=1, labels=from) -> input -> output as like }"
    (net,) = parse(Source("t", written)).whole().items
    assert isinstance(net, s.Definition)
    (flow,) = net.body.statements
    assert isinstance(flow, s.Flow)
    assert [st.callee and st.callee.id for st in flow.chain.stages] == ["conv", "input", "output"]


def test_a_comment_may_stand_between_not_and_in() -> None:
    written = "let a = (1 not # why\n    in [2])\n"
    (item,) = parse(Source("a.netdef", written)).whole().items
    (plain,) = parse(Source("a.netdef", "let a = (1 not in [2])\n")).whole().items
    assert isinstance(item, s.Let) and isinstance(plain, s.Let)
    assert item.value == plain.value
