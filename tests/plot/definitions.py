"""Definitions whose pictures are not simple: branches, crossings, several ports, torn levels."""

from __future__ import annotations

from compiler.driver import check_net, load
from grammar.source import Source
from netc.net import Net
from netc.plot.plan import BoxTree, plan_of
from tests.differential.test_definitions import drawn

BRANCHES = """
block gate(ratio) {
    mul { identity; gap -> conv(in.c // ratio, 1x1) -> relu -> conv(in.c, 1x1) -> sigmoid }
}
block dense_layer(k) { concat { identity; bn -> relu -> conv(k, 3x3, pad=1) } }
net branches {
    input image: f32[3, 32, 32]
    input clip: f32[8]
    image -> conv(16, 3x3, pad=1) -> relu -> gate(4) as se
    stem = add(se, se)
    stem -> conv(16, 3x3, pad=1) as c1 -> relu
    conv(16, 3x3, pad=1) as c2 -> relu as r2
    concat(stem, c1, r2, se) -> conv(8, 1x1) as narrow
    repeat 3 { dense_layer(4) }
    flat = gap -> flatten
    concat(flat, clip) as meet
    output classes = dense(10)
    output quality = meet -> dense(1) -> sigmoid
    output meet_too = meet
}
"""
# A label's levels may end and begin again; closed boxes must not make a cycle.
TORN = """
net torn {
    input x: f32[4, 8, 8]
    conv(4, 1x1) as "a.0"
    side = in -> relu
    conv(4, 1x1) as "b.0"
    relu as "a.1"
    conv(4, 1x1) as "b.1"
    output y = identity
    output z = side
}
"""
CROSSED = """
net crossed {
    input x: f32[4, 8, 8]
    a = in -> conv(4, 1x1) as a0
    b = in -> conv(4, 1x1) as b0
    c = in -> conv(4, 1x1) as c0
    ab = add(b, a) as ab
    bc = add(c, b, b) as bc
    ca = add(c, a) as ca
    output y = concat(ca, ab, bc, a)
}
"""
# Several tensors enter and leave one group of labels.
PORTS = """
net ports {
    input x: f32[4, 8, 8]
    a = in -> conv(4, 1x1)
    b = in -> conv(4, 3x3, pad=1)
    c = a -> conv(4, 1x1) as "heads.a"
    d = b -> conv(4, 1x1) as "heads.b"
    e = add(d, c, a) as "heads.both"
    output first = c
    output second = d
    output third = concat(e, b, d)
}
"""
# Tensors leave two levels side by side.
LEVELS = """
net levels {
    input x: f32[4, 32, 32]
    conv(4, 1x1) as "a.b.c.f"
    relu as "a.b.c.g"
    add { conv(4, 1x1) as "a.b.x"; sigmoid as "a.b.y"; identity }
    output y
}
"""
# An encoder and a decoder, each a group of labels, with skips from one to the other.
GROUPS = """
net groups {
    input image: f32[3, 32, 32]
    conv(8, 3x3, pad=1) as "encoder.stage0"
    maxpool(2x2) as "encoder.pool0"
    conv(16, 3x3, pad=1) as "encoder.stage1"
    maxpool(2x2) as "encoder.pool1"
    conv(32, 3x3, pad=1) as "encoder.stage2"
    for i in [1, 0] {
        deconv(8 * 2 ** i, 2x2, stride=2) as "decoder.up{i}"
        concat("encoder.stage{i}", "decoder.up{i}") as "decoder.join{i}"
    }
    output mask = conv(1, 1x1) as head
}
"""
# More tensors go the long way to one layer than lines could be told apart beside the boxes.
COLLECTED = """
net collected {
    input x: f32[3, 8, 8]
    for i in range(40) { conv(3, 1x1) as "a{i}" }
    concat(LANES)
    output y
}
""".replace("LANES", ", ".join(f"a{i}" for i in range(40)))

DIFFICULT = (BRANCHES, TORN, CROSSED, PORTS, LEVELS, GROUPS, COLLECTED)


def random_nets(seed: int) -> list[Net]:
    """Nets that use the whole language."""
    found = []
    for definition in drawn(seed):
        nets = load(Source("random.netdef", definition.text)).nets()
        found += [Net(check_net(net)) for net in nets if net.name == "main"]
    return found


def planned(net: Net) -> BoxTree:
    """The plan of a net's picture."""
    return plan_of(net.graph, net.analysis)
