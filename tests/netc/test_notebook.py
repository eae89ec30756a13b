"""A net in a notebook: pictures and tables in the cell, calls, tracebacks that end at the call."""

from __future__ import annotations

import base64
import html
import re
import traceback
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

import netc
from netc.notebook import MOST_SHOWN, Drawn, Shown

HOSTILE = 'net n { input x: f32[3, 8, 8]\n conv(1, 1x1) as "<script>alert(1)<b>&" \n output y }'


@pytest.fixture(scope="module")
def net() -> netc.Net:
    return netc.load("lenet_caffe")


def test_a_picture_without_a_path_is_shown_inline(net: netc.Net, tmp_path: Path) -> None:
    shown = net.plot()
    assert isinstance(shown, Drawn) and repr(shown) == "<Picture of lenet_caffe>"
    assert shown._repr_svg_() == net.plot(tmp_path / "x.svg").read_text(encoding="utf-8")
    (data,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', shown._repr_html_())
    assert base64.b64decode(data).decode() == shown.svg
    deep = netc.load("resnet18").plot(depth=2).svg
    assert len(deep) > len(netc.load("resnet18").plot(depth=0).svg)


def test_a_net_shows_its_picture_and_its_table() -> None:
    net = netc.loads(HOSTILE)
    text = net._repr_html_()
    assert net.plot()._repr_html_() in text
    assert "&lt;script&gt;alert(1)&lt;b&gt;&amp;" in text and "<script" not in text
    ElementTree.fromstring(net.plot().svg)


def test_maps_without_a_path_are_a_page_in_a_frame(net: netc.Net, tmp_path: Path) -> None:
    picture = tmp_path / "<p>.png"
    Image.linear_gradient("L").resize((28, 28)).save(picture)
    shown = net.maps(picture, gradients=False, most=2)
    assert isinstance(shown, Shown)
    (frame,) = re.findall(
        r'^<iframe sandbox title="lenet_caffe" srcdoc="([^"]+)"', shown._repr_html_()
    )
    written = net.maps(picture, tmp_path / "x.html", gradients=False, most=2)
    assert html.unescape(frame) == Path(str(written)).read_text(encoding="utf-8")


def test_maps_of_pixels_are_those_of_the_file(net: netc.Net, tmp_path: Path) -> None:
    image = Image.linear_gradient("L").resize((28, 28))
    image.save(tmp_path / "picture.png")

    def page(given: Any) -> str:
        shown = net.maps(given, gradients=False, most=2)
        assert isinstance(shown, Shown)
        return shown._repr_html_()

    file = page(tmp_path / "picture.png")
    assert file.replace("picture.png", "picture") == page(image) == page(np.asarray(image))
    numbers = np.asarray(image, np.float32)[None] / 255  # a sample of the input, no picture
    assert "iframe" in page(numbers) != page(image)
    with pytest.raises(netc.CallError, match="batch first"):
        net.maps(5)  # type: ignore[arg-type]


def test_a_net_is_called_like_a_function(net: netc.Net) -> None:
    given = np.zeros((2, 1, 28, 28), np.float32)
    np.testing.assert_array_equal(
        net(given, device="numpy"), net.run(given, device="numpy")["probs"]
    )
    two = netc.loads("net n { input x: f32[2]\n output a = relu\n output b = identity }")
    assert list(two([[1.0, -1.0]], device="numpy")) == ["a", "b"]


def test_layers_and_parameters_are_tables_by_number_and_name(net: netc.Net) -> None:
    assert [row.name for row in net.layers] == list(net.graph.layers)
    conv = net.layers["conv1"]
    assert net.layers[1] == conv and net.layers[1:3][0] == conv
    assert (conv.op, conv.output, conv.params, conv.macs) == ("conv", (20, 24, 24), 520, 288_000)
    assert sum(row.count for row in net.parameters) == net.analysis.parameters
    assert net.parameters["conv1.weight"].shape == (20, 1, 5, 5)
    lines = repr(net.layers).splitlines()
    assert lines[0].split() == [
        "layer",
        "op",
        "output",
        "params",
        "MACs",
        "receptive",
        "field",
        "line",
    ]
    assert lines[3].split() == [
        "conv1",
        "conv",
        "[20,",
        "24,",
        "24]",
        "520",
        "288,000",
        "5x5",
        "78",
    ]
    assert "<td" in net.parameters._repr_html_()
    with pytest.raises(netc.CallError, match="there is no conv9 among the layers"):
        net.layers["conv9"]
    buffers = netc.load("resnet18").parameters
    assert sum(row.count for row in buffers) == 11_689_512  # without running statistics


def test_a_long_table_ends_with_what_is_left_out() -> None:
    layers = netc.load("resnet110").layers
    assert repr(layers).splitlines()[-1] == f"and {len(layers) - MOST_SHOWN:,} more layers"
    assert len(list(layers)) == len(layers)


@pytest.mark.parametrize(
    "call",
    [
        lambda net: netc.loads("net n { input x: f32[3, 8, 8]\n conv(4, 9x9)\n output y }"),
        lambda net: net.run("nowhere.png"),
        lambda net: net.compile("nowhere/x.onnx"),
        lambda net: net.run(np.zeros((3, 3)), device="quantum"),
        lambda net: net.model(dtype="f8"),
    ],
)
def test_a_traceback_ends_at_the_call(
    net: netc.Net, call: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def frames() -> list[traceback.FrameSummary]:
        with pytest.raises((netc.DefinitionError, netc.CallError)) as caught:
            call(net)  # type: ignore[operator]
        return traceback.extract_tb(caught.value.__traceback__)

    *ours, last = frames()
    assert last.filename.endswith("given.py")  # which IPython leaves out
    assert all(Path(frame.filename) == Path(__file__) for frame in ours)
    monkeypatch.setenv("NETC_TRACEBACK", "1")
    assert len(frames()) > len(ours) + 1
