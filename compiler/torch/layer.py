"""One layer while it is written in PyTorch: its module, and the expression that calls it."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from itertools import groupby, pairwise
from typing import Any

from compiler.dims import Dim, Size
from compiler.graph import Graph, Node
from compiler.ops.base import Axis, Shape, Shapes, Weight
from compiler.torch.helpers import HELPERS
from compiler.torch.statements import ANY, mark, reference
from grammar.records import dataclass

WORD = re.compile(r"\w+|[^\w\s]")
ABSENT = object()  # the value that a call has for what it does not say
OPTIONAL = "*"  # in the place of a layer that a sequence has or has not: whether, and the layer
REPEATED = "*n"  # in that of a layer that comes so many times in a row: how often, and the layer
PRESENT = "? "  # begins what is said of such a layer, before the name of a parameter for it
GIVEN = "given"  # a module that the constructor is given
# What people give by its place, of functions and modules alike.
FIRST = frozenset({"dim", "kernel_size", "output_size", "negative_slope", "upscale_factor"})
WINDOW = ("kernel_size", "stride", "padding")  # each by its place after the one before it
MODES = {"zero": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


@dataclass(frozen=True)
class Call:
    """A constructor's call: `nn.Conv2d(3, 64, 7, stride=2)`; keywords with their defaults.

    `kinds` says of each position what it is: a parameter of a class may be called so.
    """

    function: str
    arguments: tuple[Any, ...] = ()
    keywords: tuple[tuple[str, Any, Any], ...] = ()
    kinds: tuple[str, ...] = ()

    @property
    def values(self) -> tuple[Any, ...]:
        """All that is given, in order."""
        return (*self.arguments, *(value for _, value, _ in self.keywords))

    @property
    def words(self) -> tuple[str, ...]:
        """What each of the values is called."""
        named = [*self.kinds, *(["value"] * (len(self.arguments) - len(self.kinds)))]
        return (*named, *(name for name, _, _ in self.keywords))

    def with_values(self, values: Sequence[Any]) -> Call:
        """The same call of other values."""
        count = len(self.arguments)
        pairs = zip(self.keywords, values[count:], strict=True)
        keywords = tuple((name, value, default) for (name, _, default), value in pairs)
        return replace(self, arguments=tuple(values[:count]), keywords=keywords)

    def __str__(self) -> str:
        if self.function == GIVEN:
            return text_of(self.arguments[0])
        if self.function == REPEATED:
            count, element = self.arguments
            return f"*({element} for _ in range({text_of(count)}))"
        if self.function == "OrderedDict":
            return f"OrderedDict({entries_of(self)})"
        return f"{self.function}({', '.join(given_in(self))})"


def given_in(call: Call) -> list[str]:
    """What stands in the brackets of a call."""
    given = repeated(elements_of(call.arguments))
    by_place, most = True, by_place_in(call)
    for place, (name, value, default) in enumerate(call.keywords):
        by_place &= value != default and place < most
        if value != default:
            given.append(text_of(value) if by_place else f"{name}={text_of(value)}")
    return given


def by_place_in(call: Call) -> int:
    """How many of the first keywords go by their place.

    Those of a window do in their usual order: `nn.Conv2d(3, 64, 7, 2, 3)`. A class of the source
    takes all that it is told in its order: what is handed on under its own name needs no other.
    """
    words = call.words[max(len(call.arguments) - 1, 0) :]
    before = words if call.arguments else ("", *words)
    count = 0
    for last, (name, value, _) in zip(before, call.keywords, strict=False):
        handed_on = isinstance(value, Code) and value.text == name
        is_next = (last, name) in pairwise(WINDOW)
        own = "." not in call.function and (handed_on or (not count and name in FIRST))
        if not is_next and not own:
            break
        count += 1
    return count


def call_of(function: str, keywords: Mapping[str, Any]) -> Call:
    """A call of what has no defaults; what people give by its place comes first."""
    first = [key for key in keywords if key in FIRST]
    pairs = tuple((key, value, None) for key, value in keywords.items() if key not in FIRST)
    return Call(function, tuple(keywords[key] for key in first), pairs, tuple(first))


def function_of(name: str, x: str, keywords: Mapping[str, Any]) -> str:
    """A function of a tensor and of what else it is told."""
    return f"{name}({', '.join([x, *given_in(call_of(name, keywords))])})"


def entries_of(call: Call) -> str:
    """The entries of a dictionary, by words where they are such and not numbered."""
    words = all(name.isidentifier() and not keyword.iskeyword(name) for name in call.words)
    if words and not any(name[-1].isdigit() for name in call.words):
        return ", ".join(given_in(call))
    pairs = zip(call.words, call.values, strict=True)
    entries = [f'"{name}": {text_of(value)}' for name, value in pairs]
    return "{" + ", ".join(entries) + "}"


def elements_of(values: Sequence[Any]) -> list[str]:
    """Values one by one, those in a row that some have under the same condition as one."""
    found: list[str] = []
    for condition, group in groupby(values, condition_of):
        texts = [text_of(v.arguments[1] if condition else v) for v in group]
        found += [f"*([{', '.join(texts)}] if {condition} else [])"] if condition else texts
    return found


def condition_of(value: Any) -> str:
    """On what it depends whether a layer is there; empty for one that is always."""
    optional = isinstance(value, Call) and value.function == OPTIONAL
    return text_of(value.arguments[0]) if optional else ""


def repeated(parts: Sequence[str]) -> list[str]:
    """Equal calls in a row as one comprehension."""
    found: list[str] = []
    for text, group in groupby(parts):
        count = len([*group])
        several = count > 1 and text.endswith(")") and not text.startswith("(")
        found += [f"*({text} for _ in range({count}))"] if several else [text] * count
    return found


@dataclass(frozen=True)
class Code:
    """Python that stands where a value is expected: a parameter of the class."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Later:
    """The call of a block's class that is written in another call of it, once there is one."""

    path: str
    calls: Mapping[str, Call] = field(compare=False)

    def __str__(self) -> str:
        return str(self.calls.get(self.path, "inner"))


def text_of(value: Any) -> str:
    """A value as Python writes it; of equal numbers for all axes one."""
    if isinstance(value, Code | Call | Later):
        return str(value)
    if isinstance(value, tuple):
        items = ", ".join(map(text_of, value))
        return f"({items},)" if len(value) == 1 else f"({items})"
    return repr(value).replace("'", '"') if isinstance(value, str) else repr(value)


def text_length(text: str) -> int:
    """About how many words and signs a text has."""
    return len(WORD.findall(text))


def one_or_all(values: Sequence[Any]) -> Any:
    """One number where all axes have the same, else a tuple."""
    return values[0] if len({*values}) == 1 else tuple(values)


@dataclass
class Layer:
    """A layer of a graph in the making; `owner` is what its parameters are called in its class.

    `has_channel_classes` where layers along the channels are modules of classes of their own,
    `is_fed` where it comes from an input;
    `made` is its module once there is one, `fixed` the values that the definition gives to arrays,
    `plain` a module of the same meaning as the expression, `uses` the helpers and `symbols` that
    the expression needs.
    """

    graph: Graph
    node: Node
    owner: str
    batch: str = ANY
    has_channel_classes: bool = False
    is_fed: bool = True
    made: Call | None = None
    plain: Call | None = None
    parameter: str = ""
    buffer: str = ""
    persistent: bool = True
    fixed: list[tuple[str, Any]] = field(default_factory=list)
    uses: set[str] = field(default_factory=set)
    symbols: set[str] = field(default_factory=set)
    others: Callable[[], Sequence[str]] = tuple  # the tensors at hand
    besides: list[str] = field(default_factory=list)  # those of them that the expression takes

    @property
    def inputs(self) -> Shapes:
        """The per-sample shapes of what it takes."""
        return self.graph.input_shapes(self.node)

    @property
    def shape(self) -> Shape:
        """The per-sample shape of its first input."""
        return self.inputs[0]

    @property
    def output(self) -> Shape:
        """The per-sample shape of what it makes."""
        return self.node.shape

    @property
    def rank(self) -> int:
        """The spatial axes of its first input."""
        return len(self.shape) - 1

    @property
    def weights(self) -> tuple[Weight, ...]:
        """The arrays that it holds."""
        return self.graph.weights(self.node)

    @property
    def reference(self) -> str:
        """Its module or parameter, of whatever it is to be reached by later."""
        return reference(self.owner)

    def module(
        self,
        function: str,
        *arguments: Any,
        kinds: Sequence[str] = (),
        defaults: Mapping[str, Any] | None = None,
        **keywords: Any,
    ) -> str:
        """Make a module for this layer; returns what calls it."""
        known = defaults or {}
        given = tuple((name, value, known.get(name)) for name, value in keywords.items())
        self.made = Call(function, arguments, given, tuple(kinds))
        for weight in self.weights:
            if weight.values is not None:
                self.fixed.append((weight.name, weight.values))
        return self.reference

    def function(self, name: str, x: str, module: str, **keywords: Any) -> str:
        """A function of one tensor, which is also a module of these keywords."""
        self.plain = call_of(module, keywords)
        return function_of(name, x, keywords)

    def helper(self, name: str) -> str:
        """One of the functions that stand above the classes; returns its name."""
        self.uses |= {name, *HELPERS[name].needs}
        return name

    def size(self, size: Size, x: str = "") -> str:
        """A size as Python: a number, that of an axis of the input `x`, or one of the symbols."""
        if isinstance(size, int):
            return str(size)
        for axis, have in enumerate(self.shape if x else ()):
            if isinstance(have, Dim) and self.graph.facts.equal(have, size):
                return f"{x}.shape[{axis + 1}]"
        return self.symbolic(size)

    def sizes_of_another(self, sizes: Shape) -> str:
        """Open spatial sizes as those of another tensor at hand; empty where none has them."""
        if not any(isinstance(size, Dim) for size in sizes):
            return ""
        for name in self.others():
            have = self.graph[name].shape[1:]
            pairs = zip(have, sizes, strict=False)
            if len(have) == len(sizes) and all(self.graph.facts.equal(*pair) for pair in pairs):
                self.besides.append(name)
                return f"{mark(len(self.node.inputs))}.shape[2:]"
        return ""

    def symbolic(self, size: Dim) -> str:
        """A symbolic size as arithmetic with the symbols."""
        terms = []
        for monomial, coefficient in size.terms:
            factors = [] if coefficient == 1 and monomial else [str(coefficient)]
            for atom in monomial:
                if isinstance(atom, str):
                    self.symbols.add(atom)
                    factors.append(atom)
                else:
                    inner = atom.numerator
                    text = self.symbolic(inner) if isinstance(inner, Dim) else str(inner)
                    factors.append(f"(({text}) // {atom.divisor})")
            terms.append(" * ".join(factors))
        return " + ".join(terms).replace("+ -", "- ")

    def bare(self, place: int) -> bool:
        """Whether an input comes from no input of the net, so that all samples share it."""
        return self.graph[self.node.inputs[place]].op.most_inputs == 0


def dimension(axis: int, rank: int) -> int:
    """The axis of a batch that an axis of a sample of so many axes is."""
    return axis + 1 if axis >= 0 else axis % rank + 1


def pads_of(axes: Sequence[Axis], overhang: bool = False) -> tuple[int, ...]:
    """What F.pad takes: (before, after) from the last axis to the first."""
    return tuple(
        width
        for axis in reversed(axes)
        for width in (axis.before, axis.after + axis.overhang * overhang)
    )


def padded(x: str, pads: Sequence[int], mode: str = "zero", value: str = "") -> str:
    """`F.pad(x, …)`, or x where there is nothing to pad."""
    if not any(pads):
        return x
    more = f', mode="{MODES[mode]}"' if mode != "zero" else ""
    more += f", value={value}" if value else ""
    return f"F.pad({x}, {text_of(tuple(pads))}{more})"


def per_channel(x: str, values: Any, rank: int) -> str:
    """A number, or a tensor of one for each channel that stretches over `rank` spatial axes."""
    if not isinstance(values, tuple):
        return repr(values)
    listed = f"{x}.new_tensor({[*values]})"
    return f"{listed}.view({', '.join(['-1', *['1'] * rank])})" if rank else listed


def blank(call: Call) -> tuple[Any, ...]:
    """A call without its values."""
    inner = tuple(blank(v) if is_made(v) else None for v in call.values)
    return (call.function, len(call.arguments), tuple(k[0] for k in call.keywords), inner)


def leaves_of(call: Call) -> list[tuple[str, Any]]:
    """The values of a call and of the calls in it."""
    found: list[tuple[str, Any]] = []
    if call.function in (OPTIONAL, REPEATED) and not call.arguments[0]:
        inner = leaves_of(Call("", call.arguments[1:], (), ("",)))
        return [(call.words[0], call.arguments[0]), *((word, ABSENT) for word, _ in inner)]
    if call.function == GIVEN:
        return [(GIVEN, call.arguments[0])]
    for word, value in zip(call.words, call.values, strict=True):
        if is_made(value):
            found += leaves_of(value)
        elif isinstance(value, Call):
            found.append(("act", Code(value.function)))
        else:
            found.append((word, value))
    return found


def is_made(value: Any) -> bool:
    """Whether a value is a call that is told something; another may be told by its name."""
    return isinstance(value, Call) and bool(value.values or not value.function.startswith("nn."))


def with_inner(call: Call, change: Callable[[Call], Call]) -> Call:
    """The call with those in it changed."""
    return call.with_values([change(v) if isinstance(v, Call) else v for v in call.values])


def with_leaves(call: Call, values: list[Any]) -> Call:
    """The call with other values, taken from the front of a list."""
    made: list[Any] = []
    for value in call.values:
        if is_made(value):
            made.append(with_leaves(value, values))
        else:
            leaf = values.pop(0)
            made.append(Call(leaf.text) if isinstance(value, Call) else leaf)
    return call.with_values(made)
