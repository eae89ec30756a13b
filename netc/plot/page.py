"""A picture as a page of its own, whose blocks open and close."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable
from html import escape
from typing import Any

from compiler.graph import Graph
from netc.plot.details import details_of
from netc.plot.faces import Face
from netc.plot.inside import METRICS
from netc.plot.plan import BoxTree
from netc.plot.svg import FOLDER
from netc.plot.words import cut

PARTS = ("picture.css", "page.css", "columns.js", "lines.js", "packing.js", "view.js")


class Table:
    """Values that are written once, however often they are used."""

    def __init__(self, form: Callable[[Any], Any] = lambda value: value) -> None:
        self.form = form
        self.index: dict[Hashable, int] = {}
        self.rows: list[Any] = []

    def __call__(self, value: Any) -> int:
        """The row of a value."""
        if value not in self.index:
            self.index[value] = len(self.rows)
            self.rows.append(self.form(value))
        return self.index[value]


def page(graph: Graph, plan: BoxTree, open_items: frozenset[int], totals: list[str]) -> str:
    """The page: everything that it needs is in it, and it asks no other place for anything."""
    name = cut(plan.items[0].box.name)
    data = json.dumps(data_of(graph, plan, open_items, name), separators=(",", ":"))
    parts = {part: (FOLDER / part).read_text(encoding="utf-8") for part in PARTS} | {
        "name": escape(name),
        "totals": escape("\n".join(totals)),
        "data": data.replace("<", "\\u003c"),
    }
    before, *rest = (FOLDER / "page.html").read_text(encoding="utf-8").split("{{")
    return before + "".join(
        parts[key] + text for key, _, text in (part.partition("}}") for part in rest)
    )


def data_of(graph: Graph, plan: BoxTree, open_items: frozenset[int], name: str) -> dict[str, Any]:
    """The plan as JSON has it; what many boxes have alike is in tables."""
    faces, titles = Table(face_of), Table(face_of)
    arrangements, labels, ports = Table(lambda a: vars(a)), Table(), Table()
    words = Table()
    items = []
    for item in plan.items:
        rows, lines = details_of(graph, item)
        entry: dict[str, Any] = {
            "kind": item.box.kind,
            "name": cut(item.box.name, 200),
            "face": faces(item.face),
            "rows": [words(text) for row in rows for text in row],
            "lines": [words(line) for line in lines],
        }
        if item.arrangement is not None:
            entry["children"] = item.children
            entry["arrangement"] = arrangements(item.arrangement)
            entry["labels"] = labels(item.labels)
            entry["leaving"] = labels(item.leaving)
            entry["ports"] = ports(item.ports)
        if item.title is not None:
            entry["title"] = titles(item.title)
        items.append(entry)
    return {
        "name": name,
        "metrics": METRICS,
        "open": sorted(open_items),
        "widths": plan.widths,
        "words": words.rows,
        "faces": faces.rows,
        "titles": titles.rows,
        "arrangements": arrangements.rows,
        "labels": labels.rows,
        "ports": ports.rows,
        "items": items,
    }


def face_of(face: Face) -> dict[str, Any]:
    """A face as JSON has it."""
    return {"width": face.width, "height": face.height, "svg": face.svg}
