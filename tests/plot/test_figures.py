"""Figures as papers have them: volumes to scale, the U, connections, sliding windows."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

import netc
from netc.plot import PlotOptions, drawn, open_to
from netc.plot.chain import chain_of
from netc.plot.connections import Joint, joint_of
from netc.plot.packing import pack
from netc.plot.plan import turned
from netc.plot.windows import window_figure
from netc.usual_sizes import usual_sizes
from runtime.errors import CallError
from tests.define import define
from tests.netc.command import netc as run
from tests.plot.definitions import DIFFICULT, planned
from tests.plot.drawing import moved
from tests.plot.test_page import plain
from tests.plot.test_pictures import check, edges

SVG = "{http://www.w3.org/2000/svg}"


def chain(net: netc.Net) -> list[str]:
    sizes = usual_sizes(net.graph)
    assert sizes is not None
    found = chain_of(net.graph, net.analysis, sizes)
    return [f"{one.words} {one.made_by}" for one in found.volumes]


def figure(net: netc.Net, style: str) -> ElementTree.Element:
    return ElementTree.fromstring(drawn(net.graph, net.analysis, PlotOptions(style)))


def texts(root: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def rectangles(root: ElementTree.Element, name: str) -> list[tuple[float, float]]:
    """Width and height of the rectangles of a class, those of the legend left out."""
    found = root.iter(f"{SVG}rect")
    return [
        (float(one.attrib["width"]), float(one.attrib["height"]))
        for one in found
        if one.get("class") == name and one.attrib["width"] != "11"
    ]


def test_the_volumes_of_lenet_are_those_of_its_figure() -> None:
    assert chain(netc.load("lenet5", "lenet5")) == [
        "1×28×28 image",
        "6×28×28 conv 5x5",
        "6×14×14 avgpool 2x2",
        "16×10×10 conv 5x5",
        "16×5×5 avgpool 2x2",
        "120×1×1 conv 5x5",
        "120 flatten",
        "84 dense",
        "10 dense",
    ]


def test_volumes_are_to_scale() -> None:
    root = figure(netc.load("alexnet"), "volumes")
    fronts = rectangles(root, "front")
    heights = [height for _, height in fronts]
    assert heights[0] / heights[1] == pytest.approx(55 / 27, rel=0.02)
    widths = [width for width, _ in fronts]
    assert widths[2] / widths[0] == pytest.approx((256 / 96) ** 0.5, rel=0.02)
    assert texts(root)[:4] == ["3×227×227", "image", "96×55×55", "conv 11x11, /4"]


def test_skips_of_a_residual_net_are_drawn() -> None:
    net = netc.load("resnet18")
    found = chain_of(net.graph, net.analysis, {})
    assert len(found.skips) == 8  # one a block, those with a projection too
    root = figure(net, "volumes")
    assert sum(one.get("class") == "skip" for one in root.iter(f"{SVG}polyline")) == 8


def test_a_deep_net_shows_a_volume_a_stage() -> None:
    net = netc.load("resnet1202")
    found = chain_of(net.graph, net.analysis, {}).volumes
    assert [one.words for one in found][:4] == ["3×32×32", "16×32×32", "32×16×16", "64×8×8"]
    assert found[1].merged == 401
    assert "401 tensors" in texts(figure(net, "volumes"))


def test_the_u_goes_down_with_each_halving_and_joins_across() -> None:
    net = netc.load("unet")
    root = figure(net, "u")
    assert sum(one.get("class") == "skip" for one in root.iter(f"{SVG}polyline")) == 4
    words = {one.text: float(one.attrib["y"]) for one in root.iter(f"{SVG}text")}
    levels = [words[text] for text in ("64×H×W", "128×H/2×W/2", "256×H/4×W/4", "512×H/8×W/8")]
    assert levels == sorted(levels) and words["1024×H/16×W/16"] > levels[-1]
    with pytest.raises(CallError, match="only shrinks"):
        figure(netc.load("alexnet"), "u")


CONNECTED = """
net small {
    input x: f32[2, 6]
    conv(2, 3, pad=1, groups=2) -> relu
    maxpool(2, stride=2)
    flatten
    dense(3) -> sigmoid
    output y = dense(2)
}
"""


def joints(net: netc.Net) -> dict[str, Joint]:
    found = ((node.name, joint_of(net.graph, node)) for node in net.graph.nodes() if node.inputs)
    return {name: joint for name, joint in found if joint is not None}


def test_connections_are_dense_sparse_or_shared() -> None:
    found = joints(define(CONNECTED))
    assert list(found) == ["conv1", "maxpool1", "dense1", "dense2"]
    conv = found["conv1"]
    assert conv.is_shared and conv.weights == 6  # two groups of three taps
    # Output 0 sees pixels 0 and 1 by taps 1 and 2; the second group only the second channel.
    assert [edge for edge in conv.edges if edge[1] == 0] == [(0, 0, 1), (1, 0, 2)]
    assert {source for source, target, _ in conv.edges if target >= 6} == set(range(6, 12))
    assert found["maxpool1"].edges[:3] == ((0, 0, 0), (1, 0, 1), (2, 1, 0))
    assert found["maxpool1"].weights == 0
    dense = found["dense1"]
    assert len(dense.edges) == dense.weights == 18 and not dense.is_shared
    root = figure(define(CONNECTED), "connections")
    assert sum(1 for _ in root.iter(f"{SVG}circle")) == 12 + 12 + 6 + 3 + 2
    colours = {one.get("style") for one in root.iter(f"{SVG}polyline") if one.get("style")}
    assert len(colours) == 6
    assert "32 connections, 6 weights, each shared" in texts(root)


@pytest.mark.parametrize(
    "body",
    [
        "input x: f32[65]\n output y = dense(2)",
        "input x: f32[2, 4]\n add { relu; sigmoid }\n output y",
        "input x: f32[1, 8, 8]\n output y = relu",
        "input x: f32[1, W]\n output y = relu",
    ],
)
def test_what_is_too_much_to_connect_is_refused(body: str) -> None:
    with pytest.raises(CallError, match="connections are drawn"):
        figure(define(f"net n {{\n {body}\n}}"), "connections")


def windowed(layers: str, shape: str = "1, 10, 11") -> ElementTree.Element:
    net = define(f"net n {{\n input x: f32[{shape}]\n {layers}\n output y\n}}")
    return ElementTree.fromstring(window_figure(net.graph, net.analysis.layers[1]))


def test_a_window_shows_padding_positions_and_what_is_left_over() -> None:
    root = windowed("conv(4, 3x3, stride=2, pad=1, dilation=2)")
    # 12 by 13 padded cells; windows of 5 reach 11 rows and all 13 columns.
    assert len(rectangles(root, "pixel")) == 10 * 11
    assert len(rectangles(root, "left-over")) == 13
    assert len(rectangles(root, "padding")) == 12 * 13 - 110 - 13
    assert len(rectangles(root, "cell")) == 4 * 5
    assert len(rectangles(root, "tap")) == 9
    assert "⌊(10 + 1 + 1 − 5)/2⌋ + 1 = 4, 1 left over" in texts(root)
    moves = [one.attrib["values"].split(";") for one in root.iter(f"{SVG}animateTransform")]
    assert [len(steps) for steps in moves] == [20, 20]
    assert moves[0][:2] == ["0 0", "32 0"] and moves[0][5] == "0 32"


def test_a_wave_is_one_row_and_a_long_axis_loses_its_middle() -> None:
    root = windowed("maxpool(3, stride=2)", "1, 100")
    assert len(rectangles(root, "pixel")) < 40 and "⋯" in texts(root)
    assert len(rectangles(root, "cell")) == 6 + 5  # of 49, those that lie in what is drawn
    with pytest.raises(CallError, match="symbolic"):
        windowed("maxpool(3)", "1, W")


def test_explain_draws_the_window_of_a_line(tmp_path: Path) -> None:
    out = tmp_path / "w.svg"
    result = run("explain", "lenet_caffe", "--svg", out)
    assert result.exit_code == 0 and result.stdout.endswith(f"conv1 -> {out}\n")
    assert "conv1: conv(20, 5x5" in out.read_text(encoding="utf-8")
    for call, words in [
        (["lenet_caffe", "--svg", tmp_path / "x.png"], "is an .svg"),
        (["lenet_caffe:83", "--svg", tmp_path / "y.svg"], "slides a window"),
    ]:
        failed = run("explain", *call)
        assert failed.exit_code == 2 and words in failed.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["w.svg"]


@pytest.mark.parametrize("net", [*DIFFICULT, "googlenet", "unet"])
def test_a_flow_to_the_right_is_the_same_picture(net: str) -> None:
    found = netc.load(net) if net.isalpha() else define(net)
    plan = turned(planned(found))
    data = {"items": [{"name": i.box.name, "kind": i.box.kind} for i in plan.items]}
    for depth in (0, 1, 9):
        drawing = moved(data, plain(pack(plan, open_to(plan, depth))))
        drawing.shapes.clear()  # they stand below the lines
        check(drawing)
    assert drawing.joined() == edges(found)


def test_a_flow_to_the_right_is_wide_and_its_texts_stand_upright() -> None:
    net = netc.load("lenet_caffe")
    down, right = (
        ElementTree.fromstring(drawn(net.graph, net.analysis, PlotOptions(horizontal=way)))
        for way in (False, True)
    )
    assert float(right.attrib["width"]) > 3 * float(right.attrib["height"])
    assert sorted(texts(down)) == sorted(texts(right))
    paths = [one.attrib["d"] for one in right.iter(f"{SVG}path") if one.get("class") == "line"]
    assert paths and all(re.fullmatch(r"M\S+ \S+H\S+", path) for path in paths)


@pytest.mark.parametrize("style", ["flow", "volumes"])
def test_names_stay_text_in_every_figure(style: str) -> None:
    net = define('net n {\n input x: f32[3, 8, 8]\n conv(4, 1x1) as "<b>&"\n output y = "<b>&"\n}')
    assert figure(net, style).tag == f"{SVG}svg"
