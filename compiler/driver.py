"""The stages of the compiler in order; each can be the last.

    read ▸ parse ▸ elaborate ▸ verify ▸ analyse ▸ contracts ▸ (initialise ▸ optimise ▸ lower)

The part in brackets needs numpy and onnx, and imports them when it is reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from compiler.analysis import Analysis, analyse
from compiler.contracts import check_contracts
from compiler.elaborate import Elaborated, Made, elaborate
from compiler.elaborate.state import MOST_STEPS
from compiler.files import Files
from compiler.graph import Graph
from compiler.lints import LintContext, lint, lint_names
from compiler.options import USUAL, CompileOptions
from compiler.symbols.modules import Closure, Loader, Module
from compiler.verify import verify
from grammar.diagnostics import DefinitionError, Diagnostic, deduplicate
from grammar.parse import Parsed
from grammar.records import dataclass
from grammar.source import Source

if TYPE_CHECKING:
    import onnx

    from compiler.training.model import TrainingPlan

MOST_STEPS_OF_FILE = 30_000  # after so many, no other item of a file is checked
STEPS_OF_ITEM = 20  # that the smallest net or training takes


@dataclass(frozen=True)
class Checked:
    """One net that went through the checks: its graph, its measures, and what was found.

    `made` says what each stage of the text made in each of its calls, `doc` is the comment above
    the net, `steps` how much there was to do. A net with a mistake, or with a statement that was
    already broken in the text, has no analysis.
    """

    graph: Graph
    analysis: Analysis | None
    diagnostics: tuple[Diagnostic, ...]
    made: tuple[Made, ...] = ()
    doc: str = ""
    steps: int = 0

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that are not mere warnings."""
        return tuple(d for d in self.diagnostics if d.severity == "error")


@dataclass(frozen=True)
class CheckedTraining:
    """One training that went through the checks; None in place of one with a mistake."""

    name: str
    training: TrainingPlan | None
    diagnostics: tuple[Diagnostic, ...]
    steps: int = 0


def load(source: Source, files: Files | None = None, *, parsed: Parsed | None = None) -> Module:
    """Parse a source and follow `use` to what `files` allow; raises `DefinitionError`.

    `parsed` is its tree, where that is known.
    """
    return Loader(files or Files()).load(source, parsed).whole()


def examine(source: Source, files: Files | None = None) -> Module:
    """What `load` loads, with its mistakes in `diagnostics`: nets go on being checked."""
    return Loader(files or Files()).load(source)


def check_net(net: Closure, overrides: Mapping[str, Any] | None = None) -> Checked:
    """Elaborate, verify, analyse and hold one net to its contracts; mistakes are collected."""
    try:
        elaborated: Elaborated = elaborate(net, overrides)
    except RecursionError:
        deep = Diagnostic.of("E209", "this net is nested too deeply", net.definition.name.span)
        return Checked(Graph(net.name), None, (deep,), steps=MOST_STEPS)
    graph, made, found = elaborated.graph, elaborated.made, list(elaborated.diagnostics)
    steps = elaborated.steps
    if found or elaborated.damaged:
        return Checked(graph, None, tuple(found), made, steps=steps)
    found += verify(graph)
    if any(d.severity == "error" for d in found):
        return Checked(graph, None, tuple(found), made, steps=steps)
    analysis = analyse(graph)
    if elaborated.contracts:
        found += check_contracts(elaborated, analysis)
    found += lint(LintContext(elaborated, analysis))
    found = deduplicate(found) if found else []
    return Checked(graph, analysis, tuple(found), made, net.definition.doc, steps)


def check_training(item: Closure, overrides: Mapping[str, Any] | None = None) -> CheckedTraining:
    """Read and check one `train` item; mistakes are collected."""
    from compiler.training.elaborate import elaborate_training

    elaborated = elaborate_training(item, overrides)
    return CheckedTraining(item.name, elaborated.training, elaborated.diagnostics, elaborated.steps)


class FileCheck:
    """Checks the items of one file, until those before have taken `MOST_STEPS_OF_FILE` steps."""

    def __init__(self) -> None:
        self.steps = 0
        self.refusal: tuple[Diagnostic, ...] = ()

    def net(self, net: Closure, overrides: Mapping[str, Any] | None = None) -> Checked:
        """As `check_net`, or a refusal."""
        if self.is_full(net):
            return Checked(Graph(net.name), None, self.refusal)
        checked = check_net(net, overrides)
        self.steps += max(checked.steps, STEPS_OF_ITEM)
        return checked

    def training(
        self, item: Closure, overrides: Mapping[str, Any] | None = None
    ) -> CheckedTraining:
        """As `check_training`, or a refusal."""
        if self.is_full(item):
            return CheckedTraining(item.name, None, self.refusal)
        checked = check_training(item, overrides)
        self.steps += max(checked.steps, STEPS_OF_ITEM)
        return checked

    def is_full(self, item: Closure) -> bool:
        """Whether too much was checked already to check one more; it is said of the first."""
        if self.steps >= MOST_STEPS_OF_FILE and not self.refusal:
            message = f"what stands above takes more than {MOST_STEPS_OF_FILE:_} steps to unroll"
            place = item.definition.name.span
            label = "this and what follows is not checked"
            help = "another file for it"
            self.refusal = (Diagnostic.of("E209", message, place, label=label, help=help),)
        return bool(self.refusal)


def all_found(
    module: Module,
    checked: Iterable[Checked],
    trainings: Iterable[CheckedTraining] | None = None,
) -> list[Diagnostic]:
    """Everything that is wrong or doubtful in a file and its nets, each once, its own text first.

    The file's trainings are checked here unless they were before. Names that nothing uses are only
    told of in a file without errors.
    """
    if trainings is None:
        trainings = map(FileCheck().training, module.trainings())
    found = [*module.diagnostics, *(d for one in checked for d in one.diagnostics)]
    found += [d for one in trainings for d in one.diagnostics]
    if not any(d.severity == "error" for d in found):
        found += lint_names(module.file, [item.name for item in module.used_trainings()])
    source = module.file.source
    return sorted(deduplicate(found), key=lambda d: d.span.source is not source)


def compile_graph(
    graph: Graph, options: CompileOptions = USUAL, *, doc: str = ""
) -> onnx.ModelProto:
    """Initial numbers for what has none, the passes, and the ONNX model; `doc` describes it."""
    from compiler import passes
    from compiler.initialise import initialise, is_seeded
    from compiler.onnx.lower import lower

    metadata = {"netc.seed": str(options.seed)} if is_seeded(graph) else {}
    graph = initialise(graph, options.seed)
    if options.optimise:
        graph = passes.optimise(graph)
    return lower(graph, options, doc=doc, metadata=metadata)


def require(checked: Checked) -> Graph:
    """The graph of a net without errors; raises `DefinitionError` with all that was found."""
    if checked.errors:
        raise DefinitionError(checked.diagnostics)
    return checked.graph
