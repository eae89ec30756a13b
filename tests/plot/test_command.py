"""`netc plot` and `Net.plot`: files, depth, and what a call can get wrong."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

import netc
from runtime.errors import CallError
from tests.netc.command import netc as run
from tests.plot.drawing import read

DOCS = Path(__file__).parents[2] / "docs"
NET = "net n {\n    input x: f32[3, 8, 8]\n    conv(4, 3x3) as first\n    output y = relu\n}\n"


def boxes(path: Path) -> list[str]:
    return [box.name for box in read(path.read_text(encoding="utf-8")).boxes]


def test_a_definition_becomes_a_picture(tmp_path: Path) -> None:
    file, out = tmp_path / "n.netdef", tmp_path / "n.svg"
    file.write_text(NET)
    result = run("plot", file, "-o", out)
    assert result.exit_code == 0
    assert result.stdout == f"n: 3 layers -> {out} ({out.stat().st_size:,} bytes)\n"
    assert boxes(out) == ["x", "first", "relu1", "output y"]


@pytest.mark.parametrize(("depth", "count"), [(0, 13), (1, 17), (2, 73)])
def test_depth_says_how_many_levels_are_open(tmp_path: Path, depth: int, count: int) -> None:
    out = tmp_path / "r.svg"
    assert run("plot", "resnet18", "-o", out, "--depth", depth).exit_code == 0
    assert len(boxes(out)) == count


def test_the_options_that_choose_a_net_are_those_of_the_other_commands(tmp_path: Path) -> None:
    out = tmp_path / "v.svg"
    assert run("plot", "vgg", "-o", out, "--net", "vgg_a", "--set", "classes=7").exit_code == 0
    assert "dense 7" in "".join(ElementTree.parse(out).getroot().itertext())
    several = run("plot", "vgg", "-o", out)
    assert several.exit_code == 2 and "choose one with --net" in several.stderr


def test_a_model_of_another_format_is_drawn_as_its_import(tmp_path: Path) -> None:
    model, out = tmp_path / "m.onnx", tmp_path / "m.svg"
    netc.loads(NET).compile(model)
    assert run("plot", model, "-o", out).exit_code == 0
    assert boxes(out) == ["x", "first", "relu1", "output y"]
    assert run("plot", model, "-o", out, "--net", "n").exit_code == 2


@pytest.mark.parametrize("name", ["x.gif", "x.ps", "x", "svg"])
def test_another_suffix_is_told_those_that_work(tmp_path: Path, name: str) -> None:
    result = run("plot", "lenet_caffe", "-o", tmp_path / name)
    assert result.exit_code == 2
    assert ".svg, .html, .png or .pdf" in result.stderr
    assert not list(tmp_path.iterdir())
    with pytest.raises(CallError, match=r"\.svg, \.html, \.png or \.pdf"):
        netc.load("lenet_caffe").plot(tmp_path / name)


def test_a_definition_with_mistakes_writes_nothing(tmp_path: Path) -> None:
    file, out = tmp_path / "n.netdef", tmp_path / "n.svg"
    file.write_text(NET.replace("3x3", "9x9"))
    out.write_text("as it was")
    result = run("plot", file, "-o", out)
    assert result.exit_code == 1 and "E302" in result.stderr
    assert out.read_text() == "as it was"


def test_a_folder_that_is_not_there_is_the_calls_fault(tmp_path: Path) -> None:
    result = run("plot", "lenet_caffe", "-o", tmp_path / "none" / "x.svg")
    assert result.exit_code == 2 and "there is no folder" in result.stderr


def test_hostile_labels_are_text_in_the_picture(tmp_path: Path) -> None:
    label = '<b> & \\" ]]> 日本'
    out = netc.loads(NET.replace(" as first", f' as "{label}"')).plot(tmp_path / "n.svg")
    texts = "".join(ElementTree.parse(out).getroot().itertext())
    assert '<b> & " ]]> ' in texts and "日本" in texts


def test_the_suffix_may_be_written_large(tmp_path: Path) -> None:
    assert netc.load("lenet_caffe").plot(tmp_path / "A.SVG").read_text().startswith("<svg")


def test_the_picture_of_the_document_is_current(tmp_path: Path, bless: bool) -> None:
    document = (DOCS / "plot.md").read_text(encoding="utf-8")
    _, _, rest = document.partition("```netdef\n")
    net = netc.loads(rest.partition("```")[0])
    made = net.plot(DOCS / "residual.svg" if bless else tmp_path / "residual.svg", depth=1)
    assert made.read_bytes() == (DOCS / "residual.svg").read_bytes(), "renew it with --bless"


def test_a_picture_is_written_as_png_and_pdf(tmp_path: Path) -> None:
    try:
        import cairosvg  # noqa: F401
    except (ImportError, OSError) as error:  # the latter without the Cairo library
        pytest.skip(f"CairoSVG cannot be loaded: {error}")
    svg, png, pdf = (tmp_path / f"x.{suffix}" for suffix in ("svg", "png", "pdf"))
    for path in (svg, png, pdf):
        assert run("plot", "lenet_caffe", "-o", path).exit_code == 0
    root = ElementTree.parse(svg).getroot()
    with Image.open(png) as image:
        assert image.width == pytest.approx(2 * float(root.attrib["width"]), abs=2)
        assert len(image.convert("RGB").getcolors(10_000) or ()) > 10  # something is drawn
    assert pdf.read_bytes().startswith(b"%PDF-")


def test_without_cairosvg_the_machine_is_told_what_would_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cairosvg", None)
    result = run("plot", "lenet_caffe", "-o", tmp_path / "x.png")
    assert result.exit_code == 3 and "pip install '.[figures]'" in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("-o {0}/x.html --style volumes", "a page shows the style flow"),
        ("-o {0}/x.html --horizontal", "a page shows the style flow"),
        ("-o {0}/x.svg --style u --depth 1", "for the style flow"),
        ("-o {0}/x.svg --style volumes --horizontal", "for the style flow"),
        ("-o {0}/x.svg --style u", "only shrinks"),
        ("-o {0}/x.svg --style connections", "image is 1x28x28"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    tmp_path: Path, options: str, words: str
) -> None:
    result = run("plot", "lenet_caffe", *options.format(tmp_path).split())
    assert result.exit_code == 2 and words in result.stderr
    assert not list(tmp_path.iterdir())
