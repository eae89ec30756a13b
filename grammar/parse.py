"""Text to syntax tree, every syntax mistake located and explained.

Lark's LALR parser with the contextual lexer. Newlines inside ( ) and [ ] are dropped between
lexer and parser. After a mistake the statement it stands in is blanked out and the text parsed
again, so each broken statement gives one report and the rest is still checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NoReturn

from lark import Lark, Token, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from grammar.bad_syntax import EXAMPLES
from grammar.build import BadInterpolation, Builder, TooBig
from grammar.diagnostics import DefinitionError, Diagnostic
from grammar.source import Source, Span
from grammar.syntax import Expression, File
from grammar.tables import load_parser

MOST_NESTING = 100  # brackets inside brackets; the tree is walked by recursion later
MOST_REPORTS = 20


class TooDeep(Exception):
    """Brackets nested beyond `MOST_NESTING`; `offset` is the bracket that was one too many."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


class BracketFilter:
    """Drops newlines between round and square brackets (Lark's `postlex`)."""

    always_accept = ()

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """The tokens that reach the parser."""
        open_brackets: list[str] = []
        for token in stream:
            if token.type in ("LPAR", "LSQB", "LBRACE"):
                open_brackets.append(token.type)
                if len(open_brackets) > MOST_NESTING:
                    raise TooDeep(token.start_pos or 0)
            elif token.type in ("RPAR", "RSQB", "RBRACE") and open_brackets:
                open_brackets.pop()
            if token.type != "_NEWLINE" or not open_brackets or open_brackets[-1] == "LBRACE":
                yield token


@cache
def _parser() -> Lark:
    return load_parser(BracketFilter())


def parse(source: Source) -> File:
    """The syntax tree of a definition file; raises `DefinitionError` with every syntax mistake."""
    text = source.text if source.text.endswith("\n") else source.text + "\n"
    found: list[Diagnostic] = []
    while True:
        try:
            tree = _parser().parse(text, start="start")
            file = Builder(source).file(tree)
            break
        except TooDeep as error:
            _fail([*found, _too_deep(source, error.offset)])
        except TooBig as error:
            _fail([*found, Diagnostic("E104", str(error), error.span)])
        except BadInterpolation as error:
            _fail(
                [
                    *found,
                    Diagnostic(
                        "E105",
                        str(error),
                        error.span,
                        help="a brace itself is written twice: {{ and }}",
                    ),
                ]
            )
        except UnexpectedInput as error:
            offset = _offset(error, text)
            found.append(_explain(source, text, error, offset))
            blanked = blank_statement(text, offset)
            if blanked == text or len(found) >= MOST_REPORTS or _at_end(error):
                _fail(found)
            text = blanked
    if found:
        _fail(found)
    return file


def parse_piece(source: Source, text: str, start: int) -> Expression:
    """The tree of an expression inside a string, at offset `start` of the source."""
    try:
        return Builder(source, start).expression(_parser().parse(text, start="expression"))
    except (UnexpectedInput, TooDeep):
        raise BadInterpolation(Span(source, start, start + len(text))) from None


def parse_expression(text: str, name: str = "value") -> Expression:
    """The tree of one expression, as `--set` takes it; raises `DefinitionError`."""
    source = Source(name, text)
    try:
        return Builder(source).expression(_parser().parse(text, start="expression"))
    except (TooDeep, TooBig, BadInterpolation):
        _fail([_too_deep(source, 0)])
    except UnexpectedInput as error:
        offset = min(_offset(error, text), max(0, len(text) - 1))
        _fail(
            [
                Diagnostic(
                    "E101",
                    "this is no value",
                    Span(source, offset, offset + 1),
                    help='values are written as in a definition: 10, 0.5, true, "text", [1, 2]',
                )
            ]
        )


def _fail(diagnostics: list[Diagnostic]) -> NoReturn:
    raise DefinitionError(sorted(diagnostics, key=lambda d: d.span.start))


def _too_deep(source: Source, offset: int) -> Diagnostic:
    return Diagnostic(
        "E104",
        f"brackets are nested more than {MOST_NESTING} deep",
        Span(source, offset, offset + 1),
        help="name the inner part with `let` or in a block",
    )


def _at_end(error: UnexpectedInput) -> bool:
    return isinstance(error, UnexpectedToken) and error.token.type == "$END"


def _offset(error: UnexpectedInput, text: str) -> int:
    if _at_end(error):
        return max(0, len(text.rstrip()) - 1)
    position = getattr(error, "pos_in_stream", None)
    if isinstance(error, UnexpectedToken):
        position = error.token.start_pos
    return min(position if isinstance(position, int) else 0, len(text) - 1)


def _explain(source: Source, text: str, error: UnexpectedInput, offset: int) -> Diagnostic:
    span = Span(source, offset, offset + 1)
    if isinstance(error, UnexpectedToken) and not _at_end(error):
        if error.token.type == "_NEWLINE":  # point just after the last thing on the line
            end = len(text[:offset].rstrip())
            span = Span(source, max(0, end - 1), max(1, end))
        else:
            span = Span(source, offset, offset + max(1, len(error.token)))
    if isinstance(error, UnexpectedCharacters) and _is_foreign(text[offset]):
        return _foreign(text, span)
    if _at_end(error) and (opened := _unclosed(text)) is not None:
        bracket = text[opened]
        return Diagnostic(
            "E103", f"this `{bracket}` is never closed", Span(source, opened, opened + 1)
        )
    message = _closest_example(error)
    shown = span.text.strip() or "the end of the line"
    label = f"found {shown!r}" if span.text.strip() else "the text ends here"
    if isinstance(error, UnexpectedToken) and error.token.type == "_NEWLINE":
        label = "the line ends here"
    return Diagnostic("E101", str(message or "this does not belong here"), span, label=label)


def _keys(error: UnexpectedInput) -> list[tuple[object, ...]]:
    """What identifies a syntax error, from most to least exact: state, what fits, what came."""
    if isinstance(error, UnexpectedToken):
        state, accepts = error.state.position, frozenset(error.accepts or ())
        return [
            (state, accepts, error.token.type),
            (state, accepts),
            (state, error.token.type),
            (state,),
        ]
    return [(getattr(error, "state", None), "character")]


@cache
def _example_messages() -> dict[tuple[object, ...], str]:
    found: dict[tuple[object, ...], str] = {}
    for message, examples in EXAMPLES.items():
        for example in examples:
            try:
                _parser().parse(example, start="start")
            except UnexpectedInput as error:
                for key in _keys(error):
                    found.setdefault(key, message)
            else:
                raise AssertionError(f"this example of bad syntax parses: {example}")
    return found


def _closest_example(error: UnexpectedInput) -> str | None:
    messages = _example_messages()
    return next((messages[key] for key in _keys(error) if key in messages), None)


def _is_foreign(character: str) -> bool:
    return not (
        character.isascii() and (character.isalnum() or character in ' _.,:;=+-*/%<>()[]{}"!')
    )


def _foreign(text: str, span: Span) -> Diagnostic:
    character = text[span.start]
    remedies = {
        "×": "write a size with the letter x: 3x3",
        "'": 'strings stand in double quotes: "…"',
        "→": "the arrow is written ->",
        "“": 'strings stand in double quotes: "…"',
        "”": 'strings stand in double quotes: "…"',
        "−": "the minus sign is -",
        "&": "write `and`",
        "|": "write `or`",
        "\\": "a line that begins with -> continues the one before; no backslash is needed",
    }
    return Diagnostic(
        "E102",
        f"the character {character!r} has no meaning here",
        span,
        help=remedies.get(character),
    )


def _code_only(text: str) -> str:
    """The text with comments and strings blanked, so that brackets can be counted."""
    result = []
    mode = ""
    index = 0
    while index < len(text):
        character = text[index]
        if mode == "#" and character == "\n":
            mode = ""
        elif mode == '"' and character == "\\" and index + 1 < len(text):
            result.append("  ")
            index += 2
            continue
        elif mode == '"' and character in '"\n':
            mode, character = "", " " if character == '"' else "\n"
        elif not mode and character in '#"':
            mode = character
        result.append(character if not mode or character == "\n" else " ")
        index += 1
    return "".join(result)


def _unclosed(text: str) -> int | None:
    """The offset of the last bracket that is opened and never closed."""
    stack: list[int] = []
    for offset, character in enumerate(_code_only(text)):
        if character in "([{":
            stack.append(offset)
        elif character in ")]}" and stack:
            stack.pop()
    return stack[0] if stack else None


def blank_statement(text: str, offset: int) -> str:
    """The text with the statement around `offset` replaced by spaces, braces it opens included."""
    code = _code_only(text)
    start = offset
    while start > 0 and code[start - 1] not in "\n;{}":
        start -= 1
    depth = 0
    end = start
    while end < len(code):
        character = code[end]
        if character in "{":
            depth += 1
        elif character == "}":
            if depth == 0 and end > offset:
                break
            depth = max(0, depth - 1)
            if depth == 0 and end >= offset:
                end += 1
                break
        elif character in "\n;" and depth == 0 and end >= offset:
            break
        end += 1
    end = max(end, offset + 1)
    blank = "".join("\n" if c == "\n" else " " for c in text[start:end])
    return text[:start] + blank + text[end:]
