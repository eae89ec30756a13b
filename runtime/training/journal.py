"""What a run wrote down: log.csv, a line an epoch, and curve.svg, the same as a picture."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from runtime.files import write_whole
from runtime.training.checkpoint import Row

WIDTH, HEIGHT, MARGIN = 640, 300, 48
COLOURS = ("#1f6fb2", "#d1495b", "#3b8d5a", "#8e5aa8", "#c77d1e", "#4d5566")


def write_log(path: Path, rows: Sequence[Row]) -> None:
    """Write the epochs as CSV, whole or not at all."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: shown(row[name]) for name in names if name in row})
    write_whole(path, text.getvalue().encode())


def shown(value: float) -> str:
    """A number in full, whole ones without a point."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(value)


def write_curve(path: Path, rows: Sequence[Row], title: str) -> None:
    """Draw losses and reports over the epochs, a panel for each, held-out values dashed."""
    write_whole(path, curves(rows, title).encode())


def curves(rows: Sequence[Row], title: str) -> str:
    """The picture of some epochs as SVG."""
    names = [n for n in rows[0] if n not in ("epoch", "turn", "rate", "seconds")] if rows else []
    panels: dict[str, list[str]] = {}
    for name in names:
        panels.setdefault(name.removeprefix("val_"), []).append(name)
    return svg(panels, rows, title)


def svg(panels: dict[str, list[str]], rows: Sequence[Row], title: str) -> str:
    """The picture as a text."""
    height = HEIGHT * max(1, len(panels))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
    ]
    for place, (panel, names) in enumerate(panels.items()):
        parts += panel_of(panel, names, rows, place * HEIGHT, COLOURS[place % len(COLOURS)])
    return "\n".join([*parts, "</svg>\n"])


def panel_of(panel: str, names: list[str], rows: Sequence[Row], top: int, colour: str) -> list[str]:
    """One panel: axes, and a line for each name."""
    values = [row[name] for row in rows for name in names if math.isfinite(row.get(name, math.nan))]
    if not values:
        return []
    low, high = min(values), max(values)
    high = high if high > low else low + (abs(low) or 1.0)
    last = max(rows[-1]["epoch"], 2)
    left, right, upper, lower = MARGIN + 16, WIDTH - 16, top + 32, top + HEIGHT - MARGIN

    def x(epoch: float) -> float:
        return left + (epoch - 1) / (last - 1) * (right - left)

    def y(value: float) -> float:
        return lower - (value - low) / (high - low) * (lower - upper)

    parts = [
        f'<text x="{left}" y="{top + 20}" font-weight="bold">{escape(panel)}</text>',
        f'<path d="M{left} {upper}V{lower}H{right}" fill="none" stroke="#888"/>',
        f'<text x="{left - 6}" y="{upper + 4}" text-anchor="end">{high:.4g}</text>',
        f'<text x="{left - 6}" y="{lower + 4}" text-anchor="end">{low:.4g}</text>',
        f'<text x="{left}" y="{lower + 18}">1</text>',
        f'<text x="{right}" y="{lower + 18}" text-anchor="end">epoch {int(last)}</text>',
    ]
    for name in names:
        points = [
            f"{x(row['epoch']):.1f},{y(row[name]):.1f}"
            for row in rows
            if math.isfinite(row.get(name, math.nan))
        ]
        dashed = ' stroke-dasharray="6 4"' if name.startswith("val_") else ""
        word = "held out" if dashed else "training"
        if len(points) == 1:
            at, height = points[0].split(",")
            parts.append(f'<circle cx="{at}" cy="{height}" r="3" fill="{colour}"/>')
        parts.append(
            f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" '
            f'stroke-width="2"{dashed}><title>{escape(panel)}, {word}</title></polyline>'
        )
    if any(name.startswith("val_") for name in names):
        place = f'x="{right}" y="{top + 20}" text-anchor="end" fill="#555"'
        parts.append(f"<text {place}>held out: dashed</text>")
    return parts
