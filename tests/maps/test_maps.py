"""Feature maps, receptive fields, saliency and Grad-CAM: what they show is what the net does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import netc as library
from netc.maps import MapOptions, Maps, maps_of
from netc.maps.attention import PixelBox, cam_of
from netc.maps.mosaic import folded, mosaic_of, planes_of, strongest
from netc.net import Net
from runtime.errors import CallError
from tests.netc.command import netc

SMALL = """
net small {
    input image: f32[1, 8, 8]
    conv(4, 3x3, pad=1) as c1
    relu as r1
    maxpool(2) as p1
    conv(6, 3x3) as c2
    flatten
    dense(3)
    softmax
    output probabilities
}
"""


@pytest.fixture
def small() -> Net:
    return library.loads(SMALL)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "digit.png")
    return tmp_path / "digit.png"


def drawn(net: Net, picture: Path, **options: Any) -> Maps:
    return maps_of(net, [picture], MapOptions(**options))


def test_every_tile_tells_its_maps_numbers(small: Net, picture: Path) -> None:
    layers = {layer.name: layer for layer in drawn(small, picture).seen[0].layers}
    assert list(layers) == ["c1", "r1", "p1", "c2", "flatten1", "dense1", "softmax1"]
    values = small.run(picture, tensors=["c1"], device="numpy")["c1"][0]
    mosaic = layers["c1"].mosaic
    assert mosaic.count == 4 and mosaic.low == values.min() and mosaic.high == values.max()
    for tile in mosaic.tiles:
        plane = values[tile.channel]
        assert (tile.least, tile.largest) == (plane.min(), plane.max())
        assert tile.mean == pytest.approx(plane.mean(), rel=1e-6)
    spread = [values[tile.channel].std() for tile in mosaic.tiles]
    assert spread == sorted(spread, reverse=True)


def test_a_tile_shows_its_map() -> None:
    planes = np.array([[[0.0, 1.0], [2.0, 4.0]], [[1.0, 1.0], [1.0, 1.0]]])
    mosaic = mosaic_of(planes, 2)
    assert [tile.channel for tile in mosaic.tiles] == [0, 1]
    (width, height), (first, second) = mosaic.side, mosaic.tiles
    pixels = np.asarray(mosaic.image)
    of_first = pixels[first.top : first.top + height, first.left : first.left + width]
    assert (of_first[0, 0], of_first[0, -1], of_first[-1, 0], of_first[-1, -1]) == (0, 64, 128, 255)
    of_second = pixels[second.top : second.top + height, second.left : second.left + width]
    assert np.all(of_second == 64)


@pytest.mark.parametrize(
    ("shape", "planes"),
    [((), (1, 1, 1)), ((12,), (1, 3, 4)), ((7,), (1, 1, 7)), ((3, 9), (1, 3, 9)),
     ((5, 4, 6), (5, 4, 6)), ((2, 5, 4, 6), (2, 4, 6))],
)  # fmt: skip
def test_a_tensor_of_any_rank_has_maps(shape: tuple[int, ...], planes: tuple[int, ...]) -> None:
    tensor = np.arange(np.prod(shape, dtype=int), dtype=float).reshape(shape)
    assert planes_of(tensor).shape == planes
    if len(shape) == 4:
        assert np.array_equal(planes_of(tensor), tensor[:, 2])


def test_a_vector_is_folded_without_a_gap() -> None:
    for count in range(1, 300):
        rows, columns = folded(count)
        assert rows * columns == count


def test_what_is_no_number_is_drawn_all_the_same() -> None:
    planes = np.array([[[np.nan, np.inf]], [[0.0, 1.0]]])
    assert mosaic_of(planes, 2).high == 1.0
    assert sorted(strongest(planes, 2)) == [0, 1]
    assert mosaic_of(np.full((1, 2, 2), np.nan), 1).low == 0.0


def test_the_field_of_the_middle_is_where_a_change_of_a_pixel_is_seen(
    small: Net, picture: Path
) -> None:
    """By perturbation of each pixel, not by derivatives."""
    looked = drawn(small, picture).seen[0].looked
    assert looked is not None and looked.layer == "c2" and looked.at == (1, 1)
    assert looked.box == PixelBox(1, 1, 8, 8)  # 3x3 of a pooled 3x3: 8 pixels, from 2*1 - 1
    pixels = np.asarray(Image.open(picture), np.float32)[None, None] / 255

    def output(x: NDArray[Any]) -> Any:
        return small.run(x, tensors=["c2"], device="numpy")["c2"][0, :, 1, 1].astype(float)

    assert looked.heat is not None
    for row, column in np.ndindex(8, 8):
        moved = pixels.copy()
        moved[0, 0, row, column] += 1e-2
        moves = np.abs(output(moved) - output(pixels)).max()
        inside = looked.box.top <= row <= looked.box.bottom and 1 <= column <= 8
        assert moves == 0 or inside
        assert (looked.heat[row, column] > 0) <= inside


def test_saliency_is_the_derivative_of_the_score_before_the_softmax(
    small: Net, picture: Path
) -> None:
    seen = drawn(small, picture, chosen=2).seen[0]
    assert seen.score is not None and seen.score.layer == "dense1" and seen.score.name == "class 2"
    pixels = np.asarray(Image.open(picture), np.float64)[None, None] / 255
    for row, column in [(0, 0), (3, 4), (7, 7)]:
        sides = []
        for step in (1e-3, -1e-3):
            moved = pixels.copy()
            moved[0, 0, row, column] += step
            scores = small.run(moved.astype(np.float32), tensors=["dense1"], device="numpy")
            sides.append(float(scores["dense1"][0, 2]))
        assert seen.saliency is not None
        slope = abs(sides[0] - sides[1]) / 2e-3
        assert seen.saliency[row, column] == pytest.approx(slope, rel=0.02, abs=1e-3)


def test_grad_cam_by_hand() -> None:
    maps = np.array([[[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.0], [0.0, 1.0]]])
    derivative = np.array([[[1.0, 1.0], [1.0, 1.0]], [[-4.0, 0.0], [0.0, -4.0]]])
    assert cam_of(maps, derivative).tolist() == [[0.0, 2.0], [3.0, 2.0]]


def test_grad_cam_looks_at_the_last_maps(small: Net, picture: Path) -> None:
    seen = drawn(small, picture).seen[0]
    assert seen.cam is not None
    layer, heat = seen.cam
    assert layer == "c2" and heat.shape == (2, 2) and heat.min() >= 0


def test_two_pictures_show_the_same_maps_in_the_same_places(small: Net, tmp_path: Path) -> None:
    """A shifted picture has the shifted maps: convolution is equivariant."""
    pixels = np.zeros((8, 8), np.uint8)
    pixels[2:4, 2:4] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    Image.fromarray(np.roll(pixels, 2, (0, 1))).save(tmp_path / "b.png")
    one, other = maps_of(small, [tmp_path / "a.png", tmp_path / "b.png"], MapOptions()).seen
    first, second = (seen.layers[0].mosaic for seen in (one, other))
    assert [t.channel for t in first.tiles] == [t.channel for t in second.tiles]
    assert [t.largest for t in first.tiles] == [t.largest for t in second.tiles]


def test_layers_are_chosen_by_pattern(small: Net, picture: Path) -> None:
    shown = drawn(small, picture, layers=("c*",), gradients=False).seen[0]
    assert [layer.name for layer in shown.layers] == ["c1", "c2"]
    assert shown.saliency is None and shown.looked is not None and shown.looked.heat is None
    with pytest.raises(CallError, match="small has no layer d1"):
        drawn(small, picture, layers=("d1",))


def test_a_deep_net_shows_what_leaves_its_blocks(picture: Path) -> None:
    deep = library.loads(
        "block two() { conv(2, 1x1) -> relu }\n"
        "net deep {\n    input image: f32[1, 8, 8]\n"
        "    repeat 31 { two() }\n    gap -> flatten\n    output y\n}\n"
    )
    found = drawn(deep, picture, gradients=False)
    assert len(found.seen[0].layers) == 33 and found.left_out == 31
    assert {layer.op for layer in found.seen[0].layers} == {"relu", "gap", "flatten"}


def test_the_command_writes_a_page_a_picture_or_a_folder(picture: Path, tmp_path: Path) -> None:
    file = tmp_path / "small.netdef"
    file.write_text(SMALL.replace("as c1", 'as "<script>c1"'))
    call = ("maps", file, "--image", picture, "-o")
    result = netc(*call, tmp_path / "x.html")
    assert result.exit_code == 0 and "initial weights" in result.stdout
    text = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert "<script" not in text and "&lt;script&gt;c1" in text
    assert not re.search(r"(src|href)=\"(?!data:)|url\((?!data:)", text)
    assert len(re.findall("<section", text)) == 9
    assert netc(*call, tmp_path / "x.png").exit_code == 0
    with Image.open(tmp_path / "x.png") as poster:
        assert poster.width >= 320 and poster.height > 1000
    assert netc(*call, tmp_path / "maps").exit_code == 0
    names = sorted(p.name for p in (tmp_path / "maps").iterdir())
    assert names == [
        *(f"{i:03}-{n}.png" for i, n in enumerate(
            ["_script_c1", "r1", "p1", "c2", "flatten1", "dense1", "softmax1"], 1)),
        "field.png", "gradcam.png", "kernels.png", "picture.png", "saliency.png",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("-o", "x.gif"), "maps are drawn as .html, .png, or into a folder, not .gif"),
        (("-o", "x.png", "--at", "9,9"), "c2 has 2x2 outputs: none at 9,9"),
        (("-o", "x.png", "--at", "nine"), "--at takes ROW,COLUMN, as 3,4, not nine"),
        (("-o", "x.png", "--class", "3"), "probabilities has classes 0 to 2, not 3"),
        (("-o", "x.png", "--image", "a", "--image", "b"), "one picture, or two side by side"),
        (("-o", "digit.png"), "digit.png is read, and is not written over"),
    ],
)
def test_calls_that_make_no_sense_are_refused(
    more: tuple[str, ...], message: str, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(picture.parent)
    Path("small.netdef").write_text(SMALL)
    before = sorted(Path().iterdir())
    result = netc("maps", "small.netdef", "--image", "digit.png", *more)
    assert result.exit_code == 2 and message in result.stderr
    assert sorted(Path().iterdir()) == before


def test_the_same_call_draws_the_same_bytes(picture: Path, tmp_path: Path) -> None:
    (tmp_path / "small.netdef").write_text(SMALL)
    for name in ("a.png", "b.png"):
        netc("maps", tmp_path / "small.netdef", "--image", picture, "-o", tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_library_net_with_a_picture_clause_shows_what_it_gets() -> None:
    photograph = Path(__file__).parents[2] / "docs" / "photograph.jpg"
    found = maps_of(library.load("lenet5", "lenet5"), [photograph], MapOptions(gradients=False))
    assert found.seen[0].picture is not None and found.seen[0].picture.size == (28, 28)
    assert found.kernels is not None and found.kernels[0] == found.seen[0].layers[0].name
