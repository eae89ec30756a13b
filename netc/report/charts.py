"""Charts of a report: a bar for each layer, from the input to the output, as SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from netc.layer_table import bytes_text, short_count
from netc.plot.faces import num
from netc.plot.words import cut
from netc.report.figures import Figures

WIDTH, HEIGHT, TOP, BOTTOM = 640, 120, 14, 4  # of a chart's bars, and the room around them
MOST_BARS = 160  # consecutive layers share one where there are more


@dataclass(frozen=True)
class Amount:
    """What a chart shows: its title, the amount of a layer, how it is written.

    The bar of several layers is their sum, or the largest of them where `summed` is false.
    """

    title: str
    of: Callable[[Figures], float]
    text: Callable[[float], str]
    summed: bool = True


AMOUNTS = (
    Amount("Parameters", lambda f: f.layer.parameters, lambda v: f"{int(v):,}"),
    Amount("MACs", lambda f: f.macs, lambda v: short_count(int(v))),
    Amount("Memory of the output", lambda f: f.memory, lambda v: bytes_text(int(v)), summed=False),
    Amount("Receptive field", lambda f: f.field, lambda v: f"{int(v):,} pixels", summed=False),
)
TIME = Amount("Time", lambda f: f.seconds or 0.0, lambda v: f"{v * 1e3:.3g} ms")


def charts(figures: Sequence[Figures], items: Sequence[int]) -> str:
    """All charts; `items` has the picture's box of each layer."""
    timed = any(one.seconds is not None for one in figures)
    return "".join(
        chart(amount, figures, items)
        for amount in (*AMOUNTS, *([TIME] if timed else []))
        if any(map(amount.of, figures))
    )


def chart(amount: Amount, figures: Sequence[Figures], items: Sequence[int]) -> str:
    """One chart with a caption that says what a reader would look for in it."""
    each = -(-len(figures) // MOST_BARS)
    groups = [range(i, min(i + each, len(figures))) for i in range(0, len(figures), each)]
    whole = sum if amount.summed else max
    heights = [whole(amount.of(figures[i]) for i in group) for group in groups]
    largest = max(range(len(figures)), key=lambda i: amount.of(figures[i]))
    most, step = max(heights), WIDTH / len(groups)
    bars = []
    for place, (group, value) in enumerate(zip(groups, heights, strict=True)):
        if not value:
            continue
        top = max(group, key=lambda i: amount.of(figures[i]))
        height = max(1.0, value / most * HEIGHT)
        first = cut(figures[group[0]].layer.node.name, 60)
        last = cut(figures[group[-1]].layer.node.name, 60)
        name = first if len(group) == 1 else f"{first} to {last}"
        title = escape(f"{name}: {amount.text(value)}")
        bars.append(
            f'<rect data-item="{items[top]}" x="{num(place * step)}" '
            f'y="{num(TOP + HEIGHT - height)}" width="{max(step * 0.86, 0.5):.2f}" '
            f'height="{num(height)}"><title>{title}</title></rect>'
        )
    most_name = cut(figures[largest].layer.node.name, 40)
    words = f"{amount.title}, most: {most_name}, {amount.text(amount.of(figures[largest]))}"
    if amount.summed:
        words += f"; {amount.text(sum(map(amount.of, figures)))} in all"
    caption = escape(words)
    return (
        f'<figure class="chart"><figcaption>{caption}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT + TOP + BOTTOM}" role="img" aria-label="{caption}">'
        f'<path class="axis" d="M0 {TOP + HEIGHT}H{WIDTH}"/>{"".join(bars)}</svg></figure>'
    )
