"""The 1202-layer network: its check as a whole, and the cost of a layer against a shorter net."""

from __future__ import annotations

from functools import partial

from benchmarks.measure import Options, Row, Timing, clocked, in_turn, netc
from compiler.driver import check_net
from netc.library import open_module


def rows(options: Options) -> list[Row]:
    """Under 1.5 s; a layer of 1202 costs at most 1.3 times one of 110."""
    whole = in_turn({"check": netc("check", "resnet1202")}, options.runs)["check"]
    module, _ = open_module("resnet_cifar")
    nets = {net.name: net for net in module.nets()}
    layers = {name: len(check_net(nets[name]).graph) for name in ("resnet110", "resnet1202")}
    costs = in_turn(
        {name: clocked(partial(check_net, nets[name])) for name in layers}, options.runs
    )
    each = {
        name: Timing(f"{name}, a layer", tuple(1e6 * s / layers[name] for s in seconds), "µs")
        for name, seconds in costs.items()
    }
    return [
        Row("check resnet1202, whole process", Timing("netc check", whole), bound=1.5),
        Row("check, cost of a layer", each["resnet1202"], each["resnet110"], bound=1.3),
    ]
