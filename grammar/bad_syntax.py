"""Broken definitions, each under the message it deserves.

The parser's state at a syntax error is matched against the states that these lead to (as Lark's
`match_examples` does, but whatever surrounds the statement), so a mistake is explained in the
user's terms instead of a list of terminals. To teach the compiler a new message, add an example.
"""

from __future__ import annotations


def _in_net(*statements: str) -> list[str]:
    return [f"net n {{ {statement} }}\n" for statement in statements]


def _beginning(*statements: str) -> list[str]:
    """Statements that are wrong from their first word, wherever they stand in a body."""
    places = ("net n {{ {} }}\n", "net n {{\n {}\n}}\n", "net n {{\n relu;\n {}\n}}\n")
    return [place.format(statement) for statement in statements for place in places]


def _in_training(*statements: str) -> list[str]:
    return [f"train t {{ {statement} }}\n" for statement in statements]


def _beginning_training(*statements: str) -> list[str]:
    """Statements that a training has not, from their first word on."""
    places = ("train t {{ {} }}\n", "train t {{\n {}\n}}\n", "train t {{\n batch 1;\n {}\n}}\n")
    return [place.format(statement) for statement in statements for place in places]


def _outside(*items: str) -> list[str]:
    """Items that are wrong from their first word, wherever they stand in a file."""
    places = ("{}\n", "\n{}\n", "let a = 1\n{}\n")
    return [place.format(item) for item in items for place in places]


OUTSIDE = "only `use`, `let`, `block`, `net` and `train` stand outside a body"

EXAMPLES: dict[str, list[str]] = {
    OUTSIDE: _outside(
        "relu", "conv(1, 1)", "input x: f32[1]", "output x", "for x in y { relu }", "a = relu"
    ),
    "a `}` has no partner": [*_outside("}"), "net n { relu } }\n"],
    "an item ends with a newline or `;`": [
        "net n { relu } relu\n",
        "block b { relu } net m { relu }\n",
        "net n { relu } ]\n",
        "let a = 1 let b = 2\n",
        'use a from "b" use c from "d"\n',
    ],
    "a statement begins with a layer, a name or a keyword": _beginning("3x3", "(a)", "[1]"),
    "a stage is missing after `->`": _in_net("conv(1, 1) -> ", "relu -> -> relu", "a = relu ->\n"),
    "a stage is missing before `->`": _beginning("-> relu"),
    "`->` follows a stage, and this statement is none": _in_net(
        "let a = 1 -> relu",
        "assert a -> relu",
        "expect a == 1 -> relu",
        "input x: f32[1] -> relu",
        "output a : [1] -> relu",
        "for x in y { relu } -> relu",
        "repeat 2 { relu } -> relu",
        "if a { relu } -> relu",
        "if a { relu } else { relu } -> relu",
    ),
    "an argument is missing": _in_net("conv(, 1)", "conv(1, , 2)", "conv(1, 2, , 3)"),
    "a value is missing after `=`": _in_net("conv(1, pad=)", "conv(1, pad=, stride=2)", "let a = "),
    "a chain is missing after `=`": _in_net("a = ", "output a = ", "a = 3"),
    "arguments need a comma between them": _in_net(
        "conv(1 3x3)",
        "conv(a b)",
        "conv(64, 3x3 pad=1)",
        "conv(64, pad=1 stride=2)",
        "f(3x3 3x3)",
        "conv(1; 2)",
        "conv(a; pad=1)",
    ),
    "list items need a comma between them": _in_net(
        "let a = [1 2]", "let a = [1, 2 3]", "let a = [a b]", "let a = [1; 2]"
    ),
    "a shape is written in brackets: `: [64, 56, 56]`": _in_net(
        "relu : 64", "relu : (1, 2)", "relu : 3x3", "relu : x"
    ),
    "an input needs a type and a shape: `input image: f32[3, 224, 224]`": _in_net(
        "input x", "input x: f32", "input x: [3, 2]", "input x = 3", "input x [3]", "input f32[3]"
    ),
    "an input's origin is `from picture(…)`": _in_net(
        "input x: f32[1] from", "input x: f32[1] from picture", 'input x: f32[1] from "file"'
    ),
    "an output is `output name` or `output name = chain`": _in_net(
        "output", "output = relu", "output conv(1, 1)", "output a -> relu"
    ),
    'a label is a name or a string: `as stem`, `as "layer{i}"`': _in_net(
        "relu as", "relu as 3", "relu as (a)"
    ),
    "`like` needs the label of an earlier stage": _in_net("relu like", "relu like 3"),
    "`for` is written `for x in values { … }`": _in_net(
        "for",
        "for x",
        "for x { relu }",
        "for x in { relu }",
        "for 3 in x { relu }",
        "for x = 3 { relu }",
    ),
    "a `{` is missing: the body stands in braces": [
        *_in_net(
            "for x in y relu",
            "repeat 2 relu",
            "if a relu",
            "if a: relu",
            "for x in y: relu",
            "if a { relu } else relu",
        ),
        "net n\n",
        "block b(x)\n",
        "net n(a=1) relu\n",
        "net n: \n",
        "block b relu\n",
    ],
    "`repeat` needs a number: `repeat 2 { … }`": _in_net("repeat { relu }"),
    "`if` needs a condition": _in_net("if { relu }"),
    "`else` has no `if` before it": _beginning("else { relu }"),
    "a statement ends with a newline or `;`": _in_net(
        "relu relu",
        "conv(1, 1) relu",
        "a = relu b",
        "let a = 1 b",
        "let a = 1 relu -> relu",
        "add { { relu } { relu } }",
        "add { { relu -> relu } relu }",
        "if a { relu } relu",
        "repeat 2 { relu } conv(1, 1)",
        "for x in y { relu } { relu }",
    ),
    "`==` compares; `=` stands only in keyword arguments, `let` and names": _in_net(
        "assert a = b",
        "assert 3 = 3",
        "expect params = 3",
        "if a = b { relu }",
        "conv(1, (3x3, a=1) -> relu",
    ),
    "`let` is written `let name = value`": _in_net("let", "let a", "let 3 = 4", "let a 3"),
    "`expect` needs a comparison: `expect params == 61_706`": _in_net("expect", "expect params,"),
    "`assert` needs a condition": _in_net("assert", 'assert , "why"'),
    "a definition needs a name": [
        "net { relu }\n",
        "block (x) { relu }\n",
        "block { relu }\n",
        "net (x) { relu }\n",
        "net 3 { relu }\n",
    ],
    "parameters are names, with an optional `= default`": [
        "block b(3) { relu }\n",
        "block b(a 3) { relu }\n",
        "block b(a, ,b) { relu }\n",
        "block b(a b) { relu }\n",
        "net n(=3) { relu }\n",
        "block b(a=) { relu }\n",
    ],
    '`use` is written `use a, b from "file.netdef"`': [
        "use\n",
        "use a\n",
        'use "x.netdef"\n',
        "use a from b\n",
        'use a b from "x"\n',
    ],
    "`use`, `block`, `net` and `train` stand outside any body": [
        *_beginning("block b { relu }", "net m { relu }", 'use a from "b"'),
        *_beginning_training("block b { relu }", "net m { relu }", 'use a from "b"'),
    ],
    "data is written `data image: f32[1, 28, 28], label: class[10]`": _in_training(
        "data",
        "data x",
        "data x: f32",
        "data x f32[1]",
        "data x = 3",
        "data x: 3",
        "data f32[1]",
        "data x: f32[1],",
    ),
    "noise is written `noise z: f32[100] normal`": _in_training(
        "noise", "noise z", "noise z: f32", "noise z: f32[1]", "noise z: f32[1] 3", "noise z = 1"
    ),
    "augmentation is written `augment image: crop(24) -> flip`": _in_training(
        "augment", "augment x", "augment x:", "augment x = flip", "augment x -> flip"
    ),
    "an objective is written `minimize loss(prediction, target)`": _in_training(
        "minimize", "maximize", "minimize x as y", "maximize x as y", "minimize = x", "minimize x y"
    ),
    "a report is written `report accuracy(logits, label)`": _in_training(
        "report", "report x,", "report x -> y", "report = x"
    ),
    'an update is written `update net with adam(1e-3)`, or `update net only "fc.*" with …`': (
        _in_training(
            "update",
            "update x",
            "update x with",
            "update with adam",
            "update x only",
            "update x only fc with adam",
            'update x only "fc"',
            "update x adam(1)",
            "update 3",
            "update x(1) with adam",
        )
    ),
    "`batch`, `epochs` and `accumulate` are followed by a number: `batch 64`": _in_training(
        "batch", "batch = 3", "epochs = 3", "batch: 3", "epochs", "accumulate"
    ),
    "a step is written `step { minimize …; update … }`": _in_training(
        "step", "step 2 { batch 1 }", "step x", "step = 2"
    ),
    "a picture is shown by `show G(z) grid 8x8 as samples`": _in_training(
        "show",
        "show x",
        "show x grid",
        "show x grid 3",
        "show x grid 3x3",
        "show x as y",
        "show x grid 3 as y",
    ),
    "a training has statements such as `data`, `minimize` and `update`": _beginning_training(
        "conv(1, 1)",
        "relu",
        "x -> relu",
        "3",
        "(a)",
        "[1]",
        "input x: f32[1]",
        "output x",
        "{ batch 1 }",
        "for x in y { batch 1 }",
        "-> relu",
        "else { batch 1 }",
    ),
    "a training's statement ends with a newline or `;`": _in_training(
        "x = y z",
        "repeat 2 { batch 1 } batch 1",
        "if a { batch 1 } batch 1",
        "data x: f32[1] y",
        "augment x: flip y",
        "report x y",
        "noise z: f32[1] normal x",
        "show x grid 3x3 as y z",
        "step { batch 1 } batch 1",
    ),
    "an operand is missing": _in_net(
        "let a = 1 + ",
        "let a = (1 + )",
        "let a = 2 ** ",
        "let a = 1 == ",
        "let a = not ",
        "let a = b and ",
        "conv(1 + , 2)",
        "conv(1 == , 2)",
    ),
    "`a if condition else b` needs its `else`": _in_net("let a = 1 if b", "conv(1 if b, 2)"),
    "a `)` or `]` has no partner": _in_net(
        "conv(1, 1))", "relu)", "relu]", "let a = 1)", "let a = [1]]"
    ),
}
