"""What a definition's names stand for while it is compiled, and how a mistake is raised.

Values are int, float, bool, string, list, tuple, size (`Extent`), symbolic size (`Dim`), tensor,
block, net and op.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, TypeAlias

from compiler.dims import Dim
from compiler.ops.arguments import Extent, show
from compiler.ops.base import Shape, show_shape
from compiler.symbols.names import Makers
from compiler.symbols.scope import NameScope
from grammar import syntax as s
from grammar.diagnostics import Fix, LoopTurn, Message, Remedy, Saying, nearest
from grammar.records import dataclass
from grammar.source import Span


@dataclass(frozen=True)
class Tensor:
    """A tensor of the network: the node that makes it. `node` is None after a mistake."""

    node: str | None
    shape: Shape = ()

    def __str__(self) -> str:
        return f"a tensor {show_shape(self.shape)}"


POISON = Tensor(None)
Flow: TypeAlias = "Tensor | Results | None"  # what flows: None before anything does


@dataclass(frozen=True)
class Results:
    """The tensors that one call gives, by their names: `trunk() as t` has them as `t.low`."""

    tensors: Mapping[str, Tensor]
    maker: str  # the block, net or op
    whole: bool = True  # else a mistake may have lost some

    def __str__(self) -> str:
        return f"the results {', '.join(self.tensors)} of {self.maker}"

    @property
    def only(self) -> Tensor | None:
        """The tensor of a call that gives just one, as `split(1)` does: it stands for the call."""
        return next(iter(self.tensors.values())) if self.whole and len(self.tensors) == 1 else None


@dataclass(frozen=True)
class FunctionValue:
    """`let divisible(v, d=8) = …`, and the names that it sees where it stands."""

    definition: s.Function
    scope: Scope = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """What the definition calls it."""
        return self.definition.name.id

    def __str__(self) -> str:
        parameters = ", ".join(p.span.text for p in self.definition.parameters)
        return f"{self.name}({parameters})"


@dataclass(frozen=True)
class Bound:
    """A layer or block as a value with some of its arguments: `leaky_relu(0.1)`."""

    target: Any  # an op's class or a block
    arguments: tuple[s.Argument, ...]

    @property
    def name(self) -> str:
        """What is called."""
        return str(self.target.name)

    def __str__(self) -> str:
        return f"{self.name}({', '.join(a.span.text for a in self.arguments)})"

    def with_more(self, arguments: Sequence[s.Argument]) -> tuple[s.Argument, ...]:
        """Its arguments and those of a call: positions go on, keywords take the place of its."""
        given = {a.keyword for a in arguments if a.keyword is not None}
        kept = [a for a in self.arguments if a.keyword is not None and a.keyword not in given]
        positions = [a for a in (*self.arguments, *arguments) if a.keyword is None]
        return (*positions, *kept, *(a for a in arguments if a.keyword is not None))


class Mistake(Saying, Exception):
    """One mistake with its place; becomes a diagnostic.

    `others` are further mistakes of the same call, to be told as well. `search` looks for a better
    remedy once the whole net is known.
    """

    def __init__(
        self,
        code: str,
        headline: str,
        span: Span,
        *,
        label: str = "",
        notes: Sequence[str] = (),
        help: Remedy | str | None = None,
        fixes: Sequence[Fix] = (),
    ) -> None:
        super().__init__(headline)
        self.content = Message(code, headline, label, tuple(notes), Remedy.of(help, fixes))
        self.span = span
        self.others: tuple[Mistake, ...] = ()
        self.search: Callable[[], Remedy] | None = None

    @classmethod
    def of(cls, saying: Saying, span: Span) -> Mistake:
        """What was said, in its place."""
        mistake = cls(saying.code, saying.message, span)
        mistake.content = saying.content
        return mistake

    def say(self, **parts: Any) -> None:
        """Put it in other words: parts of the message by name."""
        self.content = replace(self.content, **parts)


def with_later_definition(mistake: Mistake, makers: Makers) -> Mistake:
    """An unknown name's mistake, which says where the name is made when that is further down."""
    name = mistake.span.text.strip('"')
    if mistake.code in ("E201", "E206") and name in mistake.message and not mistake.notes:
        later = makers.later(name, mistake.span.start)
        if later is not None and later.span.start < mistake.span.start:
            mistake.say(remedy=Remedy(f"`{name}` is what this very statement makes"))
        elif later is not None:
            further = f"`{name}` is made further down, at line {later.span.line}"
            mistake.say(remedy=Remedy(further))
    return mistake


def together(mistakes: Sequence[Mistake]) -> Mistake:
    """The first of several mistakes, with the others beside it."""
    first, *others = mistakes
    first.others = tuple(others)
    return first


class TooMuch(Mistake):
    """A limit of netc was passed, and going on could take forever: elaboration ends here."""


def unknown(
    message: str,
    span: Span,
    near: str | None,
    *,
    code: str = "E201",
    label: str = "",
    notes: Sequence[str] = (),
    help: str | None = None,
) -> Mistake:
    """The mistake of a name that means nothing; the known name that is `near` is its remedy."""
    remedy = Remedy(help)
    if near:
        text = f'"{near}"' if span.text.startswith('"') else near
        fix = Fix(f"replace with `{near}`", span, text)
        remedy = Remedy(f"did you mean `{near}`?", (fix,))
    return Mistake(code, message, span, label=label, notes=notes, help=remedy)


def not_taken(net: str, takes: str, place: Span, has: str, note: str) -> Mistake:
    """The mistake of a net that is called on a tensor of another shape than it takes."""
    return Mistake("E301", f"net {net} takes {takes}", place, label=has, notes=[note])


class Silenced(Exception):
    """A consequence of a mistake already reported."""


@dataclass
class Scope(NameScope[Any, Tensor]):
    """The values and tensors between a pair of braces of a net that is unrolled.

    `turn` says which turn of a loop these braces are: `("s = 2", "depth = 6")`, and `loop` the same
    as data. What is in `lost` may have been defined by something broken, so that it is no mistake
    to use it.
    """

    turn: tuple[str, ...] = ()
    loop: LoopTurn | None = None
    lost: set[str] = field(default_factory=set)

    def is_lost(self, name: str) -> bool:
        """Whether something broken may have defined `name`."""
        return name in self.lost or (self.parent is not None and self.parent.is_lost(name))


def no_label(label: str, span: Span, scope: Scope) -> Exception:
    """What to raise where a string names no tensor."""
    if scope.is_lost(label):
        return Silenced()
    near = nearest(label, scope.tensor_names())
    mistake = unknown(f'no tensor is labelled "{label}" here', span, near)
    if span.text != f'"{label}"':  # a part of a string, or an item of a list
        mistake.say(remedy=Remedy(mistake.help))
    if "." in label and scope.tensor(label.split(".")[0]) is not None:
        inside = "what is named inside a block is known in it only: let it flow out"
        mistake.say(remedy=Remedy(inside))
    return mistake


def kind_word(value: object) -> str:
    """What sort of value this is, for messages."""
    words: list[tuple[type, str]] = [
        (bool, "a truth value"),
        (int, "a number"),
        (float, "a number"),
        (str, "a string"),
        (Extent, "a size"),
        (list, "a list"),
        (tuple, "a tuple"),
        (Dim, "a symbolic size"),
        (Tensor, "a tensor"),
        (Results, "several tensors"),
        (FunctionValue, "a function"),
        (Bound, "a layer"),
        (type, "an op"),
    ]
    definition = getattr(value, "definition", None)  # a block or net
    other = f"a {definition.kind}" if isinstance(definition, s.Definition) else "a function"
    return next((word for sort, word in words if isinstance(value, sort)), other)


AXIS_LETTERS = {1: "w", 2: "hw", 3: "dhw"}


def attribute_of(tensor: Tensor, node: s.Attribute) -> Any:
    """`.c .d .h .w .shape .rank` of a tensor; `.rank` counts the spatial axes."""
    rank = len(tensor.shape) - 1
    if node.name == "shape":
        return list(tensor.shape)
    if node.name == "rank":
        return rank
    if node.name == "c":
        return tensor.shape[0]
    letters = AXIS_LETTERS.get(rank, "")
    if node.name in letters:
        return tensor.shape[1 + letters.index(node.name)]
    has = ", ".join(f".{letter}" for letter in ("c", *letters, "shape", "rank"))
    raise Mistake(
        "E205",
        f"a tensor of {rank} spatial axes has no `.{node.name}`",
        node.span,
        help=f"it has {has}",
    )


def taken_apart(targets: Sequence[s.Target], value: Any, place: Span, word: str) -> dict[str, Any]:
    """The names of a `for` or `let` (the `word`) with what each gets of a value; raises E205.

    >>> from grammar.parse import parse_expression
    >>> one, two = (s.Name(parse_expression("1").span, name) for name in "ab")
    >>> taken_apart([one, two], (3, 4), one.span, "let")
    {'a': 3, 'b': 4}
    """
    if len(targets) == 1:
        (target,) = targets
        if isinstance(target, s.Name):
            return {target.id: value}
        return taken_apart(target.parts, value, place, word)
    if isinstance(value, list | tuple) and len(value) == len(targets):
        pairs = zip(targets, value, strict=True)
        parts = [taken_apart([target], each, place, word) for target, each in pairs]
        return {name: each for part in parts for name, each in part.items()}
    items = "pairs" if len(targets) == 2 else f"items of {len(targets)} values"
    if word == "let":
        items = f"a list of {len(targets)} values"
    raise Mistake(
        "E205",
        f"`{word}` with {len(targets)} names needs {items}",
        place,
        label=f"{'an item' if word == 'for' else 'this'} is {show(value)}",
    )
