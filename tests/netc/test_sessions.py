"""The Python API: runs, sessions, tensors by label, weights, the summary in a notebook."""

from __future__ import annotations

import copy
import pickle
import re
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import netc
from grammar.diagnostics import DefinitionError
from netc.runnable import runnable_of_graph
from netc.sessions import MOST_OPEN
from runtime.errors import CallError
from runtime.random_inputs import random_feeds
from runtime.reference import interpret

NET = """
block unit(c) { conv(c, 3x3, pad=1) -> bn -> relu }
net small {
    input image: f32[3, 8, 10] from picture(resize=8x10)
    unit(4) as first -> dropout -> unit(6) as second
    add { conv(6, 1x1) as side; identity } as joined -> relu
    gap -> flatten -> dense(5) as head
    output logits
    output probs = softmax
}
"""
TWO = """
net two { input a: f32[3]; input b: f32[4]
    output sum = concat(a, b) -> dense(2) }
"""


@pytest.fixture(scope="module")
def net() -> netc.Net:
    return netc.loads(NET)


@pytest.fixture(scope="module")
def batch() -> Any:
    return np.random.default_rng(0).standard_normal((4, 3, 8, 10)).astype(np.float32)


# ── runs ─────────────────────────────────────────────────────────────────────────────────────


def test_a_run_gives_every_output_with_a_row_a_sample(net: netc.Net, batch: Any) -> None:
    found = net.run(batch, device="cpu")
    assert {name: value.shape for name, value in found.items()} == {
        "logits": (4, 5),
        "probs": (4, 5),
    }
    np.testing.assert_allclose(found["probs"].sum(axis=1), 1, rtol=1e-5)
    reference = net.run(batch, device="numpy")
    np.testing.assert_allclose(found["logits"], reference["logits"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda net, x: net.run(x, tta="mirror"), "no tta mirror; it is one of none, flip"),
        (lambda net, x: net.run(x, dtype="f8"), "no type f8; it is one of f32, f16, bf16"),
        (lambda net, x: net.verify(dtype="f8"), "no type f8"),
        (lambda net, x: net.model(io_dtype="f64"), "no type f64"),
        (lambda net, x: net.model(opset=99), "opsets are 13 to 26, not 99"),
        (lambda net, x: net.model(batch=0), "batch is at least 1, not 0"),
    ],
)
def test_a_choice_that_there_is_not_is_refused_with_those_that_are(
    net: netc.Net, batch: Any, call: Any, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        call(net, batch)


def test_arrays_pictures_paths_and_lists_are_taken(net: netc.Net, tmp_path: Path) -> None:
    image = Image.fromarray(np.random.default_rng(1).integers(256, size=(9, 12, 3), dtype=np.uint8))
    image.save(tmp_path / "a.png")
    given = [image, np.asarray(image), tmp_path / "a.png", str(tmp_path / "a.png"), tmp_path]
    wanted = net.run(image, device="cpu")["logits"]
    for value in given:
        np.testing.assert_array_equal(net.run(value, device="cpu")["logits"], wanted)
    assert net.run(given, device="cpu")["logits"].shape == (5, 5)
    assert net.run(np.zeros((3, 8, 10)), device="cpu")["logits"].shape == (1, 5)


def test_several_inputs_are_given_by_name() -> None:
    two = netc.loads(TWO)
    assert two.run({"a": [1, 2, 3], "b": np.ones((1, 4))}, device="cpu")["sum"].shape == (1, 2)
    with pytest.raises(CallError, match="give them by name"):
        two.run(np.zeros(3), device="cpu")
    with pytest.raises(CallError, match="there is no input c; there are a, b"):
        two.run({"a": np.zeros(3), "c": np.zeros(3)}, device="cpu")
    with pytest.raises(CallError, match="nothing is given for the input b"):
        two.run({"a": np.zeros(3)}, device="cpu")


def test_a_bounded_batch_gives_the_same_rows(net: netc.Net, batch: Any) -> None:
    whole = net.run(batch, device="cpu")["logits"]
    parts = net.run(batch, device="cpu", batch_size=3)["logits"]
    np.testing.assert_allclose(parts, whole, rtol=1e-5, atol=1e-6)
    with pytest.raises(CallError, match="batch_size is at least 1"):
        net.run(batch, device="cpu", batch_size=0)


def test_flip_is_the_mean_over_a_picture_and_its_mirror_image(net: netc.Net, batch: Any) -> None:
    both = [net.run(x, device="cpu")["probs"] for x in (batch, batch[..., ::-1])]
    found = net.run(batch, device="cpu", tta="flip")["probs"]
    np.testing.assert_allclose(found, np.mean(both, axis=0), rtol=1e-5)


def test_sizes_outside_the_valid_domain_are_said(tmp_path: Path) -> None:
    unet = netc.loads(
        "net n { input x: f32[1, H, W]\n assert H % 4 == 0\n conv(2, 3x3)\n output y }"
    )
    with pytest.raises(CallError, match="needs H % 4 == 0; the nearest valid height is 8 or 12"):
        unet.run(np.zeros((1, 10, 10)), device="cpu")
    assert unet.run(np.zeros((1, 8, 9)), device="cpu")["y"].shape == (1, 2, 6, 7)


# ── tensors by label ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("device", ["cpu", "numpy"])
def test_every_layer_can_be_asked_for(net: netc.Net, device: str) -> None:
    feeds = random_feeds(net.graph)
    complete = net.with_weights(net.weights).graph
    wanted = {node.name: value for node, value in interpret(complete, feeds, np.float64)}
    found = net.run(dict(feeds), device=device, tensors=list(wanted))
    assert list(found) == list(wanted)
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-3, atol=1e-4, err_msg=name)


@pytest.mark.parametrize("device", ["cpu", "numpy"])
def test_a_block_stands_for_what_flows_out_of_it(net: netc.Net, batch: Any, device: str) -> None:
    found = net.run(batch, device=device, tensors=["first", "second", "joined", "probs"])
    inner = net.run(batch, device=device, tensors=["first.relu1", "second.relu1"])
    np.testing.assert_array_equal(found["first"], inner["first.relu1"])
    np.testing.assert_array_equal(found["second"], inner["second.relu1"])
    assert found["joined"].shape == (4, 6, 8, 10) and found["probs"].shape == (4, 5)


def test_an_inception_block_of_googlenet_is_found_by_its_label() -> None:
    net = netc.load("googlenet", "googlenet")
    label = next(name for name in ("i4a", "inception_4a") if f"{name}." in str(list(net.weights)))
    found = net.run(np.zeros((3, 224, 224)), device="cpu", tensors=[label])
    assert found[label].shape == (1, 512, 14, 14)


def test_an_unknown_label_is_refused_with_the_nearest(net: netc.Net, batch: Any) -> None:
    with pytest.raises(CallError, match="small has no tensor secnd; did you mean `second`"):
        net.run(batch, device="cpu", tensors=["secnd"])


def test_one_label_needs_no_list(net: netc.Net, batch: Any) -> None:
    assert list(net.run(batch, device="cpu", tensors="first")) == ["first"]


# ── sessions ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("device", ["cpu", "numpy"])
def test_a_session_may_be_used_from_many_threads(net: netc.Net, batch: Any, device: str) -> None:
    session = net.session(device=device)
    inputs = [batch + index for index in range(24)]
    wanted = [session.run(x)["logits"] for x in inputs]

    def run(index: int) -> tuple[Any, Any]:
        label = ("first", "second", "joined")[index % 3]
        tensor = session.run(inputs[index], tensors=[label])[label]
        return session.run(inputs[index])["logits"], tensor

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(run, range(24)))
    for index, (logits, tensor) in enumerate(found):
        np.testing.assert_allclose(logits, wanted[index], rtol=1e-5, atol=1e-6)
        label = ("first", "second", "joined")[index % 3]
        np.testing.assert_array_equal(session.run(inputs[index], tensors=[label])[label], tensor)


def test_a_session_keeps_few_choices_of_tensors_open(
    net: netc.Net, batch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []

    def opening(graph: Any, engine: Any, tensors: tuple[str, ...]) -> Any:
        opened.append(tensors)
        return runnable_of_graph(graph, engine, tensors)

    monkeypatch.setattr("netc.sessions.runnable_of_graph", opening)
    session = net.session(device="cpu")
    labels = ["first", "second", "joined", "head", "side", "logits"]
    for label in [*labels, *labels[-MOST_OPEN:], ()]:
        session.run(batch, tensors=label)
    assert len(opened) == 1 + len(labels), "what was used lately, and the outputs, stay open"
    session.run(batch, tensors=labels[0])
    assert len(opened) == 2 + len(labels), "what was used long ago does not"


def test_what_goes_wrong_is_caught_by_the_names_of_the_package(net: netc.Net) -> None:
    with pytest.raises(netc.CallError, match="there is no device gpu"):
        net.session("gpu")
    with pytest.raises(netc.MachineError) as caught:
        net.session("cuda:999")
    assert "--device cpu" in caught.value.remedy


def test_a_session_knows_its_device(net: netc.Net) -> None:
    assert net.session(device="numpy").device == "numpy"
    assert "small on cpu" in repr(net.session(device="cpu"))


def test_a_net_that_has_run_can_be_copied_and_pickled(net: netc.Net, batch: Any) -> None:
    wanted = net.run(batch, device="cpu")["logits"]
    for other in (copy.copy(net), pickle.loads(pickle.dumps(net))):
        np.testing.assert_array_equal(other.run(batch, device="cpu")["logits"], wanted)


def test_another_seed_is_another_network(net: netc.Net, batch: Any) -> None:
    first = net.run(batch, device="cpu", seed=0)["logits"]
    second = net.run(batch, device="cpu", seed=1)["logits"]
    assert not np.allclose(first, second)
    np.testing.assert_array_equal(net.run(batch, device="cpu", seed=0)["logits"], first)


# ── weights ──────────────────────────────────────────────────────────────────────────────────


def test_weights_are_read_changed_and_given_back(net: netc.Net, batch: Any) -> None:
    weights = net.weights
    assert list(weights)[:2] == ["first.conv1.weight", "first.conv1.bias"]
    changed = net.with_weights({**weights, "head.bias": weights["head.bias"] + 7})
    difference = changed.run(batch, device="cpu")["logits"] - net.run(batch, device="cpu")["logits"]
    np.testing.assert_allclose(difference, 7, rtol=1e-4)


def test_weights_cannot_be_written_through(net: netc.Net) -> None:
    with pytest.raises(ValueError, match="read-only"):
        net.weights["head.bias"][0] = 1
    with pytest.raises(CallError, match="rename is for the names in a file"):
        net.with_weights(net.weights, rename=["a=b"])


# ── definitions from text, the notebook's summary ────────────────────────────────────────────


def test_a_definition_is_read_from_a_text_with_its_parameters() -> None:
    text = "net n(classes=10) { input x: f32[4]\n dense(classes)\n output y }"
    assert netc.loads(text, classes=3).run(np.zeros(4), device="cpu")["y"].shape == (1, 3)
    with pytest.raises(CallError, match="no parameter depth; it has classes"):
        netc.loads(text, depth=3)
    with pytest.raises(DefinitionError, match="<text>:2:2"):
        netc.loads("net n { input x: f32[4]\n denze(3)\n output y }")


def test_a_text_may_use_the_library() -> None:
    net = netc.loads(
        'use lenet5 from "lenet5.netdef"\n'
        "net n { input x: f32[1, 28, 28]\n output y = lenet5 as one }"
    )
    assert net.run(np.zeros((1, 28, 28)), device="cpu")["y"].shape == (1, 10)


class Checker(HTMLParser):
    """Collects the tags, and sees that they are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_net_is_named_with_its_size_where_only_text_is_shown(net: netc.Net) -> None:
    assert repr(net) == f"<Net {net.name}: {net.analysis.parameters:,} parameters>"


def test_the_notebooks_summary_is_well_formed_and_has_a_row_a_layer(net: netc.Net) -> None:
    checker = Checker()
    text = net._repr_html_()
    checker.feed(text)
    assert not checker.open
    assert checker.seen.count("tr") == 1 + len(list(net.graph.nodes()))
    assert "first.conv1" in text and "[4, 8, 10]" in text


def test_the_notebooks_summary_escapes_what_a_definition_says() -> None:
    text = netc.loads(
        'net n { input x: f32[3, 4, 4]\n conv(1, 1x1) as "<script>alert(1)<b>&" \n output y }'
    )._repr_html_()
    assert "<script" not in text and re.search(r"&lt;script&gt;alert\(1\)&lt;b&gt;&amp;", text)
