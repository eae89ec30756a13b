"""The table of `netc summary`: a row for each layer or closed block, as wide as there is room.

Blocks stand for what they hold, with sums, as deep as one asked or as fits on a screen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

from rich.text import Text

from compiler.analysis import Analysis, LayerCost
from compiler.dims import Atom, Dim, Floor, Size, sum_text
from compiler.domain import Facts
from compiler.graph import Graph, Input
from compiler.ops.base import show_count
from compiler.receptive_field import show_field
from grammar.diagnostics import printable
from netc.boxes import Box, depth_of, nest, shown
from netc.tabular import TableColumn, laid_out

MOST_ROWS = 200  # that are shown when nobody asked for a depth
FOLDED_ROWS = 60  # at most, where they are too many
BAR = 10
BYTES = 4


@dataclass(frozen=True)
class Look:
    """What of a network is shown, and how.

    `depth` levels of blocks are open (None: as many as fit); with `tree` a block has a row with its
    sums above its layers. `sort` puts the largest first; `short` writes counts as 1.58 G; `bars`
    shows each row's share of the MACs, or of the parameters when sorted by them.
    """

    depth: int | None = None
    tree: bool = False
    sort: str | None = None
    short: bool = False
    bars: bool = False


@dataclass(frozen=True)
class Row:
    """A layer, or a block with its sums; `level` is how deep it lies in a tree."""

    name: str
    level: int
    op: str
    last: LayerCost
    params: int
    macs: Size
    memory: int | None

    def amount(self, what: str) -> float:
        """What rows are sorted by, and bars show; a symbolic amount counts as its coefficient."""
        value = {"params": self.params, "macs": self.macs, "memory": self.memory}[what]
        if isinstance(value, Dim):
            return float(value.terms[0][1])
        return float(value or 0)


def rows_of(graph: Graph, analysis: Analysis, look: Look) -> tuple[list[Row], int]:
    """The rows of a table, and how many levels of blocks are open."""
    net = nest(graph, analysis)
    depth = chosen_depth(net) if look.depth is None else look.depth
    rows = list(opened(net, depth, 0, look.tree))
    if look.sort:
        sort = look.sort
        rows.sort(key=lambda row: row.amount(sort), reverse=True)
    return rows, depth


def chosen_depth(net: Box) -> int:
    """All levels of a net that fits; of a larger one as many as keep the table on a screen."""
    whole = depth_of(net)
    if shown(net, whole) <= MOST_ROWS:
        return whole
    return max((d for d in range(whole) if shown(net, d) <= FOLDED_ROWS), default=0)


def opened(box: Box, depth: int, level: int, tree: bool) -> Iterator[Row]:
    """The rows of what a box holds, `depth` levels of blocks open."""
    for child in box.children:
        if child.kind == "output":
            continue
        if child.kind == "block" and depth:
            if tree:
                yield row_of(child, level, tree)
            yield from opened(child, depth - 1, level + 1, tree)
        else:
            yield row_of(child, level, tree)


def row_of(box: Box, level: int, tree: bool) -> Row:
    """One row."""
    layers = tuple(box.layers())
    sizes = [prod(layer.node.shape) for layer in layers]
    whole = [size for size in sizes if isinstance(size, int)]
    last = layers[-1]
    if box.layer is None:
        count = len(layers)
        call = f"{box.step.call or box.step.block}, " if box.step is not None else ""
        op = f"{call}{count} layer{'s' if count > 1 else ''}"
    else:
        op = last.node.op.name
    return Row(
        printable(box.label if tree else box.name),
        level if tree else 0,
        printable(op),
        last,
        box.parameters,
        box.macs,
        sum(whole) * BYTES if len(whole) == len(sizes) else None,
    )


# Shares give way first, then memory, receptive fields and ops; shapes and counts stay.
COLUMNS = (
    TableColumn("layer"),
    TableColumn("op", gives_way=3, shortest=16),
    TableColumn("output"),
    TableColumn("params", right=True),
    TableColumn("MACs", right=True),
    TableColumn("field", right=True, gives_way=2),
    TableColumn("memory", right=True, gives_way=1),
    TableColumn("share", gives_way=0),
)


def lines_of(
    graph: Graph, analysis: Analysis, look: Look, width: int | None
) -> tuple[list[Text], int]:
    """The table's lines, and how many levels of blocks are open."""
    rows, depth = rows_of(graph, analysis, look)
    measured = "params" if look.sort == "params" else "macs"
    total = sum(row.amount(measured) for row in rows if row.level == 0)  # blocks hold the rest
    cells = [
        (
            "  " * row.level + row.name,
            row.op,
            shape_text(row.last.node.shape, graph.facts),
            count_text(row.params, graph.facts, look.short),
            count_text(row.macs, graph.facts, look.short),
            "" if isinstance(row.last.node.op, Input) else show_field(row.last.field),
            "" if row.memory is None else bytes_text(row.memory),
            bar(row.amount(measured), total) if look.bars else "",
        )
        for row in rows
    ]
    return laid_out(COLUMNS, cells, width), depth


def shape_text(shape: Sequence[Size], facts: Facts) -> str:
    """A shape as a definition writes it, its sizes short."""
    return "[" + ", ".join(size_text(size, facts) for size in shape) + "]"


def size_text(size: Size, facts: Facts) -> str:
    """A size as short as what is known allows: `H/4` where H is a multiple of 4."""
    if not isinstance(size, Dim):
        return str(size)
    return sum_text(size, lambda atom: atom_text(atom, facts))


def atom_text(atom: Atom, facts: Facts) -> str:
    """A symbol, or a floor, which is no more than a fraction where nothing is left over."""
    if not isinstance(atom, Floor):
        return str(atom)
    whole = Dim((((atom,), 1),))
    if not facts.equal(whole * atom.divisor, atom.numerator):
        return str(atom)
    inner = size_text(atom.numerator, facts)
    return (
        f"({inner})/{atom.divisor}" if len(atom.numerator.terms) > 1 else f"{inner}/{atom.divisor}"
    )


def count_text(count: Size, facts: Facts, short: bool = False) -> str:
    """A count with thousands separated, or as 1.58 G; nothing for 0."""
    if isinstance(count, int):
        return "" if count == 0 else short_count(count) if short else show_count(count)
    products: dict[tuple[str, ...], int] = {}  # which are alike once their fractions are short
    for monomial, coefficient in count.terms:
        factors, number = term_text(monomial, coefficient, facts)
        products[factors] = products.get(factors, 0) + number
    texts = (product_text(factors, number, short) for factors, number in products.items())
    return " + ".join(texts).replace("+ -", "- ")


def term_text(
    monomial: Sequence[Atom], coefficient: int, facts: Facts
) -> tuple[tuple[str, ...], int]:
    """A product's factors, and its number with the fractions of single symbols taken into it."""
    factors = []
    for atom in monomial:
        text = atom_text(atom, facts)
        inner, slash, divisor = text.partition("/")
        if slash and inner.isidentifier() and coefficient % int(divisor) == 0:
            coefficient, text = coefficient // int(divisor), inner
        factors.append(text)
    return tuple(sorted(factors)), coefficient


def product_text(factors: Sequence[str], number: int, short: bool) -> str:
    """One product of a symbolic count."""
    text = short_count(number) if short else show_count(number)
    return "*".join(factors if number == 1 and factors else [text, *factors])


def short_count(count: int) -> str:
    """Three digits and a unit: `1.58 G`."""
    size, value = abs(count), float(count)
    for unit in ("", "k", "M", "G", "T", "P"):
        if size < 999.5 or unit == "P":
            break
        size, value = size / 1000, value / 1000  # type: ignore[assignment]
    digits = 0 if not unit else 2 if size < 9.995 else 1 if size < 99.95 else 0
    return f"{value:.{digits}f} {unit}".strip()


def bytes_text(value: int) -> str:
    """Bytes in the unit that fits."""
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:
            return f"{value:,.0f} {unit}" if unit == "B" else f"{value:,.1f} {unit}"
        value = value / 1024  # type: ignore[assignment]
    return f"{value:,.1f} GiB"


def bar(amount: float, total: float) -> str:
    """A share as a bar and as a number."""
    if not total or not amount:
        return ""
    share = amount / total
    eighths = round(share * BAR * 8)
    blocks = "█" * (eighths // 8) + ("", *"▏▎▍▌▋▊▉")[eighths % 8]
    return f"{blocks:{BAR}} {share:5.1%}"
