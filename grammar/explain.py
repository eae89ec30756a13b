"""A syntax error in the user's terms: which rule, exactly where, and what to write instead."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TypeAlias

from lark import Lark, UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from lark.parsers.lalr_analysis import Shift
from lark.parsers.lalr_parser_state import ParserState

from grammar.bad_syntax import EXAMPLES, OUTSIDE
from grammar.damage import NOT_IN_BRACKETS, Damage, close, is_closed, new_statement
from grammar.diagnostics import Diagnostic, Fix
from grammar.habits import habit_at, keyword_meant
from grammar.lexemes import MOST_NESTING, PARTNER, Lexeme, scan
from grammar.records import dataclass
from grammar.source import Source, Span

_AFTER_STAGE = re.compile(r"(?:as|like)\s")
REMEDIES = {
    "×": "write a size with the letter x: 3x3",
    "'": 'strings stand in double quotes: "…"',
    "→": "the arrow is written ->",
    "`": 'strings stand in double quotes: "…"',
    "“": 'strings stand in double quotes: "…"',
    "”": 'strings stand in double quotes: "…"',
    "‘": 'strings stand in double quotes: "…"',
    "’": 'strings stand in double quotes: "…"',
    "−": "the minus sign is -",
    "–": "the minus sign is -, the arrow ->",
    "—": "the minus sign is -, the arrow ->",
    "⇒": "the arrow is written ->",
    "⟶": "the arrow is written ->",
    "·": "a product is written 2 * 3",
    "…": "three dots are written ...",
    "≤": "write <=",
    "≥": "write >=",
    "≠": "write !=",
    "&": "write `and`",
    "|": "the arrow is written ->; between conditions write `or`",
    "?": "a choice is written `a if condition else b`",
    "!": "write `not`, or != for unequal",
    "^": "a power is written 2 ** 3",
    "\\": "a line that begins with -> continues the one before; no backslash is needed",
    "\0": "this is no text file, or it is saved as UTF-16: save it as UTF-8",
}
Key: TypeAlias = tuple[object, ...]


def place_of(error: UnexpectedInput, text: str) -> int:
    """The offset of what did not fit; the end of what is written when that is the end."""
    if isinstance(error, UnexpectedToken):
        if error.token.type == "$END":
            return len(text.rstrip())
        return error.token.start_pos or 0
    return error.pos_in_stream or 0


def too_deep(source: Source, offset: int) -> Diagnostic:
    """Brackets are nested too deeply at `offset`."""
    return Diagnostic.of(
        "E104",
        f"brackets are nested more than {MOST_NESTING} deep",
        Span(source, offset, offset + 1),
        help="name the inner part with `let` or in a block",
    )


def explain(
    source: Source, text: str, error: UnexpectedInput, damage: Damage, message: str
) -> Diagnostic:
    """The diagnostic of a syntax error; `damage` is the statement that it breaks.

    `message` is what its likeness to an example tells; what the text shows by itself goes before.
    """
    place = place_of(error, text)
    if isinstance(error, UnexpectedCharacters):
        return _character(source, text, place)
    assert isinstance(error, UnexpectedToken)
    token = error.token
    if token.type == "TOO_DEEP":
        return too_deep(source, place)
    opened = damage.unclosed
    if opened is not None and is_closed(text, opened.start, len(text)):
        opened = None
    if opened is not None and opened.start < place and _shows_unclosed(text, opened.start, place):
        span = Span(source, opened.start, opened.end)
        return Diagnostic.of("E103", f"this `{opened.text}` is never closed", span)
    before = _before(text, damage.start, place)
    wrong = _wrong_partner(source, text, place, before)
    if wrong is not None:
        return wrong
    habit = habit_at(text, damage.start, place, in_brackets=before.in_brackets)
    if habit is not None:
        span = Span(source, habit.start, habit.end)
        return Diagnostic.of(
            "E101", habit.message, span, label=f"found {span.text!r}", help=habit.help
        )
    help, fixes = _keyword(source, text, damage.start)
    if token.type in ("_NEWLINE", "$END"):
        span = Span(source, max(0, before.last - 1), before.last)
        ends = "the text ends here" if token.type == "$END" else "the line ends here"
        return Diagnostic.of("E101", message, span, label=ends, help=help, fixes=fixes)
    span = Span(source, place, place + max(1, len(token)))
    found = str(token) if len(token) <= 30 else f"{token[:30]}…"
    if message == OUTSIDE and text[:place].rstrip().endswith("}"):
        closed = source.position(len(text[:place].rstrip()) - 1)[0]
        help = help or f"the `}}` at line {closed} ends the definition above"
    return Diagnostic.of("E101", message, span, label=f"found {found!r}", help=help, fixes=fixes)


def _keyword(source: Source, text: str, start: int) -> tuple[str | None, tuple[Fix, ...]]:
    """Help and fix for a statement that begins with something like a keyword."""
    meant = keyword_meant(text, start)
    if meant is None:
        return None, ()
    keyword, end = meant
    fix = Fix(f"replace with `{keyword}`", Span(source, start, end), keyword)
    return f"did you mean `{keyword}`?", (fix,)


@dataclass(frozen=True)
class _Before:
    """What stands in a statement before its mistake: the brackets still open, where it ends."""

    open: tuple[Lexeme, ...]
    last: int

    @property
    def in_brackets(self) -> bool:
        """Whether a round or square bracket is open."""
        return bool(self.open) and self.open[-1].text != "{"


def _before(text: str, start: int, place: int) -> _Before:
    open_brackets: list[Lexeme] = []
    last = start
    for lexeme in scan(text, start):
        if lexeme.start >= place:
            break
        if lexeme.text in PARTNER.values():
            open_brackets.append(lexeme)
        elif lexeme.text in PARTNER:
            close(open_brackets, lexeme.text)
        if lexeme.kind not in ("comment", "newline"):
            last = lexeme.end
    return _Before(tuple(open_brackets), last)


def _shows_unclosed(text: str, opened: int, place: int) -> bool:
    """Whether what came is what cannot stand inside brackets, or begins a line of its own."""
    on_next_line = new_statement(text, opened, place) is not None
    outside = text.startswith(NOT_IN_BRACKETS, place) or _AFTER_STAGE.match(text, place)
    return on_next_line or place >= len(text) - 1 or bool(outside)


def _wrong_partner(source: Source, text: str, place: int, before: _Before) -> Diagnostic | None:
    """A `)` or `]` that comes while a bracket of the other kind is open."""
    closing = text[place : place + 1]
    if closing not in (")", "]") or not before.open:
        return None
    opened = before.open[-1]
    if opened.text in ("{", PARTNER[closing]):
        return None
    return Diagnostic.of(
        "E103",
        f"a `{opened.text}` is closed by a `{closing}`",
        Span(source, place, place + 1),
        label=f"the `{opened.text}` is at line {source.position(opened.start)[0]}",
    )


def _character(source: Source, text: str, place: int) -> Diagnostic:
    """A character that begins no word or sign."""
    character = text[place]
    if character == '"':
        end = text.find("\n", place)
        span = Span(source, place, len(text[:end].rstrip()))
        return Diagnostic.of("E103", "this string is never closed", span, label='add a `"`')
    name = unicodedata.name(character, "")
    same = unicodedata.normalize("NFKC", character)  # as ， and , are
    typed = None
    if len(same) == 1 and same.isascii() and same != character:
        typed = f"the plain sign is {same}" if same.strip() else "write a plain space"
    plain = character.isascii() and character.isprintable()
    return Diagnostic.of(
        "E102",
        f"the character {character!r} has no meaning here",
        Span(source, place, place + 1),
        label="" if plain or character in REMEDIES else name.lower(),
        help=REMEDIES.get(character, typed),
    )


def acceptable(error: UnexpectedInput) -> frozenset[str]:
    """The kinds of tokens that would have fitted where the parser stands."""
    return frozenset(error.interactive_parser.accepts())  # type: ignore[no-untyped-call]


def _keys(error: UnexpectedToken) -> list[Key]:
    """What identifies a syntax error, from most to least exact: state, what fits, what came."""
    state, accepts = error.state.position, acceptable(error)
    kind, settled = error.token.type, ("settled", _settled(error.state))
    return [(state, accepts, kind), (state, accepts), (settled, kind), (settled,), (state,)]


def _settled(state: ParserState[int]) -> int:
    """The parser's state once what is complete is put together, whatever it consists of.

    So that `for x in y` and `for x in range(3)` are in the same state at the end of the line.
    """
    states, stack = state.parse_conf.states, list(state.state_stack)
    for _ in range(50):
        actions = states[stack[-1]].values()
        rules = {rule for action, rule in actions if action is not Shift}
        if len(rules) != 1:
            break
        rule = rules.pop()
        if rule.expansion:
            del stack[-len(rule.expansion) :]
        stack.append(states[stack[-1]][rule.origin.name][1])
    return stack[-1]


@lru_cache(maxsize=1)
def _messages(parser: Lark) -> dict[Key, str]:
    """The message for each key that an example has; of several the first."""
    found: dict[Key, str] = {}
    for message, examples in EXAMPLES.items():
        for example in examples:
            try:
                parser.parse(example, start="start")
            except UnexpectedToken as error:
                for key in _keys(error):
                    found.setdefault(key, message)
            else:
                raise AssertionError(f"this example of bad syntax parses: {example}")
    return found


def message_of(parser: Lark, error: UnexpectedInput) -> str:
    """The message of the example of bad syntax that is most like an error."""
    messages = _messages(parser)
    keys = _keys(error) if isinstance(error, UnexpectedToken) else []
    return next((messages[key] for key in keys if key in messages), "this does not belong here")
