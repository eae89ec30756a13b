"""Messages about a definition: each has a code, a place, the rule and the values, and a remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import field, replace
from typing import Any, Literal, TypeAlias
from unicodedata import east_asian_width

from grammar.records import dataclass
from grammar.source import Span

# What the parts of a report are, for those who colour them.
Part: TypeAlias = Literal["head", "margin", "underline", "help", "text"]
Paint: TypeAlias = Callable[[str, Part], str]
WIDEST = 120  # characters of a source line that are shown
MOST_STEPS_SHOWN = 16  # of the calls that led to a mistake


@dataclass(frozen=True)
class LoopTurn:
    """A turn of a loop of the definition, from 0, and what its variables and `let`s are there."""

    loop: Span
    place: int
    variables: tuple[tuple[str, Any], ...] = field(default=(), compare=False)
    lets: tuple[tuple[str, Any], ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class CallStep:
    """A block call that led somewhere.

    `name` is the path of its layers, `call` the call with its values, `turns` the turns of the
    loops around it: `in layer3.0: bottleneck(256, stride=2), line 41, s = 2, i = 0`. `given` are
    the values of the block's parameters, `lets` the names that it gives to values at its top with
    their text, `doc` is the comment above it, `loops` are those turns.
    """

    block: str
    span: Span
    name: str = ""
    call: str = ""
    turns: tuple[str, ...] = ()
    given: tuple[tuple[str, Any], ...] = field(default=(), compare=False, repr=False)
    doc: str = field(default="", compare=False, repr=False)
    lets: tuple[tuple[str, str], ...] = field(default=(), compare=False, repr=False)
    loops: tuple[LoopTurn, ...] = field(default=(), compare=False, repr=False)

    def __str__(self) -> str:
        called = f"{self.name}: {self.call}" if self.name else self.call or self.block
        return ", ".join([f"in {called}", f"line {self.span.line}", *self.turns])


@dataclass(frozen=True)
class Fix:
    """A change of the text that an editor can make: `text` in place of what `span` covers."""

    title: str
    span: Span
    text: str


def together(title: str, edits: Sequence[Fix | None]) -> Fix | None:
    """Several edits as one; None where one is, and where they stand in several texts or overlap."""
    fixes = sorted((edit for edit in edits if edit), key=lambda fix: fix.span.start)
    if not fixes or len(fixes) < len(edits) or len({id(fix.span.source) for fix in fixes}) > 1:
        return None
    source, start = fixes[0].span.source, fixes[0].span.start
    text, end = "", start
    for fix in fixes:
        if fix.span.start < end or (text and fix.span.start == start):
            return None
        text += source.text[end : fix.span.start] + fix.text
        end = fix.span.end
    return Fix(title, Span(source, start, end), text)


@dataclass(frozen=True)
class Assertion:
    """A line that would prove what is open, `assert H % 32 == 0`; where it goes is found later."""

    text: str


@dataclass(frozen=True)
class NewArgument:
    """An argument of the layer at fault, `pad=1`; where it is written is found later."""

    name: str
    value: Any


@dataclass(frozen=True)
class Before:
    """A layer in front of the one at fault, `flatten`; where it stands is found later."""

    text: str


@dataclass(frozen=True)
class Behind:
    """A layer behind some branches of the join at fault, `flatten`; they are found later."""

    text: str
    branches: tuple[int, ...]


@dataclass(frozen=True)
class NewCall:
    """Another call in place of that of the layer at fault, `channels(0, 2)`, wherever it stands."""

    text: str


Edit: TypeAlias = Fix | Assertion | NewArgument | Before | Behind | NewCall


@dataclass(frozen=True)
class Remedy:
    """What would mend a mistake: a sentence, and the exact changes, each enough by itself."""

    text: str | None = None
    edits: tuple[Edit, ...] = ()

    @classmethod
    def of(cls, help: Remedy | str | None, fixes: Iterable[Fix] = ()) -> Remedy:
        """A remedy, or a mere sentence, with these fixes too."""
        remedy = help if isinstance(help, Remedy) else Remedy(help)
        return Remedy(remedy.text, (*remedy.edits, *fixes))

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """Those edits that have a place."""
        return tuple(edit for edit in self.edits if isinstance(edit, Fix))


@dataclass(frozen=True)
class Message:
    """What is said of a mistake, wherever it stands: headline in lower case, and what else helps.

    `label` is written under the underlined place; `notes` follow it, the remedy ends it.
    """

    code: str
    headline: str
    label: str = ""
    notes: tuple[str, ...] = ()
    remedy: Remedy = Remedy()


class Saying:
    """What carries a message: its parts by name, and the same with other parts."""

    content: Message

    @property
    def code(self) -> str:
        """Of its page, `E301`."""
        return self.content.code

    @property
    def message(self) -> str:
        """The headline."""
        return self.content.headline

    @property
    def label(self) -> str:
        """What is written under the underlined place."""
        return self.content.label

    @property
    def notes(self) -> tuple[str, ...]:
        """What follows it, a line each."""
        return self.content.notes

    @property
    def remedy(self) -> Remedy:
        """What would mend it."""
        return self.content.remedy

    @property
    def help(self) -> str | None:
        """The sentence of the remedy."""
        return self.content.remedy.text

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """The changes of the text that an editor can make."""
        return self.content.remedy.fixes


@dataclass(frozen=True)
class Diagnostic(Saying):
    """One mistake (or warning) in its place, with the calls that led there."""

    content: Message
    span: Span
    call_stack: tuple[CallStep, ...] = ()
    severity: Literal["error", "warning"] = "error"

    @classmethod
    def of(
        cls,
        code: str,
        headline: str,
        span: Span,
        label: str = "",
        notes: Iterable[str] = (),
        help: Remedy | str | None = None,
        call_stack: tuple[CallStep, ...] = (),
        severity: Literal["error", "warning"] = "error",
        fixes: Iterable[Fix] = (),
    ) -> Diagnostic:
        """A diagnostic from the parts of its message; `help` is a remedy or a mere sentence."""
        content = Message(code, headline, label, tuple(notes), Remedy.of(help, fixes))
        return cls(content, span, call_stack, severity)

    def saying(self, **parts: Any) -> Diagnostic:
        """The same in other words: parts of the message by name."""
        return replace(self, content=replace(self.content, **parts))

    def as_dict(self) -> dict[str, Any]:
        """The form of `--format json`."""
        end_line, end_column = self.span.last
        label = (self.label,) if self.label else ()
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "file": self.span.source.name,
            "line": self.span.line,
            "column": self.span.column,
            "end_line": end_line,
            "end_column": end_column,
            "notes": [*label, *self.notes],
            "help": self.help,
            "trail": [
                {"block": step.block, "file": step.span.source.name, "line": step.span.line}
                for step in self.call_stack
            ],
        }

    def __str__(self) -> str:
        return render(self)


class DefinitionError(Exception):
    """A definition with mistakes; `diagnostics` says each of them."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__("\n\n".join(render(d) for d in diagnostics))
        self.diagnostics = tuple(diagnostics)


def unpainted(text: str, part: Part) -> str:
    """A part of a report without colour."""
    return text


def render(diagnostic: Diagnostic, paint: Paint = unpainted) -> str:
    """The diagnostic as text, with the source line and its underline; `paint` may colour parts."""
    span = diagnostic.span
    number = str(span.line)
    gutter = " " * len(number)
    line, mark = excerpt(span)

    def row(margin: str, text: str = "", part: Part = "text") -> str:
        return paint(margin, "margin") + (paint(printable(text), part) if text else "")

    head = f"{diagnostic.severity}[{diagnostic.code}]: {diagnostic.message}"
    line = line.rstrip()
    rows = [
        paint(printable(head), "head"),
        row(f"{gutter} --> ", f"{span.source.name}:{span.line}:{span.column}"),
        row(f"{gutter}  |"),
        row(f"{number}  | " if line else f"{number}  |", line),
        row(f"{gutter}  | ", f"{mark} {diagnostic.label}".rstrip(), "underline"),
    ]
    extras: list[tuple[str, Part]] = [(note, "text") for note in diagnostic.notes]
    if diagnostic.help:
        extras.append((f"help: {diagnostic.help}", "help"))
    if extras or diagnostic.call_stack:
        rows.append(row(f"{gutter}  |"))
    for extra, part in extras:
        first, *rest = extra.splitlines() or [""]
        rows.append(row(f"{gutter}  = ", first, part))
        rows += [row(f"{gutter}    ", more) for more in rest]
    rows += [row(f"{gutter}  = ", step) for step in shown_calls(diagnostic.call_stack)]
    return "\n".join(rows)


def shown_calls(trail: Sequence[CallStep]) -> list[str]:
    """The calls that led to a place, the innermost first; of very many the first and the last."""
    steps = trail[::-1]
    if len(steps) <= MOST_STEPS_SHOWN:
        return list(map(str, steps))
    ends = MOST_STEPS_SHOWN // 2
    left = f"… {len(steps) - 2 * ends} more calls …"
    return [*map(str, steps[:ends]), left, *map(str, steps[-ends:])]


def excerpt(span: Span) -> tuple[str, str]:
    """The line that a span begins on (of a long one the part around it), and its underline."""
    line = span.source.line(span.line)
    start = span.column - 1
    end_line, end_column = span.last
    end = end_column - 1 if end_line == span.line else len(line)
    if len(line) > WIDEST:
        cut = max(0, min(start - WIDEST // 3, len(line) - WIDEST))
        before, after = "…" if cut else "", "…" if cut + WIDEST < len(line) else ""
        line = before + line[cut : cut + WIDEST] + after
        start, end = start - cut + len(before), min(end - cut, WIDEST) + len(before)
    blank = "".join("\t" if c == "\t" else " " * columns(c) for c in line[:start])
    return printable(line), blank + "^" * max(1, columns(line[start:end]))


def columns(text: str) -> int:
    """How many columns of a terminal a text takes, once it is `printable`: two for a wide one."""
    shown = printable(text)
    return len(shown) + sum(east_asian_width(c) in "WF" for c in shown if not c.isascii())


def printable(text: str) -> str:
    """The text with escapes for what would steer a terminal or cannot be encoded.

    Controls of both sets, marks that turn the direction of writing, halves of surrogate pairs:
    `\\x1b`, `\\u202e`.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else escape(c) for c in text)


def escape(character: str) -> str:
    """A character as a string of Python would have it."""
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def printable_lines(text: str) -> str:
    """As `printable`, for a text of several lines."""
    return "\n".join(map(printable, text.split("\n")))


def nearest(word: str, candidates: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The closest known word, if one is close; `cutoff` is how alike it must be, up to 1."""
    from difflib import get_close_matches  # a definition without a mistake does not need it

    close = get_close_matches(word, sorted(candidates), n=1, cutoff=cutoff)
    return close[0] if close else None


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """A help line naming the closest known word, if one is close."""
    close = nearest(word, candidates)
    return f"did you mean `{close}`?" if close else None


def deduplicate(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """One of each (what fails at every call or turn is said once), in the order of the text."""
    seen: dict[Any, Diagnostic] = {}
    for diagnostic in diagnostics:
        span = diagnostic.span
        key = (diagnostic.code, span.source.name, span.start, span.end)
        seen.setdefault(key, diagnostic)
    return sorted(seen.values(), key=lambda d: (d.span.source.name, d.span.start))
