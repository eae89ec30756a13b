"""What the text before the cursor asks for, seen from its words alone: the rest is often broken."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from grammar.lexemes import Lexeme, scan

Kind = Literal[
    "nothing",
    "item",  # at the top of a file
    "statement",
    "stage",  # after `->`
    "start",  # of a chain after `=`
    "follow",  # a stage stands here: `as`, `like`
    "argument",  # the beginning of an argument: a keyword or a value
    "value",
    "size",  # after a tensor's dot
    "label",  # after `like`
    "used",  # a name after `use`
    "file",  # the text of a `use` path
    "string",  # a string argument
    "type",
    "from",
    "origin",
    "in",
    "measure",
    "learning",  # a statement of a training
    "expression",  # of tensors, in a training
    "data type",
    "distribution",
    "augmentation",
    "net",
    "with",
    "optimiser",
]


@dataclass(frozen=True)
class OpenCall:
    """The nearest call around the cursor: what is called, and which argument this is.

    `keyword` is that of this argument if it has one, `given` those of the other arguments;
    `innermost` is False inside a list or parentheses of the argument.
    """

    callee: str
    start: int
    position: int
    keyword: str | None
    given: tuple[str, ...]
    innermost: bool


@dataclass(frozen=True)
class Context:
    """What may be written; `word` is what stands there of it already, from offset `start` on.

    `trains` when it stands in a training.
    """

    kind: Kind
    word: str
    start: int
    call: OpenCall | None = None
    statement: tuple[Lexeme, ...] = ()
    trains: bool = False


def context_at(text: str, offset: int) -> Context:
    """What the text up to an offset asks for."""
    tokens = list(scan(text[:offset]))
    last = tokens[-1] if tokens else None
    if last is not None and last.kind == "comment":
        return Context("nothing", "", offset)
    if last is not None and last.kind == "unclosed":
        return in_string(tokens[:-1], last, offset)
    if last is None or last.end < offset:
        return at_word(tokens, "", offset)
    if last.kind in ("number", "size"):
        return Context("nothing", last.text, last.start)
    if last.kind == "word":
        return at_word(tokens[:-1], last.text, last.start)
    return at_word(tokens, "", offset)


def in_string(tokens: list[Lexeme], string: Lexeme, offset: int) -> Context:
    """Inside a string: a file, an argument's word, a label, or an interpolation."""
    content = string.text[1:]
    inner = content.rpartition("{")[2]
    statement, call, _ = surroundings(tokens)
    before = tokens[-1].text if tokens else ""
    if "{" in content and "}" not in inner and before != "from":
        word = re.search(r"\w*$", inner)
        assert word is not None
        return Context("value", word[0], offset - len(word[0]))
    start = string.start + 1
    if before == "from" and statement and statement[0].text == "use":
        return Context("file", content, start)
    if before == "like":
        return Context("label", content, start)
    return Context("string" if call else "nothing", content, start, call)


def at_word(tokens: list[Lexeme], word: str, start: int) -> Context:
    """At a word (perhaps an empty one) outside of strings and comments."""
    solid = [token.text for token in tokens if token.kind not in ("newline", "comment")]
    before = solid[-1] if solid else ""
    if before == ".":
        return Context("size", word, start)
    statement, call, bracket = surroundings(tokens)
    if bracket == "(" and call is None and statement[0].text in ("block", "net", "train"):
        return Context(parameter_kind(statement), word, start)
    if bracket in ("(", "["):
        fresh = call is not None and call.innermost and before in ("(", ",")
        trains = in_training(tokens)
        return Context("argument" if fresh else "value", word, start, call, statement, trains)
    if bracket == "{" and in_training(tokens):
        words = [token.text for token in statement]
        return Context(learning_kind(words), word, start, None, statement, trains=True)
    kind = statement_kind(statement, inside=bracket == "{")
    return Context(kind, word, start, None, statement)


def in_training(tokens: list[Lexeme]) -> bool:
    """Whether the item whose braces are open is a training."""
    opened: list[int] = []
    for index, token in enumerate(tokens):
        if token.text == "{":
            opened.append(index)
        elif token.text == "}" and opened:
            opened.pop()
    item = last_statement(tokens[: opened[0]]) if opened else []
    return bool(item) and item[0].text == "train"


def learning_kind(words: list[str]) -> Kind:
    """What comes next in a statement of a training."""
    if not words:
        return "learning"
    before = words[-1]
    match words[0]:
        case "data":
            after: dict[str, Kind] = {":": "data type", "]": "from", "from": "origin"}
            return after.get(before, "nothing")
        case "noise":
            kinds: dict[str, Kind] = {":": "type", "]": "distribution"}
            return kinds.get(before, "nothing")
        case "augment":
            return "augmentation" if before in (":", "->") else "nothing"
        case "update" if before in ("update", ","):
            return "net"
        case "update":
            return "optimiser" if before == "with" else "with"
        case "let" | "batch" | "epochs" | "accumulate" | "repeat" | "if" | "assert" | "expect":
            return "nothing" if words == ["let"] else "value"
        case "step":
            return "nothing"
    return (
        "nothing"
        if before == "as"
        or (
            len(words) == 1
            and words[0].isidentifier()
            and (words[0] not in ("minimize", "maximize", "report", "show"))
        )
        else "expression"
    )


def surroundings(tokens: list[Lexeme]) -> tuple[tuple[Lexeme, ...], OpenCall | None, str]:
    """The statement so far, the call around the cursor, and the innermost open bracket."""
    opened: list[int] = []
    for index, token in enumerate(tokens):
        if token.text in ("(", "[", "{"):
            opened.append(index)
        elif token.text in (")", "]", "}") and opened:
            opened.pop()
    bracket = tokens[opened[-1]].text if opened else ""
    call = nearest_call(tokens, opened)
    begin = max((i + 1 for i in opened if tokens[i].text == "{"), default=0)
    return tuple(last_statement(tokens[begin:])), call, bracket


def last_statement(tokens: list[Lexeme]) -> list[Lexeme]:
    """The tokens of the statement that is being written, of those between two braces."""
    statement: list[Lexeme] = []
    depth = 0
    for token in tokens:
        depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
        if depth <= 0 and (token.kind == "newline" or token.text == ";"):
            statement = []
        elif token.kind not in ("newline", "comment"):
            statement.append(token)
    return statement


def nearest_call(tokens: list[Lexeme], opened: list[int]) -> OpenCall | None:
    """The call around the cursor, looked for from the innermost bracket out to a brace."""
    for index in reversed(opened):
        if tokens[index].text == "{":
            return None
        if tokens[index].text == "(":
            call = call_of(tokens, index, innermost=index == opened[-1])
            if call is not None:
                return call
    return None


def call_of(tokens: list[Lexeme], opened: int, *, innermost: bool) -> OpenCall | None:
    """The call whose `(` is token number `opened`; None for other parentheses."""
    head = tokens[opened - 1] if opened else None
    if head is None or head.kind != "word":
        return None
    if opened > 1 and tokens[opened - 2].text in ("block", "net", "train"):
        return None
    arguments: list[list[Lexeme]] = [[]]
    depth = 0
    for token in tokens[opened + 1 :]:
        if token.kind in ("newline", "comment"):
            continue
        depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
        if token.text == "," and depth == 0:
            arguments.append([])
        else:
            arguments[-1].append(token)
    keywords = [a[0].text if len(a) > 1 and a[1].text == "=" else None for a in arguments]
    given = tuple(keyword for keyword in keywords[:-1] if keyword is not None)
    return OpenCall(head.text, head.start, len(arguments) - 1, keywords[-1], given, innermost)


def parameter_kind(head: tuple[Lexeme, ...]) -> Kind:
    """In the parentheses of a block or net: a default, or a name to invent."""
    depth, given = 0, False
    for token in head:
        depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
        if depth == 1:
            given = token.text == "=" or (given and token.text != ",")
    return "value" if given else "nothing"


def statement_kind(statement: tuple[Lexeme, ...], *, inside: bool) -> Kind:
    """What comes next in a statement; `inside` a body."""
    if not statement:
        return "statement" if inside else "item"
    words = [token.text for token in statement]
    before = words[-1]
    match words[0]:
        case _ if before == "->":
            return "stage"
        case "use":
            after_file: Kind = "nothing" if "from" in words else "from"
            return "used" if before in (",", "use") else after_file
        case "block" | "net" | "train":
            return "nothing"
        case "input":
            after: dict[str, Kind] = {":": "type", "]": "from", "from": "origin"}
            return after.get(before, "nothing")
        case "let":
            return "value" if "=" in words else "nothing"
        case "for":
            if "in" in words:
                return "value"
            return "nothing" if before in (",", "for") else "in"
        case "expect":
            return "measure"
        case "assert" | "repeat":
            return "value"
        case "if":
            return "follow" if before in ("}", "else") else "value"
        case _ if before == "=":
            return "start"
        case _ if before in ("as", "output", ":", "labels"):
            return "nothing"
        case "output" if "=" not in words and len(words) > 2:
            return "nothing"
    return "label" if before == "like" else "follow"
