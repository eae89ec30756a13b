"""Tables of text, as wide as there is room. No number is ever cut.

Where the room is too small, columns give way in their order, then a long first column loses its
middle or a column of prose is wrapped; what is still too wide is a paragraph a row, each number on
a line with its title.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

GAP = 2
SHORTEST_NAME = 16
SHORTEST_PROSE = 24
WIDEST_PROSE = 100


@dataclass(frozen=True)
class TableColumn:
    """A column: its title, whether it is set to the right, and what it may lose.

    Where the room is too small, a column with a `shortest` is cut at its end down to that width,
    then those with `gives_way` are left out, the lowest first, the last of them only when it would
    not do to take out the middles of the names (the first column). A column of `prose` is wrapped.
    """

    title: str
    right: bool = False
    gives_way: int | None = None
    prose: bool = False
    shortest: int | None = None


class Page(Console):
    """What a table is printed on: rich would end with exit code 1 when its reader leaves."""

    def on_broken_pipe(self) -> None:
        """Whoever read our output has what they wanted."""
        raise BrokenPipeError


def page() -> tuple[Console, int | None]:
    """Where to print, and how many characters wide: as it needs (None) when not on a terminal.

    The environment's COLUMNS is obeyed in both cases.
    """
    console = Page(highlight=False, markup=False)
    if console.is_terminal or "COLUMNS" in os.environ:
        return console, console.width
    return Page(highlight=False, markup=False, width=100_000), None


def print_table(
    columns: Sequence[TableColumn], rows: Sequence[Sequence[str]], title: str = ""
) -> None:
    """A table on the terminal, or where the output goes."""
    console, width = page()
    if title:
        console.print(title, style="italic", soft_wrap=True)
    for line in laid_out(columns, rows, width):
        console.print(line, soft_wrap=True)


def print_markdown(text: str) -> None:
    """A page of prose and examples, rendered."""
    from rich.markdown import Markdown

    console, width = page()
    rendered = Markdown(text, code_theme="ansi_dark")
    with console.capture() as caught:
        console.print(rendered, width=min(width or WIDEST_PROSE, WIDEST_PROSE))
    lines = caught.get().splitlines()  # rich fills lines up to the width
    console.file.write("".join(f"{line.rstrip()}\n" for line in lines))


def print_hanging(lead: Sequence[tuple[str, str]], text: str) -> None:
    """A lead of (words, style), and a text that is wrapped behind it where there is no room."""
    console, width = page()
    console.print(*hanging(lead, text, width), sep="\n", soft_wrap=True)


def hanging(lead: Sequence[tuple[str, str]], text: str, width: int | None) -> list[Text]:
    """The lines of a lead and of what is wrapped behind it."""
    indent = sum(cell_len(words) for words, _ in lead)
    room = None if width is None else max(SHORTEST_PROSE, width - indent)
    parts = (wrap(text, room) if room else [text]) or [""]
    starts = [Text.assemble(*lead), *[Text(" " * indent)] * (len(parts) - 1)]
    return [start + Text(part) for start, part in zip(starts, parts, strict=True)]


def laid_out(
    columns: Sequence[TableColumn], rows: Sequence[Sequence[str]], width: int | None
) -> list[Text]:
    """The lines of a table: titles, a rule, the rows; none wider than `width` where words allow."""
    cells = {c.title: [row[i] for row in rows] for i, c in enumerate(columns)}
    kept = [c for i, c in enumerate(columns) if i == 0 or any(cells[c.title])]
    room = {c.title: max(map(cell_len, [c.title, *cells[c.title]])) for c in kept}
    name = kept[0].title

    def excess() -> int:
        return 0 if width is None else sum(room.values()) + GAP * (len(room) - 1) - width

    for column in kept:
        if column.shortest is not None and excess() > 0:
            room[column.title] = max(column.shortest, room[column.title] - excess())
            cells[column.title] = [cut(text, room[column.title]) for text in cells[column.title]]
    giving = sorted((c for c in kept if c.gives_way is not None), key=lambda c: c.gives_way or 0)
    spare = max(0, room[name] - SHORTEST_NAME)
    for column in giving:
        if excess() > (spare if column is giving[-1] else 0):
            room.pop(column.title)
    kept = [c for c in kept if c.title in room]
    prose = next((c.title for c in kept if c.prose), None)
    if prose is not None and excess() > 0:
        room[prose] = max(SHORTEST_PROSE, room[prose] - excess())
    elif excess() > 0:
        cells[name] = [
            shortened(text, max(SHORTEST_NAME, room[name] - excess())) for text in cells[name]
        ]
        room[name] = max(map(cell_len, [name, *cells[name]]))
    if excess() > 0:
        return paragraphs(columns, rows, width or 0)
    head = Text(line(kept, {c.title: c.title for c in kept}, room), style="bold")
    found = [head, Text("─" * (sum(room.values()) + GAP * (len(room) - 1)), style="dim")]
    for index in range(len(rows)):
        row = {title: texts[index] for title, texts in cells.items()}
        parts = wrap(row[prose], room[prose]) if prose is not None else []
        for again, part in enumerate(parts or [""]):
            if prose is not None:
                row = {**({} if again else row), prose: part}
            found.append(Text(line(kept, row, room)))
    return found


def line(columns: Sequence[TableColumn], cells: Mapping[str, str], room: Mapping[str, int]) -> str:
    """One line of a table."""
    parts = []
    for column in columns:
        cell = cells.get(column.title, "")
        blank = " " * (room[column.title] - cell_len(cell))
        parts.append(blank + cell if column.right else cell + blank)
    return (" " * GAP).join(parts).rstrip()


def paragraphs(
    columns: Sequence[TableColumn], rows: Sequence[Sequence[str]], width: int
) -> list[Text]:
    """Each row as its name, and below it what the other columns say of it."""
    found = []
    room = max(cell_len(c.title) for c in columns)
    for row in rows:
        found.append(Text(row[0], style="bold"))
        for column, cell in zip(columns[1:], row[1:], strict=True):
            lead = f"  {column.title:{room}}  "
            texts = wrap(cell, max(SHORTEST_PROSE, width - len(lead))) if column.prose else [cell]
            for index, text in enumerate(texts if cell else []):
                found.append(Text((" " * len(lead) if index else lead) + text))
    return found


def cut(text: str, room: int) -> str:
    """A text without its end."""
    return text if cell_len(text) <= room else f"{text[: room - 1]}…"


def shortened(name: str, room: int) -> str:
    """A name without its middle; it keeps its indent."""
    if cell_len(name) <= room:
        return name
    text = name.lstrip()
    indent = name[: len(name) - len(text)]
    keep = max(4, room - len(indent) - 1)
    first = keep // 3
    return f"{indent}{text[:first]}…{text[len(text) - (keep - first) :]}"
