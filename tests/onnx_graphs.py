"""Random ONNX graphs: each is imported with the same numbers, or refused for what it holds.

`python -m tests.onnx_graphs 5000 --seed 1` draws that many graphs (`importers/random_onnx.py`,
`importers/random_idioms.py`), and holds the recompiled import against ONNX Runtime on the original,
without asking the import's own proof; what the proof says is held against that. Each third leaves
sizes open, and its import must take whatever sizes the original takes. It tells of each that
computes something else, ends in an error of netc's own, is proved wrongly, or is narrower than its
original, and saves it in the current folder.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from compiler.driver import compile_graph
from compiler.importers.define import Defined, define
from compiler.importers.from_onnx import import_onnx
from compiler.importers.imported import Imported, UnreadableError
from grammar.diagnostics import DefinitionError
from runtime.random_inputs import sizes_for
from runtime.session import RunError, open_session
from runtime.verify.imported import Feeds, compare_imported, feeds_for
from runtime.verify.options import VerifyOptions
from runtime.verify.proof import UnprovedError, prove
from tests.importers.random_onnx import draw

BAD = ("wrong", "error", "unproved", "misjudged", "narrowed")
SIZES = (5, 7, 8, 9, 12, 16, 18)  # windows fit, which must in a definition


def outcome(model: onnx.ModelProto) -> tuple[str, str]:
    """What becomes of a model, in a word, and why."""
    try:
        imported = import_onnx(model, "random.onnx")
        defined = define(imported)
    except DefinitionError as error:
        own = [d.message for d in error.diagnostics if d.code not in ("E601", "E209")]
        return ("error", own[0]) if own else ("refused", error.diagnostics[0].message)
    except UnreadableError as error:  # nothing was drawn
        return "refused", str(error)
    except Exception:
        return "error", traceback.format_exc(limit=-3)
    try:
        feeds = feeds_for(imported.graph, model, sizes=sizes_for(defined.graph))
        wanted = open_session(model, "cpu", optimise=False).run(feeds.theirs)
    except RunError as error:
        return "skipped", str(error)
    try:
        found = computed(defined, feeds)
    except Exception:
        return "error", traceback.format_exc(limit=-3)
    narrower = refused_sizes(model, defined)
    if narrower:
        told = any("may take more" in note for note in imported.notes)
        return "told" if told else "narrowed", narrower
    return judged(model, imported, defined, feeds, wanted, found)


def opened(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with its inputs' sizes open, but for batch and channels."""
    free = onnx.ModelProto()
    free.CopyFrom(model)
    for value in free.graph.input:
        for size, name in zip(value.type.tensor_type.shape.dim[2:], "HW", strict=False):
            size.dim_param = name
    return free


def refused_sizes(model: onnx.ModelProto, defined: Defined) -> str:
    """Sizes that the original runs at and its import refuses, with the reason; none: empty."""
    domain = defined.graph.domain
    if domain is None or not domain.names:
        return ""
    session = open_session(model, "cpu", optimise=False)
    for turn in range(len(SIZES)):
        sizes = {name: SIZES[(turn + 3 * i) % len(SIZES)] for i, name in enumerate(domain.names)}
        violated = domain.contains(sizes)
        if violated:
            try:
                made = session.run(feeds_for(defined.graph, model, sizes=sizes).theirs)
            except RunError:
                continue
            if all(value.size for value in made.values()):
                return f"{sizes} run, but {', '.join(violated)}"
    return ""


def computed(defined: Defined, feeds: Feeds) -> dict[str, NDArray[Any]]:
    """What the recompiled import gives; without the rewrites of ONNX Runtime where these fail."""
    model = compile_graph(defined.graph)
    try:
        return open_session(model, "cpu").run(feeds.ours)
    except RunError:
        return open_session(model, "cpu", optimise=False).run(feeds.ours)


def judged(
    model: onnx.ModelProto,
    imported: Imported,
    defined: Defined,
    feeds: Feeds,
    wanted: dict[str, NDArray[Any]],
    found: dict[str, NDArray[Any]],
) -> tuple[str, str]:
    """Whether the numbers are the same, and whether the proof says so too."""
    pairs = list(zip(imported.graph.outputs, wanted, strict=True))
    right = all(is_near(found[ours], wanted[theirs]) for ours, theirs in pairs)
    if not right:
        comparison = compare_imported(imported, model, VerifyOptions(bisect=True), feeds)
        if not comparison.ok:  # a network of nothing but NaN proves nothing, and is refused
            told = comparison.failures or comparison.first_difference
            return "wrong" if told else "skipped", comparison.sentence("cpu")
    try:
        proof = prove(imported, defined, model)
    except UnprovedError as error:
        everywhere = [value for value in wanted.values() if np.isfinite(value).any()]
        return ("unproved", str(error)) if everywhere else ("skipped", str(error))
    if proof.failed is not None:
        return "misjudged", proof.failed.sentence("cpu")
    return ("same", "") if right else ("rounded", "")


def is_near(ours: NDArray[Any], theirs: NDArray[Any]) -> bool:
    """Whether two tensors are the same but for roundings of a short network."""
    if ours.shape != theirs.shape:
        return False
    finite = np.isfinite(theirs)
    scale = float(np.abs(theirs[finite]).max(initial=0.0))
    return bool(np.allclose(ours, theirs, rtol=1e-4, atol=1e-5 * scale, equal_nan=True))


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=5000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    words: Counter[str] = Counter()
    for number in range(options.count):
        seed = options.seed * 1_000_000 + number
        model = draw(seed) if number % 3 else opened(draw(seed))
        word, why = outcome(model)
        words[word] += 1
        if word in BAD:
            onnx.save(model, f"{word}_{seed}.onnx")
            print(f"{Path.cwd()}/{word}_{seed}.onnx: {why}", flush=True)
    print(f"{options.count} graphs: " + ", ".join(f"{n} {word}" for word, n in words.items()))
    return 1 if any(words[word] for word in BAD) else 0


if __name__ == "__main__":
    sys.exit(main())
