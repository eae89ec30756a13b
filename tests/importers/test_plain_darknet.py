"""Every section of Darknet that is read gives the numbers of a second, plain reading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from compiler.driver import compile_graph
from compiler.graph import Graph
from compiler.importers.define import define
from compiler.importers.from_darknet import import_darknet
from compiler.importers.from_darknet.network import READERS
from compiler.initialise import scatter
from compiler.ops.shapes import known
from grammar.source import Source
from runtime.reference import run_reference
from runtime.session import open_session
from tests.importers.plain_darknet import ACTIVATIONS, RULES, Plain, parse

NET = "[net]\nchannels=4\nheight=8\nwidth=6\n"


def cfg(*sections: str) -> str:
    """A file of sections, each `name key=value …`."""
    lines = [word for s in sections for word in (f"[{s.split()[0]}]", *s.split()[1:])]
    return NET + "\n".join(lines) + "\n"


SHARED = "batch_normalize=1 filters=4 size=3 pad=1 activation=leaky"
TANH = "activation activation=tanh"
NETS = {
    "conv": cfg("convolutional filters=6 size=3 stride=2 pad=1 activation=leaky"),
    "conv_norm": cfg("convolutional batch_normalize=1 filters=4 size=3 padding=2 activation=mish"),
    "conv_groups": cfg("convolutional filters=4 groups=2 size=2 stride_y=2 activation=linear"),
    "conv_dilated": cfg("convolutional filters=2 size=3 pad=1 dilation=2"),
    "deconv": cfg("deconvolutional filters=3 size=4 stride=2 padding=1 activation=relu"),
    "connected": cfg("connected output=5 activation=tanh", "softmax temperature=2"),
    "connected_norm": cfg("connected output=5 batch_normalize=1"),
    "batchnorm": cfg("batchnorm"),
    "maxpool": cfg("maxpool size=3 stride=2"),
    "maxpool_same": cfg("maxpool size=2 stride=1"),
    "maxpool_padding": cfg("maxpool size=3 stride=2 padding=1"),
    "local_avgpool": cfg("local_avgpool size=3 stride=2"),
    "avgpool": cfg("avgpool", "dropout probability=.3"),
    "normalization": cfg("normalization size=3 alpha=0.2 beta=0.6 kappa=2"),
    "softmax": cfg("softmax spatial=1"),
    "logistic_loss": cfg("logistic", "cost type=sse"),
    "route": cfg(TANH, "activation activation=relu", "route layers=-1,0,-2"),
    "route_groups": cfg(
        "convolutional filters=4 activation=linear",
        "convolutional filters=6 activation=linear",
        "route layers=-1,-2 groups=2 group_id=1",
        "convolutional filters=2 activation=linear",
    ),
    "shortcut": cfg(TANH, "activation activation=relu", "shortcut from=-2 activation=leaky"),
    "shortcut_many": cfg(TANH, "activation activation=relu", "shortcut from=-2,0"),
    "shortcut_wider": cfg(
        TANH,
        "convolutional filters=6 size=3 stride=2 pad=1 activation=linear",
        "shortcut from=0 activation=linear",
    ),
    "shortcut_thinner": cfg(
        TANH, "convolutional filters=2 activation=linear", "shortcut from=-2 activation=swish"
    ),
    "upsample": cfg("upsample stride=2 scale=0.5"),
    "reorg": cfg("reorg stride=2"),
    "reorg3d": cfg("reorg3d stride=2"),
    "crop": cfg("crop crop_height=5 crop_width=4"),
    "scale_channels": cfg(
        TANH,
        "avgpool",
        "convolutional filters=4 activation=logistic",
        "scale_channels from=0 activation=linear",
    ),
    "sam_reads_no_layers": cfg(TANH, "convolutional filters=4", "sam from=-2 layers=5"),
    "sam": cfg(TANH, "convolutional filters=4 activation=logistic", "sam from=-2"),
    "share": cfg(
        "convolutional batch_normalize=1 filters=4 size=3 pad=1 activation=leaky",
        "convolutional batch_normalize=1 filters=4 size=3 pad=1 dilation=2 share_index=0 "
        "activation=leaky",
    ),
    "share_before": cfg(  # the layer that lends is the second branch of the route
        *[f"convolutional {SHARED}"] * 2,
        "route layers=-2",
        f"convolutional share_index=1 {SHARED}",
        "route layers=-1,1",
    ),
    "share_after": cfg(
        *[f"convolutional {SHARED}"] * 2,
        "route layers=-2",
        f"convolutional share_index=1 {SHARED}",
        "shortcut from=1 activation=linear",
    ),
    "share_with_nothing": cfg(  # the layer that lends leads to no output
        *[f"convolutional {SHARED}"] * 2,
        "route layers=-2",
        f"convolutional share_index=1 {SHARED}",
        "shortcut from=2 activation=linear",
    ),
    **{name: cfg(f"activation activation={name}", "dropout") for name in ACTIVATIONS},
}


def parameters(graph: Graph) -> Iterator[dict[str, Any]]:
    """Those of each layer that has some, in order."""
    for node in graph.nodes():
        names = [weight.name for weight in graph.weights(node)]
        if names and not node.owner:
            yield {name: graph.values[f"{node.name}.{name}"] for name in names}


def assert_as_plain(text: str, *, onnx: bool = False) -> None:
    """The definition gives the plain reading's last output, and holds no other parameters."""
    imported = import_darknet(Source("x.cfg", text))
    graph = scatter(imported.graph)
    defined = define(replace(imported, graph=graph)).graph
    held = parameters(graph)
    (given,) = graph.inputs()
    x = np.random.default_rng(0).standard_normal(known(given.shape, given.name))
    wanted = Plain(text, held).run(x)[-1]
    assert next(held, None) is None
    feeds = {given.name: x[None]}
    ways: list[Any] = [run_reference(defined, feeds, np.float64)]
    if onnx:
        single = {name: value.astype(np.float32) for name, value in feeds.items()}
        ways.append(open_session(compile_graph(defined).SerializeToString(), "cpu").run(single))
    for way in ways:  # Darknet writes the constants of selu and gelu with five digits
        (found,) = way.values()
        assert found[0].shape == wanted.shape
        bound = 1e-4 * max(1.0, float(np.abs(wanted).max()))
        np.testing.assert_allclose(found[0], wanted, rtol=1e-4, atol=bound)


@pytest.mark.parametrize("name", NETS)
def test_a_section_means_what_darknet_does(name: str) -> None:
    assert_as_plain(NETS[name], onnx=True)


def test_every_section_that_is_read_is_held_by_the_plain_reading() -> None:
    assert set(READERS) == set(RULES) - {"cost"}
    assert set(RULES) <= {name for text in NETS.values() for name, _ in parse(text)}
