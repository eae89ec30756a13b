"""What PyTorch makes of the written source is read as the net that it was written of."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.driver import check_net, load
from compiler.files import read_source
from compiler.torch.source import write_source
from grammar.diagnostics import DefinitionError
from netc.net import Net
from runtime.errors import CallError

WITH_TORCH = pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")

NETS = {
    net.name: net for net in load(read_source(Path(__file__).with_name("ways_back.netdef"))).nets()
}


@WITH_TORCH
@pytest.mark.parametrize("name", [*NETS])
def test_the_way_back_leads_to_the_same_net(name: str) -> None:
    from tests.torch_source import BOUND, check, read_back_apart

    graph = check_net(NETS[name]).graph
    assert max(check(graph)[:2]) < BOUND
    assert read_back_apart(graph) == ""


@WITH_TORCH
def test_an_example_says_what_the_inputs_are_called() -> None:
    from netc import from_torch

    torch = import_module("torch")
    x, chain = torch.rand(2, 3), torch.nn.Sequential(torch.nn.Linear(3, 4))
    net = from_torch(chain, {"image": x}, name="one_layer")
    assert (net.name, inputs_of(net)) == ("one_layer", ["image"])
    assert inputs_of(from_torch(chain, {"output": x})) == ["output"]
    for names, wanted in (("least most", "most least"), ("a b", "a b"), ("also most", "most also")):
        net = from_torch(difference_of(), dict.fromkeys(names.split(), x))
        assert inputs_of(net) == wanted.split()


@WITH_TORCH
@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["most", "leest"], "forward takes most, least, also, and no 'leest'"),
        (["least"], "the example has 1: least .*missing a required argument: 'most'"),
        (["a", "b", "c", "d"], "the example has 4: a, b, c, d .*too many"),
        (["an image"], "an input is called by a word, not 'an image'"),
        ([], "the example is a tensor, a tuple of them or a mapping"),
    ],
)
def test_names_that_a_module_does_not_take_are_refused_with_words(
    names: list[str], said: str
) -> None:
    from netc import from_torch

    torch = import_module("torch")

    with pytest.raises(CallError, match=said):
        from_torch(difference_of(), {name: torch.rand(2, 3) for name in names})
    with pytest.raises(CallError, match="the module does not run on the example: "):
        from_torch(torch.nn.Linear(5, 4), torch.rand(2, 3))
    with pytest.raises(CallError, match="a network is called by a word, not 'a net'"):
        from_torch(difference_of(), torch.rand(2, 3), name="a net")


@WITH_TORCH
def test_places_in_the_first_sample_are_not_taken_for_those_of_each() -> None:
    from netc import from_torch

    torch = import_module("torch")
    first = torch.nn.Module()
    first.forward = lambda x, i: x[torch.zeros(1, 1, dtype=torch.int64), i]
    with pytest.raises(DefinitionError, match="cannot be expressed"):
        from_torch(first, (torch.rand(2, 5, 3), torch.zeros(2, 4, dtype=torch.int64)))


@WITH_TORCH
def test_a_parameter_that_is_called_as_an_input_is_learned_all_the_same() -> None:
    from netc import from_torch

    torch = import_module("torch")
    gate = torch.nn.Module()
    gate.gain = torch.nn.Parameter(torch.rand(3))
    gate.forward = lambda gain: gain * gate.gain
    graph = from_torch(gate, torch.rand(2, 3)).graph
    assert [node.op.name for node in graph.nodes()] == ["input", "param", "mul"]


def inputs_of(net: Net) -> list[str]:
    """What the inputs are called."""
    return [node.name for node in net.graph.inputs()]


def difference_of() -> Any:
    """A module of two tensors, or three."""

    def forward(self: Any, most: Any, least: Any = None, also: Any = None) -> Any:
        made = most if least is None else most - least
        return made if also is None else made * also

    return type("Difference", (import_module("torch").nn.Module,), {"forward": forward})()


@WITH_TORCH
def test_a_derivative_of_roundings_is_told_from_another_one() -> None:
    from tests.torch_source import but_for_noise

    torch = import_module("torch")
    numbers = torch.nn.Parameter(torch.tensor([0.5, 2.0], dtype=torch.float64))
    found, ours = np.array([7.0, 2.0]), np.array([1.0, 3.0])
    noisy = but_for_noise(lambda: (numbers**2).sum(), numbers, found, ours)
    assert noisy.tolist() == [7.0, 3.0]  # 3 is no slope there
    half = but_for_noise(lambda: (numbers.detach() * numbers).sum(), numbers, found, ours)
    assert half.tolist() == [1.0, 3.0]  # half of the slope is found everywhere


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a_slice_that_ends_between_two_steps", "x[:, 7:9:2]"),
        ("means_of_a_thin_volume", "F.avg_pool3d(F.pad(x, (1, 1, 1, 1, 1, 1)), 3, 1)"),
    ],
)
def test_what_pytorch_has_otherwise_is_written_so_that_it_runs(name: str, said: str) -> None:
    assert said in write_source(check_net(NETS[name]).graph)
