"""The page: one file, nothing from elsewhere, packed in the browser as in Python."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import netc
import netc.plot
from compiler.derivation import derive
from netc.plot.inside import Packed
from netc.plot.packing import pack
from tests.define import define
from tests.plot.definitions import DIFFICULT, planned, random_nets
from tests.plot.drawing import moved
from tests.plot.test_pictures import check, edges

FOLDER = Path(netc.plot.__file__).parent
NODE = shutil.which("node")
HOSTILE = """
net n {
    input x: f32[3, 8, 8]
    conv(4, 1x1) as "<script>alert(1)"
    relu as "]]> <!-- &amp; {{{{data}}}}"
    conv(4, 1x1) as "'\\" onload=x 日本語"
    relu as "block<b>.in"
    output y = identity
}
"""


def page(net: netc.Net, tmp_path: Path, depth: int | None = None) -> str:
    return net.plot(tmp_path / "x.html", depth).read_text(encoding="utf-8")


class Elements(HTMLParser):
    """The elements of a page, and what its scripts hold."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.found and self.found[-1][0] == "script":
            self.scripts[-1] += data


def data_of(text: str) -> dict[str, Any]:
    found = json.loads(Elements(text).scripts[0])
    assert isinstance(found, dict)
    return found


def test_the_page_asks_no_other_place_for_anything(tmp_path: Path) -> None:
    text = page(netc.load("googlenet"), tmp_path)
    assert set(re.findall(r"https?://[^\s\"'<>]+", text)) == {"http://www.w3.org/2000/svg"}
    assert not re.findall(r"url\((?!#)|@import|\bimport\s*\(|fetch\(|XMLHttpRequest", text)
    for tag, attributes in Elements(text).found:
        assert tag not in ("link", "img", "iframe", "object", "embed")
        assert not {"src", "href", "srcset"} & set(attributes), tag
    assert "default-src 'none'" in text


def test_every_box_tells_its_numbers_and_how_they_came_about(tmp_path: Path) -> None:
    net = netc.load("googlenet")
    data = data_of(page(net, tmp_path))
    words, items = data["words"], {item["name"]: item for item in data["items"]}
    for layer in net.analysis.layers:
        item = items[layer.node.name]
        assert [words[line] for line in item["lines"]] == derive(net.graph, layer)
    rows = [words[word] for word in items["conv1.conv1"]["rows"]]
    assert dict(zip(rows[::2], rows[1::2], strict=True)) == {
        "op": "conv(64, 7x7, stride=2, pad=3)",
        "takes": "image",
        "output": "[64, 112, 112]",
        "params": "9,472",
        "MACs": "118,013,952",
        "receptive field": "7x7",
        "source": "googlenet.netdef:10",
        "called": "in conv1: unit(64, 7x7, stride=2, pad=3), line 37",
    }
    rows = [words[word] for word in items["i3a"]["rows"]]
    assert rows[:2] == ["call", "inception(64, 96, 128, 16, 32, 32)"]
    assert rows[2:6] == ["output", "256×28×28", "layers", "14"]


def test_the_deepest_network_makes_a_page_of_a_sane_size(tmp_path: Path) -> None:
    net = netc.load("resnet1202")
    text = page(net, tmp_path)
    assert len(text) < 3_000_000
    data = data_of(text)
    assert sum(item["kind"] != "block" for item in data["items"]) == len(net.graph) + 2


def test_what_a_definition_calls_its_layers_stays_text(tmp_path: Path) -> None:
    net = define(HOSTILE)
    text = page(net, tmp_path)
    elements = Elements(text)
    assert [tag for tag, _ in elements.found].count("script") == 4
    assert "b" not in {tag for tag, _ in elements.found}
    names = [item["name"] for item in data_of(text)["items"]]
    assert "<script>alert(1)" in names and "]]> <!-- &amp; {{data}}" in names
    faces = "".join(face["svg"] for face in data_of(text)["faces"])
    assert "&lt;script&gt;alert(1)" in faces and "<script" not in faces and "<b>" not in faces


def test_the_page_can_be_read_and_worked_without_a_mouse(tmp_path: Path) -> None:
    elements = Elements(page(netc.load("lenet5", "lenet5"), tmp_path)).found
    labelled = [attributes for _, attributes in elements if "aria-label" in attributes]
    assert len(labelled) >= 4
    assert ("html", {"lang": "en"}) in elements
    view = (FOLDER / "picture.js").read_text(encoding="utf-8")
    assert all(word in view for word in ("aria-expanded", 'tabindex="0"', '"Enter"', "keydown"))


def test_the_page_is_the_same_every_time(tmp_path: Path) -> None:
    first = page(netc.load("googlenet"), tmp_path)
    assert page(netc.load("googlenet"), tmp_path) == first


def placed_by_the_page(jobs: list[tuple[dict[str, Any], list[list[int]]]]) -> list[list[Any]]:
    """What the script of the page makes of its data, for each set of open blocks."""
    assert NODE is not None
    sources = [(FOLDER / "moving.js").read_text(encoding="utf-8")]
    done = subprocess.run(
        [NODE, Path(__file__).with_name("pack.js")],
        input=json.dumps({"sources": sources, "jobs": jobs}),
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert isinstance(found, list)
    return found


@pytest.mark.skipif(NODE is None, reason="node is not installed")
def test_the_page_draws_what_python_laid_out_and_only_moves_it(tmp_path: Path) -> None:
    nets = [netc.load(name) for name in ("googlenet", "resnet50", "unet", "lenet5_1998")]
    nets += [*map(define, DIFFICULT), *random_nets(1)]
    draw = random.Random(0)
    jobs: list[tuple[dict[str, Any], list[list[int]]]] = []
    for net in nets:
        blocks = [i for i, item in enumerate(planned(net).items) if item.arrangement is not None]
        some = [[0, *draw.sample(blocks, len(blocks) // 2)] for _ in range(2)]
        jobs.append((data_of(page(net, tmp_path)), [[0], blocks, *some]))
    for net, (data, _), found in zip(nets, jobs, placed_by_the_page(jobs), strict=True):
        closed, opened, *rest = found
        assert closed == plain(pack(planned(net), {0}))
        assert moved(data, opened).joined() == edges(net)
        for one in found if net.name != "resnet50" else (closed, *rest):
            check(moved(data, one))


@pytest.mark.skipif(NODE is None, reason="node is not installed")
def test_the_scripts_of_the_page_are_sound() -> None:
    assert NODE is not None
    for script in sorted(FOLDER.glob("*.js")):
        subprocess.run([NODE, "--check", script], check=True)


def plain(packed: Packed) -> dict[str, Any]:
    """What Python packed, in the browser's form."""
    return {
        "item": packed.item,
        "left": packed.left,
        "right": packed.right,
        "height": packed.height,
        "ins": list(packed.ins),
        "outs": list(packed.outs),
        "children": [{"box": plain(box), "x": x, "y": y} for box, x, y in packed.children],
        "lines": [{k: v for k, v in vars(line).items() if k != "tensor"} for line in packed.lines],
        "labels": [{"x": x, "y": y, "text": text} for x, y, text in packed.labels],
    }
