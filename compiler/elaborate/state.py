"""A net while it is unrolled: what is known so far, where we are, how a mistake is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field, replace
from functools import cached_property
from types import TracebackType
from typing import Any, TypeAlias

from compiler.dims import Size
from compiler.domain import Facts
from compiler.evaluate import Evaluator
from compiler.graph import Draft, Graph
from compiler.layouts import declarations
from compiler.remedies.changes import BlockCall, Change
from compiler.remedies.edits import placed
from compiler.remedies.surroundings import Fits, Surroundings
from compiler.symbols.modules import Closure, diagnostic
from compiler.symbols.names import Makers
from compiler.symbols.scope import automatic_label
from compiler.values import Mistake, Scope, Silenced, Tensor, TooMuch, with_later_definition
from grammar import syntax as s
from grammar.diagnostics import CallStep, Diagnostic, LoopTurn, Remedy, deduplicate
from grammar.records import dataclass
from grammar.source import Span

MOST_NODES = 5_000
MOST_EDGES = 50_000  # tensors that the layers of a net take
MOST_RETRIED = 2_000  # layers of a net whose remedies are tried
MOST_TRIES = 4  # mistakes of a net whose remedies are tried
MOST_STEPS = 60_000  # stages and turns of loops run for a net, with or without layers in them
EDGES_OF_STEP, WORDS_OF_STEP = 10, 20  # tensors taken, and words evaluated, in the time of a step
MOST_CALLS = 60  # blocks inside blocks
MOST_REPORTS = 100


@dataclass
class Members:
    """What a call at `path` has made, by what it is called there: layers, and calls inside it.

    Another call that shares its parameters finds its own layers' owners by these names, which the
    labels of layers outside cannot take.
    """

    path: str
    layers: dict[str, str] = field(default_factory=dict)  # their full names
    calls: dict[str, Members] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)  # of what has no label, by op or block

    def unlabelled(self, word: str) -> str:
        """The next name in this call for an op or block without a label."""
        return automatic_label(self.counts, word, lambda n: n in self.layers or n in self.calls)

    def all_layers(self) -> Iterator[str]:
        """The full names of all layers, those of the calls inside too."""
        yield from self.layers.values()
        for call in self.calls.values():
            yield from call.all_layers()


@dataclass
class Frame:
    """One call of a block (or the net itself): where its layers' names begin, what entered it.

    `like` has the owners of the parameters that it uses; `given` are the values of its parameters.
    In a `seq` it is that of the call around it (`outer`) with a longer path, and `position` counts
    the layers; `caller` is the call that the call itself stands in.
    """

    path: str
    entered: Tensor | None
    call_stack: tuple[CallStep, ...]
    definition: s.Definition
    inner: bool
    members: Members
    like: Members | None = None
    outputs: dict[str, Tensor] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    caller: Frame | None = None
    outer: Frame | None = None
    position: Iterator[int] | None = None

    def name(self, local: str) -> str:
        """The full name of a label in this call."""
        return f"{self.path}.{local}" if self.path and local else self.path or local

    def levels(self) -> Iterator[Frame]:
        """Itself, and what it is a `seq` of, outwards up to the call."""
        level: Frame | None = self
        while level is not None:
            yield level
            level = level.outer

    def calls(self) -> Iterator[Frame]:
        """The calls around this place, the innermost first."""
        call: Frame | None = self
        while call is not None:
            yield call
            call = call.caller


@dataclass(frozen=True)
class Here:
    """A place in the unrolled net: the call, and the names between the innermost braces."""

    frame: Frame
    scope: Scope

    def inside(self) -> Here:
        """Between another pair of braces in the same call."""
        return Here(self.frame, Scope(self.scope))

    def in_branches(self) -> Here:
        """Between the braces of a join: its branches are no steps of a `seq`."""
        return Here(replace(self.frame, position=None), Scope(self.scope))

    def turns(self) -> tuple[str, ...]:
        """The turns of the loops around this place, in this call, outermost first."""
        return tuple(message for scope in self.scopes() for message in scope.turn)

    def loops(self) -> tuple[LoopTurn, ...]:
        """The same as data."""
        return tuple(scope.loop for scope in self.scopes() if scope.loop is not None)

    def scopes(self) -> list[Scope]:
        """The braces around this place, in this call, outermost first."""
        found: list[Scope] = []
        scope: Scope | None = self.scope
        while scope is not None and "in" not in scope.tensors:
            found.append(scope)
            scope = scope.parent
        return found[::-1]


@dataclass(frozen=True)
class Made:
    """What one stage of the text made in one of its calls; the editor's hints come from these.

    `flow` is what flowed into it.
    """

    stage: s.Stage
    tensor: Tensor
    call_stack: tuple[CallStep, ...]
    flow: Tensor | None


@dataclass(frozen=True)
class Elaborated:
    """A net's graph, the contracts still to be checked with the scope they stand in, the mistakes.

    The graph of a `damaged` net lacks what a broken statement, or what needs it, would have made.
    `results` are the tensors that calls give by name, for whoever wants them; `steps` is how much
    there was to do, in stages and turns of loops.
    """

    definition: s.Definition
    graph: Graph
    contracts: tuple[s.Expect, ...]
    scope: Scope
    made: tuple[Made, ...]
    diagnostics: tuple[Diagnostic, ...]
    around: Surroundings
    damaged: bool
    results: frozenset[str]
    steps: int


class ElaborationStopped(Exception):
    """Elaboration ends: what was reported is enough, or going on would take too long."""


ErrorsAfter: TypeAlias = Callable[[Change], int]


class State:
    """What is known of a net so far.

    It is unrolled as if `change` were made in its text; `errors_after` a change says how many
    mistakes that would leave.
    """

    def __init__(self, net: Closure, change: Change | None, errors_after: ErrorsAfter) -> None:
        self.net = net
        self.change = change
        self.errors_after = errors_after
        self.facts = Facts()
        self.evaluate = Evaluator(self.facts)
        self.graph = Draft(net.name, facts=self.facts)
        self.outputs: dict[str, str] = {}
        self.classes: dict[str, tuple[str, ...]] = {}  # the class names of an output
        self.outside: dict[str, Span] = {}  # the names of inputs and outputs in the model
        self.taken: dict[str, Span] = {}  # full names of labels and block calls
        self.called: dict[str, Members] = {}  # the block calls by their full names
        self.counts: dict[str, dict[str, int]] = {}  # unlabelled ops and blocks by call
        self.conditions: list[tuple[Size, int]] = []  # (size, the least it may be)
        self.symbols: list[str] = []
        self.contracts: list[s.Expect] = []
        self.made: list[Made] = []
        self.calls: dict[Span, BlockCall] = {}
        self.makers: dict[int, Makers] = {}  # of the definitions, by identity
        self.lets: dict[int, tuple[tuple[str, str], ...]] = {}  # of the definitions, as text
        self.results: set[str] = set()  # what the outputs of blocks and of called nets are
        self.rewritten: dict[Span, s.Stage] = {}  # `x -> relu` for `relu(x)`
        self.held: dict[str, Fits] = {}  # the tensors whose shape assertions hold
        self.patterns_held: set[Span] = set()  # the assertions that held for some tensor
        self.diagnostics: list[Diagnostic] = []
        self.searches: dict[
            int, Callable[[], Remedy]
        ] = {}  # still to be looked for, by their diagnostic's place
        self.takes_first = True  # branch of a join at fault for the right one, else the last
        self.guessed = False  # that one branch was the right one
        self.damaged = False  # something is missing because of a mistake, perhaps one in the text
        self.steps = 0
        self.edges = 0
        self.tries = MOST_TRIES

    def finished(self) -> Graph:
        """The graph with its outputs."""
        return self.graph.finished(outputs=self.outputs, labels=self.classes)

    @cached_property
    def around(self) -> Surroundings:
        """What a search for a remedy needs to know of the net, once that is whole."""
        stages = {made.stage.span: made.stage for made in self.made} | self.rewritten
        inputs = declarations(self.net.definition)
        return Surroundings(self.finished(), self.held, stages, self.calls, inputs)

    def report(self, mistake: Mistake, here: Here) -> None:
        """Keep a mistake as a diagnostic with the calls and loop turns that led to it."""
        within = here.frame.definition
        makers = self.makers.setdefault(id(within), Makers(within))
        mistake = with_later_definition(mistake, makers)
        turns = here.turns()
        notes = (*mistake.notes, "with " + ", ".join(turns)) if turns else mistake.notes
        mistake.say(remedy=placed(mistake.remedy, self.net.definition))
        if mistake.search is not None and not self.has_said(mistake.code, mistake.span):
            self.searches[len(self.diagnostics)] = mistake.search
        self.diagnostics.append(diagnostic(mistake, here.frame.call_stack, notes))
        if isinstance(mistake, TooMuch) or len(self.diagnostics) >= MOST_REPORTS:
            raise ElaborationStopped from None

    def proven(self, changes: list[Change]) -> list[Change]:
        """Those of some remedies that lead to no other mistake.

        A remedy is found in what stands before a mistake, and may break what comes after.
        """
        if self.tries <= 0 or len(self.graph) > MOST_RETRIED:
            return changes
        self.tries -= 1
        now = len(deduplicate(self.diagnostics))
        return [c for c in changes if c.argument == "input" or self.errors_after(c) < now]

    def final_diagnostics(self, also: set[tuple[str, Span]] | None) -> list[Diagnostic]:
        """Every mistake, with what the whole net leaves of its remedies.

        `also` are the places of those that another guess leads to, if one was made.
        """
        if also is not None:
            kept = [n for n, d in enumerate(self.diagnostics) if (d.code, d.span) in also]
            self.searches = {
                new: self.searches[old] for new, old in enumerate(kept) if old in self.searches
            }
            self.diagnostics = [self.diagnostics[n] for n in kept]
        for place, search in self.searches.items():
            found, better = self.diagnostics[place], search()
            stays = not better.text or (found.help or "") in better.text
            edits = (*better.edits, *(found.remedy.edits if stays else ()))
            remedy = Remedy(better.text or found.help, edits)
            self.diagnostics[place] = found.saying(remedy=remedy)
        self.searches.clear()
        return deduplicate(self.diagnostics)

    def step(self, place: Span) -> None:
        """Count one more stage or turn; raises `TooMuch`."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TooMuch(
                "E209",
                f"unrolling this net takes more than {MOST_STEPS:_} steps",
                place,
                help="loops and blocks inside one another multiply",
            )

    @property
    def effort(self) -> int:
        """How much there was to do so far, in steps."""
        return self.steps + self.edges // EDGES_OF_STEP + self.evaluate.worked // WORDS_OF_STEP

    def has_said(self, code: str, span: Span) -> bool:
        """Whether a mistake is known already, from an earlier call of the same block."""
        return any(d.code == code and d.span == span for d in self.diagnostics)

    def reporting(self, here: Here) -> Reporting:
        """`with state.reporting(here):` keeps a mistake made inside and goes on after it."""
        return Reporting(self, here)


class Reporting:
    """The context of `State.reporting`."""

    def __init__(self, state: State, here: Here) -> None:
        self.state = state
        self.here = here

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        """Whether the exception was a mistake, or the consequence of one."""
        if isinstance(error, Mistake):
            for mistake in (error, *error.others):
                self.state.report(mistake, self.here)
        elif isinstance(error, RecursionError):
            place = self.here.frame.definition.name.span
            self.state.report(Mistake("E209", "this is nested too deeply", place), self.here)
        elif isinstance(error, Silenced):
            self.state.damaged = True
        else:
            return False
        return True
