"""Going on after a syntax error: each broken statement is reported once, the rest still parsed.

Lark's parser stops in the middle of the broken statement. It is taken back to where the statement
began, given one BROKEN token instead, and sent on after the statement's end.
"""

from __future__ import annotations

from lark import Lark, Token, Tree, UnexpectedInput, UnexpectedToken
from lark.parsers.lalr_interactive_parser import InteractiveParser

from grammar.damage import begins_line, is_closed, measure, unclosed_brace
from grammar.diagnostics import Diagnostic
from grammar.explain import acceptable, explain, message_of, place_of
from grammar.source import Source, Span

MOST_REPORTS = 20
DEFINING = ("DEFINE", "TRAIN")  # the words that begin a block, net or training


def parse_past(
    source: Source, text: str, parser: Lark, mistake: UnexpectedInput
) -> tuple[Tree[Token], list[Diagnostic]]:
    """Lark's tree of a text with a mistake, with BROKEN for each broken statement, and what is
    broken there."""
    recovery = Recovery(source, text, parser)
    while True:
        recovery.pass_over(mistake)
        try:
            resume = mistake.interactive_parser.resume_parse
            tree: Tree[Token] = resume()  # type: ignore[no-untyped-call]
            return tree, recovery.diagnostics
        except UnexpectedInput as error:
            mistake = error


class Recovery:
    """The mistakes found in one parse of `text`, and the way round each."""

    def __init__(self, source: Source, text: str, parser: Lark) -> None:
        self.source = source
        self.text = text
        self.parser = parser
        self.diagnostics: list[Diagnostic] = []

    def pass_over(self, error: UnexpectedInput) -> None:
        """Report the error and put the parser behind the broken statement."""
        place = place_of(error, self.text)
        message = message_of(self.parser, error)
        stopped = StoppedParser(error.interactive_parser)
        if self._is_joined_in_vain(error, place):
            stopped.feed("_NEWLINE", place, place)
            stopped = StoppedParser(error.interactive_parser)
        start = stopped.statement_start
        if start is None and self._misses_brace(error, place, stopped):
            self._close_braces(place, stopped)
            return
        start = place if start is None else start
        damage = measure(self.text, start, place, in_body=stopped.in_body)
        self.diagnostics.append(explain(self.source, self.text, error, damage, message))
        end = damage.end if len(self.diagnostics) < MOST_REPORTS else len(self.text) - 1
        stopped.go_back()
        stopped.feed("BROKEN", start, end)
        stopped.go_on_at(end)

    def _misses_brace(self, error: UnexpectedInput, place: int, stopped: StoppedParser) -> bool:
        """Whether a new definition, or the end, comes where a body should have been closed."""
        if not (stopped.in_body and isinstance(error, UnexpectedToken)):
            return False
        if error.token.type == "$END":
            return True
        if error.token.type not in (*DEFINING, "USE") or not begins_line(self.text, place):
            return False
        column = self.source.position(place)[1]
        return column <= self.source.position(stopped.offsets(*DEFINING)[0])[1]

    def _is_joined_in_vain(self, error: UnexpectedInput, place: int) -> bool:
        """Whether a line begins with `->` or `else` and yet cannot continue what is above it."""
        joins = self.text.startswith(("->", "else"), place) and begins_line(self.text, place)
        return joins and "_NEWLINE" in acceptable(error)

    def _close_braces(self, place: int, stopped: StoppedParser) -> None:
        """Report the `{` that is never closed, and close all that are open."""
        braces, definition = stopped.offsets("LBRACE"), stopped.offsets(*DEFINING)[0]
        opened = unclosed_brace(self.text, definition, place, braces)
        # A broken statement may have taken the partner with it: then nothing lacks a brace.
        whole = bool(self.diagnostics) and is_closed(self.text, braces[0], place)
        if len(self.diagnostics) < MOST_REPORTS and not whole:
            span = Span(self.source, opened, opened + 1)
            self.diagnostics.append(Diagnostic.of("E103", "this `{` is never closed", span))
        stopped.feed("BROKEN", place, place)
        for _ in braces:
            stopped.feed("RBRACE", place, place)
        if place < len(self.text.rstrip()):
            stopped.feed("_NEWLINE", place, place)
            stopped.go_on_at(place)


class StoppedParser:
    """Lark's parser where it stopped: its stack, and the statement that it is in."""

    def __init__(self, parser: InteractiveParser) -> None:
        self.parser = parser
        self.state = parser.parser_state
        self.depth = self._statement_depth()
        self.in_body = bool(self.offsets("LBRACE"))

    def _statement_depth(self) -> int:
        """How many values of the stack stand before the unfinished statement."""
        states, values = self.state.parse_conf.states, self.state.value_stack
        closed = 0  # bodies that are over, which the statement may consist of
        for depth in reversed(range(len(values) + 1)):
            if not closed and "BROKEN" in states[self.state.state_stack[depth]]:
                return depth
            kind = getattr(values[depth - 1], "type", "")
            closed += (kind == "RBRACE") - (kind == "LBRACE" and closed > 0)
        return 0

    @property
    def statement_start(self) -> int | None:
        """Where the unfinished statement begins; None when the parser stands between two."""
        for value in self.state.value_stack[self.depth :]:
            if isinstance(value, Token):
                return value.start_pos
            if isinstance(value, Tree) and not value.meta.empty:
                return value.meta.start_pos
        return None

    def offsets(self, *types: str) -> list[int]:
        """Where the tokens stand that the statement is inside of, outermost first."""
        values = self.state.value_stack[: self.depth]
        found = [v for v in values if isinstance(v, Token) and v.type in types]
        return [value.start_pos or 0 for value in found]

    def go_back(self) -> None:
        """Forget the unfinished statement."""
        del self.state.state_stack[self.depth + 1 :]
        del self.state.value_stack[self.depth :]

    def feed(self, kind: str, start: int, end: int) -> None:
        """Give the parser a token that stands for the text from `start` to `end`."""
        self.state.feed_token(Token(kind, "", start_pos=start, end_pos=end))

    def go_on_at(self, offset: int) -> None:
        """Lex from `offset` on."""
        lexer = self.parser.lexer_thread.state
        assert lexer is not None
        lexer.line_ctr.char_pos = offset
