"""The statements of a training, read one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field

from compiler.bind import bind_picture
from compiler.elaborate.state import MOST_REPORTS
from compiler.ops.arguments import show
from compiler.ops.base import Shape, show_shape
from compiler.ops.losses import Average
from compiler.pictures import Picture
from compiler.remedies.edits import resized_picture
from compiler.symbols.modules import Closure, diagnostic
from compiler.symbols.names import Makers
from compiler.training.augmentations import AUGMENTATIONS, Augmentation, Mixup
from compiler.training.calls import NetBroken
from compiler.training.expressions import Expressions
from compiler.training.layout import RESERVED
from compiler.training.model import Data, Noise
from compiler.training.optimisers import Optimiser
from compiler.training.whole import Called, Whole
from compiler.values import (
    POISON,
    FunctionValue,
    Mistake,
    Scope,
    Silenced,
    Tensor,
    TooMuch,
    taken_apart,
    unknown,
    with_later_definition,
)
from grammar import syntax as s
from grammar.diagnostics import Diagnostic, nearest
from grammar.records import dataclass
from grammar.source import Span

MOST_TURNS = 100  # of a `repeat`
MOST_SHOWN = 64  # pictures along a side of a grid


@dataclass
class StepDeclarations:
    """What is said of one step; for a training without `step` of the training itself."""

    span: Span
    objective: tuple[s.Objective, Tensor] | None = None
    reports: list[tuple[str, Tensor, Span]] = field(default_factory=list)
    updates: list[UpdateDeclaration] = field(default_factory=list)


@dataclass(frozen=True)
class UpdateDeclaration:
    """`update lenet5 only "fc.*" with adam(1e-3)` with its names found."""

    statement: s.Update
    nets: tuple[tuple[s.Name, str], ...]  # where it is said, and the net's own name
    optimiser: Optimiser


@dataclass
class Declarations:
    """Everything that the statements of a training say."""

    data: dict[str, Data] = field(default_factory=dict)
    noises: list[Noise] = field(default_factory=list)
    augments: list[tuple[str, tuple[Augmentation, ...]]] = field(default_factory=list)
    outside: StepDeclarations | None = None
    steps: list[StepDeclarations] = field(default_factory=list)
    order: list[int] = field(default_factory=list)
    settings: dict[str, tuple[int, Span]] = field(default_factory=dict)
    shows: list[tuple[str, Tensor, s.Show]] = field(default_factory=list)
    expects: list[s.Expression] = field(default_factory=list)


class TrainingReader:
    """Reads the statements of one training into `declared`; mistakes are kept in `diagnostics`."""

    def __init__(self, item: Closure, whole: Whole, scope: Scope) -> None:
        self.item = item
        self.makers = Makers(item.definition)
        self.whole = whole
        self.scope = scope
        self.evaluate = Expressions(whole)
        self.declared = Declarations(outside=StepDeclarations(item.definition.name.span))
        self.diagnostics: list[Diagnostic] = []
        self.damaged = False
        self.gave_up = False  # a limit was passed, and nothing more is read

    @contextmanager
    def reporting(self) -> Iterator[None]:
        """Keep a mistake made inside and go on after it."""
        try:
            yield
        except Mistake as mistake:
            for each in (mistake, *mistake.others):
                self.diagnostics.append(diagnostic(with_later_definition(each, self.makers)))
            self.gave_up |= isinstance(mistake, TooMuch)
        except NetBroken as error:
            self.diagnostics += error.diagnostics
        except Silenced:
            self.damaged = True
        except RecursionError:
            place = self.item.definition.name.span
            self.diagnostics.append(Diagnostic.of("E209", "this is nested too deeply", place))

    @property
    def failed(self) -> bool:
        """Whether what was read lacks something because of a mistake."""
        return self.damaged or bool(self.diagnostics)

    # ── bodies ───────────────────────────────────────────────────────────────────────────────

    def run(self, statements: Sequence[s.Statement], step: StepDeclarations, scope: Scope) -> None:
        """Read statements in order."""
        for statement in statements:
            if self.gave_up or len(self.diagnostics) >= MOST_REPORTS:
                return
            with self.reporting():
                self.statement(statement, step, scope)

    def statement(self, statement: s.Statement, step: StepDeclarations, scope: Scope) -> None:
        """One statement; raises `Mistake`."""
        match statement:
            case s.Broken():
                self.damaged = True
                scope.lost |= statement.names
            case s.Let():
                self.let(statement, scope)
            case s.Function():
                self.check_new(statement.name, scope)
                scope.values[statement.name.id] = FunctionValue(statement, scope)
            case s.Assert():
                if not self.evaluate.truth(statement.condition, scope):
                    message = statement.message
                    why = "" if message is None else f": {self.evaluate(message, scope)}"
                    raise Mistake("E401", f"an assertion does not hold{why}", statement.span)
            case s.Assign():
                self.assign(statement, scope)
            case s.If():
                holds = self.evaluate.truth(statement.condition, scope)
                chosen = statement.then if holds else statement.otherwise
                if chosen is not None:
                    self.run(chosen.statements, step, scope)
            case s.DataDeclaration() | s.NoiseDeclaration() | s.Augment() | s.Setting() | s.Show():
                self.outside_steps(statement, step, scope)
            case s.Step() | s.Repeat() | s.Expect():
                self.outside_steps(statement, step, scope)
            case s.Objective():
                self.objective(statement, step, scope)
            case s.Report():
                self.report(statement, step, scope)
            case s.Update():
                self.update(statement, step, scope)

    def outside_steps(self, statement: s.Statement, step: StepDeclarations, scope: Scope) -> None:
        """What is said of the whole training."""
        if step is not self.declared.outside:
            word = statement.span.text.split(None, 1)[0]
            raise Mistake(
                "E702",
                f"`{word}` stands outside of any step: it is said of the whole training",
                statement.span,
            )
        match statement:
            case s.DataDeclaration():
                for part in statement.parts:
                    with self.losing(scope, part.name):
                        self.declare_data(part, scope)
            case s.NoiseDeclaration():
                with self.losing(scope, statement.name):
                    self.declare_noise(statement, scope)
            case s.Augment():
                self.augment(statement, scope)
            case s.Setting():
                self.setting(statement, scope)
            case s.Show():
                self.show(statement, scope)
            case s.Expect():
                self.declared.expects += statement.conditions
            case s.Step():
                self.declared.order.append(self.step(statement, scope))
            case s.Repeat():
                self.repeat(statement, scope)

    @contextmanager
    def losing(self, scope: Scope, *names: s.Name) -> Iterator[None]:
        """After a mistake inside, the names that were to be made are no second mistake."""
        try:
            yield
        except (Mistake, Silenced, NetBroken):
            scope.lost.update(name.id for name in names)
            raise

    def let(self, statement: s.Let, scope: Scope) -> None:
        """`let G = generator`"""
        names = list(s.names_in(statement.names))
        for name in names:
            self.check_new(name, scope)
        with self.losing(scope, *names):
            value = self.evaluate(statement.value, scope)
            scope.values |= taken_apart(statement.names, value, statement.value.span, "let")

    def assign(self, statement: s.Assign, scope: Scope) -> None:
        """`scores = lenet5(image)`"""
        name = statement.name
        self.check_new(name, scope)
        with self.losing(scope, name):
            value = self.evaluate.chain(statement.stages, scope)
            if isinstance(value, Called):
                self.whole.named_calls[name.id] = value
            elif not isinstance(value, Tensor):
                raise Mistake(
                    "E205",
                    "a tensor is named by `=`, a value by `let`",
                    statement.span,
                    help=f"let {name.id} = …",
                )
            scope.values[name.id] = value

    def check_new(self, name: s.Name, scope: Scope) -> None:
        """Raise E204 when a name is taken in this scope."""
        if name.id in scope.values or name.id in scope.tensors:
            raise Mistake("E204", f"`{name.id}` is already defined here", name.span)

    # ── data ─────────────────────────────────────────────────────────────────────────────────

    def check_fed(self, name: s.Name, scope: Scope) -> None:
        """Raise E204 when what is fed cannot be called so: the step has such a name of its own."""
        self.check_new(name, scope)
        if name.id in RESERVED:
            raise Mistake(
                "E204",
                f"a training step takes or gives `{name.id}` by itself",
                name.span,
                help=f"call it otherwise: {name.id}_of_sample",
            )

    def declare_data(self, part: s.Declared, scope: Scope) -> None:
        """`image: f32[1, 28, 28]`, `label: class[10]`"""
        name = part.name.id
        self.check_fed(part.name, scope)
        sizes = self.sizes(part.shape, scope)
        if part.kind.id == "class":
            self.declare_class(part, sizes, scope)
            return
        if part.kind.id != "f32":
            raise Mistake(
                "E203",
                "data is f32 or class",
                part.kind.span,
                label=part.kind.id,
                help=f"{name}: f32[1, 28, 28], or {name}: class[10]",
            )
        picture = self.picture(part, sizes, scope)
        self.declared.data[name] = Data(name, sizes, sizes, part.name.span, picture=picture)
        scope.tensors[name] = self.whole.add_input(name, sizes, "f32", part.name.span)

    def declare_class(self, part: s.Declared, sizes: tuple[int, ...], scope: Scope) -> None:
        """`label: class[10]`: whole numbers below 10"""
        name = part.name.id
        if len(sizes) != 1 or sizes[0] < 2:
            raise Mistake(
                "E203",
                "class[n] is a whole number below n, with n of at least 2",
                part.shape.span,
                label=show_shape(sizes),
            )
        if part.origin is not None:
            raise Mistake("E202", "a class comes from no picture", part.origin.span)
        self.declared.data[name] = Data(name, (), (), part.name.span, classes=sizes[0])
        scope.tensors[name] = self.whole.add_input(name, (), "i64", part.name.span)
        self.whole.classes[name] = sizes[0]

    def declare_noise(self, statement: s.NoiseDeclaration, scope: Scope) -> None:
        """`noise z: f32[100] normal`"""
        name, word = statement.name.id, statement.distribution.id
        self.check_fed(statement.name, scope)
        if statement.kind.id != "f32":
            raise Mistake("E203", "noise is f32", statement.kind.span)
        if word not in ("normal", "uniform"):
            near = nearest(word, ("normal", "uniform"))
            raise unknown(
                "noise is `normal` or `uniform`", statement.distribution.span, near, code="E203"
            )
        sizes = self.sizes(statement.shape, scope)
        span = statement.name.span
        distribution = "normal" if word == "normal" else "uniform"
        self.declared.noises.append(Noise(name, sizes, distribution, span))  # type: ignore[arg-type]
        self.whole.noises.add(name)
        scope.tensors[name] = self.whole.add_input(name, sizes, "f32", span)

    def sizes(self, pattern: s.ShapePattern, scope: Scope) -> tuple[int, ...]:
        """The sizes of data, which are known numbers; raises E203."""
        found = []
        for size in pattern.sizes:
            value = None if isinstance(size, s.Wildcard) else self.evaluate(size, scope)
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < 2**31:
                raise Mistake(
                    "E203",
                    "a size of data is a known whole number of at least 1",
                    size.span,
                    label="" if value is None else show(value),
                )
            found.append(value)
        if not 1 <= len(found) <= 4:
            raise Mistake(
                "E305",
                "a sample has 1 to 4 sizes: channels, then up to three axes",
                pattern.span,
                help="the batch is not written",
            )
        return tuple(found)

    def picture(self, part: s.Declared, sizes: Shape, scope: Scope) -> Picture | None:
        """`from picture(…)`, for data that a picture can become."""
        if part.origin is None:
            return None
        picture = bind_picture(part.origin, self.evaluate.alone, scope)
        complaint = picture.complaint(sizes)
        if complaint is not None:
            help = resized_picture(picture, sizes, part)
            raise Mistake("E305", complaint, part.shape.span, help=help)
        return picture

    def augment(self, statement: s.Augment, scope: Scope) -> None:
        """`augment image: crop(24) -> flip`"""
        stages = tuple(self.augmentation(stage, scope) for stage in statement.stages)
        for name in statement.names:
            data = self.declared.data.get(name.id)
            if data is None:
                if scope.is_lost(name.id):
                    raise Silenced
                raise unknown(
                    f"no data is called `{name.id}`",
                    name.span,
                    nearest(name.id, self.declared.data),
                    help="data is declared before: data image: f32[1, 28, 28]",
                )
            if any(name.id in known for known, _ in self.declared.augments):
                raise Mistake(
                    "E702",
                    f"`{name.id}` is augmented twice",
                    name.span,
                    help="a chain has all of it: crop(24) -> flip",
                )
            self.augment_one(data, stages, statement)
            self.declared.augments.append((name.id, stages))

    def augment_one(
        self, data: Data, stages: tuple[Augmentation, ...], statement: s.Augment
    ) -> None:
        """Change the shape that the steps take, and what mixes classes; raises E706."""
        shape = data.shape
        for stage, place in zip(stages, statement.stages, strict=True):
            if data.classes is not None and not isinstance(stage, Mixup):
                raise Mistake("E706", "a class cannot be augmented", place.span)
            if stage.picture_only and len(shape) != 3:
                raise Mistake(
                    "E706",
                    f"{stage.name} takes pictures, [C, H, W]",
                    place.span,
                    label=f"`{data.name}` is {show_shape(shape)}",
                )
            try:
                shape = stage.shape(shape)
            except ValueError as error:
                raise Mistake("E706", str(error), place.span) from None
        if shape != data.shape:
            self.feed(data.name, shape, data.span)
        if any(isinstance(stage, Mixup) for stage in stages):
            for other in list(self.declared.data.values()):
                if other.classes is not None:
                    self.feed(other.name, (other.classes,), other.span)
                    self.whole.classes.pop(other.name, None)

    def feed(self, name: str, shape: tuple[int, ...], span: Span) -> None:
        """Give a step's input another shape than the data has."""
        if any(name in node.inputs for node in self.whole.graph.nodes()):
            raise Mistake("E702", f"`{name}` is augmented after it was used", span)
        old = self.declared.data[name]
        self.declared.data[name] = Data(
            name, old.shape, shape, old.span, classes=old.classes, picture=old.picture
        )
        self.scope.tensors[name] = self.whole.add_input(name, shape, "f32", span)

    def augmentation(self, stage: s.Expression, scope: Scope) -> Augmentation:
        """`flip`, `crop(24, pad=2)`"""
        function = stage.function if isinstance(stage, s.CallExpression) else stage
        arguments = stage.arguments if isinstance(stage, s.CallExpression) else ()
        if not isinstance(function, s.Name) or function.id not in AUGMENTATIONS:
            near = nearest(function.span.text, AUGMENTATIONS)
            help = f"there are {', '.join(AUGMENTATIONS)}"
            raise unknown(
                f"`{function.span.text}` is no augmentation", function.span, near, help=help
            )
        kind = AUGMENTATIONS[function.id]
        made = self.evaluate.bind(kind, function.id, arguments, stage.span, scope)
        assert isinstance(made, Augmentation)
        return made

    # ── steps ────────────────────────────────────────────────────────────────────────────────

    def step(self, statement: s.Step, scope: Scope) -> int:
        """`step { … }`; returns its number."""
        step = StepDeclarations(statement.span)
        self.declared.steps.append(step)
        self.run(statement.body.statements, step, Scope(scope))
        return len(self.declared.steps) - 1

    def repeat(self, statement: s.Repeat, scope: Scope) -> None:
        """`repeat k { step { … } }`: the steps are read once and taken k times."""
        count = self.evaluate.whole(statement.count, scope, "a number of repetitions")
        if not 1 <= count <= MOST_TURNS:
            raise Mistake(
                "E205",
                f"steps are repeated 1 to {MOST_TURNS} times",
                statement.count.span,
                label=str(count),
            )
        inner, before = Scope(scope), len(self.declared.order)
        for each in statement.body.statements:
            with self.reporting():
                if not isinstance(each, s.Step | s.Let | s.Repeat | s.Broken):
                    raise Mistake("E702", "only steps are repeated", each.span)
                self.statement(each, self.declared.outside or StepDeclarations(each.span), inner)
        self.declared.order += self.declared.order[before:] * (count - 1)

    def objective(self, statement: s.Objective, step: StepDeclarations, scope: Scope) -> None:
        """`minimize cross_entropy(scores.logits, label)`"""
        if step.objective is not None:
            raise Mistake(
                "E702",
                "a step has one objective",
                statement.span,
                label=f"the first is at line {step.objective[0].span.line}",
                help="add them: minimize a + 0.3 * b; or take them in turn, each in a `step`",
            )
        step.objective = (statement, POISON)
        value = self.evaluate(statement.value, scope)
        tensor = self.evaluate.tensor(value, statement.value)
        self.evaluate.check_number(tensor, statement.value)
        step.objective = (statement, self.one_number(tensor, statement.value, "an objective"))

    def one_number(self, tensor: Tensor, place: s.Expression, what: str) -> Tensor:
        """A tensor as one number a sample; raises E703 when it has several."""
        if tensor.shape == ():
            return tensor
        if all(size == 1 for size in tensor.shape):
            return self.evaluate.apply(Average(), [tensor], place, (place,))
        raise Mistake(
            "E703",
            f"{what} is one number for each sample",
            place.span,
            label=f"this is {show_shape(tensor.shape)}",
            help="mean(…) or sum(…) makes it one",
        )

    def report(self, statement: s.Report, step: StepDeclarations, scope: Scope) -> None:
        """`report accuracy(scores.logits, label)`, with a name of its own `as top5`"""
        for item in statement.items:
            value = self.evaluate(item.value, scope)
            tensor = self.one_number(
                self.evaluate.tensor(value, item.value), item.value, "a report"
            )
            self.evaluate.check_number(tensor, item.value)
            place = item.value.span if item.label is None else item.label.span
            name = self.report_name(item, scope)
            known = {name for each in self.all_steps() for name, _, _ in each.reports}
            if name in known or name.startswith("loss") or name in RESERVED:
                raise Mistake(
                    "E204",
                    f"a report is already called `{name}`"
                    if name in known
                    else f"a training step gives `{name}` by itself"
                    if name in RESERVED
                    else "names that begin with `loss` are those of the objectives",
                    place,
                    help=f"name it: report {item.value.span.text} as top1",
                )
            step.reports.append((name, tensor, item.span))

    def all_steps(self) -> list[StepDeclarations]:
        """The steps, and the training itself."""
        return [*self.declared.steps, *([self.declared.outside] if self.declared.outside else [])]

    def report_name(self, item: s.Reported, scope: Scope) -> str:
        """What a report is called: its label, the function it calls, the name it is."""
        if item.label is not None:
            return str(self.evaluate(item.label, scope))
        value = item.value
        function = value.function if isinstance(value, s.CallExpression) else value
        if isinstance(function, s.Name):
            return function.id
        raise Mistake("E702", "this report needs a name", item.span, help=f"{item.span.text} as x")

    def update(self, statement: s.Update, step: StepDeclarations, scope: Scope) -> None:
        """`update lenet5 only "fc.*" with adam(1e-3)`"""
        optimiser = self.evaluate(statement.optimiser, scope)
        if not isinstance(optimiser, Optimiser):
            raise Mistake(
                "E704",
                "parameters are updated with an optimiser",
                statement.optimiser.span,
                label=show(optimiser) if isinstance(optimiser, int | float | str) else "",
                help="sgd(0.1), adam(1e-3), adamw, rmsprop or lion",
            )
        nets = []
        for name in statement.nets:
            target = scope.value(name.id)
            if isinstance(target, Called):
                target = self.whole.nets[target.net].block
            if not isinstance(target, Closure) or target.definition.kind != "net":
                if target is None and scope.is_lost(name.id):
                    raise Silenced
                raise unknown(
                    f"`{name.id}` is no net", name.span, nearest(name.id, self.whole.nets)
                )
            nets.append((name, target.name))
        step.updates.append(UpdateDeclaration(statement, tuple(nets), optimiser))

    # ── the whole training ───────────────────────────────────────────────────────────────────

    def setting(self, statement: s.Setting, scope: Scope) -> None:
        """`batch 64`, `epochs 12`, `accumulate 4`"""
        word = statement.keyword
        if word in self.declared.settings:
            line = self.declared.settings[word][1].line
            raise Mistake(
                "E702", f"`{word}` is said twice", statement.span, label=f"first at line {line}"
            )
        self.declared.settings[word] = (1, statement.span)
        value = self.evaluate.whole(statement.value, scope, f"`{word}`")
        if not 1 <= value < 2**31:
            raise Mistake(
                "E205", f"`{word}` is at least 1", statement.value.span, label=show(value)
            )
        self.declared.settings[word] = (value, statement.span)

    def show(self, statement: s.Show, scope: Scope) -> None:
        """`show G(z) grid 8x8 as samples`"""
        value = self.evaluate(statement.value, scope)
        tensor = self.evaluate.tensor(value, statement.value)
        sizes = statement.grid.extents
        if len(sizes) != 2 or not all(1 <= size <= MOST_SHOWN for size in sizes):
            raise Mistake(
                "E203",
                f"a grid has rows x columns, each from 1 to {MOST_SHOWN}",
                statement.grid.span,
                label=statement.grid.span.text,
            )
        shape = tensor.shape
        if len(shape) not in (2, 3) or (len(shape) == 3 and shape[0] not in (1, 3)):
            raise Mistake(
                "E703",
                "what is shown is a picture: [1, H, W], [3, H, W] or [H, W]",
                statement.value.span,
                label=f"this is {show_shape(shape)}",
            )
        name = str(self.evaluate(statement.label, scope))
        if any(name == known for known, _, _ in self.declared.shows) or not name.isidentifier():
            message = "the name of a `show` is a word, used once: a file is called so"
            raise Mistake("E204", message, statement.label.span, label=name)
        self.declared.shows.append((name, tensor, statement))
