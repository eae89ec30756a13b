"""OpenCV computes the same numbers from Caffe and Darknet files, where it is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.importers.from_darknet import import_darknet
from compiler.initialise import scatter
from grammar.source import Source
from runtime.reference import run_reference
from tests.importers.caffe_nets import NETS
from tests.importers.plain_darknet import parse
from tests.importers.test_plain_caffe import feeds_of, imported
from tests.importers.test_plain_darknet import cfg, parameters

cv2 = pytest.importorskip("cv2")
if not hasattr(cv2.dnn, "readNetFromDarknet"):
    pytest.skip("this OpenCV reads no Darknet files", allow_module_level=True)

CONV = "convolutional filters=4 size=3 pad=1 activation="
CFGS = {
    "strided": cfg("convolutional filters=6 size=3 stride=2 pad=1 activation=leaky"),
    "normalised": cfg("convolutional batch_normalize=1 filters=4 size=1 activation=mish"),
    "maxpool": cfg(f"{CONV}leaky", "maxpool size=2 stride=2"),
    "maxpool_same": cfg(f"{CONV}leaky", "maxpool size=2 stride=1"),
    "route": cfg(f"{CONV}leaky", f"{CONV}relu", "route layers=-1,0"),
    "route_group": cfg(f"{CONV}leaky", "route layers=-1 groups=2 group_id=1", f"{CONV}swish"),
    "shortcut": cfg(f"{CONV}leaky", f"{CONV}mish", "shortcut from=-2 activation=linear"),
    "upsample": cfg(f"{CONV}logistic", "upsample stride=2"),
}
# Networks without parameters: OpenCV has those of Caffe from a binary file only. It passes over the
# round_mode of a pooling and the k of an LRN, which Caffe obeys.
PROTOTXTS = (
    *("pool_up", "pool_ceil_mode", "pool_mean", "pool_sides", "pool_whole", "eltwise"),
    *("eltwise_coeff", "eltwise_max", "eltwise_prod", "concat", "slice", "split", "flatten"),
    *("reshape", "permute", "softmax", "leaky", "elu", "power", "sigmoid", "tanh", "absval"),
    *("bnll", "relu"),
)


def weights_of(text: str, graph: Any) -> bytes:
    """The numbers of a network as a .weights file: of each layer bias, norm, weight."""
    chunks = [np.array([0, 2, 5], np.int32).tobytes(), np.array([0], np.int64).tobytes()]
    held = parameters(graph)
    for name, options in parse(text)[1:]:
        if name != "convolutional":
            continue
        conv = next(held)
        norm = next(held) if options.get("batch_normalize") == "1" else None
        order = ("bias", "weight", "running_mean", "running_var")
        arrays = [norm[key] for key in order] if norm else [conv["bias"]]
        chunks += [np.asarray(a, np.float32).tobytes() for a in (*arrays, conv["weight"])]
    return b"".join(chunks)


@pytest.mark.parametrize("name", CFGS)
def test_opencv_computes_the_same_from_a_cfg(name: str, tmp_path: Path) -> None:
    text = CFGS[name]
    graph = scatter(import_darknet(Source("x.cfg", text)).graph)
    (tmp_path / "x.cfg").write_text(text)
    (tmp_path / "x.weights").write_bytes(weights_of(text, graph))
    net = cv2.dnn.readNetFromDarknet(str(tmp_path / "x.cfg"), str(tmp_path / "x.weights"))
    x = np.random.default_rng(0).standard_normal((1, 4, 8, 6)).astype(np.float32)
    net.setInput(x)
    wanted = net.forward()
    (found,) = run_reference(graph, {"image": x}).values()
    np.testing.assert_allclose(found.reshape(wanted.shape), wanted, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", PROTOTXTS)
def test_opencv_computes_the_same_from_a_prototxt(name: str, tmp_path: Path) -> None:
    (tmp_path / "x.prototxt").write_text(NETS[name])
    net = cv2.dnn.readNetFromCaffe(str(tmp_path / "x.prototxt"))
    x = feeds_of(NETS[name])["x"].astype(np.float32)
    net.setInput(x)
    wanted = net.forward()
    (found,) = run_reference(imported(NETS[name]).graph, {"x": x}).values()
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4)
