"""Changed fields of Caffe and Darknet files and attributes of ONNX: each counts, or is told.

`python -m tests.mutations 5000` changes a field of a small file (its value, its name, whether it is
there, or how often), imports it, and holds what comes out against the plain reading, or against
ONNX Runtime: the same numbers, or a refusal. A file whose definition is the same as before must
mean the same, by a field that the plain reading knows, or a note or warning must name the field.
Nothing may end in a traceback, or take more than 10 s or 1 GB. `--seed` varies the changes; a
failing file is printed.
"""

from __future__ import annotations

import argparse
import re
import resource
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import onnx

from compiler.importers.from_caffe.schema import MESSAGES, fields_of
from compiler.importers.from_darknet.options import CHANGING, COMMON, IDLE
from compiler.importers.imported import Imported, UnreadableError
from compiler.options import CompileOptions
from grammar.diagnostics import DefinitionError
from grammar.source import Source
from grammar.unforeseen import CODE
from tests.importers import again
from tests.importers import test_plain_caffe as caffe
from tests.importers import test_plain_darknet as darknet
from tests.importers.caffe_nets import NETS as CAFFE
from tests.importers.plain_caffe import Plain

SECONDS, KILOBYTES = 10.0, 2**20
MOST_SIZE = 200_000  # numbers in a tensor of a network that is run
LIKELY = ["0", "1", "2", "3", "4", "6"]
OTHERS = [*LIKELY, "5", "-1", "-2", "7", "0.5", "1e3", "100000", "4294967296", "1e400"]
FLAGS = ["true", "false"]
WORDS = ["true", "false", "MAX", "AVE", "SUM", "FLOOR", "CEIL", "INFERENCE", "LEARN", '"w"', "nan"]
READ = """size stride stride_x stride_y pad padding dilation groups group_id activation from layers
    batch_normalize scale temperature spatial probability alpha beta kappa noadjust filters layers
    share_index crop_height crop_width output type"""
REFUSED = ("type", "bottom")
MODELS = sorted(again.NETS)
ACTIVATIONS = ["leaky", "relu", "linear", "gelu", "mish", "stair", "Leaky"]


@dataclass(frozen=True)
class Change:
    """A file with one field changed, and what was done to which."""

    base: str
    field: str
    what: str
    text: str


@dataclass(frozen=True)
class Spot:
    """Where a field stands: from its name to the end of its value."""

    name: str
    value: str
    start: int
    end: int


def caffe_spots(text: str) -> list[Spot]:
    """The scalar fields of a prototxt but for those that name layers."""
    body = text.index("layer", text.index("Input") + 1)
    found = re.finditer(r'(\w+): ("[^"]*"|[^\s{}"]+)', text)
    return [
        Spot(m[1], m[2], m.start(), m.end())
        for m in found
        if m.start() > body and m[1] not in ("name", "top")
    ]


def cfg_spots(text: str) -> list[Spot]:
    """The options of a cfg behind its [net]."""
    body = text.index("[", 1)
    found = re.finditer(r"([\w]+)=(.*)\n", text)
    return [Spot(m[1], m[2], m.start(), m.end()) for m in found if m.start() > body]


def slip(name: str, choices: Random) -> str:
    """A name with a slip of the hand."""
    at = choices.randrange(len(name))
    ways = [name[:at] + name[at + 1 :], name[:at] + "x" + name[at:], name[:at] + name[at:][::-1]]
    return choices.choice([way for way in ways if way and way != name] or ["x"])


def likely(value: str, kind: str, choices: Random) -> list[str]:
    """Values to put in the place of one: mostly such as could stand there."""
    if choices.random() < 0.2:
        return OTHERS + (WORDS if kind == "caffe" else ACTIVATIONS)
    if value in FLAGS:
        return FLAGS
    if value[0].isalpha() or value[0] == '"':
        return WORDS if kind == "caffe" else ACTIVATIONS
    return LIKELY + (["0.25", "2.5"] if "." in value else [])


def changed(kind: str, base: str, text: str, choices: Random) -> Change:
    """One field of a file changed."""
    form = "{}: {} " if kind == "caffe" else "{}={}\n"
    spots = caffe_spots(text) if kind == "caffe" else cfg_spots(text)
    # What is there of another kind, or reads another blob, is nearly always refused.
    spots = [spot for spot in spots if spot.name not in REFUSED or choices.random() < 0.2]
    way = choices.choice(["value", "value", "value", "name", "drop", "twice", "insert", "insert"])
    if way == "insert" or not spots:
        return inserted(kind, base, text, choices)
    spot = choices.choice(spots)
    name, value = spot.name, spot.value
    if way == "value":
        value = choices.choice([other for other in likely(value, kind, choices) if other != value])
        field = form.format(name, value)
    elif way == "name":
        name = slip(name, choices)
        field = form.format(name, value)
    elif way == "drop":
        field = ""
    else:
        other = choices.choice(likely(value, kind, choices))
        field = form.format(name, value) + form.format(name, other)
    what = f"{way} {spot.name}={spot.value} -> {field.strip()}"
    return Change(base, name, what, text[: spot.start] + field + text[spot.end :])


def inserted(kind: str, base: str, text: str, choices: Random) -> Change:
    """A field more, of those that some layer has."""
    if kind == "caffe":
        places = [m for m in re.finditer(r"(\w+_param) \{", text) if m[1] != "input_param"]
        if not places:
            return changed(kind, "residual", CAFFE["residual"], choices)
        place = choices.choice(places)
        known = MESSAGES[place[1]] if choices.random() < 0.8 else " ".join(MESSAGES.values())
        name = re.split("[:=]", choices.choice(known.split()).lstrip("-"))[0]
        rule = fields_of(place[1]).get(name)
        values = FLAGS if rule and rule.kind == "bool" else OTHERS + WORDS
        if rule and rule.names:
            values = list(rule.names)
        field, at = f" {name}: {choices.choice(values)} ", place.end()
    else:
        place = choices.choice(list(re.finditer(r"\[(\w+)\]\n", text))[1:])
        rare = [COMMON, *IDLE.values(), *map(" ".join, CHANGING.values())]
        name = choices.choice(" ".join(rare).split() if choices.random() < 0.3 else READ.split())
        values = ACTIVATIONS if name == "activation" else OTHERS
        field = f"{name}={choices.choice(values)}\n"
        at = place.end()
    return Change(base, name, f"insert {field.strip()}", text[:at] + field + text[at:])


def attribute(model: onnx.ModelProto, choices: Random) -> tuple[str, str]:
    """Change an attribute of a model in place: its name and what was done."""
    nodes = [node for node in model.graph.node if node.attribute] or list(model.graph.node)
    node = choices.choice(nodes)
    way = choices.choice(["value", "value", "value", "name", "drop", "insert", "type", "domain"])
    if way == "domain":
        node.domain = choices.choice(["custom", "com.microsoft", "ai.onnx"])
        return "domain", f"{node.op_type} of {node.domain}"
    if way == "insert" or not node.attribute:
        name = choices.choice(
            ["axis", "alpha", "group", "auto_pad", "ceil_mode", "mode", "keepdims"]
        )
        value = choices.choice([1, 0, 2, 0.5, "SAME_UPPER", [1, 1], "linear"])
        if all(a.name != name for a in node.attribute):
            node.attribute.append(onnx.helper.make_attribute(name, value))
        return name, f"{node.op_type}: {name}={value} more"
    chosen = choices.choice(list(node.attribute))
    name, value = chosen.name, onnx.helper.get_attribute_value(chosen)
    if way == "name":
        chosen.name = slip(name, choices)
    elif way == "drop":
        node.attribute.remove(chosen)
    else:
        other = varied(value, choices) if way == "value" else choices.choice([0.5, [2, 1], "x", 3])
        chosen.CopyFrom(onnx.helper.make_attribute(name, other))
        return name, f"{node.op_type}: {name}={value} -> {other}"
    return name, f"{node.op_type}: {way} {name}={value} -> {chosen.name}"


def refusal(error: DefinitionError | UnreadableError) -> str:
    """A refusal, unless it is netc's own error in a refusal's clothes."""
    found = error.diagnostics if isinstance(error, DefinitionError) else []
    own = [diagnostic.message for diagnostic in found if diagnostic.code == CODE]
    return f"!traceback: {own[0]}" if own else "refused"


def varied(value: Any, choices: Random) -> Any:
    """Another value of an attribute's type."""
    if isinstance(value, int):
        return value + choices.choice([1, -1, 2, 100])
    if isinstance(value, float):
        return choices.choice([0.0, 0.5, 2.0, -1.0, value * 1.5])
    if isinstance(value, bytes):
        return choices.choice(["SAME_UPPER", "VALID", "linear", "nearest", "reflect", "x"])
    numbers = [choices.choice([0, 1, 2, 3, int(number)]) for number in value]
    return numbers if choices.random() < 0.8 else numbers[1:] or [1, 1, 1]


def judge_onnx(base: str, choices: Random) -> tuple[str, str]:
    """What became of a model with an attribute changed, and what that was; raises `Wrong`."""
    graph = again.graph_of(base)
    model = again.compile_graph(graph, CompileOptions(optimise=False))
    before = described(again.import_onnx(model, "m.onnx"))
    field, what = attribute(model, choices)
    try:
        imported = again.import_onnx(model, "m.onnx")
        defined = again.define(imported)
    except (DefinitionError, UnreadableError) as error:
        return refusal(error), what
    feeds = again.feeds_of(graph)
    try:
        wanted = again.open_session(model.SerializeToString(), "cpu").run(feeds)
    except Exception:
        return "refused by the runtime", what
    found = again.run_reference(defined.graph, feeds)
    for name, value in wanted.items():
        bound = 1e-3 * max(1.0, float(np.abs(value).max()))
        if found[name].shape != value.shape or not np.allclose(found[name], value, 1e-3, bound):
            return f"!wrong: {name} differs", what
    told = any(field in warning.message for warning in imported.warnings)
    return "told" if told else "other" if described(imported) != before else "same", what


def changes(count: int, seed: int) -> Iterator[tuple[str, Change]]:
    """So many changed files."""
    for number in range(count):
        choices = Random(f"{seed} {number}")
        kind = choices.choice(["caffe", "darknet", "onnx"])
        if kind == "onnx":
            yield kind, Change(choices.choice(MODELS), "", f"{seed} {number}", "")
            continue
        nets = CAFFE if kind == "caffe" else darknet.NETS
        base = choices.choice(sorted(nets))
        yield kind, changed(kind, base, nets[base], choices)


class Wrong(Exception):
    """A change that is not told, or means something else; the text says what."""


def judge(kind: str, change: Change) -> str:
    """What became of a changed file: refused, other, same; raises `Wrong`."""
    read = caffe.import_caffe if kind == "caffe" else darknet.import_darknet
    nets = CAFFE if kind == "caffe" else darknet.NETS
    if kind == "onnx":
        verdict, what = judge_onnx(change.base, Random(change.what))
        return f"{verdict}: {what}"
    try:
        imported = read(Source("x", change.text))
    except (DefinitionError, UnreadableError) as error:
        return refusal(error)
    if any(size > MOST_SIZE for size in sizes_of(imported)):
        return "too large to run"
    try:
        if kind == "caffe":
            caffe.assert_as_plain(change.text, caffe.define(imported))
        else:
            darknet.assert_as_plain(change.text)
    except MemoryError:
        return "too large to run"
    except Exception as error:
        raise Wrong(f"{type(error).__name__}: {str(error)[:300]}") from error
    before = read(Source("x", nets[change.base]))
    if described(before) != described(imported):
        return "other"
    told = [note for note in imported.notes if note.startswith("not read")]
    told += [warning.message for warning in imported.warnings]
    if any(change.field in re.findall(r"\w+", line) for line in told):
        return "told"
    refused_unless_0 = [name for names in CHANGING.values() for name in names]
    known = known_to_plain(change.text) if kind == "caffe" else {*READ.split(), *refused_unless_0}
    if change.field not in known:
        raise Wrong(f"{change.field} changed and nothing says so")
    return "same"


def known_to_plain(text: str) -> set[str]:
    """The fields that the plain reading asks for."""
    plain = Plain(text, caffe.scatter(caffe.imported(text).graph).values)
    plain.run(caffe.feeds_of(text))
    return plain.used


def described(imported: Imported) -> list[str]:
    """What a network is, layer by layer, and what is said of it."""
    layers = [f"{node.op} {node.inputs} {node.owner}" for node in imported.graph.nodes()]
    return [*layers, *imported.notes]


def sizes_of(imported: Imported) -> Iterator[int]:
    """How many numbers each tensor has, parameters included."""
    graph = imported.graph
    for node in graph.nodes():
        count = 1
        for size in node.shape:
            count *= size if isinstance(size, int) else 1
        yield count
        yield from (weight.size for weight in graph.weights(node))


def attempt(kind: str, change: Change) -> str:
    """The verdict on a change; what is wrong begins with an exclamation mark."""
    started = time.process_time()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        verdict = judge(kind, change)
    except Wrong as wrong:
        verdict = f"!wrong: {wrong}"
    except Exception:
        verdict = "!traceback: " + traceback.format_exc()[-600:]
    if time.process_time() - started > SECONDS:
        verdict = f"!slow: {time.process_time() - started:.1f} s"
    if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before > KILOBYTES:
        verdict = "!large"
    return verdict


def main() -> int:
    """Try so many changes and print what became of them; 1 if any was wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    verdicts: Counter[str] = Counter()
    for kind, change in changes(arguments.count, arguments.seed):
        verdict = attempt(kind, change)
        verdicts[f"{kind}: {verdict.partition(':')[0]}"] += 1
        if verdict.startswith("!"):
            print(f"{kind} {change.base}: {change.what}\n{verdict}\n", flush=True)
    for name, number in sorted(verdicts.items()):
        print(f"{number:6} {name}")
    return 1 if any("!" in name for name in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
