"""Calls of every op that takes arguments or needs a certain input, with their input shapes.

Each form that an op is written in has its own call: padding of each mode, ceil with and without
counted padding, ranks that ONNX knows only in another shape.
"""

from __future__ import annotations

from typing import Any

PADS = [(0, 2), (1, 0)]
EXAMPLES: dict[str, list[tuple[dict[str, Any], list[tuple[int, ...]]]]] = {
    "conv": [
        ({"channels": 4, "kernel": (3, 2), "pad": PADS, "dilation": 2, "groups": 2}, [(6, 7, 8)]),
        ({"channels": 4, "kernel": 3, "pad": 1, "pad_mode": "reflect"}, [(3, 9)]),
        ({"channels": 4, "kernel": 3, "pad": PADS, "pad_mode": "circular"}, [(3, 4, 5)]),
        ({"channels": 4, "kernel": 2, "pad": 1, "pad_mode": "replicate"}, [(3, 4, 5, 3)]),
    ],
    "deconv": [
        ({"channels": 4, "kernel": (3, 4), "stride": 2, "output_pad": 1, "pad": PADS}, [(3, 4, 5)]),
        ({"channels": 2, "kernel": 2, "dilation": 2, "groups": 2}, [(4, 4, 5, 3)]),
    ],
    "gather": [({"rows": 7, "channels": 3}, [(5,)]), ({"rows": 7, "channels": 2}, [(2, 3)])],
    "take": [
        ({}, [(7, 3), (5,)]),
        ({"axis": -1}, [(2, 6), (2, 4)]),
        ({"axis": 1}, [(2, 5, 3), (4,)]),
    ],
    "split": [
        ({"parts": 2, "part": 1}, [(4, 5)]),
        ({"parts": [2, 3, 1], "axis": -1, "part": 1}, [(3, 4, 6)]),
    ],
    "filter": [({"kernel_values": [[1, 2], [3, 4]], "pad": 1, "pad_mode": "reflect"}, [(3, 5, 6)])],
    "weightedpool": [({"kernel_values": [1, 2, 3]}, [(3, 9)])],
    "maxpool": [
        ({"kernel": 3, "stride": 2, "pad": 1, "ceil": True}, [(3, 6, 7)]),
        ({"kernel": 2, "stride": 1, "pad": 2, "dilation": 3}, [(3, 8)]),
    ],
    "avgpool": [
        ({"kernel": 3, "stride": 2, "pad": 1, "ceil": True}, [(3, 6, 7)]),
        ({"kernel": 3, "stride": 2, "pad": 1, "ceil": True, "count_pad": False}, [(3, 6, 7)]),
        ({"kernel": (3, 2), "pad": PADS, "count_pad": False}, [(3, 6, 7)]),
    ],
    "lppool": [
        ({"kernel": 3, "stride": 2, "pad": 1, "ceil": True, "p": 3}, [(3, 6, 7)]),
        ({"kernel": 2}, [(3, 5)]),
    ],
    "gap": [({}, [(3, 4, 5)])],
    "gmp": [({}, [(3, 4, 5, 2)])],
    "adaptive_avgpool": [({"size": (3, 1, 2)}, [(3, 7, 5, 4)]), ({"size": 1}, [(3, 7)])],
    "bn": [({}, [(3, 4, 5)]), ({}, [(3,)])],
    "lrn": [({"size": 3, "alpha": 0.5}, [(5, 4, 3)]), ({"size": 5}, [(3, 4)])],
    "groupnorm": [({"groups": 2}, [(4, 3, 5)])],
    "layernorm": [
        ({}, [(4, 3, 5)]),
        ({"axis": 0}, [(4, 3, 5)]),
        ({"axis": [-1, -2]}, [(4, 3, 5)]),
        ({"axis": [0, 2], "affine": False}, [(4, 3, 5)]),
    ],
    "instancenorm": [({"affine": True}, [(4, 3, 5)])],
    "prelu": [({"channelwise": True}, [(4, 3, 5)])],
    "clip": [({"lo": -0.5, "hi": 0.5}, [(4, 3)])],
    "softmax": [({}, [(4, 3, 5)]), ({"axis": -1}, [(4, 3)])],
    "log_softmax": [({"axis": 1}, [(4, 3, 5)])],
    "dense": [
        ({"units": 5}, [(7,)]),
        ({"units": 5, "bias": False}, [(7,)]),
        ({"units": 5, "axis": -1}, [(3, 4, 7)]),
        ({"units": 5, "axis": 1}, [(3, 7, 4)]),
        ({"units": 5, "axis": 0, "bias": False}, [(7, 3, 4)]),
    ],
    "add": [({}, [(3, 4), (3, 1), (1, 4)])],
    "mul": [({}, [(3, 4), (3, 1)])],
    "sub": [({}, [(3, 4), (3, 4)])],
    "max": [({}, [(3, 4), (3, 4), (3, 1)])],
    "div": [({}, [(3, 4), (3, 4)])],
    "min": [({}, [(3, 4), (3, 4), (3, 1)])],
    "power": [({"exponent": 2}, [(3, 4)])],
    "pixel_unshuffle": [({"r": 2}, [(3, 4, 6)])],
    "slice": [
        ({"first": 1, "last": 2}, [(4, 5)]),
        ({"first": 4, "last": 0, "step": -2, "axis": 1}, [(3, 5)]),
    ],
    "resize": [
        ({"size": (5, 3)}, [(3, 4, 6)]),
        ({"size": 7, "mode": "linear"}, [(3, 4)]),
        ({"size": (5, 8), "mode": "cubic", "align": "corners"}, [(3, 4, 6)]),
        ({"size": (6, 9), "mode": "linear", "scale": 1.5}, [(3, 4, 6)]),
    ],
    "mean": [({}, [(3, 4), (3, 4), (3, 1)])],
    "concat": [({}, [(3, 4), (2, 4)]), ({"axis": -1}, [(3, 4), (3, 1)])],
    "matmul": [({}, [(2, 3, 4), (1, 4, 5)]), ({}, [(3, 4), (4, 2)])],
    "drop_path": [({"p": 0.25}, [(3, 4)])],
    "adaptive_maxpool": [({"size": (3, 1, 2)}, [(3, 7, 5, 4)]), ({"size": 2}, [(3, 4, 6)])],
    "param": [({"shape": [3, 1, 2]}, [(1,)]), ({"shape": [4], "init": "normal(0.1)"}, [(1,)])],
    "const": [({"values": [[1, 2, 3], [4, 5, 6]]}, [(1,)]), ({"shape": [2, 3]}, [(1,)])],
    "reduce_mean": [({}, [(3, 4, 5)]), ({"axis": 1, "keep": True}, [(3, 4, 5)])],
    "reduce_sum": [({"axis": [0, -1]}, [(3, 4, 5)]), ({}, [(3,)])],
    "reduce_max": [({"axis": [-1, 0], "keep": True}, [(3, 4, 5, 2)]), ({}, [(3, 4)])],
    "reduce_min": [({"axis": 0}, [(3, 4, 5)])],
    "l2norm": [({}, [(3, 4, 5)]), ({"axis": -1, "eps": 0.5}, [(3, 4)])],
    "flatten": [({}, [(3, 4, 5)]), ({"first": 1}, [(3, 4, 5)]), ({"first": -2}, [(3, 4, 5)])],
    "reshape": [({"shape": [2, -1]}, [(4, 3)])],
    "transpose": [({"order": [2, 0, 1]}, [(4, 3, 5)])],
    "crop": [({"h": 2, "w": 3}, [(3, 5, 6)])],
    "pad": [
        ({"amount": PADS}, [(3, 4, 5)]),
        ({"amount": 1, "mode": "reflect"}, [(3, 4)]),
        ({"amount": PADS, "mode": "circular"}, [(3, 4, 5)]),
        ({"amount": 1, "mode": "replicate"}, [(3, 4, 5, 2)]),
    ],
    "upsample": [
        ({"scale": (2, 3)}, [(3, 4, 5)]),
        ({"scale": 2, "mode": "bilinear"}, [(3, 4, 5)]),
        ({"scale": 2, "mode": "bilinear"}, [(3, 4)]),
    ],
    "channels": [({"first": 1, "last": 2}, [(4, 5)])],
    "pad_channels": [({"before": 1, "after": 2}, [(4, 5)])],
    "channel_shuffle": [({"groups": 2}, [(4, 3, 5)])],
    "pixel_shuffle": [({"r": 2}, [(8, 3, 5)])],
    "scale": [({"factor": [1, 2, 3]}, [(3, 4)])],
    "shift": [({"offset": 2}, [(3, 4)])],
    "normalize": [({"mean": [1, 2, 3], "std": 2}, [(3, 4, 5)])],
}
