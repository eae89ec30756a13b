"""A model that takes pixels gives the numbers of the one that takes normalised floats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image

import netc
from netc.runnable import Engine, runnable_of_model
from runtime.errors import CallError
from runtime.session import open_session
from tests.netc.command import netc as netc_command

CLAUSES = {
    "imagenet": (
        "f32[3, 20, 24]",
        "resize=26, crop=20x24, mean=[0.4, 0.5, 0.6], std=[0.2, 0.3, 0.4]",
    ),
    "caffe": ("f32[3, 20, 24]", 'crop=20x24, order="bgr", range=[0, 255], mean=[104, 117, 123]'),
    "gan": ("f32[3, H, W]", "range=[-1, 1]"),
    "grey": ("f32[1, 20, 24]", "crop=20x24, grey=true, std=0.5"),
    "last": ("f32[20, 24, 3]", 'crop=20x24, layout="hwc", order="bgr", mean=[0.1, 0.2, 0.3]'),
}


def net_of(clause: str) -> netc.Net:
    shape, how = CLAUSES[clause]
    body = "identity" if clause == "last" else "conv(4, 3x3)"
    return netc.loads(f"net n {{ input image: {shape} from picture({how})\n {body}\n output y }}")


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of 31 x 40 random pixels."""
    pixels = np.random.default_rng(0).integers(256, size=(31, 40, 3), dtype=np.uint8)
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    Image.fromarray(pixels).save(path)
    return path


def run_file(path: Path, picture: Any) -> Any:
    """The output of a compiled model on a picture, as `netc run` runs it."""
    from netc.gather import gather
    from runtime.batches import collect, run_batches

    runnable = runnable_of_model(path, Engine("cpu"))
    samples = gather(runnable, [str(picture)], [], random=0)
    return collect(run_batches(runnable.runner, samples, size=1))["y"]


@pytest.mark.parametrize("layout", ["nhwc", "nchw"])
@pytest.mark.parametrize("clause", CLAUSES)
def test_embedded_normalisation_gives_the_same_numbers(
    tmp_path: Path, photo: Path, clause: str, layout: Any
) -> None:
    net = net_of(clause)
    plain, embedded = tmp_path / "plain.onnx", tmp_path / "embedded.onnx"
    net.compile(plain)
    net.compile(embedded, embed=layout)
    onnx.checker.check_model(onnx.load(embedded), full_check=True)
    wanted = net.run(photo, device="numpy")["y"]
    np.testing.assert_allclose(run_file(plain, photo), wanted, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(run_file(embedded, photo), wanted, rtol=1e-4, atol=1e-4)


def test_the_input_takes_pixels_in_the_layout_that_was_asked_for() -> None:
    net = net_of("imagenet")
    for layout, shape in (("nhwc", ("N", 20, 24, 3)), ("nchw", ("N", 3, 20, 24))):
        session = open_session(net.model(embed=layout).SerializeToString(), "cpu")  # type: ignore[arg-type]
        assert session.inputs == {"image": shape}
        assert session.types["image"] == np.uint8
        assert session.metadata["netc.embedded.image"] == f'"{layout}"'


def test_a_crop_without_a_resize_is_in_the_model_at_any_size_of_the_picture() -> None:
    session = open_session(net_of("caffe").model(embed="nhwc").SerializeToString(), "cpu")
    assert session.inputs["image"] == ("N", "image_height", "image_width", 3)
    for height, width in ((20, 24), (21, 27), (33, 25), (50, 61)):
        pixels = np.random.default_rng(1).integers(256, size=(height, width, 3), dtype=np.uint8)
        wanted = net_of("caffe").run(Image.fromarray(pixels), device="numpy")["y"]
        found = session.run({"image": pixels[None]})["y"]
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-2)


def test_the_batch_stays_open_or_pinned() -> None:
    pixels = np.zeros((2, 20, 24, 3), np.uint8)
    net = net_of("imagenet")
    session = open_session(net.model(embed="nhwc").SerializeToString(), "cpu")
    assert session.run({"image": pixels})["y"].shape[0] == 2
    pinned = open_session(net.model(embed="nhwc", batch=2).SerializeToString(), "cpu")
    assert pinned.inputs["image"] == (2, 20, 24, 3)


def test_a_net_without_pictures_has_nothing_to_embed() -> None:
    net = netc.loads("net n { input x: f32[3, 8, 8]\n output y = relu }")
    with pytest.raises(CallError, match="no input of n says from picture"):
        net.model(embed="nhwc")


@pytest.mark.parametrize("clause", ["imagenet", "gan"])
def test_a_model_that_takes_pixels_is_verified_with_pixels(tmp_path: Path, clause: str) -> None:
    net_of(clause).compile(tmp_path / "n.onnx", embed="nchw")
    result = netc_command("verify", tmp_path / "n.onnx")
    assert result.exit_code == 0, result.output


def test_a_model_that_takes_pixels_gives_its_weights_back(tmp_path: Path) -> None:
    net = net_of("imagenet")
    net.compile(tmp_path / "n.onnx", embed="nhwc", optimise=False)
    again = net.with_weights(tmp_path / "n.onnx").weights
    assert all(np.array_equal(again[name], array) for name, array in net.weights.items())


def test_the_same_net_gives_the_same_bytes() -> None:
    first, second = (net_of("caffe").model(embed="nhwc").SerializeToString() for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("netc.picture.image", "[1, 2"),
        ("netc.picture.image", '{"resize": "large"}'),
        ("netc.picture.image", '{"surprise": 1}'),
        ("netc.picture.image", '{"mean": "' + "9" * 100 + '"}'),
        ("netc.picture.image", "[" * 100_000),
        ("netc.labels.y", "7"),
        ("netc.embedded.image", '"chwn"'),
        ("netc.domain", '["import os"]'),
    ],
)
def test_broken_metadata_of_a_model_is_refused(tmp_path: Path, key: str, value: str) -> None:
    model = net_of("imagenet").model()
    for entry in list(model.metadata_props):
        if entry.key == key:
            model.metadata_props.remove(entry)
    entry = model.metadata_props.add()
    entry.key, entry.value = key, value
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(CallError, match=r"the metadata of|valid sizes are no conditions"):
        runnable_of_model(tmp_path / "m.onnx", Engine("cpu"))
