"""Every form of data gives the samples that were written into it, and says what does not fit."""

from __future__ import annotations

import csv
import gzip
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from compiler.ops.arguments import Extent
from compiler.pictures import Picture
from compiler.training.model import Data
from grammar.source import Source, Span
from runtime.training.readers import SampleReader, read_idx
from runtime.training.samples import DataError, Samples

AT = Span(Source("", ""), 0, 0)
RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (6, 1, 5, 4), dtype=np.uint8)
LABELS = np.array([2, 0, 1, 1, 0, 2])


def data(name: str, *shape: int, classes: int | None = None, picture: Any = None) -> Data:
    return Data(name, shape, shape, AT, classes, picture)


IMAGE, LABEL = data("image", 1, 5, 4), data("label", classes=3)
BOTH = SampleReader((IMAGE, LABEL))


def everything(samples: Samples) -> dict[str, NDArray[Any]]:
    return samples.take(np.arange(len(samples)))


def check(samples: Samples) -> None:
    found = everything(samples)
    np.testing.assert_allclose(found["image"], PIXELS.astype(np.float32) / 255, rtol=1e-6)
    assert found["image"].dtype == np.float32
    np.testing.assert_array_equal(found["label"], LABELS)
    assert found["label"].dtype == np.int64


def write_idx(path: Path, array: NDArray[Any], *, packed: bool) -> None:
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    content = head + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content) if packed else content)


def write_mnist(folder: Path, word: str, *, packed: bool = True) -> Path:
    end = "-ubyte.gz" if packed else "-ubyte"
    write_idx(folder / f"{word}-images-idx3{end}", PIXELS[:, 0], packed=packed)
    write_idx(folder / f"{word}-labels-idx1{end}", LABELS, packed=packed)
    return folder / f"{word}-images-idx3{end}"


def test_arrays_by_name_with_or_without_the_single_channel(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", image=PIXELS, label=LABELS)
    check(BOTH.open(tmp_path / "a.npz").train)
    np.savez(tmp_path / "b.npz", image=PIXELS[:, 0], label=LABELS[:, None].astype(np.float64))
    check(BOTH.open(tmp_path / "b.npz").train)
    np.savez(tmp_path / "c.npz", image=np.moveaxis(PIXELS, 1, -1), label=LABELS)
    check(BOTH.open(tmp_path / "c.npz").train)


def test_floats_stay_as_they_are(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", v=np.array([[1.5, -2], [300, 4]]))
    samples = SampleReader((data("v", 2),)).open(tmp_path / "a.npz").train
    np.testing.assert_array_equal(everything(samples)["v"], [[1.5, -2], [300, 4]])


def test_pixels_go_through_the_picture_clause(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", image=PIXELS)
    part = data("image", 1, 10, 8, picture=Picture(resize=Extent((10, 8)), mean=0.5, std=0.5))
    found = everything(SampleReader((part,)).open(tmp_path / "a.npz").train)["image"]
    assert found.shape == (6, 1, 10, 8)
    assert -1 <= found.min() < 0 < found.max() <= 1


@pytest.mark.parametrize("packed", [True, False])
def test_idx_files_alone_and_as_a_set(tmp_path: Path, packed: bool) -> None:
    path = write_mnist(tmp_path, "train", packed=packed)
    check(BOTH.open(path).train)
    assert BOTH.open(tmp_path).held_out is None
    write_mnist(tmp_path, "t10k", packed=packed)
    opened = BOTH.open(tmp_path)
    check(opened.train)
    assert opened.held_out is not None
    check(opened.held_out)


def test_cifar_batches(tmp_path: Path) -> None:
    pixels = RANDOM.integers(0, 256, (4, 3, 32, 32), dtype=np.uint8)
    labels = np.array([3, 9, 0, 1], dtype=np.uint8)
    rows = np.concatenate([labels[:, None], pixels.reshape(4, -1)], axis=1)
    (tmp_path / "data_batch_1.bin").write_bytes(rows[:2].tobytes())
    (tmp_path / "data_batch_2.bin").write_bytes(rows[2:].tobytes())
    (tmp_path / "test_batch.bin").write_bytes(rows[:1].tobytes())
    opened = SampleReader((data("x", 3, 32, 32), data("y", classes=10))).open(tmp_path)
    found = everything(opened.train)
    np.testing.assert_allclose(found["x"], pixels / np.float32(255), rtol=1e-6)
    np.testing.assert_array_equal(found["y"], labels)
    assert opened.held_out is not None
    assert len(opened.held_out) == 1


def test_cifar_100_has_its_fine_labels(tmp_path: Path) -> None:
    row = np.concatenate([[7, 42], np.zeros(3072)]).astype(np.uint8)
    (tmp_path / "train.bin").write_bytes(row.tobytes())
    found = everything(SampleReader((data("y", classes=100),)).open(tmp_path).train)
    assert found["y"].tolist() == [42]


def test_folders_of_pictures_are_classes_in_alphabetical_order(tmp_path: Path) -> None:
    for part in ("train", "val"):
        for number, (pixels, label) in enumerate(zip(PIXELS, LABELS, strict=True)):
            folder = tmp_path / part / "abc"[label]
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels[0]).save(folder / f"{number}.png")
    opened = BOTH.open(tmp_path)
    found = everything(opened.train)
    order = np.argsort(LABELS, kind="stable")
    np.testing.assert_array_equal(found["label"], LABELS[order])
    np.testing.assert_allclose(found["image"], PIXELS[order] / np.float32(255), rtol=1e-6)
    assert opened.held_out is not None
    assert len(opened.held_out) == 6


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_lists_of_pictures_numbers_and_classes_by_name(tmp_path: Path, form: str) -> None:
    names = np.array(["cat", "dog", "eel"])[LABELS]
    for number, pixels in enumerate(PIXELS):
        Image.fromarray(pixels[0]).save(tmp_path / f"{number}.png")
    columns: dict[str, list[Any]] = {
        "image": [f"{number}.png" for number in range(6)],
        "label": list(map(str, names)),
        "v": [[float(n), n / 2] for n in range(6)],
    }
    path = tmp_path / f"list.{form}"
    if form == "csv":
        rows = zip(*columns.values(), strict=True)
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows([image, label, f"{v[0]} {v[1]}"] for image, label, v in rows)
    else:
        import pyarrow
        from pyarrow import parquet

        parquet.write_table(pyarrow.table(columns), path)
    samples = SampleReader((IMAGE, LABEL, data("v", 2))).open(path).train
    check(samples)
    np.testing.assert_array_equal(everything(samples)["v"][3], [3, 1.5])


def test_a_broken_picture_is_named_and_the_run_stops_or_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    Image.fromarray(PIXELS[0, 0]).save(folder / "1.png")
    (folder / "2.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"2\.png .*--broken skip"):
        everything(SampleReader((IMAGE,)).open(tmp_path).train)
    told: list[str] = []
    samples = SampleReader((IMAGE,), lambda error: told.append(str(error))).open(tmp_path).train
    found = everything(samples)["image"]
    np.testing.assert_array_equal(found[0], found[1])
    assert len(told) == 1
    assert "2.png" in told[0]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"image": PIXELS}, r"has no array label; it has image"),
        ({"image": PIXELS, "labels": LABELS}, r"did you mean `labels`"),
        (
            {"image": PIXELS[:, :, :3], "label": LABELS},
            r"image is \[1, 3, 4\] a sample, .*\[1, 5, 4\]",
        ),
        ({"image": PIXELS, "label": LABELS[:4]}, r"not as many of each: 6 of image, 4 of label"),
        ({"image": PIXELS, "label": LABELS + 1}, r"label of sample 0 is 3, .* 0 to 2"),
        ({"image": PIXELS, "label": LABELS / 2 + 0.25}, r"label of sample 0 is 1.25, .*no whole"),
        ({"image": np.full((6, 1, 5, 4), np.nan), "label": LABELS}, r"image of sample 0 .*NaN"),
        ({"image": PIXELS[:0], "label": LABELS[:0]}, r"holds no samples"),
        ({"image": PIXELS[:0] / 255, "label": LABELS}, r"image holds no samples"),
        ({"image": LABELS / 2, "label": LABELS}, r"image is one number a sample, .*\[1, 5, 4\]"),
    ],
)
def test_arrays_that_do_not_fit_are_told_of(
    tmp_path: Path, arrays: dict[str, Any], message: str
) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match=message) as raised:
        BOTH.open(tmp_path / "a.npz")
    assert "a.npz" in str(raised.value)


def test_files_that_are_no_data_are_told_of(tmp_path: Path) -> None:
    def refused(path: Path, message: str, reader: SampleReader = BOTH) -> None:
        with pytest.raises(DataError, match=message):
            reader.open(path)

    refused(tmp_path / "nowhere.npz", "there is no file")
    refused(tmp_path, "has no pictures in it")
    (tmp_path / "x.txt").write_text("hello")
    refused(tmp_path / "x.txt", "no data that can be read")
    (tmp_path / "x.csv").write_text("image,label\n1.png,0\n2.png\n")
    refused(tmp_path / "x.csv", "sample 1 has not as many columns")
    (tmp_path / "y.csv").write_text("v\n1 2\nthree 4\n")
    refused(tmp_path / "y.csv", "v of sample 1 is no number", SampleReader((data("v", 2),)))
    (tmp_path / "z.csv").write_text("v\n1 2\n3\n")
    refused(
        tmp_path / "z.csv", "sample 1 has 1 numbers, the first has 2", SampleReader((data("v", 2),))
    )
    path = write_mnist(tmp_path, "train", packed=False)
    path.write_bytes(path.read_bytes()[:-3])
    refused(path, "claims 120 bytes of numbers and holds 117")
    refused(path, "one picture a sample", SampleReader((IMAGE, data("other", 1, 5, 4))))
    (tmp_path / "data_batch_1.bin").write_bytes(b"abc")
    refused(tmp_path / "data_batch_1.bin", "no CIFAR batch")


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["0", "1", "two"], "x.csv: label of sample 2 is no class: 'two'"),
        (["0", "1 2"], "label of sample 1 is no class: '1 2'"),
        (["0", ""], "label of sample 1 is no class: ''"),
        (["0", "inf"], "label of sample 1 is inf, which is no whole number"),
        (["nan", "1"], "label of sample 0 is nan, which is no whole number"),
        (["0", "1e30"], "label of sample 1 is 1000000000000000019884624838656, the training has"),
    ],
)
def test_cells_that_are_no_classes_are_told_of(
    tmp_path: Path, cells: list[str], message: str
) -> None:
    (tmp_path / "x.csv").write_text("\n".join(["label,more", *(f"{cell},1" for cell in cells)]))
    with pytest.raises(DataError) as caught:
        SampleReader((LABEL,)).open(tmp_path / "x.csv")
    assert message in str(caught.value)


def test_numbers_beyond_float32_are_none(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("v\n1 2\n3 1e300\n")
    np.savez(tmp_path / "x.npz", v=np.array([[1.0, 2.0], [3.0, 1e300]]))
    for name in ("x.csv", "x.npz"):
        with pytest.raises(DataError, match="v of sample 1 holds a number that is none"):
            SampleReader((data("v", 2),)).open(tmp_path / name)


def test_data_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x-images-idx3-ubyte.gz"
    sizes = b"".join(size.to_bytes(4, "big") for size in (2**20, 32, 32))
    path.write_bytes(gzip.compress(b"\0\0\x08\3" + sizes + bytes(2**20)))
    with pytest.raises(DataError, match="would unpack to 1,073,741,824 or more"):
        SampleReader((IMAGE,)).open(path)
    path = tmp_path / "x-images-idx3-ubyte"
    path.write_bytes(b"\0\0\x08\3" + b"\xff" * 12 + bytes(100))
    with pytest.raises(DataError, match="would unpack to"):
        SampleReader((IMAGE,)).open(path)
    path.write_bytes(b"\0\0\x08\3" + b"\0\0\0\1" * 2)
    with pytest.raises(DataError, match="is cut short in its head"):
        SampleReader((IMAGE,)).open(path)


def test_a_parquet_file_that_would_fill_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrow = pytest.importorskip("pyarrow", reason="Parquet files need netc[parquet]")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.table({"label": np.zeros(10**6, np.int64)}), tmp_path / "x.parquet")
    assert len(SampleReader((LABEL,)).open(tmp_path / "x.parquet").train) == 10**6
    monkeypatch.setattr("runtime.training.readers.LEAST_BOMB", 2**20)
    with pytest.raises(DataError, match="bytes would unpack to"):
        SampleReader((LABEL,)).open(tmp_path / "x.parquet")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_pipes_and_devices_in_the_place_of_data_are_refused_without_waiting(
    tmp_path: Path,
) -> None:
    for name in ("x.npz", "x.csv", "x.parquet", "x.bin", "x-images-idx3-ubyte"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(DataError, match="is a folder, a device or a pipe, not a file"):
            BOTH.open(tmp_path / name)
    os.mkfifo(tmp_path / "p.png")
    for name in ("p.png", "/dev/zero", "a\0b"):
        (tmp_path / "list.csv").write_text(f"image,label\n{name},0\n")
        with pytest.raises(DataError, match="is no picture that can be read"):
            everything(BOTH.open(tmp_path / "list.csv").train)


def test_a_parquet_file_with_names_that_are_no_text_is_refused(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow", reason="Parquet files need netc[parquet]")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "x.parquet"
    parquet.write_table(arrow.table({"label": LABELS}), path, store_schema=False)
    path.write_bytes(path.read_bytes().replace(b"label", b"lab\xecl"))
    with pytest.raises(DataError, match=r"x.parquet cannot be read: "):
        SampleReader((LABEL,)).open(path)


@pytest.mark.parametrize("sizes", [(2**32 - 1,) * 30 + (0, 5), (3, 0, 4), (1,) * 60])
def test_an_idx_file_of_no_samples_or_very_many_axes_is_told_of(
    tmp_path: Path, sizes: tuple[int, ...]
) -> None:
    head = b"\0\0\x08" + bytes([len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes)
    (tmp_path / "x-idx").write_bytes(head + b"\0" * (0 not in sizes))
    with pytest.raises(DataError, match="holds no samples: its sizes are"):
        read_idx(tmp_path / "x-idx")
