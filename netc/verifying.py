"""`netc verify`, what is compared with what, and how it is told."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from compiler.domain import Contradiction
from compiler.importers.from_onnx import import_onnx
from compiler.importers.imported import UnreadableError, with_valid_sizes
from compiler.initialise import initialise
from compiler.onnx.emitter import tensor_names
from compiler.onnx.precision import WORDS
from compiler.options import CompileOptions
from grammar.diagnostics import render
from netc.errors import say
from netc.models import is_onnx
from netc.options import NetChoice
from runtime.arrays import store_npy, store_npz
from runtime.errors import CallError
from runtime.onnx_file import read_model_file
from runtime.random_inputs import random_feeds, random_input, sizes_for
from runtime.verify.compare import compare_all
from runtime.verify.comparison import Comparison
from runtime.verify.first_difference import Place
from runtime.verify.imported import compare_imported
from runtime.verify.options import VerifyOptions
from runtime.verify.two_models import Side, compare_models
from runtime.weights.rename import WeightsFile


@dataclass(frozen=True)
class VerifyCall:
    """What a call of `netc verify` asks for, besides the files and the net."""

    options: VerifyOptions
    inputs: tuple[str, ...] = ()
    form: str = "text"
    weights: WeightsFile | None = None


def verify(file: str, other: str | None, call: VerifyCall, choice: NetChoice) -> bool:
    """The whole of the `verify` command; whether everything agrees."""
    return tell_all(comparisons(file, other, call, choice), call)


def tell_all(found: Iterable[tuple[str, Comparison]], call: VerifyCall) -> bool:
    """Say what each comparison found, by the net's name; whether everything agrees."""
    results = []
    for name, comparison in found:
        head = {"net": name, "device": call.options.device, "dtype": call.options.dtype}
        results.append(head | comparison.as_dict())
        if call.form == "text":
            tell(name, comparison, call.options)
    ok = all(result["ok"] for result in results)
    if call.form == "json":
        say(json.dumps(finite({"ok": ok, "nets": results}), indent=2))
    return ok


def finite(value: Any) -> Any:
    """The same for JSON, which has no infinity and no NaN: they become text."""
    match value:
        case dict():
            return {key: finite(item) for key, item in value.items()}
        case list() | tuple():
            return [finite(item) for item in value]
        case float() if not math.isfinite(value):
            return str(value)
    return value


def comparisons(
    file: str, other: str | None, call: VerifyCall, choice: NetChoice
) -> Iterator[tuple[str, Comparison]]:
    """Each comparison that the call means, with the net's name."""
    if other is not None:
        yield compare_two(file, other, call, choice)
        return
    if call.inputs:
        raise CallError("--input is for two models; one is verified on random input")
    if is_onnx(file):
        choice.refuse(call.weights)
        yield compare_import(Path(file), call.options, choice)
        return
    if call.weights is None:
        nets = choice.opened(file)
    else:
        nets = [choice.single(file, call.weights)]
    for net in nets:
        yield net.name, net.verify(**asdict(call.options))


def compare_import(path: Path, options: VerifyOptions, choice: NetChoice) -> tuple[str, Comparison]:
    """The imported graph in NumPy against the original; in another precision against ours."""
    model = read_model_file(path)
    try:
        imported = import_onnx(model, path.name, shapes=choice.shapes)
        imported = replace(imported, graph=with_valid_sizes(imported.graph))
    except (UnreadableError, Contradiction) as error:
        raise CallError(str(error)) from None
    if options.dtype != "f32":
        graph = initialise(imported.graph, options.seed)
        feeds = random_feeds(graph, options.seed, options.batch)
        return graph.name, compare_all(graph, feeds, options)
    return imported.graph.name, compare_imported(imported, model, options)


def compare_two(
    file: str, other: str, call: VerifyCall, choice: NetChoice
) -> tuple[str, Comparison]:
    """Two models, or a definition and a model, on one device."""
    if is_onnx(file) and is_onnx(other):
        choice.refuse(call.weights)
        if call.options.dtype != "f32":
            raise CallError("an ONNX file has its precision inside: no --dtype")
    first = side_of(file, call, choice)
    comparison = compare_models(
        first,
        side_of(other, call, choice),
        random_arrays(choice, call.options) | given_arrays(call.inputs),
        call.options,
    )
    return first.name, comparison


def side_of(file: str, call: VerifyCall, choice: NetChoice) -> Side:
    """A model file, or a definition compiled; layers keep their names when one is looked for."""
    if is_onnx(file):
        return Side(file, read_model_file(Path(file)))
    net = replace(choice, shapes={}).single(file, call.weights)
    asked = call.options
    model = net.model_of(CompileOptions(asked.seed, not asked.bisect, dtype=asked.dtype))
    names = tensor_names(net.graph)
    places = {names[node.name]: Place.of(node) for node in net.graph.nodes()}
    return Side(net.name, model, places, sizes_for(net.graph))


def random_arrays(choice: NetChoice, options: VerifyOptions) -> dict[str, NDArray[Any]]:
    """Random numbers for the inputs whose shapes `--shape` says."""
    return {
        name: random_input(name, (options.batch, *shape), seed=options.seed)
        for name, shape in choice.shapes.items()
    }


def given_arrays(inputs: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The arrays of `--input`: `name=x.npy`, or an .npz with arrays by name."""
    found: dict[str, NDArray[Any]] = {}
    for text in inputs:
        name, equals, path = text.partition("=")
        if equals and Path(path).suffix == ".npy":
            found[name] = store_npy(Path(path)).read()
        elif not equals and Path(text).suffix == ".npz":
            found |= {key: stored.read() for key, stored in store_npz(Path(text)).items()}
        else:
            raise CallError(f"--input takes name=x.npy, or an .npz with inputs by name, not {text}")
    return found


def tell(name: str, comparison: Comparison, options: VerifyOptions) -> None:
    """A comparison in words; what a bisection found as a diagnostic."""
    where = options.device
    if options.dtype != "f32":
        where += f", {WORDS[options.dtype]}"
    say(f"{name}: {comparison.sentence(where)}")
    if comparison.first_difference is not None:
        found = comparison.first_difference.diagnostic(comparison.subject, comparison.reference)
        say("\n" + render(found))
