"""Darknet's activations."""

from __future__ import annotations

from compiler.importers.builder import Refused
from compiler.importers.from_darknet.network import DarknetNetwork
from compiler.values import Tensor
from grammar.diagnostics import did_you_mean

SAME = {
    "relu": "relu",
    "logistic": "sigmoid",
    "tanh": "tanh",
    "elu": "elu",
    "selu": "selu",
    "relu6": "relu6",
    "swish": "silu",
    "mish": "mish",
}
WRITTEN_OUT = ("linear", "leaky", "relie", "hardtan", "ramp", "gelu", "hard_mish", "loggy")


def activated(network: DarknetNetwork, x: Tensor, name: str) -> Tensor:
    """A tensor behind an activation; `linear` does nothing."""
    match name:
        case "linear":
            return x
        case "leaky" | "revleaky":
            network.builder.note("leaky means a slope of 0.1")
            return network.add("leaky_relu", x, slope=0.1)
        case "relie":
            return network.add("leaky_relu", x)
        case "hardtan":
            return network.add("clip", x, lo=-1, hi=1)
        case "ramp":  # x where it is positive, and 0.1 x
            return network.add("add", network.add("relu", x), network.add("scale", x, factor=0.1))
        case "gelu":  # with sqrt(2/pi) and its 0.044715th to six places, which is below rounding
            return network.add("gelu", x, approximate=True)
        case "hard_mish":  # x (x + 2)/2 where that is between 0 and x
            ramp = network.add("clip", network.add("shift", x, offset=2), lo=0, hi=2)
            return network.add("mul", x, network.add("scale", ramp, factor=0.5))
        case "loggy":  # 2/(1 + e^-x) - 1
            return network.add("tanh", network.add("scale", x, factor=0.5))
    if name not in SAME:
        help = did_you_mean(name, {*SAME, *WRITTEN_OUT})
        raise Refused(f"the language has no activation {name}", help)
    return network.add(SAME[name], x)
