"""Random definitions for property tests: syntax trees, and their texts in any layout.

    expressions()      any expression           files()      the tree of a whole file
    statements()       any statement of a body  sources()    a text with random space and comments

All of them parse; what they mean is left to chance.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st

from grammar import syntax as s
from grammar.format.printer import file_text
from grammar.lexemes import scan
from grammar.source import Source, Span

NOWHERE = Span(Source("made", ""), 0, 0)
WORDS = [
    "é",
    "합성곱1",
    "a",
    "classes",
    "conv",
    "H",
    "relu",
    "_y",
    "a_value_with_quite_a_long_name",
    "x" * 45,
]
COMMENTS = ["# why", "#", "#: a -> b {", '# "unclosed', "# ünïcode"]

Trees = st.SearchStrategy[Any]
Test = TypeVar("Test", bound=Callable[..., Any])


def steady(count: int, number: int) -> Callable[[Test], Test]:
    """Make a test see so many draws, the same ones on every run, one set for each number."""
    drawing = settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    return lambda test: seed(number)(drawing(test))


def optional(strategy: Trees) -> Trees:
    """Something or None."""
    return st.none() | strategy


def several(strategy: Trees, least: int = 0, most: int = 3) -> Trees:
    """A tuple."""
    return st.lists(strategy, min_size=least, max_size=most).map(tuple)


def node(kind: Callable[..., Any], *parts: Trees) -> Trees:
    """A syntax node of random parts."""
    return st.builds(lambda *made: kind(NOWHERE, *made), *parts)


# ── expressions ──────────────────────────────────────────────────────────────────────────────

names_only = st.sampled_from(WORDS)
names = names_only.map(lambda word: s.Name(NOWHERE, word))
numbers = node(
    s.Number,
    st.integers(0, 10**12) | st.floats(0, 1e300, allow_nan=False, allow_infinity=False),
)
sizes = node(s.SizeLiteral, several(st.integers(0, 99), 2, 3))
truths = node(s.Truth, st.booleans())
literals = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"])
    | st.sampled_from('{}"\\\n\t'),
    max_size=8,
)


def merged(parts: list[Any]) -> tuple[Any, ...]:
    """The parts of a string as the parser gives them: no two literals in a row, none empty."""
    found: list[Any] = []
    for part in parts:
        if isinstance(part, str) and found and isinstance(found[-1], str):
            found[-1] += part
        elif part != "":
            found.append(part)
    return tuple(found) or ("",)


def texts(inner: Trees) -> Trees:
    """Strings with expressions between braces."""
    return node(s.Text, st.lists(literals | inner, max_size=3).map(merged))


def arguments(values: Trees) -> Trees:
    """What stands between the parentheses of a call."""
    return several(node(s.Argument, optional(st.sampled_from(WORDS)), values))


COMPARISONS = ["==", "!=", "<", "<=", ">", ">=", "in", "not in"]
targets = st.recursive(names, lambda inner: node(s.NameGroup, several(inner, 2, 3)), max_leaves=3)


def clauses(inner: Trees) -> Trees:
    """`for a, (b, c) in values if condition`"""
    return node(s.Clause, several(targets, 1, 2), inner, optional(inner))


def compound(inner: Trees) -> Trees:
    """Expressions made of others."""
    pair = several(inner, 2, 3)
    comparisons = pair.flatmap(
        lambda operands: st.tuples(
            st.just(operands),
            st.tuples(*[st.sampled_from(COMPARISONS)] * (len(operands) - 1)),
        )
    )
    return st.one_of(
        node(s.ListDisplay, several(inner)),
        node(s.TupleDisplay, several(inner, 1)),
        node(s.Unary, st.sampled_from(["-", "+", "not"]), inner),
        node(s.Binary, st.sampled_from(["+", "-", "*", "/", "//", "%", "**"]), inner, inner),
        node(s.Logical, st.sampled_from(["and", "or"]), pair),
        comparisons.map(lambda made: s.Comparison(NOWHERE, *made)),
        node(s.Conditional, inner, inner, inner),
        node(s.Index, inner, inner),
        node(s.Slice, inner, *[optional(inner)] * 3),
        node(s.Comprehension, inner, several(clauses(inner), 1, 2)),
        node(s.Attribute, inner, st.sampled_from(WORDS)),
        node(s.CallExpression, inner, arguments(inner)),
    )


in_names = st.just(s.Name(NOWHERE, "in"))
atoms = numbers | sizes | truths | names | in_names
in_strings = st.recursive(atoms, compound, max_leaves=4)  # no string stands in a string


def expressions(leaves: int = 6) -> Trees:
    """Any expression."""
    return st.recursive(atoms | texts(in_strings), compound, max_leaves=leaves)


# ── flow and statements ──────────────────────────────────────────────────────────────────────


def is_wildcard(size: Any) -> bool:
    """Whether a size is the name that a shape reads as its wildcard."""
    return isinstance(size, s.Name) and size.id == "_"


patterns = node(s.ShapePattern, several(expressions(3) | node(s.Wildcard, st.booleans())))
labels = texts(in_strings)


sources_of_chains = labels | st.recursive(
    names | in_names | labels,
    lambda inner: node(s.Index, inner, expressions(3)) | node(s.Attribute, inner, names_only),
    max_leaves=2,
).filter(lambda source: not isinstance(source, s.Name))


def stages(bodies: Trees) -> Trees:
    """A stage: a name, a call, a join, a group."""
    heads = st.one_of(
        st.tuples(names | in_names, optional(arguments(expressions(3))), optional(bodies)),
        st.tuples(st.none(), st.none(), bodies),
    )
    tails = st.tuples(optional(labels), optional(labels), optional(patterns))
    places = st.tuples(st.just((None, None, None)), tails, sources_of_chains)
    return (st.tuples(heads, tails) | places).map(
        lambda parts: s.Stage(NOWHERE, *parts[0], *parts[1], *parts[2:])
    )


def chains(bodies: Trees) -> Trees:
    """A chain of stages."""
    return node(s.Chain, several(stages(bodies), 1))


parameters = several(node(s.Parameter, names, optional(expressions(3))))
lets = node(s.Let, several(targets, 1), expressions()) | node(
    s.Function, names, parameters, expressions()
)
calls = node(s.CallExpression, names, arguments(expressions(3)))


class_names = node(s.ClassNames, labels, optional(expressions(3)))


def compound_statements(bodies: Trees) -> Trees:
    """Statements with chains and bodies in them."""
    outputs = node(
        s.OutputDeclaration,
        names | labels,
        optional(labels),
        optional(class_names),
        chains(bodies),
        st.none(),
    )
    return st.one_of(
        node(s.Flow, chains(bodies)),
        node(s.Bind, several(names, 1), chains(bodies)),
        outputs,
        node(s.For, several(targets, 1, 3), expressions(3), bodies, optional(patterns)),
        node(s.Repeat, expressions(3), bodies, optional(patterns)),
        node(s.If, expressions(3), bodies, optional(bodies), optional(patterns)),
    )


simple = st.one_of(
    lets,
    node(s.InputDeclaration, names, optional(labels), names, patterns, optional(calls)),
    node(
        s.OutputDeclaration,
        names | labels,
        optional(labels),
        optional(class_names),
        st.none(),
        optional(patterns),
    ),
    node(s.Assert, expressions(), optional(expressions(3))),
    node(s.Expect, several(expressions(3), 1)),
)


def bodies_of(inner: Trees) -> Trees:
    """Braces around statements."""
    return node(s.Body, several(inner))


def statements() -> Trees:
    """Any statement of a body."""
    return st.recursive(simple, lambda inner: compound_statements(bodies_of(inner)), max_leaves=6)


# ── files ────────────────────────────────────────────────────────────────────────────────────

documents = st.lists(st.sampled_from(["", "one line", "two: [1]"]), max_size=2).map("\n".join)
definitions = node(
    s.Definition,
    st.sampled_from(["block", "net"]),
    names,
    parameters,
    bodies_of(statements()),
    documents,
)
uses = node(s.Use, several(names, 1), texts(st.nothing()))


def files() -> Trees:
    """The tree of a whole file."""
    return several(uses | lets | definitions).map(lambda items: s.File(NOWHERE.source, items))


@st.composite
def sources(draw: Callable[[Trees], Any]) -> str:
    """The text of a file in any layout."""
    return scattered(file_text(draw(files())), draw(st.randoms(use_true_random=False)))


def scattered(text: str, choices: Random) -> str:
    """A text in another layout: spaces, line breaks where they do not count, more comments."""
    parts: list[str] = []
    open_brackets: list[str] = []
    before = ""
    for lexeme in scan(text):
        word = lexeme.text
        if lexeme.kind == "newline":
            comment = "  " + choices.choice(COMMENTS)
            some = ["\n", "\n", "\n\n\n\n", comment + "\n", f"\n{comment}\n"]
            parts.append("\n" if before.startswith("#") else choices.choice(some))
        else:
            free = bool(open_brackets) and open_brackets[-1] != "{" and bool(before)
            parts.append(space(choices, before, word, free=free))
            parts.append(word)
        if word in ("(", "[", "{"):
            open_brackets.append(word)
        elif word in (")", "]", "}"):
            open_brackets.pop()
        before = "" if lexeme.kind == "newline" else word
    return "".join(parts)


def space(choices: Random, before: str, word: str, *, free: bool) -> str:
    """What may stand between two words: nothing, spaces, and line ends where those are `free`."""
    comment = f" {choices.choice(COMMENTS)}\n"
    if (free or word in ("->", "else")) and choices.random() < 0.2:
        return choices.choice(["\n", "\n  ", "\n\n", comment, f"\n{comment}  "])
    tight = before in ("(", "[", ",", "{", "") or word in (")", "]", ",", "(", "[")
    return " " * choices.choice([0, 1, 1, 2] if tight else [1, 1, 1, 3])
