"""What may be given for an input: files, folders, globs, pictures, arrays, lists of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from compiler.pictures import Picture
from runtime.inputs import InputError, InputSpec, samples_of
from runtime.pictures import PictureInput

IMAGE = InputSpec("image", (3, 4, 5), "float32", PictureInput((3, 4, 5)))
VECTOR = InputSpec("z", (6,))


def picture(value: int, height: int = 4, width: int = 5) -> Image.Image:
    return Image.new("RGB", (width, height), (value, value, value))


def read(spec: InputSpec, given: Any, augment: Any = "none") -> list[tuple[str, Any]]:
    """The samples with their names, read."""
    return [(sample.name, sample.read()) for sample in samples_of(spec, given, augment)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures, an .npy of two samples, and a file of neither kind."""
    for index, name in enumerate(("b.png", "a.JPG", "c.bmp")):
        picture(index).save(tmp_path / name)
    np.save(tmp_path / "d.npy", np.ones((2, 3, 4, 5)))
    (tmp_path / "notes.txt").write_text("not for us")
    return tmp_path


def test_a_folder_is_its_pictures_and_arrays_in_the_order_of_their_names(folder: Path) -> None:
    names = [Path(name).name for name, _ in read(IMAGE, folder)]
    assert names == ["a.JPG", "b.png", "c.bmp", "d.npy[0]", "d.npy[1]"]


def test_a_glob_is_what_it_matches_at_any_depth(folder: Path) -> None:
    (folder / "deep").mkdir()
    picture(9).save(folder / "deep" / "e.png")
    assert [Path(n).name for n, _ in read(IMAGE, f"{folder}/*.png")] == ["b.png"]
    assert [Path(n).name for n, _ in read(IMAGE, f"{folder}/**/*.png")] == ["b.png", "e.png"]
    picture(9).save(folder / "x[1].png")
    assert len(read(IMAGE, f"{folder}/x[1].png")) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("*.gif", "no file matches"),
        ("none.png", "there is no file"),
        ("empty", "holds no pictures"),
    ],
)
def test_nothing_there_is_said(folder: Path, text: str, says: str) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(InputError, match=says):
        samples_of(IMAGE, f"{folder}/{text}")


@pytest.mark.parametrize(("shape", "count"), [((3, 4, 5), 1), ((1, 3, 4, 5), 1), ((7, 3, 4, 5), 7)])
def test_an_array_is_one_sample_or_a_batch(shape: tuple[int, ...], count: int) -> None:
    array = np.arange(np.prod(shape), dtype=np.float64).reshape(shape)
    found = read(IMAGE, array)
    assert len(found) == count
    rows = np.concatenate([sample for _, sample in found])
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, array.reshape(-1, 3, 4, 5))


def test_a_nested_list_is_an_array_and_a_list_of_arrays_is_samples() -> None:
    assert len(read(VECTOR, [1, 2, 3, 4, 5, 6])) == 1
    assert len(read(VECTOR, [[1, 2, 3, 4, 5, 6], [0] * 6])) == 2
    assert len(read(VECTOR, [np.zeros(6), np.ones((3, 6))])) == 4


@pytest.mark.parametrize("shape", [(3, 4), (3, 5, 5), (2, 3, 4, 6), (1, 1, 3, 4, 5), ()])
def test_an_array_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"the input image is \[N, 3, 4, 5\] with the batch first"):
        samples_of(IMAGE, np.zeros(shape))


@pytest.mark.parametrize(
    "given", [np.array(["a"]), None, np.zeros((0, 3, 4, 5)), object(), [[1, 2], [3]]]
)
def test_what_is_no_number_or_is_nothing_is_refused(given: Any) -> None:
    with pytest.raises(InputError):
        samples_of(IMAGE, given)


def test_open_sizes_take_any() -> None:
    spec = InputSpec("x", (1, "H", "W"), "float32", PictureInput((1, "H", "W")))
    assert read(spec, np.zeros((1, 7, 9)))[0][1].shape == (1, 1, 7, 9)
    assert read(spec, picture(3, 7, 9))[0][1].shape == (1, 1, 7, 9)


def test_pictures_in_memory_are_pillows_or_arrays_of_uint8() -> None:
    pixels = np.asarray(picture(51))
    for given in (picture(51), pixels, [picture(51), pixels], pixels[None]):
        for _, sample in read(IMAGE, given):
            assert sample.shape == (1, 3, 4, 5)
            np.testing.assert_allclose(sample, 0.2, rtol=1e-6)


def test_an_array_of_uint8_that_fits_is_taken_as_numbers() -> None:
    assert read(IMAGE, np.full((3, 4, 5), 200, np.uint8))[0][1].max() == 200


def test_an_npz_gives_the_array_of_the_inputs_name_or_its_only_one(tmp_path: Path) -> None:
    np.savez(tmp_path / "one.npz", whatever=np.zeros((2, 6)))
    np.savez(tmp_path / "two.npz", z=np.ones((3, 6)), other=np.zeros(2))
    np.savez(tmp_path / "none.npz", a=np.ones((3, 6)), other=np.zeros(2))
    assert len(read(VECTOR, tmp_path / "one.npz")) == 2
    assert len(read(VECTOR, tmp_path / "two.npz")) == 3
    with pytest.raises(InputError, match="no array called z; it holds a, other"):
        samples_of(VECTOR, tmp_path / "none.npz")


def test_numbers_that_the_inputs_type_cannot_hold_are_refused() -> None:
    ids, byte = InputSpec("ids", (3,), "int64"), InputSpec("byte", (3,), "int8")
    assert read(ids, np.array([1, 2, 3], np.int32))[0][1].dtype == np.int64
    with pytest.raises(InputError, match="ids takes int64, and array is float64"):
        samples_of(ids, np.array([1.5, 2, 3]))
    with pytest.raises(InputError, match="byte takes int8, which 300 is not"):
        read(byte, np.array([1, 300, 3]))
    with pytest.raises(InputError, match=r"z takes float32, which 1e\+300 is not"):
        read(VECTOR, np.array([1, 1e300, np.inf, np.nan, 0, 0]))
    assert np.isinf(read(VECTOR, np.array([1, np.inf, np.nan, 0, 0, 0]))[0][1][0, 1])


@pytest.mark.parametrize("shape", [(4, 5, 3), (2, 4, 5, 3)])
def test_channels_that_are_last_are_told_how_to_come_first(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"its channels are last: numpy.moveaxis\(x, -1, -3\)"):
        samples_of(IMAGE, np.zeros(shape))
    assert samples_of(IMAGE, np.moveaxis(np.zeros(shape), -1, -3))


def test_a_picture_for_a_vector_is_refused() -> None:
    with pytest.raises(InputError, match="a picture has 1, 3 or 4 channels"):
        samples_of(VECTOR, picture(1))


def test_pixels_stay_pixels_where_the_model_normalises() -> None:
    for layout, shape in (("nhwc", (4, 5, 3)), ("nchw", (3, 4, 5))):
        wanted = PictureInput((3, 4, 5), Picture(mean=0.5), layout)  # type: ignore[arg-type]
        spec = InputSpec("image", shape, "uint8", wanted)
        ((_, sample),) = read(spec, picture(51))
        assert sample.dtype == np.uint8 and sample.shape == (1, *shape)
        assert (sample == 51).all()
        with pytest.raises(InputError, match="takes uint8, and"):
            samples_of(spec, np.zeros(shape))


def test_flip_mirrors_arrays_along_their_width() -> None:
    array = np.random.default_rng(0).standard_normal((3, 4, 5)).astype(np.float32)
    ((_, views),) = read(IMAGE, array, "flip")
    np.testing.assert_array_equal(views, [array, array[:, :, ::-1]])
    with pytest.raises(InputError, match="no width to mirror"):
        read(VECTOR, np.zeros(6), "flip")
    with pytest.raises(InputError, match="ten crops are cut from pictures"):
        read(IMAGE, array, "tencrop")
