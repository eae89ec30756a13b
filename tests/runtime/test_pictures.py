"""Pictures of every kind become the tensors that their clause says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from compiler.pictures import Picture
from runtime.decode import PictureError
from runtime.pictures import PictureInput, read_views, write_picture

RGB = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [51, 102, 153]]], np.uint8)  # 2 x 2


def saved(path: Path, image: Image.Image, **options: Any) -> Path:
    image.save(path, **options)
    return path


def chequered(height: int, width: int) -> Image.Image:
    """A picture whose pixel at (y, x) is (y, x, 7)."""
    y, x = np.mgrid[:height, :width]
    return Image.fromarray(np.stack([y, x, np.full_like(x, 7)], axis=2).astype(np.uint8))


def read_picture(path: Path, shape: tuple[Any, ...], picture: Picture | None) -> Any:
    """The one view of a picture file as a batch."""
    return read_views(path, PictureInput(shape, picture))


def view(source: Any, shape: tuple[Any, ...], **clause: Any) -> np.ndarray[Any, Any]:
    """The one view of a picture, without the batch."""
    return read_views(source, PictureInput(shape, Picture(**clause)))[0]


# ── without a clause ─────────────────────────────────────────────────────────────────────────


def test_a_picture_without_a_clause_is_scaled_to_0_to_1(tmp_path: Path) -> None:
    tensor = read_picture(saved(tmp_path / "a.png", Image.fromarray(RGB)), (3, "H", "W"), None)
    assert tensor.shape == (1, 3, 2, 2) and tensor.dtype == np.float32
    np.testing.assert_allclose(tensor[0, :, 1, 1], [0.2, 0.4, 0.6], rtol=1e-6)


def test_a_picture_without_a_clause_must_fit(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(RGB))
    with pytest.raises(PictureError, match=r"2 high and 2 wide, the input takes 4 by 2; resize it"):
        read_picture(path, (3, 4, 2), None)
    assert read_picture(path, (3, 2, "W"), None).shape == (1, 3, 2, 2)


@pytest.mark.parametrize("shape", [(10,), (2, 8, 8), (3, 8), (8, 8, 3)])
def test_an_input_that_is_no_picture_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(RGB))
    with pytest.raises(PictureError, match="1, 3 or 4 channels"):
        read_picture(path, shape, None)


# ── the clause ───────────────────────────────────────────────────────────────────────────────


def test_resize_brings_the_shorter_side_and_crop_takes_the_centre() -> None:
    tensor = view(chequered(40, 60), (3, 6, 8), resize=20, crop=(6, 8), range=(0.0, 255.0))
    assert tensor.shape == (3, 6, 8)
    # 20 x 30 after resizing; the crop begins at (7, 11), each pixel the mean of two by two.
    np.testing.assert_allclose(tensor[0, :, 0], 2 * np.arange(7, 13) + 0.5, atol=0.51)
    np.testing.assert_allclose(tensor[1, 0], 2 * np.arange(11, 19) + 0.5, atol=0.51)
    assert (tensor[2] == 7).all()


def test_resize_to_height_by_width_ignores_the_proportions() -> None:
    assert view(chequered(40, 60), (3, 10, 12), resize=(10, 12)).shape == (3, 10, 12)


def test_the_half_pixel_of_an_odd_crop_is_rounded_to_even() -> None:
    tensor = view(chequered(7, 9), (3, 4, 4), crop=4, range=(0.0, 255.0))
    assert tensor[0, 0, 0] == 2 and tensor[1, 0, 0] == 2  # 1.5 and 2.5 are both 2


def test_a_crop_larger_than_its_picture_is_refused() -> None:
    with pytest.raises(PictureError, match="a crop of 9 by 9 does not fit into 4 by 6 pixels"):
        view(chequered(4, 6), (3, 9, 9), crop=9)


def test_a_resize_to_absurdly_many_pixels_is_refused() -> None:
    with pytest.raises(PictureError, match="1000000 by 2000000 would have too many pixels"):
        view(chequered(4, 8), (3, 4, 4), resize=1_000_000, crop=4)


def test_mean_and_std_act_on_each_channel() -> None:
    tensor = view(RGB, (3, 2, 2), mean=(0.2, 0.4, 0.5), std=(0.5, 0.25, 0.1))
    np.testing.assert_allclose(tensor[:, 1, 1], [0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(tensor[:, 0, 0], [1.6, -1.6, -5], rtol=1e-6)


@pytest.mark.parametrize(
    ("ends", "wanted"),
    [
        ((-1.0, 1.0), [-0.6, -0.2, 0.2]),
        ((0.0, 255.0), [51, 102, 153]),
        ((1.0, 0.0), [0.8, 0.6, 0.4]),
    ],
)
def test_the_range_is_that_of_black_and_white(ends: Any, wanted: list[float]) -> None:
    np.testing.assert_allclose(view(RGB, (3, 2, 2), range=ends)[:, 1, 1], wanted, atol=1e-6)


def test_caffes_preprocessing_is_bgr_less_a_mean_of_pixels() -> None:
    tensor = view(RGB, (3, 2, 2), order="bgr", range=(0.0, 255.0), mean=(104.0, 117.0, 123.0))
    np.testing.assert_allclose(tensor[:, 1, 1], [153 - 104, 102 - 117, 51 - 123])


def test_grey_is_the_luma_in_every_channel() -> None:
    luma = round(0.299 * 51 + 0.587 * 102 + 0.114 * 153)
    tensor = view(RGB, (3, 2, 2), grey=True, range=(0.0, 255.0))
    assert tensor[:, 1, 1].tolist() == [luma] * 3
    assert view(RGB, (1, 2, 2), range=(0.0, 255.0))[0, 1, 1] == luma


def test_layout_hwc_puts_the_channels_last() -> None:
    np.testing.assert_allclose(
        view(RGB, (2, 2, 3), layout="hwc"), view(RGB, (3, 2, 2)).transpose(1, 2, 0)
    )


# ── what a file may be ───────────────────────────────────────────────────────────────────────


def test_a_picture_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    image = chequered(2, 5)
    exif = Image.Exif()
    exif[0x0112] = 6  # the top of the scene is at the right: turn it clockwise
    path = saved(tmp_path / "a.png", image, exif=exif)
    tensor = view(path, (3, 5, 2), range=(0.0, 255.0))
    assert tensor[1, 0].tolist() == [0, 0]  # the first column, from bottom to top
    assert tensor[0, 0].tolist() == [1, 0]


def test_a_palette_is_looked_up(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(RGB).quantize(4))
    assert Image.open(path).mode == "P"
    np.testing.assert_allclose(view(path, (3, 2, 2)), view(RGB, (3, 2, 2)), atol=0.02)


def test_transparent_parts_are_laid_over_white(tmp_path: Path) -> None:
    rgba = np.dstack([RGB, [[255, 0], [127, 255]]]).astype(np.uint8)
    path = saved(tmp_path / "a.png", Image.fromarray(rgba))
    tensor = view(path, (3, 2, 2), range=(0.0, 255.0))
    assert tensor[:, 0, 0].tolist() == [255, 0, 0]
    assert tensor[:, 0, 1].tolist() == [255, 255, 255]
    np.testing.assert_allclose(tensor[:, 1, 0], [128, 128, 255], atol=1)
    assert view(path, (4, 2, 2), range=(0.0, 255.0))[3].tolist() == [[255, 0], [127, 255]]


def test_a_transparent_palette_is_laid_over_white(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[0, 1]], np.uint8), "L").convert("P")
    image.putpalette([0, 0, 0, 9, 9, 9])
    path = saved(tmp_path / "a.png", image, transparency=0)
    assert view(path, (3, 1, 2), range=(0.0, 255.0))[0].tolist() == [[255, 9]]


def test_an_opaque_picture_has_a_full_fourth_channel() -> None:
    assert (view(RGB, (4, 2, 2))[3] == 1).all()


def test_a_grey_picture_fills_three_channels(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(np.array([[0, 51]], np.uint8)))
    np.testing.assert_allclose(view(path, (3, 1, 2)), [[[0, 0.2]]] * 3, rtol=1e-6)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_are_kept(tmp_path: Path, suffix: str) -> None:
    deep = np.array([[0, 1, 32768, 65535]], np.uint16)
    path = saved(tmp_path / f"a.{suffix}", Image.fromarray(deep))
    for channels in (1, 3):
        tensor = view(path, (channels, 1, 4))
        np.testing.assert_allclose(tensor, [deep / 65535] * channels, rtol=1e-6)
    assert view(path, (4, 1, 4))[0, 0].tolist() == pytest.approx([0, 0, 128 / 255, 1])


def test_sixteen_bits_are_resized_and_cropped(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(np.full((40, 60), 20000, np.uint16)))
    tensor = view(path, (1, 8, 8), resize=10, crop=8)
    np.testing.assert_allclose(tensor, np.full((1, 8, 8), 20000 / 65535), rtol=1e-5)


def test_a_floating_point_picture_has_values_from_0_to_1(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.tif", Image.fromarray(np.array([[0.25, 1.0]], np.float32)))
    np.testing.assert_allclose(view(path, (1, 1, 2)), [[[0.25, 1.0]]], rtol=1e-6)
    beyond = saved(tmp_path / "b.tif", Image.fromarray(np.array([[0.25, 7.0]], np.float32)))
    with pytest.raises(PictureError, match=r"b.tif: .* values from 0 to 1; this one has 0.25 to 7"):
        view(beyond, (1, 1, 2))


def test_more_than_sixteen_bits_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.tif", Image.fromarray(np.array([[0, 70000]], np.int32)))
    with pytest.raises(PictureError, match="has 16 bits, values from 0 to 65535"):
        view(path, (1, 1, 2))


def test_files_that_are_no_pictures_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"not a picture")
    with pytest.raises(PictureError, match="is no picture that can be read"):
        view(tmp_path / "a.png", (3, 2, 2))
    with pytest.raises(PictureError, match="there is no picture"):
        view(tmp_path / "none.png", (3, 2, 2))


@pytest.mark.parametrize("kind", [RuntimeError, KeyError, ZeroDivisionError])
def test_whatever_a_reader_raises_for_a_broken_file_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    path = saved(tmp_path / "a.png", chequered(2, 2))

    def broken(self: Image.Image) -> None:
        raise kind("Decoding of color planes failed")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", broken)
    with pytest.raises(PictureError, match=r"a\.png is no picture that can be read"):
        view(path, (3, 2, 2))


def test_a_picture_with_absurdly_many_pixels_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path / "a.png", chequered(20, 20))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 300)
    with pytest.raises(PictureError, match="has more than"):
        view(path, (3, 20, 20))


# ── views ────────────────────────────────────────────────────────────────────────────────────


def test_flip_adds_the_mirror_image() -> None:
    views = read_views(RGB, PictureInput((3, 2, 2)), "flip")
    assert views.shape == (2, 3, 2, 2)
    np.testing.assert_array_equal(views[1], views[0, :, :, ::-1])
    last = read_views(RGB, PictureInput((2, 2, 3), Picture(layout="hwc")), "flip")
    np.testing.assert_array_equal(last[1], last[0, :, ::-1])


def test_ten_crops_are_the_corners_and_the_centre_and_their_mirror_images() -> None:
    wanted = PictureInput((3, 4, 4), Picture(crop=4, range=(0.0, 255.0)))
    views = read_views(chequered(8, 10), wanted, "tencrop")
    assert views.shape == (10, 3, 4, 4)
    corners = [(int(v[0, 0, 0]), int(v[1, 0, 0])) for v in views[:5]]
    assert corners == [(0, 0), (0, 6), (4, 0), (4, 6), (2, 3)]
    np.testing.assert_array_equal(views[5:], views[:5, :, :, ::-1])


def test_ten_crops_take_the_size_of_the_input_where_no_crop_is_given() -> None:
    assert read_views(chequered(8, 10), PictureInput((3, 4, 4)), "tencrop").shape == (10, 3, 4, 4)
    with pytest.raises(PictureError, match="fixed height and width"):
        read_views(chequered(8, 10), PictureInput((3, "H", "W")), "tencrop")


# ── out ──────────────────────────────────────────────────────────────────────────────────────


def test_a_written_picture_reads_back_and_clipped_values_are_counted(tmp_path: Path) -> None:
    tensor = view(RGB, (3, 2, 2), range=(-1.0, 1.0))
    assert write_picture(tmp_path / "a.png", tensor, -1, 1) == 0
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), RGB)
    assert write_picture(tmp_path / "b.png", tensor, 0, 1) == 8
    with pytest.raises(PictureError, match="1, 3 or 4 channels"):
        write_picture(tmp_path / "c.png", np.zeros((2, 4, 4)))
    assert not (tmp_path / "c.png").exists()
