"""The script of a training: the parts that it needs, in order."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from compiler.graph import Graph
from compiler.initialise import distribution, initial_gains
from compiler.ops.base import Op, Weight
from compiler.ops.losses import Accuracy, Loss
from compiler.ops.training import BatchNormTraining
from compiler.torch.attributes import Unwritable
from compiler.torch.helpers import HELPERS
from compiler.torch.imports import imports
from compiler.torch.lines import wrapped
from compiler.torch.script import loop
from compiler.torch.script.augmenting import augment_functions, shares
from compiler.torch.script.pictures import OPENED, function_name, is_picture, picture_function
from compiler.torch.script.steps import StepNet, refused, step_functions, used_nets
from compiler.torch.script.updates import rate_functions, update_texts
from compiler.torch.source import SourceMaker, joined, source_of
from compiler.training.layout import layout_of
from compiler.training.mode import in_training
from compiler.training.model import TrainingPlan
from grammar import syntax as s

SPLIT = 0.1  # of the data, held out where something is reported and nothing else is said
SAVE_EVERY = 300.0  # seconds between two states within an epoch
# Classes that a script imports, and the names that it defines: functions, classes, constants.
IMPORTED = frozenset({"DataLoader", "Image", "ImageOps", "Path"})
DEFINED = re.compile(r"(?<=^class )\w+|(?<=^def )\w+|\b[A-Z]{4,}\b", re.MULTILINE)


def write_script(training: TrainingPlan) -> str:
    """A program that trains as `netc train` does; raises `DefinitionError` (E605)."""
    used = used_nets(training)
    words = {word for word, holds in conditions(training).items() if holds}
    steps, shows, helpers = step_functions(training, used)
    rates, names = rate_functions(training)
    updates = [*update_texts(training, names)]
    rest = [loop.PLATEAU] if any("plateau(" in text for text in rates) else []
    rest += rates
    rest += [loop.CHOSEN] if any("chosen(" in text for text in updates) else []
    rest += [loop.APART] if any("apart(" in text for text in updates) else []
    rest += [loop.LION] if any("Lion(" in text for text in updates) else []
    rest += [loop.UPDATE, updates_function(updates), loop.NUMBERS]
    rest += data_parts(training, words)
    rest += [loop.NOISES] if "noise" in words else []
    rest += augment_functions(training)
    rest += [loop.BATCHES, loop.PROCESSES, loop.LOOP]
    rest += [loop.SHOW] if "shows" in words else []
    rest += [loop.FILES]
    rest += [expects_function(training)] if training.expects else []
    rest += [step_table(training), loop.MAIN, 'if __name__ == "__main__":\n    main()']
    taken = {name for part in (*steps, *shows, *rest) for name in DEFINED.findall(part)}
    sources = dict(net_sources(training, used, taken | IMPORTED))
    for source in sources.values():
        helpers |= source.uses
    parts = [constants(training)]
    parts += [HELPERS[name].source for name in HELPERS if name in helpers]
    parts += [part for source in sources.values() for part in source.parts]
    parts += [tables(training, sources), *steps, *shows, *rest]
    body = joined([loop.chosen_lines(part, words) for part in parts])
    body = "\n".join(part for line in body.splitlines() for part in long(line)) + "\n"
    return f"{header(training)}\n{imports(body)}\n\n{body}"


def long(line: str) -> list[str]:
    """A line in several where it is too long for a line of its own."""
    return wrapped(line) if len(line) > 100 and not line.lstrip().startswith("#") else [line]


def net_sources(
    training: TrainingPlan, used: Mapping[str, StepNet], taken: Collection[str]
) -> Iterator[tuple[str, SourceMaker]]:
    """The classes of each net, none with a name that is `taken`, and what makes it.

    Raises E605 for names that a module cannot have.
    """
    taken = {*taken}
    for prefix, net in used.items():
        try:
            source = source_of(net.graph, taken=taken)
        except Unwritable as error:
            raise refused(
                f"net {prefix} cannot be said in PyTorch: {error}", place_of(training, prefix)
            ) from None
        taken |= {made.name for made in source.classes} | {f"{source.name}Outputs"}
        yield prefix, source


def place_of(training: TrainingPlan, prefix: str) -> Any:
    """Where a training first calls a net."""
    for step in training.steps:
        for node in step.graph.nodes():
            if node.call_stack and node.call_stack[0].block == prefix:
                return node.call_stack[0].span
    return training.span


def conditions(training: TrainingPlan) -> dict[str, bool]:
    """Which lines of `loop` a training has."""
    pictures = [part for part in training.data if is_picture(part)]
    labels = [part for part in training.data if part.classes is not None]
    graphs = [in_training(step.graph, step.evaluated) for step in training.steps]
    updates = [update.optimiser for step in training.steps for update in step.updates]
    return {
        "data": bool(training.data),
        "noise": bool(training.noises),
        "pictures": bool(pictures),
        "resized": any(part.picture is not None for part in pictures),
        "folders": len(pictures) == 1
        and len(labels) <= 1
        and len(training.data) == len(pictures) + len(labels),
        "classes": bool(labels),
        "augments": bool(training.augments),
        "average": any(optimiser.average is not None for optimiser in updates),
        "shows": bool(training.shows),
        "expects": bool(training.expects),
        "norms": any(isinstance(n.op, BatchNormTraining) for g in graphs for n in g.nodes()),
        "frozen": bool(frozen(training)),
    }


def header(training: TrainingPlan) -> str:
    """What the script is and how it is run."""
    doc = "".join(f"{line}\n" for line in training.doc.splitlines())
    doc = doc.replace("\\", "\\\\").replace('"""', "'''") + ("\n" if doc else "")
    data = "--data D " if training.data else ""
    return f'''"""The training {training.name}, written by netc.

{doc}    python train.py {data}--out run [--resume]
    torchrun --nproc_per_node 2 train.py {data}--out run
    python train.py {data}--out run --ray 2

Processes share each batch. The folder gets log.csv, weights and the state of the run.
"""
'''


def constants(training: TrainingPlan) -> str:
    """What the data is, and how long it takes."""
    labels = [part.name for part in training.data if part.classes is not None]
    lines = [f"BATCH, EPOCHS, ACCUMULATE = {training.batch}, {training.epochs}, "]
    lines[0] += f"{training.steps[0].accumulate}"
    if training.data:
        share = SPLIT if training.reports or training.expects else 0.0
        lines.append(f"SPLIT = {share}  # of the data, held out where nothing else is said")
        entries = [f'"{p.name}": {p.classes or tuple(p.shape)}' for p in training.data]
        lines.append("# The parts of a sample: a shape, or how many classes there are.")
        lines.append(f"PARTS = {{{', '.join(entries)}}}")
        lines.append(f"CLASSES = {labels}")
    if shares(training):
        lines.append(f"SHARES = {shares(training)}  # classes that are fed as shares of all")
    if training.noises:
        entries = [f'"{n.name}": ({tuple(n.shape)}, "{n.distribution}")' for n in training.noises]
        lines.append(f"NOISE = {{{', '.join(entries)}}}")
    lines.append(f"SAVE_EVERY = {SAVE_EVERY}  # seconds between two states within an epoch")
    return "\n".join(lines).replace("'", '"')


def tables(training: TrainingPlan, sources: Mapping[str, SourceMaker]) -> str:
    """The nets, their first numbers, and which layers are never in training."""
    entries = [f'"{prefix}": {source.name}' for prefix, source in sources.items()]
    lines = [f"NETS = {{{', '.join(entries)}}}"]
    lines.append("# Normal numbers of a deviation, uniform ones up to a bound, constants.")
    lines.append("INITIAL = {")
    for net in training.nets:
        if net.prefix not in sources:
            continue
        lines.append(f'    "{net.prefix}": {{')
        for name, (kind, size) in first_numbers(net.graph).items():
            lines.append(f'        "{name}": ("{kind}", {size!r}),')
        lines.append("    },")
    lines.append("}")
    learned = {p for step in training.steps for u in step.updates for p in u.parameters}
    still = [
        net.prefix
        for net in training.nets
        if not any(f"{net.prefix}.{name}" in learned for name in net.graph.parameters())
    ]
    lines.append(f"STILL = {still}  # nets that no step moves")
    if frozen(training):
        lines.append(f"FROZEN = {frozen(training)}  # norms that no step moves")
    return "\n".join(lines).replace("'", '"')


def first_numbers(graph: Graph) -> dict[str, tuple[str, float]]:
    """How each parameter begins, where PyTorch would begin otherwise (`compiler.initialise`)."""
    gains = initial_gains(graph)
    found: dict[str, tuple[str, float]] = {}
    for node in graph.nodes():
        for weight in graph.weights(node):
            name = node.array(weight.name)
            if weight.buffer or weight.values is not None or name in found:
                continue
            kind, size = distribution(weight, gains.get(name, 1.0))
            if (kind, size) != ("constant", usual(node.op, weight)):
                found[name] = kind, size
    return found


def usual(op: Op, weight: Weight) -> float | None:
    """The constant that PyTorch's module begins an array with, if it does."""
    if op.name in ("bn", "groupnorm", "layernorm", "instancenorm"):
        return 1.0 if weight.name == "weight" else 0.0
    return 0.25 if op.name == "prelu" else None


def frozen(training: TrainingPlan) -> dict[str, list[str]]:
    """The norms of learning nets that run as after training, by net."""
    learned = {p for step in training.steps for u in step.updates for p in u.parameters}
    found: dict[str, list[str]] = {}
    for step in training.steps:
        for name in sorted(step.evaluated):
            node = step.graph[name]
            prefix, _, layer = node.parameters_of.partition(".")
            moves = any(parameter.startswith(f"{prefix}.") for parameter in learned)
            if moves and node.op.name in ("bn", "instancenorm"):
                layers = found.setdefault(prefix, [])
                layers += [layer] if layer not in layers else []
    return found


def updates_function(updates: list[str]) -> str:
    """The function that makes the optimisers."""
    lines = ["def updates_of(nets):", '    """What moves in each step, and how."""']
    lines += ["    return [", *(f"        {text}," for text in updates), "    ]"]
    return "\n".join(part for line in lines for part in wrapped(line))


def data_parts(training: TrainingPlan, words: set[str]) -> Iterator[str]:
    """The functions that read samples."""
    if not training.data:
        return
    pictures = [part for part in training.data if is_picture(part)]
    if pictures:
        yield OPENED
        yield from map(picture_function, pictures)
        entries = [f'"{part.name}": {function_name(part)}' for part in pictures]
        text = f"PICTURES = {{{', '.join(entries)}}}"
        named = [part.name for part in pictures if part.picture is not None]
        if named:
            text += f"\nRESIZED = {named}  # arrays of bytes are such pictures too"
        yield text.replace("'", '"')
    yield loop.SAMPLES
    if "folders" in words:
        labels = [part.name for part in training.data if part.classes is not None]
        text = loop.FOLDER.replace("PICTURE", pictures[0].name)
        yield text.replace("LABEL", labels[0] if labels else "")


def step_table(training: TrainingPlan) -> str:
    """The steps of a turn, what is measured, and what is best."""
    data = {part.name for part in training.data}
    layouts = [layout_of(step) for step in training.steps]
    turn, draws = [], 0
    for number in training.order:
        takes = any(name in data for name in layouts[number].batch)
        for place in range(layouts[number].accumulate):
            moves = place == layouts[number].accumulate - 1
            turn.append((number, moves, draws if takes else None))
            draws += takes
    measured = dict.fromkeys(n for step in training.steps for n in step.graph.outputs)
    lines = [
        f"STEPS = [{', '.join(step.name for step in training.steps)}]",
        f"OBJECTIVES = {[step.objective for step in training.steps]}",
        f"SIGNS = {[-1 if step.maximize else 1 for step in training.steps]}  # -1: it is maximised",
        f"MEASURED = {[*measured]}",
        "# The ticks of a turn: which step, whether its parameters move, which draw of the data.",
        f"TURN = {turn}",
        f"DRAWS = {draws}",
        f"BEST = {best(training)}  # what the best epoch is the best by; whether more is better",
    ]
    if training.shows:
        entries = [
            f'(show_{show.name}, {show.rows}, {show.columns}, "{show.name}")'
            for show in training.shows
        ]
        lines.append(f"SHOWS = [{', '.join(entries)}]")
    return "\n".join(lines).replace("'", '"')


def best(training: TrainingPlan) -> tuple[str, bool] | None:
    """What the best epoch is the best by, as `netc train` has it."""
    graph = training.evaluation
    if training.reports:
        op = graph[graph.outputs[training.reports[0]]].op
        return training.reports[0], isinstance(op, Accuracy) or not isinstance(op, Loss)
    if len(training.steps) > 1:
        return None
    return training.steps[0].objective, training.steps[0].maximize


# ── contracts ────────────────────────────────────────────────────────────────────────────────────

FUNCTIONS = {"min", "max", "abs", "sum", "round", "len"}
MATH = {"floor", "ceil", "log", "exp", "sqrt"}


class InPython(ast.NodeTransformer):
    """A condition with what is measured, and the values of its other names, in their places."""

    def __init__(self, measured: set[str], values: Mapping[str, Any]) -> None:
        self.measured, self.values = measured, values

    def visit_Name(self, node: ast.Name) -> ast.expr:  # as ast names it
        if node.id in self.measured:
            return ast.parse(f'found["{node.id}"]', mode="eval").body
        value = self.values.get(node.id)
        if isinstance(value, int | float | tuple | list):
            return ast.parse(repr(value), mode="eval").body
        if node.id in MATH:
            return ast.parse(f"math.{node.id}", mode="eval").body
        if node.id in FUNCTIONS:
            return node
        raise ValueError(node.id)


def in_python(condition: s.Expression, training: TrainingPlan) -> str:
    """A contract as Python; raises E605."""
    measured = {name for step in training.steps for name in step.graph.outputs}
    try:
        tree = ast.parse(f"({condition.span.text})", mode="eval")
        return ast.unparse(InPython(measured, training.constants).visit(tree)).replace("'", '"')
    except (SyntaxError, ValueError):
        raise refused("this contract cannot be said in Python", condition.span) from None


def expects_function(training: TrainingPlan) -> str:
    """The function that holds a run to its contracts."""
    lines = [
        "def unmet(row):",
        '    """Say what the training was to reach and has not; the exit code."""',
        '    found = {name: row.get(f"val_{name}", row.get(name)) for name in MEASURED}',
        "    expected = {",
    ]
    for condition in training.expects:
        text = " ".join(condition.span.text.split())
        lines.append(f"        {text!r}: {in_python(condition, training)},".replace("'", '"'))
    lines += [
        "    }",
        "    for text, holds in expected.items():",
        "        if not holds and rank() == 0:",
        '            print(f"a contract does not hold: {text}, measured {found}", file=sys.stderr)',
        "    return int(not all(expected.values()))",
    ]
    return "\n".join(lines)
