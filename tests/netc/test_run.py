"""`netc run`: inputs of every kind, batches, averages over views, results in every form."""

from __future__ import annotations

import csv
import json
import os
import pty
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image

import netc as package
from netc.runnable import Runnable, runnable_of_graph
from runtime.machine import NO_DRIVER
from tests.netc.command import netc

CLASSIFIER = """
net pets {
    input image: f32[3, 12, 16] from picture(resize=12x16, mean=0.5, std=0.25)
    conv(4, 3x3) -> relu -> gap -> flatten -> dense(3) as head
    output probs labels "names.txt" = softmax
}
"""
EDGES = """
net edges {
    input picture: f32[3, H, W]
    output blurred = avgpool(3x3, stride=1, pad=1, count_pad=false)
}
"""
TWO = """
net two {
    input a: f32[2]
    input b: f32[3]
    output joined = concat(a, b)
    output first = a -> relu
}
"""
NAMES = ["cat", "dog, large", "newt"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with definitions and a folder of five pictures; the working directory."""
    for name, text in {"pets": CLASSIFIER, "edges": EDGES, "two": TWO}.items():
        (tmp_path / f"{name}.netdef").write_text(text)
    (tmp_path / "names.txt").write_text("\n".join(NAMES))
    (tmp_path / "photos").mkdir()
    random = np.random.default_rng(0)
    for name in ("a.png", "b.png", "c.bmp", "d.png", "e.png"):
        pixels = random.integers(256, size=(24, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ok(*arguments: object) -> str:
    result = netc(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def fails(*arguments: object, code: int = 2) -> str:
    result = netc(*arguments)
    assert result.exit_code == code, result.output
    return result.stderr


def photos() -> list[str]:
    """The names of the pictures, in order."""
    return sorted(path.name for path in Path("photos").iterdir())


def probabilities() -> Any:
    """What the classifier gives for the five pictures, worked out by NumPy."""
    return package.load("pets.netdef").run("photos", device="numpy")["probs"]


# ── inputs ───────────────────────────────────────────────────────────────────────────────────


def test_a_picture_gives_the_largest_classes_by_name(here: Path) -> None:
    said = ok("run", "pets.netdef", "--image", "photos/a.png", "--top", 2)
    order = np.argsort(-probabilities()[0])
    lines = said.splitlines()
    assert lines[0].startswith("pets on cpu with initial weights")
    assert lines[1].startswith("probs: 3, batch 1, from ")
    assert lines[2].startswith(f"  1. {NAMES[order[0]]}  0.") and len(lines) == 4


@pytest.mark.parametrize("given", [["photos"], ["photos/*"], ["photos/[ab].png", "photos/[c-e]*"]])
def test_folders_and_globs_of_pictures_are_taken(here: Path, given: list[str]) -> None:
    images = [part for text in given for part in ("--image", text)]
    ok("run", "pets.netdef", *images, "--batch-size", 2, "--out", "y.npy")
    np.testing.assert_allclose(np.load("y.npy"), probabilities(), rtol=1e-4, atol=1e-6)


def test_a_compiled_model_obeys_the_clause_in_its_metadata(here: Path) -> None:
    ok("compile", "pets.netdef", "-o", "pets.onnx")
    ok("compile", "pets.netdef", "-o", "pixels.onnx", "--embed-preprocess")
    ok("compile", "pets.netdef", "-o", "planes.onnx", "--embed-preprocess=nchw")
    ok("compile", "pets.netdef", "-o", "pinned.onnx", "--batch", 4)
    for model in ("pets", "pixels", "planes", "pinned"):
        said = ok("run", f"{model}.onnx", "--image", "photos", "--out", "y.npy")
        assert said.splitlines() == ["pets on cpu", "wrote probs to y.npy"]
        np.testing.assert_allclose(np.load("y.npy"), probabilities(), rtol=1e-4, atol=1e-5)
    assert NAMES[0] in ok("run", "pixels.onnx", "--image", "photos/a.png")


def test_a_folder_of_pictures_may_hold_arrays_which_are_not_for_them(here: Path) -> None:
    ok("run", "pets.netdef", "--image", "photos", "--out", "photos/probs.npz")
    ok("run", "pets.netdef", "--image", "photos", "--out", "photos/probs.npz")
    assert np.load("photos/probs.npz")["probs"].shape == (5, 3)


def test_arrays_are_given_by_the_inputs_name_or_all_in_one_file(here: Path) -> None:
    a, b = np.ones((4, 2), np.float32), np.arange(12, dtype=np.float32).reshape(4, 3)
    np.save("a.npy", a)
    np.save("b.npy", b)
    np.savez("both.npz", a=a, b=b)
    ok("run", "two.netdef", "--input", "a=a.npy", "--input", "b=b.npy", "--out", "y.npz")
    ok("run", "two.netdef", "--input", "both.npz", "--batch-size", 3, "--out", "z.npz")
    for file in ("y.npz", "z.npz"):
        with np.load(file) as found:
            assert sorted(found) == ["first", "joined"]
            np.testing.assert_array_equal(found["joined"], np.concatenate([a, b], axis=1))


def test_the_name_may_be_left_out_where_there_is_one_input(here: Path) -> None:
    np.save("x.npy", np.zeros((2, 3, 12, 16)))
    ok("run", "pets.netdef", "--input", "x.npy", "--out", "y.npy")
    assert np.load("y.npy").shape == (2, 3)


def test_random_numbers_fill_what_is_not_given(here: Path) -> None:
    np.save("a.npy", np.full((1, 2), -5.0))
    ok("run", "two.netdef", "--input", "a=a.npy", "--random", "--out", "y.npz", "--device", "numpy")
    with np.load("y.npz") as found:
        assert found["joined"][0, :2].tolist() == [-5, -5] and found["joined"][0, 2:].any()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["pets.netdef"], "nothing is given for the input image"),
        (["pets.netdef", "--image", "none.png"], "there is no file none.png"),
        (["pets.netdef", "--image", ""], "the path is empty"),
        (["pets.netdef", "--image", "names.txt"], "is no picture that can be read"),
        (["two.netdef", "--image", "photos/a.png"], "two has no input that takes a picture"),
        (["two.netdef", "--input", "c=a.npy"], "there is no input c; there are a, b"),
        (["two.netdef", "--input", "a.npy"], "--input takes name=x.npy"),
        (["two.netdef", "--input", "a=a.npy", "--input", "b=b.npy"], "there are 4 for a, 3 for b"),
        (["two.netdef", "--input", "a=c.npy", "--input", "b=b.npy"], "claims"),
        (["pets.netdef", "--random", "--out", "none/y.npz"], "there is no folder none"),
        (["pets.netdef", "--random", "--out", "y.txt"], "--out writes .npz"),
        (["pets.netdef", "--random", "--out", "y.png"], "no output is a picture or maps"),
        (["pets.netdef", "--random", "--format", "npz"], "needs a file to write"),
        (["pets.netdef", "--random", "--range", "1"], "--range takes two numbers"),
        (["pets.netdef", "--random", "--rename", "a=b"], "give --weights"),
        (["two.netdef", "--random", "--out", "y.npy"], "an .npy holds one output"),
        (["two.netdef", "--random", "--tta", "flip"], "no width to mirror"),
        (["edges.netdef", "--image", "photos", "--tta", "tencrop"], "fixed height and width"),
        (["edges.netdef", "--image", "photos", "--format", "csv"], "no output is a vector"),
        (["edges.netdef", "--image", "photos", "--out", "photos", "--format", "csv"], "a folder"),
    ],
)
def test_a_call_at_fault_says_so_and_writes_nothing(
    here: Path, arguments: list[str], says: str
) -> None:
    np.save("a.npy", np.ones((4, 2)))
    np.save("b.npy", np.ones((3, 3)))
    Path("c.npy").write_bytes(Path("a.npy").read_bytes().replace(b"(4, 2)", b"(9, 2)"))
    before = sorted(p.name for p in here.rglob("*"))
    assert says in fails("run", *arguments)
    assert sorted(p.name for p in here.rglob("*")) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "pets.netdef", "--image", "photos/a.png", "photos/b.png", "photos/d.png"],
        ["run", "--image", "photos/a.png", "photos/b.png", "photos/d.png", "pets.netdef"],
        ["quantize", "pets.netdef", "--calibrate", "photos/a.png", "photos/b.png", "photos/d.png"],
    ],
)
def test_a_pattern_that_the_shell_spread_is_to_be_quoted(here: Path, arguments: list[str]) -> None:
    said = " ".join(fails(*arguments).split())
    assert "photos/b.png and 1 more" in said or "photos/d.png and 1 more" in said
    option = "--calibrate" if arguments[0] == "quantize" else "--image"
    assert f'a pattern of files is quoted, as in {option} "photos/*.jpg"' in said


# ── symbolic sizes, pictures out ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("cuda cannot be had: no libcudnn", "note: cuda cannot be had: no libcudnn\n"),
        (NO_DRIVER, ""),
    ],
)
def test_a_gpu_that_auto_cannot_use_is_told_of(
    here: Path, monkeypatch: pytest.MonkeyPatch, note: str, said: str
) -> None:
    def noted(graph: Any, engine: Any) -> Runnable:
        runnable = runnable_of_graph(graph, engine)
        return replace(runnable, runner=replace(runnable.runner, note=note))

    monkeypatch.setattr("netc.execute.runnable_of_graph", noted)
    result = netc("run", "two.netdef", "--random")
    assert (result.exit_code, result.stderr) == (0, said)


def test_an_input_of_open_size_takes_the_picture_at_its_size(here: Path) -> None:
    said = ok("run", "edges.netdef", "--image", "photos/a.png", "--out", "blurred.png")
    assert "wrote blurred to blurred.png" in said
    assert Image.open("blurred.png").size == (32, 24)


def test_pictures_go_into_a_folder_one_a_sample(here: Path) -> None:
    (here / "out").mkdir()
    said = ok("run", "edges.netdef", "--image", "photos", "--out", "out", "--batch-size", 2)
    assert "wrote blurred of 5 samples" in said
    assert sorted(p.name for p in (here / "out").iterdir()) == [f"{c}.png" for c in "abcde"]
    source = np.asarray(Image.open("photos/c.bmp")).astype(float)
    blurred = np.asarray(Image.open("out/c.png")).astype(float)
    assert abs(blurred[5, 5] - source[4:7, 4:7].mean(axis=(0, 1))).max() <= 1


def test_the_rows_of_an_array_are_pictures_by_their_number(here: Path) -> None:
    np.save("x.npy", np.zeros((2, 3, 6, 6)))
    (here / "out").mkdir()
    ok("run", "edges.netdef", "--input", "x.npy", "--out", "out")
    assert sorted(p.name for p in (here / "out").iterdir()) == ["x_0.png", "x_1.png"]


def test_a_folder_that_is_not_there_is_made(here: Path) -> None:
    ok("run", "edges.netdef", "--image", "photos", "--out", "new/folder")
    assert len(list((here / "new/folder").iterdir())) == 5
    (here / "names").write_text("")
    assert "is a file, not a folder" in fails(
        "run", "edges.netdef", "--image", "photos", "--out", "names"
    )


def test_several_samples_of_one_picture_stand_side_by_side(here: Path) -> None:
    x = np.stack([np.full((3, 4, 6), value) for value in (0.0, 0.25, 0.5, 0.75, 1.0)])
    np.save("x.npy", x)
    (here / "same.netdef").write_text("net same { input x: f32[3, H, W]\n output y = identity }")
    assert "wrote y of 5 samples to g.png" in ok(
        "run", "same.netdef", "--input", "x.npy", "--out", "g.png"
    )
    grid = np.asarray(Image.open("g.png"))
    assert grid.shape == (3 * 6 - 2, 2 * 8 - 2, 3)  # two columns, three rows, 2 pixels between
    assert [grid[0, 0, 0], grid[0, 8, 0], grid[6, 0, 0], grid[12, 0, 0]] == [0, 64, 128, 255]
    assert (grid[4:6] == 0).all() and (grid[12:, 8:] == 0).all()
    Image.new("RGB", (9, 7)).save("photos/b.png")
    call = ("run", "same.netdef", "--image", "photos/[ab].png", "--batch-size", 1)
    assert "different sizes: give --out a folder" in fails(*call, "--out", "h.png")
    assert not (here / "h.png").exists()


def test_maps_that_are_no_colours_stand_side_by_side(here: Path) -> None:
    (here / "maps.netdef").write_text(
        "net maps { input x: f32[1, 4, 4]\n"
        " concat { for i in range(6) { scale(i / 5) } }\n output y }"
    )
    ok("run", "maps.netdef", "--input", str([[[1] * 4] * 4]), "--out", "m.png")
    grid = np.asarray(Image.open("m.png"))
    assert grid.shape == (2 * 6 - 2, 3 * 6 - 2)
    assert [grid[0, 0], grid[0, 6], grid[0, 12], grid[6, 12]] == [0, 51, 102, 255]


def test_a_range_of_its_own_goes_from_black_to_white(here: Path) -> None:
    (here / "same.netdef").write_text("net same { input x: f32[1, 2, 2]\n output y = identity }")
    said = ok(
        *("run", "same.netdef", "--input", "[[[-4, 0], [4, 2]]]", "--range", "auto"),
        *("--out", "a.png"),
    )
    assert "clipped" not in said
    assert np.asarray(Image.open("a.png")).tolist() == [[0, 128], [255, 191]]


def test_numbers_may_be_given_on_the_command_line(here: Path) -> None:
    (here / "sum.netdef").write_text("net s { input x: f32[3]\n output y = scale(2) }")
    said = ok("run", "sum.netdef", "--input", "[1, 2, 3]", "--format", "jsonl")
    assert '"max": 6.0' in said
    assert ok("run", "sum.netdef", "--input", "x=[[1, 2, 3], [4, 5, 6]]").count("array[") == 2
    for text, words in [
        ("[1, 2]", "with the batch first, array is [2]"),
        ("[[1, 2], [3]]", "rows of numbers are of equal length"),
        ('["a"]', "takes numbers"),
        ("[1, 2", "[1, 2"),
    ]:
        assert words in fails("run", "sum.netdef", "--input", text)


def test_a_small_result_is_printed_as_a_matrix(here: Path) -> None:
    (here / "m.netdef").write_text("net m { input x: f32[2, 2, 2]\n output y = identity }")
    given = "[[[1, -2], [3, 4]], [[0.5, 6], [7, 8]]]"
    lines = ok("run", "m.netdef", "--input", given).splitlines()
    assert lines[-5:] == ["    1  -2", "    3   4", "", "  0.5   6", "    7   8"]


def test_random_samples_are_as_many_as_asked_for(here: Path) -> None:
    ok("run", "pets.netdef", "--random", "--samples", 3, "--out", "y.npz")
    three = np.load("y.npz")["probs"]
    ok("run", "pets.netdef", "--random", "--out", "y.npz")
    assert len(three) == 3
    np.testing.assert_allclose(three[:1], np.load("y.npz")["probs"], rtol=1e-5)
    assert "--samples is how many" in fails("run", "pets.netdef", "--samples", 2)


def test_a_model_from_elsewhere_whose_sizes_have_no_names_is_run(here: Path) -> None:
    ok("compile", "edges.netdef", "-o", "edges.onnx")
    model = onnx.load("edges.onnx")
    for dim in list(model.graph.input[0].type.tensor_type.shape.dim)[2:]:
        dim.ClearField("dim_param")
    del model.metadata_props[:]
    onnx.save(model, "edges.onnx")
    said = ok("run", "edges.onnx", "--image", "photos/a.png", "--out", "y.npy")
    assert said.startswith("edges on cpu") and np.load("y.npy").shape == (1, 3, 24, 32)


def test_pictures_of_one_name_would_overwrite_each_other(here: Path) -> None:
    Image.open("photos/a.png").save("photos/a.bmp")
    (here / "out").mkdir()
    assert "several samples are called a" in fails(
        "run", "edges.netdef", "--image", "photos", "--out", "out"
    )


def test_sizes_that_do_not_fit_are_told_with_those_that_do(here: Path) -> None:
    (here / "unet.netdef").write_text(
        "net unet { input x: f32[3, H, W]\n assert H % 32 == 0\n conv(1, 1x1)\n output y }"
    )
    said = fails("run", "unet.netdef", "--image", "photos/a.png")
    assert "H % 32 == 0; the nearest valid height is 32;" in said
    ok("compile", "unet.netdef", "-o", "unet.onnx")
    assert said.splitlines()[-1].replace("unet.netdef", "") in fails(
        "run", "unet.onnx", "--image", "photos/a.png"
    )


# ── averages over views, ensembles ───────────────────────────────────────────────────────────


def test_ten_crops_are_averaged(here: Path) -> None:
    (here / "crops.netdef").write_text(
        CLASSIFIER.replace("resize=12x16", "resize=20, crop=12x16").replace("pets", "crops")
    )
    ok("run", "crops.netdef", "--image", "photos", "--tta", "tencrop", "--out", "y.npy")
    net = package.load("crops.netdef")
    rows = []
    for name in photos():
        image = Image.open(f"photos/{name}").resize((26, 20), Image.Resampling.BILINEAR)
        boxes = [(0, 0), (10, 0), (0, 8), (10, 8), (5, 4)]
        views = [image.crop((x, y, x + 16, y + 12)) for x, y in boxes]
        views += [v.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for v in views]
        arrays = [(np.asarray(v) / 255 - 0.5).transpose(2, 0, 1) / 0.25 for v in views]
        rows.append(net.run(np.stack(arrays), device="numpy")["probs"].mean(axis=0))
    np.testing.assert_allclose(np.load("y.npy"), rows, rtol=1e-4, atol=1e-6)


def test_flip_leaves_a_map_where_it_was(here: Path) -> None:
    ok("run", "edges.netdef", "--image", "photos/a.png", "--out", "y.npy")
    ok("run", "edges.netdef", "--image", "photos/a.png", "--tta", "flip", "--out", "z.npy")
    np.testing.assert_allclose(np.load("z.npy"), np.load("y.npy"), rtol=1e-5)


def test_an_ensemble_of_library_nets_is_a_mean_in_the_language(here: Path) -> None:
    (here / "ensemble.netdef").write_text(
        """
use lenet_caffe from "lenet5.netdef"
use lenet5 from "lenet5.netdef"

net ensemble {
    input image: f32[1, 28, 28] from picture(resize=28x28, grey=true)
    mean { lenet_caffe as caffe; lenet5 as lenet }
    output scores
}
"""
    )
    ok("run", "ensemble.netdef", "--image", "photos", "--out", "y.npy")
    whole = package.load("ensemble.netdef")
    parts = []
    for label, name in (("caffe", "lenet_caffe"), ("lenet", "lenet5")):
        net = package.load("lenet5", name)
        own = {n: whole.weights[f"{label}.{n}"] for n in net.weights}
        images = np.concatenate(
            [
                np.asarray(Image.open(f"photos/{n}").convert("L").resize((28, 28), 2))[None] / 255
                for n in photos()
            ]
        )
        (output,) = net.with_weights(own).run(images[:, None], device="numpy").values()
        parts.append(output)
    np.testing.assert_allclose(np.load("y.npy"), np.mean(parts, axis=0), rtol=1e-4, atol=1e-5)


# ── results ──────────────────────────────────────────────────────────────────────────────────


def test_a_table_has_the_entries_of_every_sample(here: Path) -> None:
    said = ok("run", "pets.netdef", "--image", "photos", "--top", 1)
    best = probabilities().argmax(axis=1)
    rows = [line for line in said.splitlines() if "photos/" in line]
    assert len(rows) == 5
    for row, index in zip(rows, best, strict=True):
        assert NAMES[index] in row


def test_names_of_files_and_classes_cannot_steer_the_terminal(here: Path) -> None:
    Path("photos/a.png").rename("photos/\x1b[31ma.png")
    Path("names.txt").write_text("\n".join(["cat\x1b[2J", "dog\x1b[2J", "newt\x1b[2J"]))
    table = ok("run", "pets.netdef", "--image", "photos")
    assert "\x1b" not in table and r"photos/\x1b[31ma.png" in table and r"cat\x1b[2J" in table
    assert "\x1b" not in ok("run", "pets.netdef", "--random")
    text = ok("run", "pets.netdef", "--image", "photos", "--format", "csv")
    rows = csv.DictReader(text.split("\n"))
    assert {row["label"] for row in rows} == {r"cat\x1b[2J", r"dog\x1b[2J", r"newt\x1b[2J"}
    text = netc("compile", "pets.netdef", "-o", "\u202eonnx.\x9b2J").stdout
    assert r"\u202eonnx.\x9b2J" in text and "\u202e" not in text


def test_json_lines_and_csv_are_all_that_standard_output_carries(here: Path) -> None:
    wanted = probabilities()
    lines = ok("run", "pets.netdef", "--image", "photos", "--format", "jsonl").splitlines()
    for line, row in zip(lines, wanted, strict=True):
        record = json.loads(line)["outputs"]["probs"]
        assert record["shape"] == [3]
        assert [e["class"] for e in record["top"]] == np.argsort(-row).tolist()
        assert record["top"][0]["label"] == NAMES[row.argmax()]
        assert record["top"][0]["value"] == pytest.approx(row.max(), rel=1e-4)
    text = ok("run", "pets.netdef", "--image", "photos", "--format", "csv", "--top", 2)
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == 10
    assert [r["label"] for r in rows[::2]] == [NAMES[i] for i in wanted.argmax(axis=1)]
    assert {r["sample"] for r in rows} == {f"photos/{n}" for n in photos()}


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_text_forms_go_to_a_file_as_to_the_terminal(here: Path, form: str) -> None:
    said = ok("run", "pets.netdef", "--image", "photos", "--out", f"y.{form}")
    assert f"wrote 5 samples to y.{form}" in said
    shown = ok("run", "pets.netdef", "--image", "photos", "--format", form)
    assert Path(f"y.{form}").read_text() == shown
    ok("run", "pets.netdef", "--image", "photos", "--out", "y.dat", "--format", form)
    assert Path("y.dat").read_text() == shown


def test_json_lines_have_null_for_what_is_no_number(here: Path) -> None:
    (here / "log.netdef").write_text("net logarithm { input x: f32[2]\n output y = scale(1e38) }")
    np.save("x.npy", np.array([[1e9, -1e9]]))  # the mean of both infinities is none
    with warnings.catch_warnings(action="error"):
        line = ok("run", "log.netdef", "--input", "x.npy", "--format", "jsonl")
    record = json.loads(line, parse_constant=pytest.fail)["outputs"]["y"]
    assert record["max"] is None and record["top"][0]["value"] is None


def test_parquet_has_the_numbers_and_the_best_class(here: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    ok("run", "pets.netdef", "--image", "photos", "--out", "y.parquet", "--batch-size", 2)
    table = parquet.read_table("y.parquet")
    wanted = probabilities()
    np.testing.assert_allclose(np.stack(table["probs"].to_numpy()), wanted, rtol=1e-4, atol=1e-6)
    assert table["probs.label"].to_pylist() == [NAMES[i] for i in wanted.argmax(axis=1)]
    assert json.loads(table.schema.field("probs").metadata[b"shape"]) == [3]


def test_parquet_without_pyarrow_is_exit_code_3(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    said = fails("run", "pets.netdef", "--random", "--out", "y.parquet", code=3)
    assert "pip install '.[parquet]' in a checkout of netc" in said
    assert not Path("y.parquet").exists()


def test_maps_of_different_sizes_do_not_go_into_one_array(here: Path) -> None:
    Image.new("RGB", (10, 11)).save("photos/z.png")
    ok("run", "edges.netdef", "--image", "photos", "--format", "jsonl")
    assert "the samples have different sizes" in fails(
        "run", "edges.netdef", "--image", "photos", "--out", "y.npz"
    )


def test_a_run_that_fails_midway_leaves_the_old_file(here: Path) -> None:
    Path("photos/z.png").write_bytes(b"broken")
    for name in ("y.npz", "y.jsonl", "y.csv", "y.npy", "y.parquet"):
        Path(name).write_text("old")
        fails("run", "pets.netdef", "--image", "photos", "--batch-size", 2, "--out", name)
        assert Path(name).read_text() == "old"
    assert sorted(p.name for p in here.iterdir() if p.name.startswith(".")) == []


# ── the terminal ─────────────────────────────────────────────────────────────────────────────


def run_process(arguments: list[str], stderr: int) -> str:
    """The standard output of a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "netc", *arguments],
        stdout=subprocess.PIPE,
        stderr=stderr,
        check=True,
        text=True,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
    )
    return done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo terminal is needed")
def test_a_bar_counts_the_samples_on_a_terminal_only(here: Path) -> None:
    arguments = ["run", "pets.netdef", "--image", "photos", "--batch-size", "1", "--format", "csv"]
    controller, terminal = pty.openpty()
    on_terminal = run_process(arguments, terminal)
    os.close(terminal)
    assert "samples" in os.read(controller, 100_000).decode()
    os.close(controller)
    with Path("said.txt").open("w+") as file:
        assert run_process(arguments, file.fileno()) == on_terminal
    assert Path("said.txt").read_text().splitlines() == [
        "pets on cpu with initial weights, not trained ones (give --weights)"
    ]


def test_run_tells_how_many_nodes_run_where(tmp_path: Path) -> None:
    file = tmp_path / "two.netdef"
    file.write_text(
        "net two {\n input x: f32[3, 8, 8]\n conv(4, 3x3) -> maxpool(2)\n output y\n}\n"
    )
    call = ("run", file, "--random", "--placement", "--device")
    assert "2 nodes on CPUExecutionProvider: 1 Conv, 1 MaxPool\n" in netc(*call, "cpu").stdout
    assert "no placement: numpy runs it all\n" in netc(*call, "numpy").stdout
