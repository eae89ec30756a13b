"""A picture as a page of its own, whose blocks open and close."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from compiler.graph import Graph
from netc.plot.details import details_of
from netc.plot.faces import Face
from netc.plot.inside import METRICS
from netc.plot.layout import layout_of
from netc.plot.plan import BoxTree, PlanItem
from netc.plot.svg import FOLDER
from netc.plot.words import cut

FILES = [
    FOLDER / name for name in ("picture.css", "page.css", "moving.js", "picture.js", "view.js")
]


class Table:
    """Values that are written once, however often they are used."""

    def __init__(self, form: Callable[[Any], Any] = lambda value: value) -> None:
        self.form = form
        self.index: dict[Hashable, int] = {}
        self.rows: list[Any] = []

    def __call__(self, value: Hashable) -> int:
        """The row of a value."""
        if value not in self.index:
            self.index[value] = len(self.rows)
            self.rows.append(self.form(value))
        return self.index[value]


def page(graph: Graph, plan: BoxTree, open_items: frozenset[int], totals: list[str]) -> str:
    """The page: everything that it needs is in it, and it asks no other place for anything."""
    name = cut(plan.items[0].box.name)
    parts = embedded(FILES, name) | {
        "name": escape(name),
        "totals": escape("\n".join(totals)),
        "data": script_data(data_of(graph, plan, open_items, name)),
    }
    return filled((FOLDER / "page.html").read_text(encoding="utf-8"), parts)


def embedded(files: Iterable[Path], title: str, images: str = "") -> dict[str, str]:
    """The head of a page, its scripts, and the tools above its picture; `images` allows some."""
    found = {"styles": "", "scripts": ""}
    for file in files:
        part, tag = ("styles", "style") if file.suffix == ".css" else ("scripts", "script")
        found[part] += f"<{tag}>\n{file.read_text(encoding='utf-8')}</{tag}>\n"
    parts = {"title": escape(title), "images": images, "styles": found["styles"]}
    return {
        "head": filled((FOLDER / "head.html").read_text(encoding="utf-8"), parts),
        "scripts": found["scripts"],
        "tools": (FOLDER / "tools.html").read_text(encoding="utf-8"),
    }


def filled(template: str, parts: Mapping[str, str]) -> str:
    """A template with each `{{part}}` in its place; what a part holds is not looked at again."""
    before, *rest = template.split("{{")
    return before + "".join(
        parts[key] + text for key, _, text in (part.partition("}}") for part in rest)
    )


def script_data(data: Any) -> str:
    """Data inside a script element, which no text in it can end."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def data_of(graph: Graph, plan: BoxTree, open_items: frozenset[int], name: str) -> dict[str, Any]:
    """The plan as JSON has it; what many boxes have alike is in tables."""
    faces, titles = Table(face_of), Table(face_of)
    layouts, ports, words = Table(vars), Table(), Table()
    known: dict[Hashable, int] = {}
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
            alike = likeness(plan, item)
            if alike not in known:
                known[alike] = layouts(layout_of(plan, item))
            entry["layout"] = known[alike]
            entry["ports"] = ports((item.arrangement.entering, item.arrangement.leaving))
        if item.title is not None:
            entry["title"] = titles(item.title)
        items.append(entry)
    return {
        "name": name,
        "metrics": METRICS,
        "open": sorted(open_items),
        "words": words.rows,
        "faces": faces.rows,
        "titles": titles.rows,
        "layouts": layouts.rows,
        "ports": ports.rows,
        "items": items,
    }


def likeness(plan: BoxTree, item: PlanItem) -> Hashable:
    """What a block's layout depends on; arrangements that are alike are one object."""
    children = [plan.items[child] for child in item.children]
    inside = tuple((child.face, id(child.arrangement)) for child in children)
    return (id(item.arrangement), item.labels, item.leaving, item.ports, item.title, inside)


def face_of(face: Face) -> dict[str, Any]:
    """A face as JSON has it."""
    return {"width": face.width, "height": face.height, "svg": face.svg}
