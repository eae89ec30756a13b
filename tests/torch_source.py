"""Written PyTorch source against NumPy; run by a Python that has torch.

    /path/to/python -m tests.torch_source [--library] [--random 200] [--loops 200] [--blocks 200]
        [--compile] [--back]

For each net: the state has the names of the definition, outputs equal NumPy's, in training mode
the derivatives by all parameters equal ours, but where PyTorch's are those of a rounding. With
--compile torch.export takes it, and torch.compile without a break, by the back end that is named;
with --back what PyTorch exports of it to ONNX is read as the same net (`tests.same_graph`). A line
for each net has the largest differences relative to the largest number. Exits with 1 where one
differs.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
import torch

from compiler.dims import evaluate
from compiler.graph import Graph
from compiler.initialise import scatter
from compiler.ops.connect import Dropout
from compiler.torch.attributes import Unwritable
from compiler.torch.source import write_source
from compiler.training.mode import in_training
from runtime.backward import backward
from runtime.errors import CallError
from runtime.random_inputs import COMFORTABLE, random_feeds, sizes_for
from runtime.reference import run_reference
from tests.gradients.objective import with_objective
from tests.same_graph import difference

BOUND = 1e-5
BATCH = 2
STEP, MOST_PLACES = 1e-6, 16  # how far a parameter is moved, how many of its numbers, for a slope
# A symbolic size of the library's nets: on a map of a few pixels in all a batch norm divides by
# next to nothing, and its derivatives are only as exact as that.
LEAST = 64


def module_of(text: str, graph: Graph) -> Any:
    """The net of a source, with the graph's parameters."""
    names: dict[str, Any] = {"__name__": "written"}
    exec(compile(text, "written.py", "exec"), names)
    make = [*names.values()][-1]  # the net's class, or the function that makes it
    net = make()
    state = {k: v for k, v in net.state_dict().items() if not k.endswith("num_batches_tracked")}
    wanted = graph.parameters()
    assert {k: tuple(v.shape) for k, v in state.items()} == {
        k: w.shape for k, w in wanted.items()
    }, f"state {[*state][:8]} is not {[*wanted][:8]}"
    arrays = {name: torch.from_numpy(np.array(value)) for name, value in graph.values.items()}
    net.load_state_dict(arrays, strict=False)
    return net


def distance(found: Any, wanted: Any) -> float:
    """The largest difference, relative to the largest number where that is above 1."""
    if not wanted.size:
        return 0.0
    assert found.shape == wanted.shape, f"{found.shape} is not {wanted.shape}"
    scale = max(1.0, float(np.abs(wanted).max()))
    same = (found == wanted) | (np.isnan(found) & np.isnan(wanted))
    with np.errstate(all="ignore"):
        apart = np.where(same, 0, np.abs(found - wanted))
    return float(apart.max()) / scale


def outputs_apart(graph: Graph, net: Any, feeds: dict[str, Any]) -> float:
    """How far outputs are from NumPy's, both in float64."""
    net = net.double().eval()
    wanted = run_reference(graph, feeds, np.float64)
    given = [torch.from_numpy(as_double(feeds[node.name])) for node in graph.inputs()]
    with torch.no_grad():
        made = net(*given)
    found = made if isinstance(made, tuple) else (made,)
    return max(
        distance(tensor.numpy(), value)
        for tensor, value in zip(found, wanted.values(), strict=True)
    )


def as_double(x: Any) -> Any:
    """Floats in float64, whole numbers as they are."""
    return x if x.dtype.kind == "i" else x.astype(np.float64)


def gradients_apart(graph: Graph, net: Any, feeds: dict[str, Any], sizes: dict[str, int]) -> float:
    """How far derivatives of the outputs' weighted sum by parameters are, in training mode."""
    trained = in_training(with_objective(without_drops(graph)))
    random = np.random.default_rng(0)
    given = dict(feeds)
    for node in trained.inputs():
        if node.name not in given:
            shape = [BATCH, *(evaluate(size, sizes) for size in node.shape)]
            given[node.name] = random.standard_normal(shape)
    ours = backward(trained, given, "objective", np.float64)
    net = net.double().train()
    tensors = [torch.from_numpy(as_double(feeds[node.name])) for node in graph.inputs()]

    def objective() -> Any:
        made = net(*tensors)
        found = made if isinstance(made, tuple) else (made,)
        return sum(
            (tensor * torch.from_numpy(given[f"{name}/weights"])).mean()
            for name, tensor in zip(graph.outputs, found, strict=True)
        )

    total = objective()
    net.zero_grad()
    if not any(p.requires_grad for p in net.parameters()) or not total.requires_grad:
        return 0.0
    total.backward()
    worst = 0.0
    for name, parameter in net.named_parameters():
        wanted = ours.by_parameter.get(name)
        if wanted is None:
            assert parameter.grad is None or not parameter.grad.abs().max(), name
            continue
        assert parameter.grad is not None, name
        found = parameter.grad.numpy()
        if distance(found, wanted) >= BOUND:
            wanted = but_for_noise(objective, parameter, found, wanted)
        worst = max(worst, distance(found, wanted))
    return worst


def but_for_noise(objective: Any, parameter: Any, found: Any, wanted: Any) -> Any:
    """The derivatives that are wanted, with those found where they are those of a rounding.

    Where a norm of equal numbers leaves its roundings, |x| and its like take the sign of one. What
    PyTorch finds there is no slope of the objective, neither to the left nor to the right, ours is
    one, and a step aside PyTorch finds that as well.
    """
    numbers, right = parameter.detach().view(-1), wanted.copy()
    apart = np.abs(found - wanted).reshape(-1)
    bound = BOUND * max(1.0, float(np.abs(wanted).max()))
    for place in np.flatnonzero(apart >= bound)[:MOST_PLACES]:
        middle, values, aside = numbers[place].item(), [], []
        for moved in (-STEP, 0.0, STEP):
            numbers[place] = middle + moved
            total = objective()
            values.append(total.item())
            if moved:
                (slope,) = torch.autograd.grad(total, parameter)
                aside.append(slope.view(-1)[place].item())
        numbers[place] = middle
        slopes = sorted(((values[1] - values[0]) / STEP, (values[2] - values[1]) / STEP))
        low, high = slopes[0] - bound, slopes[1] + bound
        noise = found.reshape(-1)[place]
        known = [right.reshape(-1)[place], *aside]
        if all(low <= slope <= high for slope in known) and not low <= noise <= high:
            right.reshape(-1)[place] = noise
    return right


def without_drops(graph: Graph) -> Graph:
    """The graph with dropouts that drop nothing."""
    nodes = [
        replace(n, op=replace(n.op, p=0.0)) if isinstance(n.op, Dropout) else n
        for n in graph.nodes()
    ]
    return graph.rebuilt(nodes)


def check(
    graph: Graph,
    *,
    backend: str = "",
    derivatives: bool = True,
    sizes: dict[str, int] | None = None,
) -> tuple[float, float, str]:
    """How far outputs and derivatives of a graph's source are apart, and the source."""
    graph = scatter(graph)
    text = write_source(graph)
    net = module_of(text, graph)
    for module in net.modules():  # masks are drawn otherwise
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    sizes = sizes_for(graph) if sizes is None else sizes
    feeds = random_feeds(graph, 0, BATCH, sizes)
    apart = outputs_apart(graph, net, feeds)
    graded = 0.0
    if derivatives:
        undropped = module_of(write_source(without_drops(graph)), graph)
        graded = gradients_apart(graph, undropped, feeds, sizes)
    if backend:
        plain = module_of(text, graph).eval()
        given = tuple(torch.from_numpy(feeds[node.name]) for node in graph.inputs())
        torch.export.export(plain, given)
        torch._dynamo.reset()
        made = torch.compile(plain, backend=backend, fullgraph=True)
        with torch.no_grad():
            wanted, found = plain(*given), made(*given)
        several = [x if isinstance(x, tuple) else (x,) for x in (wanted, found)]
        for a, b in zip(*several, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)
    return apart, graded, text


def read_back_apart(graph: Graph, sizes: dict[str, int] | None = None) -> str:
    """In what the source, exported by PyTorch and imported, is another net; "" where in nothing."""
    from netc.exported import from_torch

    graph = scatter(graph)
    sizes = sizes_for(graph) if sizes is None else sizes
    feeds = random_feeds(graph, 0, BATCH, sizes)
    given = {node.name: torch.from_numpy(feeds[node.name]) for node in graph.inputs()}
    back = from_torch(module_of(write_source(graph), graph), given).graph
    found = difference(graph, back, sizes)
    if found:
        return found
    wanted = run_reference(graph, feeds, np.float64)
    made = run_reference(back, feeds, np.float64)
    pairs = zip(wanted.values(), made.values(), strict=True)
    apart = max(distance(value, other) for value, other in pairs)
    return "" if apart < BOUND else f"outputs: {apart:.1e} apart"


def library(names: list[str]) -> Any:
    """The graphs of the library by name."""
    from compiler.driver import check_net
    from netc.library import library_nets, open_module

    for name in names or sorted(library_nets()):
        module, _ = open_module(name)
        net = next(n for n in module.nets() if n.name == name)
        checked = check_net(net)
        yield name, checked.graph


def drawn(count: int, seed: int) -> Any:
    """The graphs of random nets."""
    from hypothesis import given

    from tests.differential.agreement import compiled, loaded
    from tests.differential.definitions import definitions
    from tests.strategies import steady

    found: list[Any] = []

    @steady(count, seed)
    @given(definitions())
    def draw(definition: Any) -> None:
        found.append(definition)

    draw()
    for place, definition in enumerate(found):
        yield f"random {seed}/{place}\n{definition.text}", compiled(loaded(definition.text)).graph


def looped(count: int, seed: int) -> Any:
    """The graphs of random nets of loops."""
    from tests.compiler.loop_nets import LoopNet
    from tests.define import define

    for place in range(seed, seed + count):
        text = LoopNet(place).text()
        yield f"loops {place}\n{text}", define(text).graph


def blocked(count: int, seed: int) -> Any:
    """The graphs of random nets of blocks."""
    from tests.compiler.block_nets import BlockNet
    from tests.define import define

    for place in range(seed, seed + count):
        text = BlockNet(place).text()
        yield f"blocks {place}\n{text}", define(text).graph


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", action="store_true")
    parser.add_argument("--random", type=int, default=0)
    parser.add_argument("--loops", type=int, default=0, help="random nets of loops")
    parser.add_argument("--blocks", type=int, default=0, help="random nets of blocks")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--compile", nargs="?", const="aot_eager", default="", metavar="BACKEND")
    parser.add_argument("--back", action="store_true", help="export and import what is written")
    parser.add_argument("--largest", type=float, help="parameters of nets that are trained too")
    parser.add_argument("--names", nargs="*", default=[])
    asked = parser.parse_args()
    torch.set_num_threads(1)
    bad = count = refused = not_exported = 0
    graphs = chain(
        library(asked.names) if asked.library or asked.names else (),
        drawn(asked.random, asked.seed) if asked.random else (),
        looped(asked.loops, asked.seed),
        blocked(asked.blocks, asked.seed),
    )
    for name, graph in graphs:
        count += 1
        try:
            held = sum(w.size for w in graph.parameters().values())
            small = asked.largest is None or held <= asked.largest
            sizes = sizes_for(graph, COMFORTABLE if asked.random else LEAST)
            apart, graded, _ = check(graph, backend=asked.compile, derivatives=small, sizes=sizes)
            try:
                other = read_back_apart(graph, sizes) if asked.back else ""
            except CallError as error:
                not_exported += 1
                other = "" if asked.random else str(error)
            if other:
                bad += 1
                print(f"{name}: read back it is another net, {other}")
        except Unwritable:
            refused += 1
            continue
        except Exception as error:
            bad += 1
            print(f"{name}: {type(error).__name__}: {str(error)[:400]}")
            traceback.print_exc(limit=-2)
            continue
        wrong = not (apart < BOUND and graded < BOUND)
        bad += wrong
        if wrong or asked.library or asked.names:
            print(f"{name}: outputs {apart:.1e}, derivatives {graded:.1e}" + " DIFFERS" * wrong)
        sys.stdout.flush()
    print(f"{count} nets, {refused} refused for their names, {bad} differ")
    if not_exported:
        print(f"{not_exported} that PyTorch does not export to ONNX")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
