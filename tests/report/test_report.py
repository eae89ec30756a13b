"""The report: everything of a net on one page, every number the summary's, every text escaped."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import netc
from netc.report import ReportOptions, write_report
from netc.report.figures import figures_of
from netc.usual_sizes import usual_sizes
from tests.define import define
from tests.netc.command import netc as run

DIGITS = """
# Two <b>towers</b> & a head.
block unit(c) {
    conv(c, 5x5) -> relu -> maxpool(2x2)
}
net digits(classes=10) {
    input image: f32[1, 28, 28] from picture(resize=28, crop=28)
    unit(16)
    unit(32)
    flatten -> dense(classes) as logits
    output probs = softmax
}
"""


class Page(HTMLParser):
    """A report read back: its table, the texts of its elements, its data."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.inside: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "input", "path", "img", "rect"):
            self.inside.append(tag)
        self.texts.setdefault(tag, []).append("")
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.texts[self.inside[-1]][-1] += data
        if {"td", "th"} & set(self.inside):
            self.rows[-1][-1] += data

    @property
    def data(self) -> Any:
        return json.loads(self.texts["script"][0])


def reported(net: netc.Net, tmp_path: Path, options: ReportOptions | None = None) -> str:
    path = write_report(net, tmp_path / "x.html", options or ReportOptions())
    return path.read_text(encoding="utf-8")


def test_a_report_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    text = reported(netc.load("googlenet"), tmp_path)
    assert set(re.findall(r"https?://[^\s\"'<>]+", text)) == {"http://www.w3.org/2000/svg"}
    assert not re.findall(r"url\((?!#|data:)|@import|\bimport\s*\(|fetch\(|XMLHttpRequest", text)
    for tag, attributes in Page(text).tags:
        assert tag not in ("link", "iframe", "object", "embed")
        assert not {"src", "href", "srcset"} & set(attributes), tag
    assert "default-src 'none'" in text


def test_the_table_has_the_numbers_of_the_summary(tmp_path: Path) -> None:
    net = netc.load("googlenet")
    page = Page(reported(net, tmp_path))
    rows = {row[0]: row for row in page.rows[1:]}
    for layer in net.summary()["layers"]:
        name, op, line, output, params, macs, _, field = rows[layer["name"]]
        assert (name, op, line) == (layer["name"], layer["op"], str(layer["line"]))
        assert output == str(layer["out"])
        assert int(params.replace(",", "") or 0) == layer["params"]
        assert int(macs.replace(",", "") or 0) == layer["macs"]
        assert field == "x".join(map(str, (layer["rf"] or {"size": []})["size"]))
    assert len(rows) == len(net.graph)
    assert rows["conv1.conv1"][6] == "3.1 MiB"  # 64 * 112 * 112 * 4 bytes


def test_rows_boxes_and_lines_lead_to_one_another(tmp_path: Path) -> None:
    net = define(DIGITS)
    page = Page(reported(net, tmp_path))
    data = page.data
    items = [int(a["data-item"] or 0) for tag, a in page.tags if tag == "tr" and "data-item" in a]
    assert [data["items"][item]["name"] for item in items] == list(net.graph.layers)
    lines = {a["data-line"] for tag, a in page.tags if tag == "li" and "data-line" in a}
    assert lines == {f"0:{line}" for line in range(1, DIGITS.count("\n") + 1)}
    places = {
        item["name"]: data["lines"][data["places"][at]] for at, item in enumerate(data["items"])
    }
    assert places["unit2.conv1"] == [[0, 4, 4], [0, 9, 9]]  # its own line, that of the call
    assert places["unit2"] == [[0, 9, 9]]
    assert places["logits"] == [[0, 10, 10]]


def test_what_a_definition_calls_anything_stays_text(tmp_path: Path) -> None:
    net = define(
        "# <script>alert(1)</script> & <b>\n"
        "net n {\n    input x: f32[3, 8, 8]\n"
        '    conv(4, 1x1) as "<script>alert(2)"\n'
        '    relu as "<img src=x onerror=alert(3)>"\n'
        '    conv(4, 1x1) as "\'\\" onload=x"\n    output y = identity\n}'
    )
    text = reported(net, tmp_path)
    page = Page(text)
    assert [tag for tag, _ in page.tags].count("script") == 4
    assert not {"img", "b"} & {tag for tag, _ in page.tags}
    assert all("onload" not in a and "onerror" not in a for _, a in page.tags)
    assert "<script>alert(2)" in [row[0] for row in page.rows]
    assert "# <script>alert(1)</script> & <b>" in page.texts["span"]


def test_charts_say_their_numbers(tmp_path: Path) -> None:
    captions = Page(reported(netc.load("lenet5", "lenet5"), tmp_path)).texts["figcaption"]
    assert captions == [
        "Parameters, most: conv3, 48,120; 61,706 in all",
        "MACs, most: conv2, 240 k; 417 k in all",
        "Memory of the output, most: conv1, 18.4 KiB",
        "Receptive field, most: conv3, 32 pixels",
    ]


def test_a_chart_of_a_deep_net_joins_layers(tmp_path: Path) -> None:
    net = netc.load("resnet110")
    page = Page(reported(net, tmp_path))
    bars = [
        attributes for tag, attributes in page.tags if tag == "rect" and "data-item" in attributes
    ]
    assert len(bars) < 4 * 170
    assert f"{net.analysis.parameters:,} in all" in page.texts["figcaption"][0]
    assert page.texts["figcaption"][2].endswith("64.0 KiB")  # the largest, not the sum


def test_the_deepest_network_makes_a_report_below_five_megabytes(tmp_path: Path) -> None:
    assert len(reported(netc.load("resnet1202"), tmp_path).encode()) < 5_000_000


def test_symbolic_sizes_are_drawn_at_valid_ones(tmp_path: Path) -> None:
    net = netc.load("unet")
    assert usual_sizes(net.graph) == {"H": 224, "W": 224}
    text = reported(net, tmp_path)
    assert "At H = 224, W = 224" in text and "<code>H % 16 == 0</code>" in text
    figures = figures_of(net.graph, net.analysis, {"H": 224, "W": 224}, None)
    assert sum(one.macs for one in figures) == 733_888 * 224 * 224
    small = define("net n {\n input x: f32[3, H, 8]\n assert H < 40\n flatten\n output y\n}")
    assert usual_sizes(small.graph) == {"H": 1}


def test_warnings_are_told(tmp_path: Path) -> None:
    net = define("net n {\n input x: f32[3, 8, 8]\n conv(4, 3x3) -> bn\n output y\n}")
    assert net.warnings
    text = "\n".join(Page(reported(net, tmp_path)).texts["pre"])
    assert all(one.message in text for one in net.warnings)
    assert "None." in reported(define(DIGITS), tmp_path)


def test_measured_times_belong_to_layers(tmp_path: Path) -> None:
    net = define(DIGITS)
    page = Page(reported(net, tmp_path, ReportOptions(bench=True)))
    assert page.rows[0][-1] == "time"
    timed = {row[0] for row in page.rows if row[-1].endswith(" ms")}
    assert {"unit1.conv1", "unit1.maxpool1", "unit2.conv1", "logits"} <= timed
    assert not timed & {"image", "unit1.relu1"}  # which runs with its convolution
    assert any(text.startswith("Time, most: ") for text in page.texts["figcaption"])


def test_a_picture_brings_its_classes_and_its_maps(tmp_path: Path) -> None:
    picture = tmp_path / "p<i>.png"
    Image.linear_gradient("L").resize((28, 28)).save(picture)
    net = define(DIGITS)
    options = ReportOptions(images=(picture,), most=4)
    text = reported(net, tmp_path, options)
    page = Page(text)
    probs = net.run(picture)["probs"][0]
    best = next(row for row in page.rows if row[0] == "1")
    assert best == ["1", f"class {probs.argmax()}", f"{probs.max():.6f}"]
    boards = [a["aria-label"] for _, a in page.tags if a.get("class") == "board"]
    assert boards == [name for name in net.graph.layers if name != "image"]
    assert "With initial weights" in text and "Grad-CAM" in text
    assert "i" not in {tag for tag, a in page.tags if "style" not in a}
    trained = net.with_weights(net.weights)
    assert "With initial weights" not in reported(trained, tmp_path, options)


def test_the_command_writes_a_report_of_a_definition_or_a_model(tmp_path: Path) -> None:
    out, model = tmp_path / "x.html", tmp_path / "m.onnx"
    result = run("report", "lenet_caffe", "-o", out)
    assert result.exit_code == 0
    assert result.stdout == f"lenet_caffe: 10 layers -> {out} ({out.stat().st_size:,} bytes)\n"
    netc.load("lenet_caffe").compile(model)
    assert run("report", model, "-o", out, "--bench").exit_code == 0
    assert "conv1" in [row[0] for row in Page(out.read_text(encoding="utf-8")).rows]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("report lenet_caffe -o {0}/x.svg", "a report is a page"),
        ("report lenet_caffe -o {0}/none/x.html", "there is no folder"),
        ("report lenet_caffe -o {0}/x.html --image {0}/none.png", "none.png"),
        ("report vgg -o {0}/x.html", "choose one with --net"),
    ],
)
def test_a_call_at_fault_writes_nothing(tmp_path: Path, call: str, words: str) -> None:
    result = run(*call.format(tmp_path).split())
    assert result.exit_code == 2 and words in result.stderr
    assert not list(tmp_path.iterdir())


def test_python_writes_the_same_report(tmp_path: Path) -> None:
    net = define(DIGITS)
    path = net.report(tmp_path / "y.html")
    assert path.read_text(encoding="utf-8") == reported(net, tmp_path)
