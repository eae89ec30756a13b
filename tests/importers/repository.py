"""Caffe and Darknet files of a folder, each imported and held against the plain readings.

`python -m tests.importers.repository FOLDER` imports every `.prototxt` and `.cfg` below a folder,
in a smaller size where it is large, gives it seeded weights and compares what the NumPy interpreter
makes of random inputs with the plain reading of the file. It prints a line for each that is wrong,
or ends in an error of netc's own, and a table in the end:

right       the outputs of the plain reading, and no parameter more or less
refused     with words, at a layer; `--refusals` lists them
no network  a solver, a file of labels, settings of something else
too large   more than can be computed here, at no size that fits
unread      the plain reading has no rule for a layer that was imported
wrong       other numbers, shapes, outputs or parameters
error       an error of netc's own, or a traceback
"""

from __future__ import annotations

import argparse
import re
import sys
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.dims import evaluate
from compiler.graph import Graph, Input
from compiler.importers.define import define
from compiler.importers.from_caffe import import_caffe
from compiler.importers.from_darknet import import_darknet
from compiler.importers.imported import Imported, UnreadableError, read_text
from compiler.initialise import scatter
from compiler.ops.shapes import known
from grammar.diagnostics import DefinitionError
from grammar.source import Source
from grammar.unforeseen import CODE
from runtime.reference import run_reference
from tests.importers import plain_darknet
from tests.importers.plain_caffe_file import PlainFile

MOST_MACS = 5 * 10**9
FACTORS = (1, 2, 3, 4, 6, 8)  # by which a picture is made smaller
STEP = 32  # a size of which stays one
PICTURE = (3, 64, 64)
UNSAID = re.compile("input (.+) cannot be expressed: its shape is not said")
DECODERS = {"yolo", "region", "detection", "Gaussian_yolo", "iseg"}
PASSED_OVER = {*DECODERS, "cost", "contrastive"}
BAD = ("wrong", "error")


class Wrong(Exception):
    """A difference; the text says which."""


def outcome(file: Path) -> tuple[str, str]:
    """What becomes of a file, in a word, and why."""
    try:
        text = read_text(file)
        if file.suffix == ".cfg":
            return judged(file, text, smaller_cfg(text), import_cfg, against_darknet)
        return judged(file, text, smaller_prototxt(file.name, text), import_prototxt, against_caffe)
    except Wrong as wrong:
        return "wrong", str(wrong)
    except (UnreadableError, UnicodeDecodeError) as error:
        return "no network", str(error)
    except DefinitionError as error:
        own = [found.message for found in error.diagnostics if found.code == CODE]
        if own:
            return "error", own[0]
        return "refused", "; ".join(dict.fromkeys(d.message for d in error.diagnostics))
    except MemoryError:
        return "too large", ""
    except Exception:
        return "error", traceback.format_exc(limit=-4)


def judged(file: Path, text: str, smaller: Any, read: Any, against: Any) -> tuple[str, str]:
    """A file as it is, or in the first smaller size that can be computed."""
    imported = read(file.name, text, {})
    if macs_of(imported.graph) <= MOST_MACS:
        return against(text, imported)
    for other, shapes in smaller:
        try:
            small = read(file.name, other, shapes)
        except DefinitionError:  # what fits at one size need not at another
            continue
        if macs_of(small.graph) <= MOST_MACS:
            return against(other, small)
    return "too large", ""


def macs_of(graph: Graph) -> int:
    """The multiplications for a sample, of a network without symbolic sizes."""
    costs = (node.op.macs(graph.input_shapes(node), node.shape) for node in graph.nodes())
    return sum(evaluate(cost, {}) for cost in costs)


# ---- Darknet


def import_cfg(name: str, text: str, shapes: Any) -> Imported:
    """A cfg."""
    return import_darknet(Source(name, text))


def smaller_cfg(text: str) -> Iterator[tuple[str, Any]]:
    """A cfg for smaller pictures, multiples of 32 as before."""
    for factor in FACTORS[1:]:

        def shrunk(found: re.Match[str], by: int = factor) -> str:
            return f"{found[1]}={max(int(found[2]) // by // STEP * STEP, STEP)}"

        yield re.sub(r"(?m)^\s*(height|width)\s*=\s*(\d+)", shrunk, text), {}


def against_darknet(text: str, imported: Imported) -> tuple[str, str]:
    """The maps that decoders read, or what the last layer makes."""
    graph = scatter(imported.graph)
    defined = define(replace(imported, graph=graph)).graph
    held = parameters_in_order(graph)
    (image,) = graph.inputs()
    x = np.random.default_rng(0).standard_normal(known(image.shape, image.name))
    plain = PlainDarknet(text, held)
    unknown = {name for name, _ in plain.sections[1:]} - {*plain_darknet.RULES, *PASSED_OVER}
    if unknown:
        return "unread", ", ".join(sorted(unknown))
    made = plain.run(x)
    if next(held, None) is not None:
        raise Wrong("parameters that the plain reading has not")
    names = [name for name, _ in plain.sections[1:]]
    wanted = [y for name, y in zip(names, made, strict=True) if name in DECODERS] or made[-1:]
    found = list(run_reference(defined, {image.name: x[None]}, np.float64).values())
    compare([y[None] for y in wanted], found)
    return "right", ""


class PlainDarknet(plain_darknet.Plain):
    """A whole cfg: sections that decode boxes or train pass on what they read."""

    def run(self, x: plain_darknet.Array) -> list[plain_darknet.Array]:
        """What each layer makes of a picture."""
        names = [name for name, _ in self.sections[1:]]
        decoders = [place for place, name in enumerate(names) if name in DECODERS]
        needed = self.needed(decoders or [len(names) - 1])
        for place, (name, options) in enumerate(self.sections[1:]):
            self.lender, self.count = -1, 0
            before = self.made[-1] if self.made else x
            passed = name in PASSED_OVER or place not in needed
            made = before if passed else plain_darknet.RULES[name](self, options, before)
            self.made.append(made)
        return self.made


def parameters_in_order(graph: Graph) -> Iterator[dict[str, Any]]:
    """Those of each layer that has some, in order."""
    for node in graph.nodes():
        names = [weight.name for weight in graph.weights(node)]
        if names and not node.owner:
            yield {name: graph.values[f"{node.name}.{name}"] for name in names}


# ---- Caffe


def import_prototxt(name: str, text: str, shapes: Mapping[str, Any]) -> Imported:
    """A prototxt; pictures whose shape it does not say are small ones."""
    try:
        return import_caffe(Source(name, text), shapes)
    except DefinitionError as error:
        said = (UNSAID.match(found.message) for found in error.diagnostics)
        unsaid = {found[1]: PICTURE for found in said if found and found[1] not in shapes}
        if not unsaid:
            raise
        return import_prototxt(name, text, {**shapes, **unsaid})


def smaller_prototxt(name: str, text: str) -> Iterator[tuple[str, Any]]:
    """Smaller shapes for the inputs that are pictures."""
    graph = import_prototxt(name, text, {}).graph
    shapes = {node.name: known(node.shape, node.name) for node in graph.inputs()}
    for factor in FACTORS[1:]:
        yield (
            text,
            {
                name: (shape[0], *(smaller(size, factor) for size in shape[1:]))
                for name, shape in shapes.items()
                if len(shape) == 3
            },
        )


def smaller(size: int, factor: int) -> int:
    """A size divided, with the same remainder of 8 as before, which is that of most networks."""
    return max(size // factor // STEP * STEP, STEP) + size % 8


def against_caffe(text: str, imported: Imported) -> tuple[str, str]:
    """Every output by the name of its blob, and those that nothing reads."""
    graph = scatter(define(imported).graph)
    random = np.random.default_rng(0)
    feeds = {
        node.name: random.standard_normal((2, *known(node.shape, node.name)))
        for node in graph.nodes()
        if isinstance(node.op, Input)
    }
    plain = PlainFile(text, graph.values)
    blobs = plain.run(feeds)
    found = run_reference(graph, feeds, np.float64)
    lost = [name for name in found if name not in blobs]
    if lost:
        return "unread", f"{', '.join(lost)}: {', '.join(sorted(set(plain.skipped)))}"
    compare([blobs[name] for name in found], list(found.values()))
    more = set(graph.values) - plain.taken
    if more:
        raise Wrong(f"parameters that the plain reading has not: {', '.join(sorted(more)[:5])}")
    missing = plain.unread - set(found) - set(feeds)
    if missing:
        raise Wrong(f"outputs of the plain reading that are none: {', '.join(sorted(missing)[:5])}")
    return "right", ""


def compare(wanted: list[NDArray[Any]], found: list[NDArray[Any]]) -> None:
    """Raise `Wrong` for the first difference beyond the rounding of constants of five digits."""
    if len(wanted) != len(found):
        raise Wrong(f"{len(found)} outputs, not {len(wanted)}")
    for place, (theirs, ours) in enumerate(zip(wanted, found, strict=True)):
        if theirs.shape != ours.shape:
            raise Wrong(f"output {place} is {ours.shape}, not {theirs.shape}")
        scale = float(np.abs(theirs).max(initial=0.0))
        error = float(np.abs(theirs - ours).max(initial=0.0))
        if not error <= 1e-4 * max(scale, 1e-30):
            raise Wrong(f"output {place} is off by {error:.3g} of {scale:.3g}")
        if not prod(theirs.shape) or not np.isfinite(scale):
            raise Wrong(f"output {place} holds no numbers")


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--refusals", action="store_true", help="list what was refused, and why")
    options = parser.parse_args()
    files = sorted(f for f in options.folder.rglob("*") if f.suffix in (".prototxt", ".cfg"))
    table: Counter[tuple[str, str]] = Counter()
    for file in files:
        word, why = outcome(file)
        table[file.suffix, word] += 1
        if word in (*BAD, "unread") or (options.refusals and word != "right"):
            print(f"{word}: {file}: {why}", flush=True)
    for (suffix, word), count in sorted(table.items()):
        print(f"{count:6} {suffix} {word}")
    return 1 if any(word in BAD for _, word in table) else 0


if __name__ == "__main__":
    sys.exit(main())
