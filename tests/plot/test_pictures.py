"""Every picture is right: each layer once, each edge a line, nothing on top of anything else."""

from __future__ import annotations

import pytest

import netc
from netc.boxes import depth_of
from netc.library import library_nets
from netc.plot import open_to
from netc.plot.svg import svg
from netc.plot.words import show_dims
from tests.define import define
from tests.library.golden import GOLDEN
from tests.plot.definitions import COLLECTED, DIFFICULT, GROUPS, planned, random_nets
from tests.plot.drawing import Drawing, read

EVERY = 20  # levels of blocks, deeper than any net has
DRAWN = {"resnet18", "resnet50", "mobilenet_v2", "shufflenet_v2"}  # of the golden nets
DEEP = {"resnet110", "resnet152", "resnet1202", "yolov3", *GOLDEN} - DRAWN
LIBRARY = sorted(set(library_nets()) - DEEP)


def drawn(net: netc.Net, depth: int | None = None) -> Drawing:
    made = planned(net)
    return read(svg(made, open_to(made, depth)))


def edges(net: netc.Net) -> list[tuple[str, str]]:
    """The edges of the graph, those to the outputs too."""
    found = [(source, node.name) for node in net.graph.nodes() for source in node.inputs]
    return sorted(found + [(node, f"output {name}") for name, node in net.graph.outputs.items()])


def check(drawing: Drawing) -> None:
    """Boxes beside one another and inside their blocks, lines and shapes off the boxes."""
    for index, one in enumerate(drawing.rectangles):
        assert one.left >= 0 and one.right <= drawing.width
        assert one.top >= 0 and one.bottom <= drawing.height
        for other in drawing.rectangles[index + 1 :]:
            if index in other.around:
                assert one.holds(other), (one.name, other.name)
            else:
                assert not one.meets(other), (one.name, other.name)
    for stroke in drawing.strokes:
        for box in drawing.boxes:
            assert not stroke.crosses(box), (stroke, box.name)
    for index, one_line in enumerate(drawing.strokes):
        for other_line in drawing.strokes[index + 1 :]:
            assert not one_line.lies_on(other_line), (one_line, other_line)
    for x, y, text in drawing.shapes:
        for box in drawing.boxes:
            assert not (box.left < x < box.right and box.top < y < box.bottom), (text, box.name)


@pytest.mark.parametrize("name", LIBRARY)
def test_every_layer_is_drawn_once_and_every_edge_is_a_line(name: str) -> None:
    net = netc.load(name)
    drawing = drawn(net, EVERY)
    names = [*net.graph.layers, *(f"output {name}" for name in net.graph.outputs)]
    assert sorted(box.name for box in drawing.boxes) == sorted(names)
    assert drawing.joined() == edges(net)


@pytest.mark.parametrize("name", LIBRARY)
@pytest.mark.parametrize("depth", [0, 1, 9])
def test_nothing_lies_on_a_box_and_blocks_hold_what_is_in_them(name: str, depth: int) -> None:
    check(drawn(netc.load(name), depth))


@pytest.mark.parametrize("text", DIFFICULT)
def test_branches_of_every_sort_are_drawn_as_they_are(text: str) -> None:
    net = define(text)
    drawing = drawn(net, EVERY)
    assert drawing.joined() == edges(net)
    for depth in range(depth_of(planned(net).items[0].box) + 1):
        check(drawn(net, depth))


def test_random_networks_are_drawn_as_they_are() -> None:
    for net in random_nets(0):
        assert drawn(net, EVERY).joined() == edges(net)
        for depth in range(depth_of(planned(net).items[0].box) + 1):
            check(drawn(net, depth))


@pytest.mark.parametrize("name", ["googlenet", "resnet18", "unet", "m5"])
def test_the_shape_of_every_tensor_stands_below_its_box(name: str) -> None:
    net = netc.load(name)
    drawing = drawn(net, EVERY)
    for node in net.graph.nodes():
        (box,) = (b for b in drawing.boxes if b.name == node.name)
        frames = [drawing.rectangles[index] for index in box.around]
        bottoms = {round(one.bottom) for one in [box, *frames]}
        axis = (box.left + box.right) / 2
        below = [
            text
            for x, y, text in drawing.shapes
            if any(0 < y - bottom <= 16 for bottom in bottoms) and x > axis - 300
        ]
        assert show_dims(node.shape, net.graph.facts) in below, node.name


def test_a_skip_runs_beside_a_straight_trunk() -> None:
    drawing = drawn(netc.load("resnet20"), 9)
    box = {b.name: (b.left + b.right) / 2 for b in drawing.boxes}
    trunk = ["conv1", "bn1", "conv2", "bn2", "add1", "relu2"]
    axes = {round(box[f"layer1.1.{name}"], 0) for name in trunk}
    assert len(axes) == 1
    assert box["layer1.1.shortcut"] > max(axes) + 50


def test_lines_of_very_many_tensors_to_one_layer_join_beside_the_rest() -> None:
    drawing = drawn(define(COLLECTED))
    beside = {round(stroke.end[0]) for stroke in drawing.strokes if not stroke.arrow}
    assert len(beside) == 1  # else 39 lines side by side
    assert len(drawing.strokes) < 4 * len(drawing.boxes)


def test_the_trunk_is_straight_through_groups_that_many_tensors_leave() -> None:
    middle = {b.name: (b.left + b.right) / 2 for b in drawn(define(GROUPS), 1).boxes}
    trunk = ["image", "encoder.stage0", "encoder.stage2", "decoder.up1", "decoder.join0", "head"]
    assert len({round(middle[name]) for name in trunk}) == 1


def test_branches_stand_symmetrically_about_the_trunk() -> None:
    drawing = drawn(netc.load("googlenet"), 1)
    middle = {b.name: (b.left + b.right) / 2 for b in drawing.boxes}
    branches = [middle[f"i3a.{name}"] for name in ("unit1", "unit2", "unit4", "maxpool1")]
    assert branches == sorted(branches)
    assert middle["i3a.concat1"] == pytest.approx(sum(branches) / 4, abs=1)
    assert middle["pool2"] == pytest.approx(middle["i3a.concat1"], abs=1)


def test_a_closed_block_says_what_it_is_and_how_much_it_holds() -> None:
    made = planned(netc.load("resnet18"))
    text = svg(made, open_to(made, 0))
    assert "2 × basic" in text and "17 layers · 525,568 params" in text
    opened = svg(made, open_to(made, 1))
    assert "basic(128, stride=2, dilation=1)" in opened and "layer2.0" in opened


def test_the_deepest_network_opens_to_a_picture_of_a_page() -> None:
    net = netc.load("resnet1202")
    drawing = drawn(net)
    assert len(drawing.rectangles) < 60
    check(drawing)


def test_a_small_network_opens_whole_and_a_large_one_does_not() -> None:
    assert len(drawn(netc.load("unet")).boxes) == 53
    assert any(r.is_frame for r in drawn(netc.load("unet")).rectangles)
    assert not any(r.is_frame for r in drawn(netc.load("googlenet")).rectangles)


def test_twins_share_their_parameters_in_words() -> None:
    net = define(
        "block tower(c) { conv(c, 3x3) -> relu -> gap -> flatten }\n"
        "net siamese {\n"
        "    input left: f32[1, 9, 9]\n    input right: f32[1, 9, 9]\n"
        "    l = left -> tower(8) as tower\n    r = right -> tower(8) like tower\n"
        "    sub(l, r) -> dense(1)\n    output same\n}"
    )
    made = planned(net)
    text = svg(made, open_to(made, 0))
    assert "tower(8) like tower" in text
    assert "tower − tower1" in text  # which is taken from which
    check(read(text))


def test_symbolic_sizes_are_those_of_the_summary() -> None:
    net = define("net n {\n input x: f32[3, H, 8]\n conv(4, 3x3, stride=2, pad=1)\n output y\n}")
    texts = [text for _, _, text in drawn(net).shapes]
    size = net.summary()["outputs"]["y"][1]
    assert texts == ["3×H×8", f"4×({size})×4"]
    assert "64×H/2×W/2" in [text for _, _, text in drawn(netc.load("unet"), 9).shapes]


def test_the_picture_is_the_same_every_time() -> None:
    texts = set()
    for _ in range(2):
        made = planned(netc.load("googlenet"))
        texts.add(svg(made, open_to(made, None)))
    assert len(texts) == 1
